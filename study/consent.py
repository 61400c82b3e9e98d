"""Consent: versioned words, signed by typed name before anything else of the study is shown.

The name goes into personal data; the scientific record holds only who (by pseudonym's id), which
version, the digest of the words, and when.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from study.audit import record
from study.canonical import sha256_hex
from study.errors import ConsentError, LifeCycleError
from study.people import Person, actor_of
from study.randomness import public_id
from study.registration import guard_injected, load_study
from study.store import Store
from study.tables import PersonRow, SignInRow
from study.tables_people import ConsentRow, PersonalDataRow, WithdrawalRow

CONSENTING = ("resident", "rater")
DISPOSITIONS = {
    "keep submitted": "What you have submitted stays in the study; nothing more is asked of you.",
    "leave analysis": "What you have submitted is kept in the archive and leaves the analysis; "
    "nothing more is asked of you.",
}
"""What withdrawing means, in words that are shown beside the consent and the button."""
DEFAULT = "keep submitted"
"""Of a study without a consent text of its own."""

CONSENTED = "consented"
"""Key of a session's memory: people of whom this look knows that they take part."""


@dataclass(frozen=True, slots=True)
class ConsentForm:
    """What a person is asked to sign."""

    version: str
    text: str
    withdrawal: str
    """What withdrawing would mean, in words."""


def consent_form(store: Store, person: Person) -> ConsentForm | None:
    """The consent that the person has still to sign; None where none is asked or it is signed."""
    with store.read() as session:
        return _unsigned(session, person)


def sign(store: Store, person: Person, name: str) -> None:
    """Sign the present version by typing one's name.

    Raises:
        ConsentError: If no name is given, or nothing is waiting to be signed.
    """
    if not name.strip():
        raise ConsentError("please type your name; it is your signature")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        form = _unsigned(session, person)
        if form is None:
            raise ConsentError("this consent is signed already; reload the page to go on")
        session.add(
            ConsentRow(
                consent_id=public_id(store.source, "consent"),
                person_id=person.person_id,
                version=form.version,
                text_sha256=sha256_hex(form.text.encode()),
                signed_at=store.clock.now(),
            )
        )
        personal = session.get(PersonalDataRow, person.person_id)
        if personal is None:
            personal = PersonalDataRow(person_id=person.person_id)
            session.add(personal)
        personal.signature = name.strip()
        record(
            session, store.clock, person.study_id, actor_of(person), "consent", person.person_id,
            {"version": form.version, "text_sha256": sha256_hex(form.text.encode())},
        )  # fmt: skip


def withdraw(store: Store, person: Person, reason: str = "") -> str:
    """Leave the study, for good; every session of the person ends.

    Returns:
        What happens to what was submitted, in words.

    Raises:
        ConsentError: If the person has withdrawn already, or is not one who answers or rates.
        LifeCycleError: If the data are locked: what is locked stays.
    """
    if person.role not in CONSENTING:
        raise ConsentError(f"a {person.role} cannot withdraw here; tell the study team")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        study = load_study(session, person.study_id)
        if study.state in ("locked", "unblinded"):
            raise LifeCycleError("the data are locked; write to the study team to withdraw")
        if session.get(WithdrawalRow, person.person_id) is not None:
            raise ConsentError("you have withdrawn already")
        consent = study.protocol.consent
        disposition = consent.withdrawal if consent else DEFAULT
        now = store.clock.now()
        session.add(
            WithdrawalRow(
                person_id=person.person_id, disposition=disposition, reason=reason.strip(),
                withdrawn_at=now,
            )
        )  # fmt: skip
        open_ = select(SignInRow).where(
            SignInRow.person_id == person.person_id, SignInRow.ended_at.is_(None)
        )
        for signed_in in session.scalars(open_):
            signed_in.ended_at = now
        record(
            session, store.clock, person.study_id, actor_of(person), "withdraw", person.person_id,
            {"disposition": disposition},
        )  # fmt: skip
    return DISPOSITIONS[disposition]


def require_consent(session: Session, person: Person) -> None:
    """Refuse to serve anybody who has not signed, or has withdrawn.

    Raises:
        ConsentError: Saying which.
    """
    known: set[str] = session.info.setdefault(CONSENTED, set())
    if person.person_id in known:
        return
    if session.scalar(_LEFT, {"person": person.person_id}) is not None:
        raise ConsentError("you have withdrawn from this study; nothing more is asked of you")
    if _unsigned(session, person) is not None:
        raise ConsentError("please read and sign the consent first; reload the page to see it")
    known.add(person.person_id)


_LEFT = select(WithdrawalRow.person_id).where(WithdrawalRow.person_id == bindparam("person"))
"""Asked at every page; made once, since making it costs more than asking."""


def has_withdrawn(session: Session, person_id: str) -> bool:
    """Whether the person has left the study."""
    return session.get(WithdrawalRow, person_id) is not None


def withdrawn_ids(session: Session, study_id: str) -> frozenset[str]:
    """Everybody of the study who has left it."""
    query = (
        select(WithdrawalRow.person_id)
        .join(PersonRow, PersonRow.person_id == WithdrawalRow.person_id)
        .where(PersonRow.study_id == study_id)
    )
    return frozenset(session.scalars(query))


def _unsigned(session: Session, person: Person) -> ConsentForm | None:
    if person.role not in CONSENTING:
        return None
    consent = load_study(session, person.study_id).protocol.consent
    if consent is None:
        return None
    signed = session.scalars(
        select(ConsentRow).where(
            ConsentRow.person_id == person.person_id, ConsentRow.version == consent.version
        )
    ).first()
    if signed is not None:
        return None
    text = consent.respondents if person.role == "resident" else consent.raters
    return ConsentForm(consent.version, text, DISPOSITIONS[consent.withdrawal])
