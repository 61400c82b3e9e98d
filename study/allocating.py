"""Dealing masked responses to raters, and later raising how many rate each."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.allocation import CODE_PURPOSE, RATER_PURPOSE, Coded, blinding_codes
from study.amendments import amend_within
from study.audit import Actor, record
from study.consent import withdrawn_ids
from study.errors import AllocationError, LifeCycleError
from study.people import Person, expected_people
from study.protocol import Protocol, parse_protocol
from study.randomness import public_id
from study.rater_orders import Deal, RaterAssignment, assign_raters
from study.registration import guard_injected, load_study, study_row
from study.seeds import SEALER, sealed_seed
from study.store import Store
from study.tables import MaskedResponseRow, PersonRow, RaterAssignmentRow, ResponseRow
from study.tables_people import SamePersonRow
from study.tables_rating import HiddenRepeatRow

DEALT = "deal responses"
"""The audit's event that holds what an allocation rests on, for `safemed verify`."""


def allocate_raters(session: Session, store: Store, study_id: str) -> None:
    """Deal the masked responses to the raters who have joined or been invited.

    Raises:
        AllocationError: If the design cannot be kept; says why and what to do.
    """
    protocol = load_study(session, study_id).protocol
    design = protocol.rating
    raters = _raters(session, store, study_id)
    deal = Deal(
        purpose=RATER_PURPOSE,
        per_response=design.raters_per_response,
        raters=tuple(rater.person_id for rater in raters),
        excluded=_excluded(session, study_id, protocol, raters),
        order=design.order,
        repeats=design.repeats.per_rater if design.repeats else 0,
        min_distance=design.repeats.min_distance if design.repeats else 1,
    )
    _deal(session, store, study_id, deal, standing=())


def raise_overlap(store: Store, study_id: str, *, to: int, by: Actor, reason: str) -> int:
    """Let more raters score each response once rating has begun; returns the amendment's number.

    Nothing that was dealt changes: what is new stands at the end of each rater's order.

    Args:
        store: The database.
        study_id: A study in rating.
        to: Raters per response from now on; more than now.
        by: Who amends.
        reason: Printed with the results.

    Raises:
        LifeCycleError: If the study is not in rating, or the number does not rise.
        AllocationError: If there are not raters enough.
    """
    with store.write() as session:
        guard_injected(session, store, study_id)
        state = study_row(session, study_id).state
        if state != "rating":
            raise LifeCycleError(f"the overlap is raised while rating is open; this is {state!r}")
        protocol = load_study(session, study_id).protocol
        now = protocol.rating.raters_per_response
        if to <= now:
            raise LifeCycleError(f"each response has {now} raters already; {to} is no more")
        number = amend_within(session, store, study_id, _with_overlap(protocol, to), by=by,
                              reason=reason)  # fmt: skip
        raters = _raters(session, store, study_id)
        deal = Deal(
            purpose=f"{RATER_PURPOSE}, amendment {number}",
            per_response=to,
            raters=tuple(rater.person_id for rater in raters),
            excluded=_excluded(session, study_id, protocol, raters),
            order=protocol.rating.order,
        )
        _deal(session, store, study_id, deal, standing=standing_assignments(session, study_id))
        return number


def coded_responses(session: Session, study_id: str) -> tuple[Coded, ...]:
    """Every masked response with what balance needs, by code; it never leaves `study`."""
    query = (
        select(
            MaskedResponseRow.code, MaskedResponseRow.vignette_id, ResponseRow.person_id,
            PersonRow.arm,
        )
        .join(ResponseRow, ResponseRow.response_id == MaskedResponseRow.response_id)
        .join(PersonRow, PersonRow.person_id == ResponseRow.person_id)
        .where(MaskedResponseRow.study_id == study_id)
        .order_by(MaskedResponseRow.code)
    )  # fmt: skip
    found = session.execute(query)
    return tuple(Coded(code, name, person, arm or "") for code, name, person, arm in found)


def standing_assignments(session: Session, study_id: str) -> tuple[RaterAssignment, ...]:
    """What was dealt so far, hidden repeats with the code they repeat."""
    repeats = repeated_codes(session, study_id)
    query = (
        select(RaterAssignmentRow)
        .where(RaterAssignmentRow.study_id == study_id)
        .order_by(RaterAssignmentRow.rater_id, RaterAssignmentRow.position)
    )
    return tuple(
        RaterAssignment(row.rater_id, row.code, row.position, repeats.get(row.code))
        for row in session.scalars(query)
    )


def repeated_codes(session: Session, study_id: str) -> dict[str, str]:
    """A hidden repeat's code to the response's own."""
    query = (
        select(HiddenRepeatRow.code, MaskedResponseRow.code)
        .join(MaskedResponseRow, MaskedResponseRow.response_id == HiddenRepeatRow.response_id)
        .where(HiddenRepeatRow.study_id == study_id)
    )
    return {repeat: own for repeat, own in session.execute(query)}


def _deal(
    session: Session, store: Store, study_id: str, deal: Deal,
    *, standing: Sequence[RaterAssignment],
) -> None:  # fmt: skip
    responses = coded_responses(session, study_id)
    code_seed = sealed_seed(session, store, study_id, CODE_PURPOSE)
    n_codes = len(responses)
    fresh = blinding_codes(n_codes + deal.n_repeats, seed=code_seed)[n_codes:]
    dealt = assign_raters(
        responses, deal, seed=sealed_seed(session, store, study_id, deal.purpose),
        repeat_codes=fresh, standing=standing,
    )  # fmt: skip
    record(session, store.clock, study_id, SEALER, DEALT, deal.purpose, deal.as_json())
    response_of = {
        code: response_id
        for code, response_id in session.execute(
            select(MaskedResponseRow.code, MaskedResponseRow.response_id).where(
                MaskedResponseRow.study_id == study_id
            )
        )
    }
    session.add_all(
        HiddenRepeatRow(study_id=study_id, code=row.code, response_id=response_of[row.repeat_of])
        for row in dealt
        if row.repeat_of is not None
    )
    session.add_all(
        RaterAssignmentRow(
            assignment_id=public_id(store.source, "t"),
            study_id=study_id,
            rater_id=row.rater,
            code=row.code,
            position=row.position,
        )
        for row in dealt
    )


def _raters(session: Session, store: Store, study_id: str) -> list[Person]:
    gone = withdrawn_ids(session, study_id)
    expected = expected_people(session, study_id, "rater", store.clock.now())
    staying = [person for person in expected if person.person_id not in gone]
    return sorted(staying, key=lambda person: person.person_id)


def _excluded(
    session: Session, study_id: str, protocol: Protocol, raters: Sequence[Person]
) -> tuple[tuple[str, str], ...]:
    """Rater and respondent who must not meet: one human being, or, where declared, one site."""
    human = _humans(session, study_id)
    query = select(PersonRow).where(PersonRow.study_id == study_id, PersonRow.role == "resident")
    respondents = session.scalars(query.order_by(PersonRow.person_id)).all()
    same = {
        (rater.person_id, person.person_id)
        for rater in raters
        for person in respondents
        if rater.person_id in human
        and human[rater.person_id] == human.get(person.person_id)
    }  # fmt: skip
    if protocol.rating.exclude_own_site:
        here = [row for row in respondents if row.joined_at is not None]
        lacking = [one.pseudonym for one in raters if one.site is None]
        lacking += [one.pseudonym for one in here if one.site is None]
        if lacking:
            raise AllocationError(
                f"{', '.join(lacking)}: no site is known, and rating.exclude_own_site asks that "
                "nobody rates the own site. Invite with a site, or amend the protocol"
            )
        same |= {
            (rater.person_id, person.person_id)
            for rater in raters
            for person in respondents
            if rater.site == person.site
        }
    return tuple(sorted(same))


def _humans(session: Session, study_id: str) -> dict[str, int]:
    """Who was declared to be one human being with somebody, to a number for that being."""
    query = select(SamePersonRow).where(
        SamePersonRow.study_id == study_id, SamePersonRow.same.is_(True)
    )
    groups: list[set[str]] = []
    for row in session.scalars(query):
        joined = {row.first_id, row.second_id}
        apart = [group for group in groups if not group & joined]
        groups = [*apart, joined.union(*(group for group in groups if group & joined))]
    return {person: number for number, group in enumerate(groups) for person in group}


def _with_overlap(protocol: Protocol, to: int) -> Protocol:
    values = protocol.as_json()
    values["version"] += 1
    values["rating"]["raters_per_response"] = to
    values["rating"]["n_raters"] = max(to, protocol.rating.n_raters)
    return parse_protocol(values)
