"""Coming back and staying signed in: return codes, signed-in browsers, a tryout's roles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.canonical import sha256_hex
from study.errors import NotAllowedError, SignInError
from study.people import Person, Role, actor_of, add_person, join, person_of_row
from study.randomness import random_word
from study.registration import load_study, study_row
from study.store import Store
from study.tables import PersonRow, ReturnCodeRow, SignInRow
from study.tables_people import ProviderIdentityRow

SIGN_IN_DAYS = 14
WALKED: tuple[Role, ...] = ("resident", "rater", "investigator", "statistician")
"""Roles that one person walks in a tryout."""
FREE_FAILURES = 5
BLOCK = timedelta(minutes=15)
WRONG_CODE = "this return code is not known; check it letter by letter, or ask the study team"


@dataclass(frozen=True, slots=True)
class Entry:
    """A person who has just come in; the secrets are shown once and kept only as digests."""

    person: Person
    session_token: str
    return_code: str | None


def sign_in(store: Store, return_code: str, browser: Browser | None = None) -> Entry:
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
            token = start_sign_in(session, store, person.person_id, browser or UNKNOWN_BROWSER)
            record(
                session, store.clock, person.study_id, actor_of(person_of_row(person)), "sign in",
                person.person_id,
            )  # fmt: skip
            return Entry(person_of_row(person), token, None)
    raise SignInError(refusal or WRONG_CODE)


def person_of_session(store: Store, session_token: str) -> Person | None:
    """Who is signed in with that token, or None."""
    with store.read() as session:
        found = session.execute(_SIGNED_IN, {"token": secret_sha256(session_token)}).first()
        if found is None or found.ended_at or found.expires_at < store.clock.now():
            return None
        return person_of_row(found.PersonRow)


_SIGNED_IN = (
    select(SignInRow.ended_at, SignInRow.expires_at, PersonRow)
    .join(PersonRow, PersonRow.person_id == SignInRow.person_id)
    .where(SignInRow.token_sha256 == bindparam("token"))
)
"""Asked at every run, request and draft; made once, since making it costs more than asking."""


def sign_out(store: Store, session_token: str) -> None:
    """End that browser's session; unknown tokens are no error."""
    with store.write() as session:
        signed_in = session.get(SignInRow, secret_sha256(session_token))
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
        if role not in WALKED:
            raise NotAllowedError(f"{role!r} is not a role that a person can walk in")
        sibling = _walk_in(session, store, here.study_id, role)
        token = start_sign_in(session, store, sibling.person_id)
        session.get_one(SignInRow, secret_sha256(session_token)).ended_at = store.clock.now()
        record(
            session, store.clock, here.study_id, actor_of(here), "switch role", sibling.person_id,
            {"role": role},
        )  # fmt: skip
        return Entry(person_of_row(sibling), token, None)


def _walk_in(session: Session, store: Store, study_id: str, role: Role) -> PersonRow:
    """Whoever walks a tryout in that role; made when the role is first walked."""
    query = select(PersonRow).where(
        PersonRow.study_id == study_id, PersonRow.role == role, PersonRow.scripted.is_(False)
    )
    person = session.scalars(query).first()
    if person is None:
        arms = load_study(session, study_id).protocol.arms
        clinicians = next(arm for arm in arms if arm.kind == "clinicians")
        person = add_person(
            session, store, study_id, role, arm=clinicians.id if role == "resident" else None
        )
    if person.joined_at is None:
        join(session, store, person)
    return person


def give_return_code(session: Session, store: Store, person: PersonRow) -> str:
    """Make a person's return code; only its hash is kept."""
    handle, secret = random_word(store.source, 6), random_word(store.source, 12)
    session.add(
        ReturnCodeRow(handle=handle, person_id=person.person_id, code_hash=_hasher().hash(secret))
    )
    whole = handle + secret
    return "-".join(whole[i : i + 6] for i in range(0, len(whole), 6))


def reissue_return_code(store: Store, person_id: str, *, by: Actor) -> str:
    """Give somebody a new return code; every other way in is shut.

    The old code is dead, every browser is signed out, and a linked institution account signs in
    no longer: whoever had come in wrongly may have linked their own.

    Args:
        store: The database.
        person_id: Whose.
        by: A coordinator or investigator, or the operator; in the audit.

    Returns:
        The new code, shown once.

    Raises:
        SignInError: If the person has never joined: invite again instead.
    """
    with store.write() as session:
        person = session.get(PersonRow, person_id)
        old = session.scalars(
            select(ReturnCodeRow).where(ReturnCodeRow.person_id == person_id)
        ).first()
        if person is None or old is None:
            raise SignInError("nobody has joined under that id; send a new invitation instead")
        session.delete(old)
        session.flush()
        for signed_in in session.scalars(
            select(SignInRow).where(SignInRow.person_id == person_id, SignInRow.ended_at.is_(None))
        ):
            signed_in.ended_at = store.clock.now()
        session.execute(
            delete(ProviderIdentityRow).where(ProviderIdentityRow.person_id == person_id)
        )
        code = give_return_code(session, store, person)
        record(session, store.clock, person.study_id, by, "reissue return code", person_id)
        return code


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


@dataclass(frozen=True, slots=True)
class Browser:
    """What is known of the browser that signs in."""

    mark: str | None = None
    """A long-lived random cookie, of which the digest is kept: one browser, two accounts."""
    device: str | None = None
    """A few words for the person's own list."""


UNKNOWN_BROWSER = Browser()


def start_sign_in(
    session: Session, store: Store, person_id: str, browser: Browser = UNKNOWN_BROWSER
) -> str:
    """Sign a browser in; only the digest of its token is kept."""
    token = random_word(store.source, 40)
    now = store.clock.now()
    session.add(
        SignInRow(
            token_sha256=secret_sha256(token),
            person_id=person_id,
            started_at=now,
            expires_at=now + timedelta(days=SIGN_IN_DAYS),
            browser=secret_sha256(browser.mark) if browser.mark else None,
            device=browser.device,
        )
    )
    session.get_one(PersonRow, person_id).last_seen_at = now
    return token


def secret_sha256(secret: str) -> str:
    """Digest under which a token is kept."""
    return sha256_hex(secret.encode())
