"""A rater flags a response for the study team, or gives it back for a conflict of interest."""

from __future__ import annotations

from sqlalchemy.orm import Session

from study.audit import record
from study.consent import require_consent
from study.deviations import note_deviation
from study.errors import RatingError
from study.people import Person, actor_of
from study.randomness import public_id
from study.rating_queue import CONFLICT, FLAG, own_assignment
from study.registration import guard_injected, require_role, require_state, study_row
from study.store import Store
from study.tables_rating import RatingNoteRow

MAX_CHARACTERS = 1_000


def flag(store: Store, person: Person, code: str, text: str) -> None:
    """Tell the study team about a response; it stays in the queue.

    Raises:
        RatingError: If nothing is said, or the response is not the rater's.
    """
    with store.write() as session:
        _note(session, store, person, code, FLAG, text)


def give_back(store: Store, person: Person, code: str, text: str) -> None:
    """Give a response back for a conflict of interest; its rating stays missing, with the reason.

    Raises:
        RatingError: If nothing is said, the response is not the rater's, or is rated already.
    """
    with store.write() as session:
        _, is_settled = own_assignment(session, person, code)
        if is_settled:
            raise RatingError("this response is settled already and cannot be given back")
        _note(session, store, person, code, CONFLICT, text)
        note_deviation(
            session, store, person.study_id, actor_of(person), "conflict of interest", code,
            "a rater gave this response back; the rating is missing",
        )  # fmt: skip


def _note(session: Session, store: Store, person: Person, code: str, kind: str, text: str) -> None:
    guard_injected(session, store, person.study_id)
    require_role(person.role, "rater", what="rating")
    require_consent(session, person)
    require_state(
        study_row(session, person.study_id), "rating", otherwise=RatingError, what="rating"
    )
    if not text.strip() or len(text) > MAX_CHARACTERS:
        raise RatingError(f"please say in 1 to {MAX_CHARACTERS:,} characters what is the matter")
    assignment, _ = own_assignment(session, person, code)
    note_id = public_id(store.source, "note")
    session.add(
        RatingNoteRow(
            note_id=note_id, assignment_id=assignment.assignment_id, kind=kind,
            text=text.strip(), written_at=store.clock.now(),
        )
    )  # fmt: skip
    record(
        session, store.clock, person.study_id, actor_of(person), f"{kind} on a response", note_id,
        {"code": code},
    )  # fmt: skip
