"""The form for answering and rating: drafts go to the server as they are made, and submit once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal

from study.conduct import Conduct

HERE = Path(__file__).parent
SCRIPT = "/script/form.js"
PARTS = ("saver.js", "conduct.js", "time_left.js", "diff.js", "form.js")


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text area."""

    name: str
    label: str
    rows: int
    max_characters: int
    asks: bool = False
    """Whether the label is the question itself and is set as one."""
    diff_from: str | None = None
    """The text that is edited here; what changes is shown below, word by word."""
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class ScalePart:
    """A scale of which one point is chosen; none is preselected."""

    name: str
    label: str
    asks: str
    points: Sequence[tuple[int, str]]
    in_row: bool = False
    optional: bool = False
    """Whether the form may be sent without it; the server still says what it needs."""
    numbered: bool = True
    """Whether each point shows its number beside its words."""
    type: Literal["scale"] = "scale"


@dataclass(frozen=True, slots=True)
class Submit:
    """The words around the button."""

    label: str
    note: str
    doing: str
    confirm: str = ""
    """Asked once before submitting; nothing is asked when empty."""
    yes: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the last submission was refused; a new number is a new refusal."""

    number: int
    words: str


@dataclass(frozen=True, slots=True)
class DraftFormData:
    """All that reaches the browser about one form."""

    kind: Literal["answer", "rating", "marking", "practice", "guess", "adjudication", "review"]
    item: str
    """Opaque name of the task."""
    parts: Sequence[TextPart | ScalePart]
    values: Mapping[str, Any]
    """`text` and `confidence`, or `scores` and `comment` (a review's `texts` too), as the draft has
    them."""
    revision: int
    saved_at: datetime | None
    submit: Submit
    max_words: int | None = None
    seconds_left: float | None = None
    """Until the declared time limit when the page is served."""
    conduct: Conduct | None = None
    """Totals so far, where pastes and looks away are counted."""
    problem: Problem | None = None
    missing: str = "Please score every dimension."
    """What is said when a scale lacks its point."""
    first: bool = False
    """Whether another task stood here before, so that the view goes back to the top."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; the time as ISO 8601."""
        return {**asdict(self), "saved_at": self.saved_at.isoformat() if self.saved_at else None}


def draft_form(data: DraftFormData, *, key: str, on_submitted: Callable[[], None]) -> None:
    """Show the form.

    Args:
        data: What it shows and keeps.
        key: Opaque and random; it reaches the browser. What was submitted lies under it in
            `session_state` as `submitted` while `on_submitted` runs.
        on_submitted: Called once per submission, before the page runs again.
    """
    _component()(key=key, data=data.as_json(), on_submitted_change=on_submitted)


@cache
def script() -> str:
    """The form's script: its parts and the form in one module, which the browser keeps."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in PARTS)


@cache
def _component() -> Any:
    import streamlit as st

    # Streamlit sends a component's script with every page of it: this one names where it lies.
    version = hashlib.sha256(script().encode()).hexdigest()[:16]
    js = (
        f"const {{ default: form }} = await import(`${{location.origin}}{SCRIPT}?v={version}`);\n"
        "export default form;"
    )
    return st.components.v2.component("draft_form", js=js, isolate_styles=False)
