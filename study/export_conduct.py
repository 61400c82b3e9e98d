"""The frozen dataset's table of how answers were written; only where the protocol declares it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.clock import as_text
from study.frozen_table import Row, Table, make_table
from study.registration import RegisteredStudy
from study.tables import AnswerItemRow, PersonRow, ResponseRow
from study.tables_people import ConductRow, FirstShownRow
from study.time_limit import seconds_late

COLUMNS = (
    "respondent_id vignette_id first_shown_at:datetime seconds_late:integer pastes:integer "
    "pasted_characters:integer focus_losses:integer seconds_away:integer"
)


def conduct_table(session: Session, study: RegisteredStudy) -> dict[str, Table]:
    """One row a submitted clinician's answer: lateness with a time limit, counts with consent."""
    conditions = study.protocol.conditions
    minutes, counts = conditions.time_limit_minutes, conditions.record_conduct
    if minutes is None and not counts:
        return {}
    query = (
        select(ResponseRow, FirstShownRow.shown_at, ConductRow)
        .join(PersonRow, PersonRow.person_id == ResponseRow.person_id)
        .join(
            AnswerItemRow,
            (AnswerItemRow.person_id == ResponseRow.person_id)
            & (AnswerItemRow.vignette_id == ResponseRow.vignette_id),
        )
        .outerjoin(FirstShownRow, FirstShownRow.item == AnswerItemRow.item)
        .outerjoin(ConductRow, ConductRow.item == AnswerItemRow.item)
        .where(ResponseRow.study_id == study.study_id)
        .order_by(ResponseRow.person_id, ResponseRow.vignette_id)
    )
    rows: list[Row] = [
        (
            response.person_id, response.vignette_id,
            None if shown_at is None else as_text(shown_at),
            None if shown_at is None else seconds_late(shown_at, minutes, response.submitted_at),
            *_counts(row, declared=counts),
        )
        for response, shown_at, row in session.execute(query)
    ]  # fmt: skip
    return {"conduct": make_table(COLUMNS, rows)}


def _counts(row: ConductRow | None, *, declared: bool) -> tuple[int | None, ...]:
    if not declared:
        return (None,) * 4
    if row is None:  # nothing happened that would have been counted
        return (0,) * 4
    return row.pastes, row.pasted_characters, row.focus_losses, row.seconds_away
