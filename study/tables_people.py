"""Tables about people: consent, personal data, sign-in by provider, and who turned out the same."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from study.tables import Base


class PersonalDataRow(Base):
    """Who somebody is. The only table with names; erasing a row touches no scientific record."""

    __tablename__ = "personal_data"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    name: Mapped[str | None]
    email: Mapped[str | None]
    signature: Mapped[str | None]
    """The name as typed under the consent."""
    erased_at: Mapped[datetime | None]


class ConsentRow(Base):
    """One signed consent; the text's digest says which words were signed."""

    __tablename__ = "consent"
    __table_args__ = (UniqueConstraint("person_id", "version"),)

    consent_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    version: Mapped[str]
    text_sha256: Mapped[str]
    signed_at: Mapped[datetime]


class WithdrawalRow(Base):
    """Somebody leaves; what happens to their records is what the protocol declares."""

    __tablename__ = "withdrawal"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    disposition: Mapped[str]
    reason: Mapped[str]
    withdrawn_at: Mapped[datetime]


class AttestationRow(Base):
    """A sitting's conditions, confirmed or not."""

    __tablename__ = "attestation"

    attestation_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), index=True)
    conditions_sha256: Mapped[str]
    kept: Mapped[bool]
    remark: Mapped[str]
    attested_at: Mapped[datetime]


class ConductRow(Base):
    """How an answer was written: pastes and looks away, with consent; never shown to raters."""

    __tablename__ = "conduct"

    item: Mapped[str] = mapped_column(ForeignKey("answer_item.item"), primary_key=True)
    pastes: Mapped[int] = mapped_column(default=0)
    pasted_characters: Mapped[int] = mapped_column(default=0)
    focus_losses: Mapped[int] = mapped_column(default=0)
    seconds_away: Mapped[int] = mapped_column(default=0)


class FirstShownRow(Base):
    """When a vignette with a time limit was first shown to whom it is for."""

    __tablename__ = "first_shown"

    item: Mapped[str] = mapped_column(ForeignKey("answer_item.item"), primary_key=True)
    shown_at: Mapped[datetime]


class ProviderIdentityRow(Base):
    """An account of an OpenID Connect provider that signs a person in."""

    __tablename__ = "provider_identity"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), index=True)
    linked_at: Mapped[datetime]


class SamePersonRow(Base):
    """What was decided about two accounts that looked like one human being."""

    __tablename__ = "same_person"

    first_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    second_id: Mapped[str] = mapped_column(ForeignKey("person.person_id"), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    same: Mapped[bool]
    reason: Mapped[str]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]


APPEND_ONLY = ("consent", "withdrawal", "attestation", "same_person", "first_shown")
