"""Clinicians answer vignettes: drafts on the server, each answer submitted once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.attestation import require_attestation
from study.audit import record
from study.canonical import sha256_hex
from study.conduct import Conduct, conduct_of, count_conduct
from study.consent import require_consent
from study.errors import AnswerError, LifeCycleError, NotAllowedError, StaleDraftError
from study.people import Person, actor_of, note_seen
from study.randomness import public_id
from study.registration import guard_injected, load_study, require_role, require_state, study_row
from study.store import Store
from study.tables import AnswerItemRow, ResponseRow
from study.time_limit import first_shown_at, note_first_shown, note_if_late, seconds_left

MAX_CHARACTERS = 20_000
CONFIDENCE = range(1, 6)
WAITING = "answering is not open yet; we will write when it is"


@dataclass(frozen=True, slots=True)
class Draft:
    """What stands on the server for an answer that is not submitted."""

    text: str
    confidence: int | None
    """1 not at all sure to 5 certain."""
    revision: int
    """Rises by one at each save; the browser says which one it last knew."""
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class AnswerTask:
    """One vignette to answer."""

    item: str
    """Opaque and personal; the browser's only name for it."""
    position: int
    total: int
    text: str
    question: str
    draft: Draft
    max_words: int | None
    asks_confidence: bool
    seconds_left: float | None
    """Until the declared time limit, negative once it has passed; None without one."""
    conduct: Conduct | None
    """What was counted so far; None where nothing is counted."""


@dataclass(frozen=True, slots=True)
class AnsweringProgress:
    """How far a clinician is."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class AnsweringService:
    """What a clinician's pages and routes may ask."""

    store: Store

    def progress(self, person: Person) -> AnsweringProgress:
        """How many of the person's vignettes are submitted."""
        with self.store.read() as session:
            return AnsweringProgress(
                done=len(_submitted(session, person)), total=len(_items(session, person))
            )

    def next_task(self, person: Person) -> AnswerTask | None:
        """The first vignette of the person's order without a submitted answer; None at the end.

        Raises:
            LifeCycleError: If answering is not open.
            NotAllowedError: If the person is not a resident, or has not confirmed the sitting's
                conditions.
        """
        require_role(person.role, "resident", what="answering")
        with self.store.read() as session:
            _require_open(session, person)
            require_attestation(session, person, self.store.clock.now())
            waiting = _first_waiting(session, person)
            starts_clock = waiting is not None and _clock_is_to_start(session, person, waiting)
        if waiting is not None and starts_clock:
            note_first_shown(self.store, waiting.item)
        with self.store.read() as session:
            return None if waiting is None else self._task(session, person, waiting)

    def _task(self, session: Session, person: Person, row: AnswerItemRow) -> AnswerTask:
        study = load_study(session, person.study_id)
        words = study.vignettes[row.vignette_id].texts[study.protocol.language]
        conditions = study.protocol.conditions
        shown_at, minutes = first_shown_at(session, row.item), conditions.time_limit_minutes
        return AnswerTask(
            item=row.item,
            position=row.position,
            total=len(_items(session, person)),
            text=words.text,
            question=words.question,
            draft=_draft(row),
            max_words=conditions.max_words,
            asks_confidence=study.protocol.answering.confidence,
            seconds_left=seconds_left(shown_at, minutes, self.store.clock.now())
            if shown_at is not None and minutes is not None
            else None,
            conduct=conduct_of(session, row.item) if conditions.record_conduct else None,
        )

    def save_draft(
        self, person: Person, item: str, text: str, confidence: int | None, revision: int
    ) -> Draft:
        """Keep what has been typed so far.

        Args:
            person: Who types.
            item: The task's opaque name.
            text: Up to 20,000 characters.
            confidence: 1 to 5, or None while not said.
            revision: The draft's revision the browser last knew.

        Raises:
            StaleDraftError: If a newer draft exists; it travels with the error.
            AnswerError: If the item is not the person's, is submitted, or the text is too long.
            LifeCycleError: If answering is closed.
        """
        _check_draft(text, confidence)
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            row = self._open_item(session, person, item)
            if revision != row.draft_revision and (text, confidence) != _content(row):
                raise StaleDraftError(
                    "a newer draft of this answer exists, saved from another tab or device",
                    _draft(row),
                )
            row.draft_text, row.draft_confidence = text, confidence
            row.draft_revision += 1
            row.draft_saved_at = self.store.clock.now()
            _seen(session, self.store, person)
            return _draft(row)

    def count_conduct(self, person: Person, item: str, totals: Conduct) -> None:
        """Keep what the browser has counted for an answer that is not submitted.

        Raises:
            AnswerError: If the item is not the person's or is submitted.
            ConsentError: If the person has not consented, or has withdrawn.
            LifeCycleError: If answering is closed.
            NotAllowedError: If the protocol does not declare it: then nothing is kept.
        """
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            row = self._open_item(session, person, item)
            if not load_study(session, person.study_id).protocol.conditions.record_conduct:
                raise NotAllowedError("this study does not count how answers are written")
            count_conduct(session, row.item, totals)

    def submit(self, person: Person, item: str, text: str, confidence: int | None) -> None:
        """Submit the answer, once and for good.

        Raises:
            AnswerError: If it is empty, lacks the confidence asked for, is too long, is not the
                person's, or was already submitted. Nothing changes then.
            LifeCycleError: If answering is closed.
        """
        _check_draft(text, confidence)
        with self.store.write() as session:
            guard_injected(session, self.store, person.study_id)
            row = self._open_item(session, person, item)
            self._check_complete(session, person, text, confidence)
            response = ResponseRow(
                response_id=public_id(self.store.source, "r"),
                study_id=person.study_id,
                person_id=person.person_id,
                vignette_id=row.vignette_id,
                status="submitted",
                text=text,
                confidence=confidence,
                submitted_at=self.store.clock.now(),
            )
            session.add(response)
            try:
                session.flush()
            except IntegrityError as error:
                raise AnswerError(_ALREADY) from error
            _seen(session, self.store, person)
            minutes = load_study(session, person.study_id).protocol.conditions.time_limit_minutes
            note_if_late(session, self.store, person, row, minutes)
            record(
                session, self.store.clock, person.study_id, actor_of(person), "submit answer",
                response.response_id,
                {"vignette_id": row.vignette_id, "text_sha256": sha256_hex(text.encode())},
            )  # fmt: skip

    def _open_item(self, session: Session, person: Person, item: str) -> AnswerItemRow:
        require_role(person.role, "resident", what="answering")
        _require_open(session, person)
        row = session.get(AnswerItemRow, item, with_for_update=True)
        if row is None or row.person_id != person.person_id:
            raise AnswerError("this vignette is not one of yours; reload the page to go on")
        if row.vignette_id in _submitted(session, person):
            raise AnswerError(_ALREADY)
        return row

    def _check_complete(
        self, session: Session, person: Person, text: str, confidence: int | None
    ) -> None:
        protocol = load_study(session, person.study_id).protocol
        if not text.strip():
            raise AnswerError("the answer is empty; write what you would do, then submit")
        limit, n_words = protocol.conditions.max_words, len(text.split())
        if limit is not None and n_words > limit:
            raise AnswerError(
                f"the answer has {n_words} words; the limit, the same for everyone, is {limit}"
            )
        if protocol.answering.confidence and confidence is None:
            raise AnswerError("say how sure you are, 1 to 5, then submit")


_ALREADY = "this answer is already submitted; it cannot be changed and nothing was lost"


def _check_draft(text: str, confidence: int | None) -> None:
    if len(text) > MAX_CHARACTERS:
        raise AnswerError(
            f"the text has {len(text):,} characters; at most {MAX_CHARACTERS:,} can be kept"
        )
    if confidence is not None and confidence not in CONFIDENCE:
        raise AnswerError(f"confidence {confidence!r} is off the scale 1 to 5")


def _require_open(session: Session, person: Person) -> None:
    require_consent(session, person)
    study = study_row(session, person.study_id)
    if study.state == "registered":
        raise LifeCycleError(WAITING)
    require_state(study, "answering", otherwise=LifeCycleError, what="answering")


def _items(session: Session, person: Person) -> list[AnswerItemRow]:
    query = select(AnswerItemRow).where(AnswerItemRow.person_id == person.person_id)
    return list(session.scalars(query.order_by(AnswerItemRow.position)))


def _first_waiting(session: Session, person: Person) -> AnswerItemRow | None:
    done = _submitted(session, person)
    return next((i for i in _items(session, person) if i.vignette_id not in done), None)


def _clock_is_to_start(session: Session, person: Person, row: AnswerItemRow) -> bool:
    limit = load_study(session, person.study_id).protocol.conditions.time_limit_minutes
    return limit is not None and first_shown_at(session, row.item) is None


def _submitted(session: Session, person: Person) -> set[str]:
    query = select(ResponseRow.vignette_id).where(ResponseRow.person_id == person.person_id)
    return set(session.scalars(query))


def _content(row: AnswerItemRow) -> tuple[str, int | None]:
    return row.draft_text, row.draft_confidence


def _draft(row: AnswerItemRow) -> Draft:
    return Draft(row.draft_text, row.draft_confidence, row.draft_revision, row.draft_saved_at)


def _seen(session: Session, store: Store, person: Person) -> None:
    note_seen(session, person.person_id, store.clock.now())


def n_answers(session: Session, study_id: str) -> int:
    """Submitted answers and recorded failures of a study, all arms together."""
    query = select(func.count()).where(ResponseRow.study_id == study_id)
    return session.scalar(query) or 0
