"""Training rows on the desk: which are open to a clinician auditor, and what is shown of one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from study.people import Person
from study.tables_review import DeskRow, ReviewBatchRow, ReviewRow


@dataclass(frozen=True, slots=True)
class RowShown:
    """A training row as its reader sees it, without anybody's scores or votes."""

    item: str
    specialty: str
    language: str
    prompt: str
    reasoning: str
    answer: str
    strikes: int


def shown(row: DeskRow) -> tuple[str, str, str, str, str, str, int]:
    """The fields of `RowShown`, in their order."""
    return (
        row.item, row.specialty, row.language, row.prompt, row.reasoning, row.answer, row.strikes,
    )  # fmt: skip


def open_rows(person: Person, *more: ColumnElement[bool], docket: bool) -> Select[DeskRow]:
    """Rows of the auditor's specialty that are not finished and not reviewed by the auditor.

    Args:
        person: The clinician auditor.
        more: Further conditions.
        docket: Whether rows of the panel's docket, or rows to review.
    """
    reviewed = (
        select(DeskRow.row_id)
        .join(ReviewRow, ReviewRow.item == DeskRow.item)
        .where(ReviewRow.person_id == person.person_id)
    )
    query = (
        select(DeskRow)
        .join(ReviewBatchRow, ReviewBatchRow.batch_id == DeskRow.batch_id)
        .where(
            DeskRow.study_id == person.study_id, DeskRow.n_left > 0,
            ReviewBatchRow.docket.is_(docket), DeskRow.row_id.not_in(reviewed), *more,
        )
    )  # fmt: skip
    return query if person.stratum is None else query.where(DeskRow.specialty == person.stratum)


def in_order(query: Select[DeskRow], *first: ColumnElement[bool]) -> Select[DeskRow]:
    """One row: the oldest batch's first, after what is to come before."""
    return query.order_by(*first, ReviewBatchRow.taken_at, DeskRow.position).limit(1)


def count(session: Session, query: Select[DeskRow]) -> int:
    """How many rows those are."""
    return session.scalar(query.with_only_columns(func.count(DeskRow.item))) or 0
