"""Tables of the frozen dataset about the allocation: hidden repeats, and what is kept apart."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from study.clock import as_text
from study.frozen_table import Row, Table, make_table, sorted_rows
from study.registration import RegisteredStudy
from study.tables import MaskedResponseRow, RaterAssignmentRow, RatingRow, RatingScoreRow
from study.tables_rating import HiddenRepeatRow
from study.vignette_order import plan_of


def allocation_tables(session: Session, study: RegisteredStudy) -> dict[str, Table]:
    """Cue pairs where there are any, second ratings where the protocol has hidden repeats."""
    tables: dict[str, Table] = {}
    pairs = plan_of(study.protocol, study.vignettes).pairs
    if pairs:
        rows: list[Row] = [tuple(sorted(pair)) for pair in pairs]
        tables["cue_pairs"] = make_table("first_vignette second_vignette", sorted_rows(rows, 2))
    if study.protocol.rating.repeats is not None:
        tables["repeat_ratings"] = _repeat_ratings(session, study)
    return tables


def codes_of_repeats(study_id: str) -> Select[str]:
    """The codes of a study's hidden repeats, as a query."""
    return select(HiddenRepeatRow.code).where(HiddenRepeatRow.study_id == study_id)


def _repeat_ratings(session: Session, study: RegisteredStudy) -> Table:
    """The last revision of each second rating, under the response's own code."""
    dimensions = [dimension.id for dimension in study.protocol.rating.dimensions]
    later = aliased(RatingRow)
    is_last = ~(
        select(later.rating_id)
        .where(later.assignment_id == RatingRow.assignment_id, later.revision > RatingRow.revision)
        .exists()
    )
    query = (
        select(RatingRow, RaterAssignmentRow, MaskedResponseRow.code)
        .join(RaterAssignmentRow, RaterAssignmentRow.assignment_id == RatingRow.assignment_id)
        .join(HiddenRepeatRow, HiddenRepeatRow.code == RaterAssignmentRow.code)
        .join(MaskedResponseRow, MaskedResponseRow.response_id == HiddenRepeatRow.response_id)
        .where(
            RatingRow.study_id == study.study_id, HiddenRepeatRow.study_id == study.study_id,
            is_last,
        )
    )  # fmt: skip
    found = session.execute(query).all()
    scores = {
        (row.rating_id, row.dimension): row.score
        for row in session.scalars(
            select(RatingScoreRow).where(
                RatingScoreRow.rating_id.in_([rating.rating_id for rating, _, _ in found])
            )
        )
    }
    rows: list[Row] = [
        (
            seen.rater_id, own, seen.code, seen.position,
            *(scores[rating.rating_id, dimension] for dimension in dimensions),
            as_text(rating.submitted_at),
        )
        for rating, seen, own in found
    ]  # fmt: skip
    scored = " ".join(f"{dimension}:integer" for dimension in dimensions)
    return make_table(
        f"rater_id blinding_code repeat_code position:integer {scored} submitted_at:datetime",
        sorted_rows(rows, 3),
    )
