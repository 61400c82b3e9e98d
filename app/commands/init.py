"""The verb `init`: asks what a protocol must say, and writes one that `validate` passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.commands.output import AsJson, say
from app.commands.study import VignettesPath

HEAD = """\
# A study protocol, written by `safemed init`. Read every line before you register it: what
# stands here is frozen then. `safemed validate` names every fault; `safemed simulate` walks it
# with scripted people.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing asked, and where its answer goes."""

    path: str
    """Into the protocol, parts separated by dots; numbers are places in a list."""
    asked: str
    read: Callable[[str], Any] = str


def _names(words: str) -> list[str]:
    return [name.strip() for name in words.split(",") if name.strip()]


QUESTIONS = (
    Question("title", "Title of the study"),
    Question("protocol_id", "Short name, small letters, digits and hyphens"),
    Question("jurisdiction", "Whose guidelines count, and of which year"),
    Question("arms.0.label", "What the clinicians are called"),
    Question("arms.0.n_respondents", "How many clinicians answer", int),
    Question("arms.0.strata", "Their grades, separated by commas", _names),
    Question("arms.1.label", "What the model is called"),
    Question("conditions.max_words", "Most words an answer may have", int),
    Question("rating.n_raters", "How many raters", int),
    Question("rating.raters_per_response", "How many of them rate each response", int),
    Question("margin.points", "Difference, in rubric points, too small to matter", float),
    Question("margin.reason", "Why: the clinical reason"),
    Question("identifiers.ethics", "Ethics approval (or `none` and why)"),
    Question("identifiers.registry", "Registry and number (or `none` and why)"),
    Question("identifiers.sponsor", "Sponsor"),
    Question("identifiers.conflicts_of_interest", "Conflicts of interest"),
)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(init)


def init(
    path: Annotated[Path, typer.Argument(help="The protocol file to write.")] = Path(
        "protocol.yaml"
    ),
    vignettes: VignettesPath = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take every proposed answer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask what a protocol must say, and write it.

    Every question proposes an answer. The rubric, the masking and the analysis are those of the
    shipped thirty-vignette protocol; change them in the file.
    """
    import yaml

    from app.resources import shipped
    from study.errors import ProtocolError
    from study.protocol import parse_protocol
    from study.vignette import load_vignettes

    if path.exists():
        raise ProtocolError(f"{path} exists and is left as it is; name another file")
    values = yaml.safe_load(shipped("protocols", "thirty.yaml").read_text(encoding="utf-8"))
    at_hand = load_vignettes(vignettes or shipped("vignettes"))
    values |= {"banner": None, "version": 1, "vignettes": sorted(at_hand)}
    for question in QUESTIONS:
        _ask(values, question, take_proposed=yes)
    protocol = parse_protocol(values, name=path.name, vignettes_present=set(at_hand))
    written = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=100)
    path.write_text(HEAD + written, encoding="utf-8")
    say(as_json, {"protocol": str(path), "sha256": protocol.sha256}, [
        f"Written: {path}, {len(protocol.vignettes)} vignettes.",
        f"Next: read it, then `safemed validate {path}` and `safemed simulate {path} --out trial`.",
    ])  # fmt: skip


def _ask(values: dict[str, Any], question: Question, *, take_proposed: bool) -> None:
    """Ask until the answer can be read; keep the proposed one where nothing is typed."""
    *way, last = question.path.split(".")
    place: Any = values
    for part in way:
        place = place[int(part)] if part.isdigit() else place[part]
    proposed = place[last]
    shown = ", ".join(proposed) if isinstance(proposed, list) else proposed
    while not take_proposed:
        given = typer.prompt(question.asked, default=str(shown).strip())
        try:
            place[last] = question.read(given)
        except ValueError:
            typer.echo(f"{given!r} is not a number; please write digits only.")
            continue
        return
