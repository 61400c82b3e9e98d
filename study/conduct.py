"""Pastes into an answer and looks away from it: counted with consent, shown to no rater.

The browser counts from what it was served and sends totals; the larger of two totals stands. A
count that is sent twice counts once, and one that never arrives is in the next.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from sqlalchemy.orm import Session

from study.errors import AnswerError
from study.tables_people import ConductRow

MOST = 1_000_000
"""Of any count; a browser that says more is not ours."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """Totals of one answer so far."""

    pastes: int = 0
    pasted_characters: int = 0
    focus_losses: int = 0
    """Times the page was left: another window, another tab, a locked screen."""
    seconds_away: int = 0

    def __post_init__(self) -> None:
        for name, value in zip(NAMES, astuple(self), strict=True):
            if not 0 <= value <= MOST:
                raise AnswerError(f"{name} is {value}; a count lies between 0 and {MOST:,}")


NAMES = tuple(field.name for field in fields(Conduct))


def conduct_of(session: Session, item: str) -> Conduct:
    """What was counted for an answer; noughts where nothing was."""
    row = session.get(ConductRow, item)
    return Conduct() if row is None else Conduct(*(getattr(row, name) for name in NAMES))


def count_conduct(session: Session, item: str, totals: Conduct) -> None:
    """Keep the larger total of each kind; the caller holds the item."""
    row = session.get(ConductRow, item)
    if row is None:
        row = ConductRow(item=item, **dict.fromkeys(NAMES, 0))
        session.add(row)
    for name in NAMES:
        setattr(row, name, max(getattr(row, name), getattr(totals, name)))
