"""The source guess: who wrote it, asked last, once a rater has marked every response.

It is a step of its own: whoever has just been asked for the source would mark the next response
with an eye on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.audit import record
from study.errors import LifeCycleError, RatingError
from study.marking import (
    MarkItem,
    check_marks,
    marked,
    require_second_pass,
    to_mark,
)
from study.masked import masked_of_code, shown_text
from study.people import Person, actor_of
from study.protocol import Protocol
from study.rating_queue import assignment_of
from study.registration import guard_injected, load_study
from study.store import Store
from study.tables import RaterAssignmentRow
from study.tables_rating import SourceGuessRow

CONFIDENCE = range(1, 6)
GUESS, SURE = "guess", "guess_confidence"
UNKNOWN = 0
"""Of a guess: "don't know"; arms count from 1 in the order of the protocol."""


@dataclass(frozen=True, slots=True)
class GuessTask:
    """One response whose source is guessed."""

    code: str
    text: str
    vignette_text: str
    question: str
    position: int
    total: int
    items: tuple[MarkItem, ...]


@dataclass(frozen=True, slots=True)
class GuessingService:
    """What a rater's page may ask at the very end."""

    store: Store

    def next_task(self, person: Person) -> GuessTask | None:
        """The first response without a guess; None at the end, or where no guess is asked for.

        Raises:
            LifeCycleError: If responses are still to be scored or marked.
            NotAllowedError: If the person is not a rater.
        """
        with self.store.read() as session:
            protocol = load_study(session, person.study_id).protocol
            if not is_asked(protocol):
                return None
            queue, done = _queue(session, person), _guessed(session, person)
            waiting = next((a for a in queue if a.assignment_id not in done), None)
            if waiting is None:
                return None
            masked = masked_of_code(session, person.study_id, waiting.code)
            study = load_study(session, person.study_id)
            words = study.vignettes[masked.vignette_id].texts[protocol.language]
            return GuessTask(
                code=waiting.code,
                text=shown_text(session, masked),
                vignette_text=words.text,
                question=words.question,
                position=len(done) + 1,
                total=len(queue),
                items=guess_items(protocol),
            )

    def submit(self, person: Person, code: str, given: Mapping[str, int]) -> None:
        """Submit one guess with its confidence, once.

        Raises:
            RatingError: If either is missing, the response is not the rater's, or it was guessed
                already.
            LifeCycleError: If responses are still to be scored or marked.
        """
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            protocol = load_study(session, person.study_id).protocol
            if not is_asked(protocol):
                raise RatingError("this study asks for no guess of the source")
            queue = {a.assignment_id for a in _queue(session, person)}
            assignment = assignment_of(session, person, code)
            if assignment.assignment_id not in queue:
                raise RatingError("no guess is asked about this response; reload the page")
            items = guess_items(protocol)
            check_marks(items, given)
            missing = [item.label for item in items if item.name not in given]
            if missing:
                raise RatingError(f"please answer both; missing: {', '.join(missing)}")
            guess = given[GUESS]
            session.add(
                SourceGuessRow(
                    assignment_id=assignment.assignment_id,
                    study_id=person.study_id,
                    guess=None if guess == UNKNOWN else protocol.arms[guess - 1].id,
                    confidence=given[SURE],
                    guessed_at=self.store.clock.now(),
                )
            )
            try:
                session.flush()
            except IntegrityError as error:
                raise RatingError("the source of this response was guessed already") from error
            record(
                session, self.store.clock, person.study_id, actor_of(person), "guess the source",
                assignment.assignment_id, {"code": code},
            )  # fmt: skip


def is_asked(protocol: Protocol) -> bool:
    """Whether the protocol asks raters for the source."""
    second_pass = protocol.rating.second_pass
    return second_pass is not None and second_pass.source_guess


def guess_items(protocol: Protocol) -> tuple[MarkItem, ...]:
    """The two questions; arms by label, in the order of the protocol for everybody."""
    arms = enumerate(protocol.arms, start=1)
    options = ((UNKNOWN, "don't know"), *((i, arm.label) for i, arm in arms))
    sure = tuple((i, {1: "not at all", 5: "certain"}.get(i, "")) for i in CONFIDENCE)
    return (
        MarkItem(GUESS, "Who wrote it?", "Your best guess.", options),
        MarkItem(SURE, "How sure are you of that?", "", sure),
    )


def _queue(session: Session, person: Person) -> list[RaterAssignmentRow]:
    """Every marked response, once all of them are."""
    require_second_pass(session, person)
    queue, done = to_mark(session, person), marked(session, person)
    if any(a.assignment_id not in done for a in queue):
        raise LifeCycleError("the source is guessed when every response is marked")
    return queue


def _guessed(session: Session, person: Person) -> set[str]:
    query = (
        select(SourceGuessRow.assignment_id)
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == SourceGuessRow.assignment_id)
        .where(RaterAssignmentRow.rater_id == person.person_id)
    )
    return set(session.scalars(query))
