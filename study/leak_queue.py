"""The custodian's queue: each finding stays or is masked, with a reason, before rating opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study.audit import record
from study.errors import LifeCycleError, StudyError
from study.leaks import find_leaks
from study.masked import CUSTODIAN, shown_text
from study.people import Person, actor_of
from study.registration import guard_injected, load_study, require_role, study_row
from study.store import Store
from study.tables import MaskedResponseRow, MaskingChangeRow, PersonRow, ResponseRow
from study.tables_custody import LeakFindingRow, LeakRulingRow

Ruling = Literal["stays", "mask"]
MASK = "[masked]"


@dataclass(frozen=True, slots=True)
class Finding:
    """One place the custodian rules on."""

    response_id: str
    number: int
    kind: str
    start: int
    text: str
    ruling: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded change of masking, for the diff."""

    rule: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class LeakTask:
    """A response with findings: the original, what raters would see, and what was changed."""

    code: str
    original: str
    shown: str
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]
    n_left: int
    """Findings of the whole study that await a ruling."""


def scan(session: Session, study_id: str) -> int:
    """Look through every masked response, within the step that masks; returns how many findings."""
    protocol = load_study(session, study_id).protocol
    names = [*protocol.sites, *(arm.label for arm in protocol.arms if arm.kind == "model")]
    query = select(MaskedResponseRow).where(MaskedResponseRow.study_id == study_id)
    n_found = 0
    for masked in session.scalars(query):
        for number, leak in enumerate(find_leaks(masked.text, names), start=1):
            session.add(
                LeakFindingRow(
                    response_id=masked.response_id, number=number, kind=leak.kind,
                    start=leak.start, text=leak.text,
                )
            )  # fmt: skip
            n_found += 1
    return n_found


def n_unruled(session: Session, study_id: str) -> int:
    """Findings that await a ruling."""
    ruled = (
        select(LeakRulingRow.number)
        .where(
            LeakRulingRow.response_id == LeakFindingRow.response_id,
            LeakRulingRow.number == LeakFindingRow.number,
        )
        .exists()
    )
    query = (
        select(func.count())
        .select_from(LeakFindingRow)
        .join(MaskedResponseRow, MaskedResponseRow.response_id == LeakFindingRow.response_id)
        .where(MaskedResponseRow.study_id == study_id, ~ruled)
    )
    return session.scalar(query) or 0


def has_custodian(session: Session, study_id: str) -> bool:
    """Whether a custodian has joined."""
    query = select(PersonRow.person_id).where(
        PersonRow.study_id == study_id,
        PersonRow.role == "custodian",
        PersonRow.joined_at.is_not(None),
    )
    return session.scalars(query.limit(1)).first() is not None


def next_leak_task(store: Store, person: Person) -> LeakTask | None:
    """The first response, by its code, with a finding that awaits a ruling; None at the end.

    Raises:
        NotAllowedError: If the person is not the custodian.
    """
    require_role(person.role, "custodian", what="the leak queue")
    with store.read() as session:
        n_left = n_unruled(session, person.study_id)
        query = (
            select(MaskedResponseRow)
            .join(LeakFindingRow, LeakFindingRow.response_id == MaskedResponseRow.response_id)
            .where(MaskedResponseRow.study_id == person.study_id)
            .order_by(MaskedResponseRow.code)
            .distinct()
        )
        for masked in session.scalars(query):
            findings = _findings(session, masked.response_id)
            if any(finding.ruling is None for finding in findings):
                return _task(session, masked, findings, n_left)
        return None


def rule(
    store: Store, person: Person, code: str, number: int, ruling: Ruling, *, reason: str
) -> None:
    """Decide one finding, once: it stays, or its place is masked for every rater.

    Raises:
        NotAllowedError: If the person is not the custodian.
        LifeCycleError: If the responses are not masked yet, or rating is open already.
        StudyError: If there is no such finding, it is ruled on, or no reason is given.
    """
    require_role(person.role, "custodian", what="the leak queue")
    if not reason.strip():
        raise StudyError("a ruling needs a reason; a word or two will do")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        state = study_row(session, person.study_id).state
        if state != "masked":
            raise LifeCycleError(
                f"rulings are made between masking and the opening of rating; it is {state!r} now"
            )
        masked = session.scalars(
            select(MaskedResponseRow).where(
                MaskedResponseRow.study_id == person.study_id, MaskedResponseRow.code == code
            )
        ).first()
        finding = session.get(LeakFindingRow, (masked.response_id, number)) if masked else None
        if masked is None or finding is None:
            raise StudyError(f"there is no finding {number} in the response {code!r}")
        if session.get(LeakRulingRow, (masked.response_id, number)) is not None:
            raise StudyError("this finding is ruled on already; rulings do not change")
        session.add(
            LeakRulingRow(
                response_id=masked.response_id, number=number, ruling=ruling,
                reason=reason.strip(), ruled_by=person.person_id, ruled_at=store.clock.now(),
            )
        )  # fmt: skip
        if ruling == "mask":
            _mask(session, masked, finding)
        record(
            session, store.clock, person.study_id, actor_of(person), "rule on a finding", code,
            {"number": number, "kind": finding.kind, "ruling": ruling},
        )  # fmt: skip


def _mask(session: Session, masked: MaskedResponseRow, finding: LeakFindingRow) -> None:
    """Record the custodian's change in the text as it stands, earlier rulings included."""
    text = shown_text(session, masked)
    start = _moved(session, masked.response_id, finding.start)
    if text[start : start + len(finding.text)] != finding.text:
        raise StudyError(f"{finding.text!r} is part of what was masked already; rule that it stays")
    last = select(func.max(MaskingChangeRow.number)).where(
        MaskingChangeRow.response_id == masked.response_id
    )
    session.add(
        MaskingChangeRow(
            response_id=masked.response_id, number=(session.scalar(last) or 0) + 1,
            rule=CUSTODIAN, start=start, before=finding.text, after=MASK,
        )
    )  # fmt: skip


def _moved(session: Session, response_id: str, start: int) -> int:
    """Where a place of the masked text stands after the custodian's changes so far."""
    query = (
        select(MaskingChangeRow)
        .where(MaskingChangeRow.response_id == response_id, MaskingChangeRow.rule == CUSTODIAN)
        .order_by(MaskingChangeRow.number)
    )
    for change in session.scalars(query):
        if change.start <= start:
            start += len(change.after) - len(change.before)
    return start


def _findings(session: Session, response_id: str) -> tuple[Finding, ...]:
    query = (
        select(LeakFindingRow, LeakRulingRow.ruling)
        .join(
            LeakRulingRow,
            (LeakRulingRow.response_id == LeakFindingRow.response_id)
            & (LeakRulingRow.number == LeakFindingRow.number),
            isouter=True,
        )
        .where(LeakFindingRow.response_id == response_id)
        .order_by(LeakFindingRow.number)
    )
    return tuple(
        Finding(f.response_id, f.number, f.kind, f.start, f.text, ruling)
        for f, ruling in session.execute(query)
    )


def _task(
    session: Session, masked: MaskedResponseRow, findings: tuple[Finding, ...], n_left: int
) -> LeakTask:
    query = select(MaskingChangeRow).where(MaskingChangeRow.response_id == masked.response_id)
    changes = session.scalars(query.order_by(MaskingChangeRow.number))
    return LeakTask(
        code=masked.code,
        original=session.get_one(ResponseRow, masked.response_id).text or "",
        shown=shown_text(session, masked),
        changes=tuple(Change(c.rule, c.before, c.after) for c in changes),
        findings=findings,
        n_left=n_left,
    )
