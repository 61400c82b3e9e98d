"""Invitation links: made for one person, looked at without being spent, accepted once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.errors import InvitationError, RealPersonEnrolledError, StudyError
from study.people import Role, actor_of, add_person, as_role, join, person_of_row
from study.randomness import random_word
from study.registration import admit_simulation, guard_injected, load_study
from study.sign_in import (
    UNKNOWN_BROWSER,
    Browser,
    Entry,
    give_return_code,
    secret_sha256,
    start_sign_in,
)
from study.store import Store
from study.tables import InvitationRow, PersonRow


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What an invitation link shows before it is accepted."""

    study_title: str
    role: Role
    simulated: bool
    expires_at: datetime


def invite(
    store: Store,
    study_id: str,
    role: Role,
    *,
    by: Actor,
    arm: str | None = None,
    stratum: str | None = None,
    site: str | None = None,
    days_valid: int = 30,
    scripted: bool = False,
) -> str:
    """Make an invitation link's token; only its digest is stored.

    Raises:
        StudyError: If the study is unknown, a resident's arm is not one of clinicians, or the site
            is not the protocol's.
        RealPersonEnrolledError: If a scripted person is asked for beside a real one.
    """
    with store.write() as session:
        return add_invitation(
            session, store, study_id, role,
            by=by, arm=arm, stratum=stratum, site=site, days_valid=days_valid, scripted=scripted,
        )  # fmt: skip


def add_invitation(
    session: Session,
    store: Store,
    study_id: str,
    role: Role,
    *,
    by: Actor,
    arm: str | None = None,
    stratum: str | None = None,
    site: str | None = None,
    days_valid: int = 30,
    scripted: bool = False,
) -> str:
    """Make an invitation inside the caller's transaction; see `invite`."""
    guard_injected(session, store, study_id)
    if scripted:
        admit_simulation(session, store, study_id, what="a scripted person")
    _check_arm(session, study_id, role, arm)
    _check_site(session, study_id, site)
    person = add_person(
        session, store, study_id, role, arm=arm, stratum=stratum, site=site, scripted=scripted
    )
    token = random_word(store.source, 26)
    now = store.clock.now()
    session.add(
        InvitationRow(
            token_sha256=secret_sha256(token),
            person_id=person.person_id,
            created_at=now,
            expires_at=now + timedelta(days=days_valid),
        )
    )
    record(
        session,
        store.clock,
        study_id,
        by,
        "invite",
        role,
        {"stratum": stratum, "scripted": scripted},
    )
    return token


def look_up_invitation(store: Store, token: str) -> InvitationView:
    """What the link leads to; consumes nothing, so mail scanners may follow it.

    Raises:
        InvitationError: If the link is unknown, used or expired.
    """
    with store.read() as session:
        invitation = _open_invitation(session, token, store.clock.now())
        person = session.get_one(PersonRow, invitation.person_id)
        study = load_study(session, person.study_id)
        return InvitationView(
            study.protocol.title, as_role(person.role), study.simulated, invitation.expires_at
        )


def accept_invitation(store: Store, token: str, browser: Browser | None = None) -> Entry:
    """Come in by an invitation link, once; the return code is for every later time.

    Raises:
        InvitationError: If the link is unknown, used or expired.
        RealPersonEnrolledError: If a real person would join under an injected clock or source.
    """
    with store.write() as session:
        invitation = _open_invitation(session, token, store.clock.now())
        person = session.get_one(PersonRow, invitation.person_id)
        guard_injected(session, store, person.study_id)
        if store.seeded and not person.scripted:
            raise RealPersonEnrolledError(
                "a real person cannot join while the clock or the source of secrets is injected; "
                "serve the study with the operating system's"
            )
        invitation.accepted_at = store.clock.now()
        join(session, store, person)
        code = give_return_code(session, store, person)
        here = browser or UNKNOWN_BROWSER
        session_token = start_sign_in(session, store, person.person_id, here)
        record(
            session, store.clock, person.study_id, actor_of(person_of_row(person)), "join",
            person.person_id, {"role": person.role, "scripted": person.scripted},
        )  # fmt: skip
        return Entry(person_of_row(person), session_token, code)


def _check_arm(session: Session, study_id: str, role: Role, arm: str | None) -> None:
    protocol = load_study(session, study_id).protocol
    clinicians = [a.id for a in protocol.arms if a.kind == "clinicians"]
    if role == "resident" and arm not in clinicians:
        raise StudyError(f"a resident belongs to one of the arms {clinicians}; got {arm!r}")
    if role != "resident" and arm is not None:
        raise StudyError(f"only a resident belongs to an arm; got {arm!r} for a {role}")


def _check_site(session: Session, study_id: str, site: str | None) -> None:
    sites = load_study(session, study_id).protocol.sites
    if site is not None and site not in sites:
        raise StudyError(f"{site!r} is no site of the protocol; they are {sites or 'none'}")


def _open_invitation(session: Session, token: str, now: datetime) -> InvitationRow:
    invitation = session.get(InvitationRow, secret_sha256(token.strip()))
    if invitation is None:
        raise InvitationError(
            "this invitation link is not known; check that the whole link was copied, or ask the "
            "study team for a new one"
        )
    if invitation.accepted_at is not None:
        raise InvitationError(
            "this invitation link has been used; come back with your return code, or ask the study "
            "team for a new link if that was not you"
        )
    if invitation.expires_at < now:
        raise InvitationError(
            f"this invitation link expired on {invitation.expires_at:%d %B %Y}; ask the study team "
            "for a new one"
        )
    return invitation
