"""The second pass: key points, omission and errors, once all scores are in.

It opens when every response of a rater is scored, and closes those scores to amendment, since key
points would show what the scores should have been. Key points leave the server only here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from study.audit import record
from study.consent import require_consent
from study.errors import LifeCycleError, RatingError, StaleDraftError
from study.masked import masked_of_code, shown_text
from study.people import Person, actor_of
from study.rating_queue import assignment_of, assignments_of, rated, second_pass_is_open
from study.registration import (
    RegisteredStudy,
    guard_injected,
    load_study,
    require_role,
    require_state,
    study_row,
)
from study.store import Store
from study.tables import RaterAssignmentRow
from study.tables_rating import HiddenRepeatRow, MarkingDraftRow, MarkingRow, MarkRow


@dataclass(frozen=True, slots=True)
class MarkItem:
    """One thing to mark."""

    name: str
    """Opaque to nobody: `must_met:K1`, `omission:`; the kind, a colon, the key point's id."""
    label: str
    asks: str
    options: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class MarkingDraft:
    """Marks that are not submitted yet."""

    scores: Mapping[str, int]
    comment: str
    revision: int
    saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class MarkingTask:
    """One response of the second pass."""

    code: str
    text: str
    vignette_text: str
    question: str
    position: int
    total: int
    items: tuple[MarkItem, ...]
    draft: MarkingDraft


@dataclass(frozen=True, slots=True)
class MarkingService:
    """What a rater's pages and routes may ask of the second pass."""

    store: Store

    def next_task(self, person: Person) -> MarkingTask | None:
        """The first response of the rater's order that is scored and not marked; None at the end.

        Raises:
            LifeCycleError: If the second pass is not open.
            NotAllowedError: If the person is not a rater.
        """
        with self.store.read() as session:
            require_second_pass(session, person)
            queue = to_mark(session, person)
            done = marked(session, person)
            waiting = next((a for a in queue if a.assignment_id not in done), None)
            if waiting is None:
                return None
            study = load_study(session, person.study_id)
            masked = masked_of_code(session, person.study_id, waiting.code)
            words = study.vignettes[masked.vignette_id].texts[study.protocol.language]
            return MarkingTask(
                code=waiting.code,
                text=shown_text(session, masked),
                vignette_text=words.text,
                question=words.question,
                position=len(done) + 1,
                total=len(queue),
                items=items_of(study, masked.vignette_id),
                draft=_draft(session.get(MarkingDraftRow, waiting.assignment_id)),
            )

    def save_draft(
        self, person: Person, code: str, marks: Mapping[str, int], revision: int
    ) -> MarkingDraft:
        """Keep the marks made so far.

        Raises:
            StaleDraftError: If a newer draft exists; it travels with the error.
            RatingError: If a mark is not asked for, or the response is not the rater's to mark.
            LifeCycleError: If the second pass is not open.
        """
        with self.store.write() as session:
            assignment = self._open(session, person, code)
            check_marks(self._items(session, person, assignment), marks)
            row = session.get(MarkingDraftRow, assignment.assignment_id, with_for_update=True)
            known = _draft(row)
            if revision != known.revision and dict(marks) != known.scores:
                raise StaleDraftError(
                    "newer marks of this response exist, saved from another tab or device", known
                )
            if row is None:
                row = MarkingDraftRow(assignment_id=assignment.assignment_id, revision=0)
                session.add(row)
            row.given = dict(marks)
            row.revision += 1
            row.saved_at = self.store.clock.now()
            return _draft(row)

    def submit(self, person: Person, code: str, marks: Mapping[str, int]) -> None:
        """Submit the marks of one response, once, each item marked.

        Raises:
            RatingError: If an item lacks its mark, or the response is not the rater's or is marked.
            LifeCycleError: If the second pass is not open.
        """
        with self.store.write() as session:
            assignment = self._open(session, person, code)
            items = self._items(session, person, assignment)
            check_marks(items, marks)
            missing = [item.label for item in items if item.name not in marks]
            if missing:
                raise RatingError(f"please mark each point; missing: {', '.join(missing)}")
            session.add(
                MarkingRow(
                    assignment_id=assignment.assignment_id,
                    study_id=person.study_id,
                    submitted_at=self.store.clock.now(),
                )
            )
            try:
                session.flush()
            except IntegrityError as error:
                raise RatingError("this response is marked already") from error
            session.add_all(
                MarkRow(
                    assignment_id=assignment.assignment_id, kind=kind, item=point, marked=bool(mark)
                )
                for name, mark in marks.items()
                for kind, _, point in [name.partition(":")]
            )
            record(
                session, self.store.clock, person.study_id, actor_of(person), "submit marks",
                assignment.assignment_id, {"code": code},
            )  # fmt: skip

    def _open(self, session: Session, person: Person, code: str) -> RaterAssignmentRow:
        guard_injected(session, self.store, person.study_id)
        require_second_pass(session, person)
        found = assignment_of(session, person, code)
        if found.assignment_id in marked(session, person):
            raise RatingError("this response is marked already; it cannot be changed")
        return found

    def _items(
        self, session: Session, person: Person, assignment: RaterAssignmentRow
    ) -> tuple[MarkItem, ...]:
        masked = masked_of_code(session, person.study_id, assignment.code)
        return items_of(load_study(session, person.study_id), masked.vignette_id)


YES_NO = ((1, "yes"), (0, "no"))


def items_of(study: RegisteredStudy, vignette_id: str) -> tuple[MarkItem, ...]:
    """What is marked about a response to that vignette, in the order of the page."""
    design = study.protocol.rating.second_pass
    if design is None:
        return ()
    items: list[MarkItem] = []
    if design.key_points:
        for point in study.vignettes[vignette_id].hidden.key_points:
            is_error = point.kind == "critical_error"
            items.append(
                MarkItem(
                    f"critical_error:{point.id}" if is_error else f"{point.kind}_met:{point.id}",
                    point.statement,
                    "A critical error: does the response make it?"
                    if is_error
                    else "Does the response say so, in these words or others?",
                    YES_NO,
                )
            )
    if design.omission:
        items.append(
            MarkItem("omission:", "Omission", "Is something missing that matters?", YES_NO)
        )
    if design.over_caution:
        items.append(
            MarkItem(
                "over_caution:", "Over-caution", "Does it change or delay what was right?", YES_NO
            )
        )
    items += [MarkItem(f"{e.id}:", e.label, e.question, YES_NO) for e in design.errors]
    return tuple(items)


def check_marks(items: tuple[MarkItem, ...], marks: Mapping[str, int]) -> None:
    """Refuse what is not asked, and what is no answer to it."""
    known = {item.name: {value for value, _ in item.options} for item in items}
    for name, mark in marks.items():
        if name not in known:
            raise RatingError(f"{name!r} is not asked about this response; reload the page")
        if isinstance(mark, bool) or mark not in known[name]:
            raise RatingError(f"{mark!r} is no answer to {name!r}; reload the page")


def require_second_pass(session: Session, person: Person) -> None:
    """Refuse the second pass to all but a rater who has scored everything.

    Raises:
        LifeCycleError: Saying what comes first.
        NotAllowedError: If the person is not a rater.
    """
    require_role(person.role, "rater", what="the second pass")
    require_consent(session, person)
    require_state(
        study_row(session, person.study_id), "rating", otherwise=LifeCycleError,
        what="the second pass",
    )  # fmt: skip
    if not second_pass_is_open(session, person):
        raise LifeCycleError("the second pass opens when every response is scored")


def to_mark(session: Session, person: Person) -> list[RaterAssignmentRow]:
    """Every scored response once: hidden repeats and those given back are left out."""
    repeats = set(
        session.scalars(
            select(HiddenRepeatRow.code).where(HiddenRepeatRow.study_id == person.study_id)
        )
    )
    scored = rated(session, person)
    return [
        a
        for a in assignments_of(session, person)
        if a.assignment_id in scored and a.code not in repeats
    ]


def marked(session: Session, person: Person) -> set[str]:
    """Assignments of the rater whose marks are submitted."""
    query = (
        select(MarkingRow.assignment_id)
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == MarkingRow.assignment_id)
        .where(RaterAssignmentRow.rater_id == person.person_id)
    )
    return set(session.scalars(query))


def _draft(row: MarkingDraftRow | None) -> MarkingDraft:
    if row is None:
        return MarkingDraft({}, "", 0, None)
    return MarkingDraft(dict(row.given), "", row.revision, row.saved_at)
