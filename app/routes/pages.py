"""Plain pages: server-made HTML with one stylesheet and no script."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from app.services import institution
from study.people import Role

TEMPLATES = Path(__file__).parent / "templates"
POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
ROLE_WORDS: dict[Role, str] = {
    "resident": "resident: you answer written cases",
    "rater": "rater: you score written responses",
    "adjudicator": "adjudicator: you decide where raters differ",
    "coordinator": "coordinator: you invite people and follow how far they are",
    "investigator": "investigator: you run the study",
    "statistician": "statistician: you follow agreement, and consent to locking and unblinding",
    "custodian": "masking custodian: you check that nothing in a response tells its source",
    "inspector": "inspector: you read the audit",
    "auditor": "clinician auditor: you review the rows that a model learns from",
    "model": "model",
}


def page(template: str, *, status: int = 200, **words: Any) -> HTMLResponse:
    """A page of ours; kept by no cache, since it may hold a secret shown once.

    Args:
        template: Name under `templates/`, without its ending.
        status: HTTP status.
        words: What the template needs; values are escaped there.
    """
    return HTMLResponse(
        _environment().get_template(f"{template}.html").render(**words),
        status,
        headers={"content-security-policy": POLICY, "cache-control": "no-store"},
    )


def refusal(
    title: str, words: str, *, status: int, remedy: str = "", go_on: bool = False
) -> HTMLResponse:
    """A page that says what went wrong and what to do.

    Args:
        title: A few words.
        words: What happened; a study's own errors fit as they are.
        status: HTTP status.
        remedy: What to do, unless `words` say it.
        go_on: Whether this browser is signed in and may simply go on.
    """
    return page(
        "refusal", status=status, title=title, words=as_sentence(words), remedy=remedy, go_on=go_on
    )


def as_sentence(words: str) -> str:
    """The words with a capital at the start and a full stop at the end."""
    said = words.strip()
    ending = "" if said.endswith((".", "!", "?")) else "."
    return said[:1].upper() + said[1:] + ending


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["institution"] = institution
    return made
