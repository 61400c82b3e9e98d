"""Who takes part: invitations, return codes, signed-in browsers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast, get_args

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import select
from sqlalchemy.orm import Session

from study.answer_items import deal_vignettes
from study.audit import Actor, record
from study.canonical import sha256_hex
from study.errors import (
    InvitationError,
    NotAllowedError,
    RealPersonEnrolledError,
    SignInError,
    StudyError,
)
from study.randomness import public_id, random_word
from study.registration import admit_simulation, guard_injected, load_study, study_row
from study.store import Store
from study.tables import InvitationRow, PersonRow, ReturnCodeRow, SignInRow

Role = Literal["resident", "rater", "investigator", "model"]
SIGN_IN_DAYS = 14
FREE_FAILURES = 5
BLOCK = timedelta(minutes=15)
WRONG_CODE = "this return code is not known; check it letter by letter, or ask the study team"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who takes part."""

    person_id: str
    study_id: str
    role: Role
    arm: str | None
    stratum: str | None
    scripted: bool
    pseudonym: str


@dataclass(frozen=True, slots=True)
class InvitationView:
    """What an invitation link shows before it is accepted."""

    study_title: str
    role: Role
    simulated: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A person who has just come in; the secrets are shown once and kept only as digests."""

    person: Person
    session_token: str
    return_code: str | None


def actor_of(person: Person) -> Actor:
    """The person as the audit names them."""
    return Actor(person.person_id, person.role)


def invite(
    store: Store,
    study_id: str,
    role: Role,
    *,
    by: Actor,
    arm: str | None = None,
    stratum: str | None = None,
    days_valid: int = 30,
    scripted: bool = False,
) -> str:
    """Make an invitation link's token; only its digest is stored.

    Raises:
        StudyError: If the study is unknown, or a resident's arm is not one of clinicians.
        RealPersonEnrolledError: If a scripted person is asked for beside a real one.
    """
    with store.write() as session:
        return add_invitation(
            session, store, study_id, role,
            by=by, arm=arm, stratum=stratum, days_valid=days_valid, scripted=scripted,
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
    days_valid: int = 30,
    scripted: bool = False,
) -> str:
    """Make an invitation inside the caller's transaction; see `invite`."""
    guard_injected(session, store, study_id)
    if scripted:
        admit_simulation(session, store, study_id, what="a scripted person")
    _check_arm(session, study_id, role, arm)
    person = _add_person(
        session, store, study_id, role, arm=arm, stratum=stratum, scripted=scripted
    )
    token = random_word(store.source, 26)
    now = store.clock.now()
    session.add(
        InvitationRow(
            token_sha256=_digest(token),
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
            study.protocol.title, _role(person.role), study.simulated, invitation.expires_at
        )


def accept_invitation(store: Store, token: str) -> Entry:
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
        _join(session, store, person)
        code = _give_return_code(session, store, person)
        session_token = _start_sign_in(session, store, person.person_id)
        record(
            session, store.clock, person.study_id, actor_of(_person(person)), "join",
            person.person_id, {"role": person.role, "scripted": person.scripted},
        )  # fmt: skip
        return Entry(_person(person), session_token, code)


def sign_in(store: Store, return_code: str) -> Entry:
    """Come back with a return code, on any device.

    Raises:
        SignInError: If the code is wrong (one wording, whichever part is), or after five wrong
            tries, naming the wait.
    """
    cleaned = "".join(return_code.split()).replace("-", "").upper()
    handle, secret = cleaned[:6], cleaned[6:]
    # A wrong try is itself a record that must survive, so the refusal comes after the transaction.
    with store.write() as session:
        found = session.get(ReturnCodeRow, handle)
        refusal = _try_code(found, secret, store.clock.now())
        if refusal is None and found is not None:
            person = session.get_one(PersonRow, found.person_id)
            token = _start_sign_in(session, store, person.person_id)
            record(
                session, store.clock, person.study_id, actor_of(_person(person)), "sign in",
                person.person_id,
            )  # fmt: skip
            return Entry(_person(person), token, None)
    raise SignInError(refusal or WRONG_CODE)


def person_of_session(store: Store, session_token: str) -> Person | None:
    """Who is signed in with that token, or None."""
    with store.read() as session:
        signed_in = session.get(SignInRow, _digest(session_token))
        if signed_in is None or signed_in.ended_at or signed_in.expires_at < store.clock.now():
            return None
        return _person(session.get_one(PersonRow, signed_in.person_id))


def sign_out(store: Store, session_token: str) -> None:
    """End that browser's session; unknown tokens are no error."""
    with store.write() as session:
        signed_in = session.get(SignInRow, _digest(session_token))
        if signed_in is not None and signed_in.ended_at is None:
            signed_in.ended_at = store.clock.now()


def switch_role(store: Store, session_token: str, role: Role) -> Entry:
    """In a tryout, go on in another role in the same browser.

    Raises:
        SignInError: If nobody is signed in.
        NotAllowedError: If the study is not a tryout, or the role is not one a person can walk.
    """
    here = person_of_session(store, session_token)
    if here is None:
        raise SignInError("nobody is signed in here; enter by the link again")
    with store.write() as session:
        if study_row(session, here.study_id).kind != "tryout":
            raise NotAllowedError("roles can be switched only in a tryout study")
        if role not in ("resident", "rater", "investigator"):
            raise NotAllowedError(f"{role!r} is not a role that a person can walk in")
        sibling = _walk_in(session, store, here.study_id, role)
        token = _start_sign_in(session, store, sibling.person_id)
        session.get_one(SignInRow, _digest(session_token)).ended_at = store.clock.now()
        record(
            session, store.clock, here.study_id, actor_of(here), "switch role", sibling.person_id,
            {"role": role},
        )  # fmt: skip
        return Entry(_person(sibling), token, None)


def enrol_model(session: Session, store: Store, study_id: str, arm: str) -> None:
    """The model arm's one respondent, enrolled when answering opens."""
    _join(session, store, _add_person(session, store, study_id, "model", arm=arm))


def _add_person(
    session: Session,
    store: Store,
    study_id: str,
    role: Role,
    *,
    arm: str | None = None,
    stratum: str | None = None,
    scripted: bool = False,
) -> PersonRow:
    person = PersonRow(
        person_id=public_id(store.source, "p"),
        study_id=study_id,
        role=role,
        pseudonym=_pseudonym(session, store, study_id),
        arm=arm,
        stratum=stratum,
        scripted=scripted,
    )
    session.add(person)
    session.flush()
    return person


def _join(session: Session, store: Store, person: PersonRow) -> None:
    person.joined_at = store.clock.now()
    if person.role == "resident":
        deal_vignettes(session, store, person)


def _walk_in(session: Session, store: Store, study_id: str, role: Role) -> PersonRow:
    """Whoever walks a tryout in that role; made when the role is first walked."""
    query = select(PersonRow).where(
        PersonRow.study_id == study_id, PersonRow.role == role, PersonRow.scripted.is_(False)
    )
    person = session.scalars(query).first()
    if person is None:
        arms = load_study(session, study_id).protocol.arms
        clinicians = next(arm for arm in arms if arm.kind == "clinicians")
        person = _add_person(
            session, store, study_id, role, arm=clinicians.id if role == "resident" else None
        )
    if person.joined_at is None:
        _join(session, store, person)
    return person


def _check_arm(session: Session, study_id: str, role: Role, arm: str | None) -> None:
    protocol = load_study(session, study_id).protocol
    clinicians = [a.id for a in protocol.arms if a.kind == "clinicians"]
    if role == "resident" and arm not in clinicians:
        raise StudyError(f"a resident belongs to one of the arms {clinicians}; got {arm!r}")
    if role != "resident" and arm is not None:
        raise StudyError(f"only a resident belongs to an arm; got {arm!r} for a {role}")


def _open_invitation(session: Session, token: str, now: datetime) -> InvitationRow:
    invitation = session.get(InvitationRow, _digest(token.strip()))
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


def _give_return_code(session: Session, store: Store, person: PersonRow) -> str:
    handle, secret = random_word(store.source, 6), random_word(store.source, 12)
    session.add(
        ReturnCodeRow(handle=handle, person_id=person.person_id, code_hash=_hasher().hash(secret))
    )
    whole = handle + secret
    return "-".join(whole[i : i + 6] for i in range(0, len(whole), 6))


def _try_code(found: ReturnCodeRow | None, secret: str, now: datetime) -> str | None:
    """Why the code is refused, or None; counts wrong tries."""
    if found is None:
        return WRONG_CODE
    if found.blocked_until is not None and found.blocked_until > now:
        return f"too many wrong tries; try again after {found.blocked_until:%H:%M} UTC"
    try:
        _hasher().verify(found.code_hash, secret)
    except VerifyMismatchError:
        found.failures += 1
        if found.failures >= FREE_FAILURES:
            found.failures, found.blocked_until = 0, now + BLOCK
        return WRONG_CODE
    found.failures, found.blocked_until = 0, None
    return None


def _hasher() -> PasswordHasher:
    # The secret part has 58 random bits, so a light memory-hard setting is enough.
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def _start_sign_in(session: Session, store: Store, person_id: str) -> str:
    token = random_word(store.source, 40)
    now = store.clock.now()
    session.add(
        SignInRow(
            token_sha256=_digest(token),
            person_id=person_id,
            started_at=now,
            expires_at=now + timedelta(days=SIGN_IN_DAYS),
        )
    )
    session.get_one(PersonRow, person_id).last_seen_at = now
    return token


def _pseudonym(session: Session, store: Store, study_id: str) -> str:
    taken = set(session.scalars(select(PersonRow.pseudonym).where(PersonRow.study_id == study_id)))
    while (name := random_word(store.source, 4)) in taken:
        continue
    return name


def _digest(secret: str) -> str:
    return sha256_hex(secret.encode())


def _role(written: str) -> Role:
    for role in get_args(Role):
        if role == written:
            return cast(Role, role)
    raise StudyError(f"unknown role {written!r}")


def _person(row: PersonRow) -> Person:
    return Person(
        person_id=row.person_id,
        study_id=row.study_id,
        role=_role(row.role),
        arm=row.arm,
        stratum=row.stratum,
        scripted=row.scripted,
        pseudonym=row.pseudonym,
    )


def people_of(session: Session, study_id: str, role: Role) -> tuple[Person, ...]:
    """The study's people of one role who have joined, in order of joining."""
    query = select(PersonRow).where(
        PersonRow.study_id == study_id, PersonRow.role == role, PersonRow.joined_at.is_not(None)
    )
    rows = session.scalars(query.order_by(PersonRow.joined_at, PersonRow.person_id))
    return tuple(_person(row) for row in rows)


def expected_people(
    session: Session, study_id: str, role: Role, now: datetime
) -> tuple[Person, ...]:
    """Those who have joined, and those whose invitation is still open."""
    query = (
        select(PersonRow)
        .join(InvitationRow, InvitationRow.person_id == PersonRow.person_id)
        .where(
            PersonRow.study_id == study_id,
            PersonRow.role == role,
            PersonRow.joined_at.is_(None),
            InvitationRow.expires_at > now,
        )
        .order_by(PersonRow.person_id)
    )
    waiting = tuple(_person(row) for row in session.scalars(query))
    return people_of(session, study_id, role) + waiting
