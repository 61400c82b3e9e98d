"""Tables of the frozen dataset about the study's course: amendments, deviations, consents given."""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.canonical import Cell
from study.clock import as_text
from study.frozen_table import Row, Table, make_table
from study.registration import RegisteredStudy
from study.tables import AuditEventRow, PersonRow
from study.tables_custody import AmendmentRow, ApprovalRow, DeviationRow
from study.tables_people import (
    AttestationRow,
    ConsentRow,
    SamePersonRow,
    WithdrawalRow,
)


def custody_tables(session: Session, study: RegisteredStudy) -> dict[str, Table]:
    """Amendments, deviations, second persons' consents, and people's own; oldest first."""
    return {
        "amendments": _amendments(session, study.study_id),
        "deviations": _deviations(session, study.study_id),
        "approvals": _approvals(session, study.study_id),
        "consents": _consents(session, study.study_id),
        "withdrawals": _withdrawals(session, study.study_id),
        "same_person": _same_person(session, study.study_id),
        "attestations": _attestations(session, study.study_id),
    }


def _amendments(session: Session, study_id: str) -> Table:
    query = select(AmendmentRow).where(AmendmentRow.study_id == study_id)
    changed = {
        event.details["number"]: json.dumps(event.details["changed"])
        for event in session.scalars(
            select(AuditEventRow).where(
                AuditEventRow.study_id == study_id, AuditEventRow.action == "amend"
            )
        )
    }
    rows: list[Row] = [
        (
            row.number, row.protocol["version"], row.protocol_sha256, changed[row.number],
            row.reason, row.amended_by, as_text(row.amended_at),
        )
        for row in session.scalars(query.order_by(AmendmentRow.number))
    ]  # fmt: skip
    return make_table(
        "number:integer version:integer protocol_sha256 changed reason amended_by "
        "amended_at:datetime",
        rows,
    )


def _deviations(session: Session, study_id: str) -> Table:
    query = select(DeviationRow).where(DeviationRow.study_id == study_id)
    rows: list[Row] = [
        (
            row.deviation_id, row.kind, _or_none(row.subject), row.description, row.reported_by,
            as_text(row.reported_at),
        )
        for row in session.scalars(query.order_by(DeviationRow.reported_at, DeviationRow.kind))
    ]  # fmt: skip
    return make_table(
        "deviation_id kind subject description reported_by reported_at:datetime", rows
    )


def _approvals(session: Session, study_id: str) -> Table:
    query = select(ApprovalRow).where(ApprovalRow.study_id == study_id)
    rows: list[Row] = [
        (row.verb, _or_none(row.subject), row.reason, row.approved_by, as_text(row.approved_at))
        for row in session.scalars(query.order_by(ApprovalRow.approved_at))
    ]
    return make_table("verb subject reason approved_by approved_at:datetime", rows)


def _consents(session: Session, study_id: str) -> Table:
    query = (
        select(ConsentRow)
        .join(PersonRow, PersonRow.person_id == ConsentRow.person_id)
        .where(PersonRow.study_id == study_id)
        .order_by(ConsentRow.person_id, ConsentRow.signed_at)
    )
    rows: list[Row] = [
        (row.person_id, row.version, row.text_sha256, as_text(row.signed_at))
        for row in session.scalars(query)
    ]
    return make_table("person_id version text_sha256 signed_at:datetime", rows)


def _withdrawals(session: Session, study_id: str) -> Table:
    query = (
        select(WithdrawalRow, PersonRow.role)
        .join(PersonRow, PersonRow.person_id == WithdrawalRow.person_id)
        .where(PersonRow.study_id == study_id)
        .order_by(WithdrawalRow.person_id)
    )
    rows: list[Row] = [
        (row.person_id, role, row.disposition, as_text(row.withdrawn_at))
        for row, role in session.execute(query)
    ]
    return make_table("person_id role disposition withdrawn_at:datetime", rows)


def _same_person(session: Session, study_id: str) -> Table:
    query = (
        select(SamePersonRow)
        .where(SamePersonRow.study_id == study_id)
        .order_by(SamePersonRow.first_id, SamePersonRow.second_id)
    )
    rows: list[Row] = [
        (row.first_id, row.second_id, row.same, row.reason, as_text(row.decided_at))
        for row in session.scalars(query)
    ]
    return make_table("first_id second_id same:boolean reason decided_at:datetime", rows)


def _attestations(session: Session, study_id: str) -> Table:
    query = (
        select(AttestationRow)
        .join(PersonRow, PersonRow.person_id == AttestationRow.person_id)
        .where(PersonRow.study_id == study_id)
        .order_by(AttestationRow.person_id, AttestationRow.attested_at)
    )
    rows: list[Row] = [
        (row.person_id, row.conditions_sha256, row.kept, _or_none(row.remark),
         as_text(row.attested_at))
        for row in session.scalars(query)
    ]  # fmt: skip
    return make_table("person_id conditions_sha256 kept:boolean remark attested_at:datetime", rows)


def _or_none(words: str) -> Cell:
    return words or None
