"""The life cycle of a study, in one place.

registered -> answering -> responses closed -> masked -> rating -> locked -> unblinded. Each step
checks its preconditions, is one transaction and leaves an audit event; allocation happens within
`masked`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from study.allocating import allocate_raters
from study.approvals import APPROVED, approval_for
from study.audit import Actor, events_of, record
from study.canonical import sha256_hex
from study.errors import LifeCycleError
from study.invitations import add_invitation
from study.people import Person, actor_of, enrol_model
from study.preconditions import Precondition, preconditions
from study.protocol import Protocol
from study.registration import guard_injected, load_study, require_role, study_row
from study.steps import mask_responses
from study.store import Store
from study.tables import SealedSeedRow
from study.tables_custody import ApprovalRow

State = Literal[
    "registered", "answering", "responses closed", "masked", "rating", "locked", "unblinded"
]
STATES: tuple[State, ...] = (
    "registered",
    "answering",
    "responses closed",
    "masked",
    "rating",
    "locked",
    "unblinded",
)
Verb = Literal["open", "close", "mask", "allocate", "lock", "unblind"]


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """An invitation made by a step; its token is shown once."""

    role: str
    token: str
    stratum: str | None


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did."""

    state: State
    invitations: tuple[IssuedInvitation, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the life cycle."""

    verb: Verb
    before: State
    after: State
    label: str
    """What the button says."""
    final: bool
    """Whether it cannot be taken back by any later step."""


OPEN_ANSWERING = Step("open", "registered", "answering", "Open answering", False)
CLOSE = Step("close", "answering", "responses closed", "Close responses", True)
MASK = Step("mask", "responses closed", "masked", "Mask responses", True)
ALLOCATE = Step("allocate", "masked", "masked", "Allocate to raters", True)
OPEN_RATING = Step("open", "masked", "rating", "Open rating", False)
LOCK = Step("lock", "rating", "locked", "Lock the data", True)
UNBLIND = Step("unblind", "locked", "unblinded", "Unblind", True)


def next_step(session: Session, study_id: str) -> Step | None:
    """The one step that comes next, or None after unblinding."""
    state = study_row(session, study_id).state
    if state == "masked":
        is_allocated = bool(events_of(session, study_id, "allocate"))
        return OPEN_RATING if is_allocated else ALLOCATE
    steps = (OPEN_ANSWERING, CLOSE, MASK, LOCK, UNBLIND)
    return next((step for step in steps if step.before == state), None)


def take_step(
    store: Store,
    study_id: str,
    verb: Verb,
    *,
    by: Actor,
    reason: str = "",
    invite: bool = True,
    force: bool = False,
) -> StepResult:
    """Take the next step of the life cycle.

    Args:
        store: The database.
        study_id: The study.
        verb: The step; it must be the next one.
        by: Who takes it.
        reason: Needed to unblind, and to go on with `force`.
        invite: Whether opening makes the invitations that the protocol plans for.
        force: Go on although something is outstanding that may stay so (missing answers or
            ratings); it is written into the audit with the reason.

    Raises:
        LifeCycleError: Saying what is missing; nothing changed then.
    """
    with store.write() as session:
        guard_injected(session, store, study_id)
        step = next_step(session, study_id)
        if step is None or step.verb != verb:
            raise LifeCycleError(_not_now(verb, study_row(session, study_id).state, step))
        checklist = preconditions(session, study_id, step.label, store.clock.now())
        outstanding = _outstanding(step, checklist, force=force, reason=reason)
        consent = _second_person(session, study_id, step, by)
        invitations = _act(session, store, study_id, step, by=by, invite=invite)
        study_row(session, study_id).state = step.after
        details: dict[str, object] = {"state": step.after}
        if outstanding:
            details["outstanding"] = [p.text for p in outstanding]
        if reason:
            details["reason"] = reason
        if consent is not None:
            details["second_person"] = consent.approved_by
            details["second_person_reason"] = consent.reason
        if step is UNBLIND:
            details["seeds"] = _reveal(session, study_id)
        record(session, store.clock, study_id, by, step.verb, step.label.lower(), details)
        return StepResult(step.after, invitations)


def console_step(store: Store, person: Person, verb: Verb, *, reason: str = "") -> StepResult:
    """The investigator's console takes a step; see `take_step`.

    A reason given also answers for what is outstanding and may stay so. In a tryout nobody is
    invited: one person walks every role.

    Raises:
        NotAllowedError: If the person is not an investigator.
        LifeCycleError: Saying what is missing.
    """
    require_role(person.role, "investigator", what=f"the step {verb!r}")
    with store.read() as session:
        is_tryout = study_row(session, person.study_id).kind == "tryout"
    return take_step(
        store,
        person.study_id,
        verb,
        by=actor_of(person),
        reason=reason,
        invite=not is_tryout,
        force=bool(reason),
    )


def _outstanding(
    step: Step, checklist: tuple[Precondition, ...], *, force: bool, reason: str
) -> tuple[Precondition, ...]:
    unmet = tuple(p for p in checklist if not p.met)
    stops = [p for p in unmet if not (force and p.may_stay_open)]
    if stops:
        hint = "; give a reason to go on without" if all(p.may_stay_open for p in stops) else ""
        raise LifeCycleError(
            f"{step.label} is not possible yet: " + "; ".join(p.text for p in stops) + hint
        )
    if (unmet or step is UNBLIND) and not reason.strip():
        raise LifeCycleError(f"{step.label} needs a reason; it is printed in the audit")
    return unmet


def _second_person(session: Session, study_id: str, step: Step, by: Actor) -> ApprovalRow | None:
    """The consent of somebody else that a final step rests on; None where none is asked for."""
    if step.verb not in APPROVED:
        return None
    consent = approval_for(session, study_id, step.verb, not_by=by.name)
    if consent is None:
        raise LifeCycleError(
            f"{step.label} needs a second person: somebody other than {by.name} consents first, "
            "signed in as themselves"
        )
    return consent


def _act(
    session: Session, store: Store, study_id: str, step: Step, *, by: Actor, invite: bool
) -> tuple[IssuedInvitation, ...]:
    protocol = load_study(session, study_id).protocol
    if step is OPEN_ANSWERING:
        for arm in protocol.arms:
            if arm.kind == "model":
                enrol_model(session, store, study_id, arm.id)
        return _invite_residents(session, store, study_id, protocol, by) if invite else ()
    if step is MASK:
        mask_responses(session, store, study_id)
        return _invite_raters(session, store, study_id, protocol, by) if invite else ()
    if step is ALLOCATE:
        allocate_raters(session, store, study_id)
    return ()


def _invite_residents(
    session: Session, store: Store, study_id: str, protocol: Protocol, by: Actor
) -> tuple[IssuedInvitation, ...]:
    planned = [
        (arm.id, arm.strata[i % len(arm.strata)] if arm.strata else None)
        for arm in protocol.arms
        if arm.kind == "clinicians"
        for i in range(arm.n_respondents)
    ]
    return tuple(
        IssuedInvitation(
            "resident",
            add_invitation(
                session, store, study_id, "resident",
                by=by, arm=arm, stratum=stratum, site=_site(protocol, number),
            ),
            stratum,
        )
        for number, (arm, stratum) in enumerate(planned)
    )  # fmt: skip


def _invite_raters(
    session: Session, store: Store, study_id: str, protocol: Protocol, by: Actor
) -> tuple[IssuedInvitation, ...]:
    return tuple(
        IssuedInvitation(
            "rater",
            add_invitation(session, store, study_id, "rater", by=by, site=_site(protocol, number)),
            None,
        )
        for number in range(protocol.rating.n_raters)
    )


def _site(protocol: Protocol, number: int) -> str | None:
    """Sites in turn; the coordinator hands each link to somebody of its site."""
    return protocol.sites[number % len(protocol.sites)] if protocol.sites else None


def _reveal(session: Session, study_id: str) -> list[dict[str, str]]:
    rows = session.query(SealedSeedRow).filter_by(study_id=study_id).order_by("purpose").all()
    return [
        {"purpose": row.purpose, "seed": row.seed.hex(), "sha256": sha256_hex(row.seed)}
        for row in rows
    ]


def _not_now(verb: str, state: str, step: Step | None) -> str:
    if step is None:
        return f"{verb!r} is not possible: the study is {state}, its last state"
    return f"{verb!r} is not the next step: the study is {state!r}, and {step.verb!r} comes next"


def as_state(written: str) -> State:
    """A state read from the database."""
    if written not in STATES:
        raise LifeCycleError(f"unknown state {written!r}")
    return written
