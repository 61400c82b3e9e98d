"""A declared time limit: it runs from a vignette's first showing, and a late answer is kept.

The clock stands on the server and runs on while the page is closed. Nothing is cut off or lost: an
answer after the limit is stored as written, with a deviation that says by how much.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from study.deviations import note_deviation
from study.people import Person, actor_of
from study.store import Store
from study.tables import AnswerItemRow
from study.tables_people import FirstShownRow

LATE = "time limit passed"
"""The deviation's kind."""


def first_shown_at(session: Session, item: str) -> datetime | None:
    """When the vignette was first shown to whom it is for; None if it was not, or has no limit."""
    row = session.get(FirstShownRow, item)
    return None if row is None else row.shown_at


def note_first_shown(store: Store, item: str) -> None:
    """The clock starts now, unless it runs already."""
    with store.write() as session:
        session.get(AnswerItemRow, item, with_for_update=True)  # two tabs at once: one first time
        if session.get(FirstShownRow, item) is None:
            session.add(FirstShownRow(item=item, shown_at=store.clock.now()))


def seconds_left(shown_at: datetime, minutes: int, now: datetime) -> float:
    """Until the limit; negative once it has passed."""
    return (shown_at + timedelta(minutes=minutes) - now).total_seconds()


def seconds_late(shown_at: datetime | None, minutes: int | None, submitted_at: datetime) -> int:
    """Whole seconds after the limit, rounded up; 0 in time or without a limit."""
    if shown_at is None or minutes is None:
        return 0
    return max(0, math.ceil(-seconds_left(shown_at, minutes, submitted_at)))


def note_if_late(
    session: Session, store: Store, person: Person, row: AnswerItemRow, minutes: int | None
) -> None:
    """Log a deviation if the answer that is being submitted comes after the limit."""
    late = seconds_late(first_shown_at(session, row.item), minutes, store.clock.now())
    if late:
        note_deviation(
            session, store, person.study_id, actor_of(person), LATE, person.pseudonym,
            f"{row.vignette_id} was answered {late} s after the limit of {minutes} minutes",
        )  # fmt: skip
