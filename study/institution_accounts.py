"""An institution's account that signs a person in: linked by the person, never found by name.

The provider's opaque subject stands in `provider_identity` and nowhere else: no export, page or
event of the audit holds it. A link makes no person; only an invitation does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import record
from study.errors import InstitutionAccountError, SignInError
from study.people import Person, Role, actor_of, as_role, person_of_row
from study.registration import guard_injected, load_study
from study.sign_in import UNKNOWN_BROWSER, Browser, Entry, start_sign_in
from study.store import Store
from study.tables import PersonRow
from study.tables_people import ProviderIdentityRow

NOT_LINKED = (
    "this institution account is not linked to anybody here; come in as before, then link it "
    "under “Where you are signed in”"
)


@dataclass(frozen=True, slots=True)
class InstitutionAccount:
    """Whom a provider has named: its issuer and its opaque subject, unique together."""

    issuer: str
    subject: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedStudy:
    """A study into which an account leads."""

    study_id: str
    title: str
    role: Role


def link_account(store: Store, person: Person, account: InstitutionAccount) -> None:
    """Let the account sign the person in from now on; linking the same one again changes nothing.

    Raises:
        InstitutionAccountError: If the account signs somebody else of the study in, or the person
            has linked another one.
    """
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        found = session.get(ProviderIdentityRow, (account.issuer, account.subject, person.study_id))
        if found is not None and found.person_id == person.person_id:
            return
        if found is not None:
            raise InstitutionAccountError(
                "this institution account signs in somebody else of this study already; if both "
                "are you, tell the study team, who decide about two accounts of one person"
            )
        if _row_of(session, person) is not None:
            raise InstitutionAccountError(
                "you have linked another institution account; unlink that one first"
            )
        session.add(
            ProviderIdentityRow(
                issuer=account.issuer, subject=account.subject, study_id=person.study_id,
                person_id=person.person_id, linked_at=store.clock.now(),
            )
        )  # fmt: skip
        record(
            session, store.clock, person.study_id, actor_of(person), "link institution account",
            person.person_id,
        )  # fmt: skip


def unlink_account(store: Store, person: Person) -> None:
    """From now on the person signs in by return code alone; no link is no error."""
    with store.write() as session:
        found = _row_of(session, person)
        if found is not None:
            session.delete(found)
            record(
                session, store.clock, person.study_id, actor_of(person),
                "unlink institution account", person.person_id,
            )  # fmt: skip


def linked_since(store: Store, person: Person) -> datetime | None:
    """When the person linked an account, or None."""
    with store.read() as session:
        row = _row_of(session, person)
        return row.linked_at if row else None


def studies_of(store: Store, account: InstitutionAccount) -> tuple[LinkedStudy, ...]:
    """The studies into which the account leads, the one linked last first."""
    with store.read() as session:
        query = (
            select(PersonRow)
            .join(ProviderIdentityRow, ProviderIdentityRow.person_id == PersonRow.person_id)
            .where(
                ProviderIdentityRow.issuer == account.issuer,
                ProviderIdentityRow.subject == account.subject,
            )
            .order_by(ProviderIdentityRow.linked_at.desc(), PersonRow.study_id)
        )
        return tuple(
            LinkedStudy(
                person.study_id,
                load_study(session, person.study_id).protocol.title,
                as_role(person.role),
            )
            for person in session.scalars(query)
        )


def sign_in_with(
    store: Store, account: InstitutionAccount, study_id: str, browser: Browser | None = None
) -> Entry:
    """Come back by an institution's account; an ordinary session of ours begins.

    Args:
        store: The database.
        account: As the provider has just named it.
        study_id: One of `studies_of` the account.
        browser: That signs in.

    Raises:
        SignInError: If the account is linked to nobody of that study.
    """
    with store.write() as session:
        found = session.get(ProviderIdentityRow, (account.issuer, account.subject, study_id))
        if found is None:
            raise SignInError(NOT_LINKED)
        person = person_of_row(session.get_one(PersonRow, found.person_id))
        token = start_sign_in(session, store, person.person_id, browser or UNKNOWN_BROWSER)
        record(
            session, store.clock, study_id, actor_of(person), "sign in", person.person_id,
            {"by": "institution account"},
        )  # fmt: skip
        return Entry(person, token, None)


def _row_of(session: Session, person: Person) -> ProviderIdentityRow | None:
    query = select(ProviderIdentityRow).where(ProviderIdentityRow.person_id == person.person_id)
    return session.scalars(query).first()
