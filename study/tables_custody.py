"""Tables about the study's course: amendments, deviations, second persons, leaks and queries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from study.tables import Base


class AmendmentRow(Base):
    """A later version of the protocol, whole, with the reason."""

    __tablename__ = "amendment"

    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    protocol: Mapped[dict[str, Any]]
    protocol_sha256: Mapped[str]
    reason: Mapped[str]
    amended_by: Mapped[str]
    amended_at: Mapped[datetime]


class DeviationRow(Base):
    """Something that did not go as the protocol says."""

    __tablename__ = "deviation"

    deviation_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    kind: Mapped[str]
    subject: Mapped[str]
    description: Mapped[str]
    reported_by: Mapped[str]
    reported_at: Mapped[datetime]


class ApprovalRow(Base):
    """A second person's consent to one final step, given while signed in as themselves."""

    __tablename__ = "approval"

    approval_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    verb: Mapped[str]
    subject: Mapped[str]
    """Empty, or the blinding code of a code-break."""
    reason: Mapped[str]
    approved_by: Mapped[str] = mapped_column(ForeignKey("person.person_id"))
    approved_at: Mapped[datetime]


class LeakFindingRow(Base):
    """A place in a masked response that may tell its source."""

    __tablename__ = "leak_finding"

    response_id: Mapped[str] = mapped_column(ForeignKey("response.response_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    start: Mapped[int]
    text: Mapped[str]


class LeakRulingRow(Base):
    """What the custodian decided about a finding: it stays, or it is masked."""

    __tablename__ = "leak_ruling"

    response_id: Mapped[str] = mapped_column(ForeignKey("response.response_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    ruling: Mapped[str]
    reason: Mapped[str]
    ruled_by: Mapped[str]
    ruled_at: Mapped[datetime]


class QueryRow(Base):
    """A question about a record, open until it is closed."""

    __tablename__ = "query"

    query_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("study.study_id"), index=True)
    subject: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]


class QueryEntryRow(Base):
    """One turn of a query: opened, answered, closed."""

    __tablename__ = "query_entry"

    query_id: Mapped[str] = mapped_column(ForeignKey("query.query_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    text: Mapped[str]
    written_by: Mapped[str]
    written_at: Mapped[datetime]


APPEND_ONLY = ("amendment", "deviation", "approval", "leak_finding", "leak_ruling", "query_entry")
