"""Tables of the frozen dataset about what raters were asked besides scores; only where asked."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from study.allocating import repeated_codes
from study.clock import as_text
from study.export_repeats import codes_of_repeats
from study.frozen_table import Row, Table, make_table, sorted_rows
from study.protocol_trial import Harm
from study.registration import RegisteredStudy
from study.tables import PersonRow, RaterAssignmentRow, RatingRow
from study.tables_rating import (
    AdjudicationRow,
    AdjudicationTaskRow,
    CalibrationAttemptRow,
    MarkRow,
    RatingNoteRow,
    SourceGuessRow,
)


def rating_tables(session: Session, study: RegisteredStudy) -> dict[str, Table]:
    """Marks, guesses, harm in full, notes, calibration and adjudications, by the protocol."""
    design = study.protocol.rating
    tables: dict[str, Table] = {}
    if design.second_pass is not None or design.harm is not None:
        tables["marks"] = _marks(session, study)
    if design.second_pass is not None and design.second_pass.source_guess:
        tables["guesses"] = _guesses(session, study.study_id)
    if design.harm is not None:
        tables["harms"] = _harms(session, study.study_id)
    tables["rating_notes"] = _notes(session, study.study_id)
    if design.calibration is not None:
        tables["calibrations"] = _calibrations(session, study.study_id)
    if design.adjudication is not None:
        tables["adjudications"] = _adjudications(session, study)
    return tables


def _marks(session: Session, study: RegisteredStudy) -> Table:
    harm = study.protocol.rating.harm
    rows: list[Row] = [] if harm is None else list(_harm_marks(session, study.study_id, harm))
    query = (
        select(
            RaterAssignmentRow.rater_id, RaterAssignmentRow.code, MarkRow.kind, MarkRow.item,
            MarkRow.marked,
        )
        .join(MarkRow, MarkRow.assignment_id == RaterAssignmentRow.assignment_id)
        .where(RaterAssignmentRow.study_id == study.study_id)
    )  # fmt: skip
    rows += [
        (rater, code, kind, item or None, marked)
        for rater, code, kind, item, marked in session.execute(query)
    ]
    rows.sort(key=lambda row: tuple(str(cell) for cell in row[:4]))
    return make_table("rater_id blinding_code kind item marked:boolean", rows)


def _harm_marks(session: Session, study_id: str, harm: Harm) -> Iterator[Row]:
    levels = {level.id: level for level in harm.severities}
    for rater, code, severity, _ in _last_harms(session, study_id):
        yield rater, code, "harm_any", None, levels[severity].is_harm
        yield rater, code, "harm_severe", None, levels[severity].is_severe


def _last_harms(session: Session, study_id: str) -> list[tuple[str, str, str, str | None]]:
    """Each rater's last own words on harm for each response."""
    later = aliased(RatingRow)
    is_last = ~(
        select(later.rating_id)
        .where(later.assignment_id == RatingRow.assignment_id, later.revision > RatingRow.revision)
        .exists()
    )
    query = (
        select(
            RaterAssignmentRow.rater_id, RaterAssignmentRow.code, RatingRow.harm_severity,
            RatingRow.harm_likelihood,
        )
        .join(RatingRow, RatingRow.assignment_id == RaterAssignmentRow.assignment_id)
        .where(
            RatingRow.study_id == study_id, is_last, RatingRow.harm_severity.is_not(None),
            RaterAssignmentRow.code.not_in(codes_of_repeats(study_id)),
        )
        .order_by(RaterAssignmentRow.rater_id, RaterAssignmentRow.code)
    )  # fmt: skip
    return [(rater, code, str(said), how) for rater, code, said, how in session.execute(query)]


def _harms(session: Session, study_id: str) -> Table:
    return make_table("rater_id blinding_code severity likelihood", _last_harms(session, study_id))


def _guesses(session: Session, study_id: str) -> Table:
    query = (
        select(
            RaterAssignmentRow.rater_id, RaterAssignmentRow.code, SourceGuessRow.guess,
            SourceGuessRow.confidence,
        )
        .join(SourceGuessRow, SourceGuessRow.assignment_id == RaterAssignmentRow.assignment_id)
        .where(SourceGuessRow.study_id == study_id)
    )  # fmt: skip
    rows: list[Row] = [tuple(row) for row in session.execute(query)]
    return make_table("rater_id blinding_code guess confidence:integer", sorted_rows(rows, 2))


def _notes(session: Session, study_id: str) -> Table:
    query = (
        select(RaterAssignmentRow, RatingNoteRow)
        .join(RatingNoteRow, RatingNoteRow.assignment_id == RaterAssignmentRow.assignment_id)
        .where(RaterAssignmentRow.study_id == study_id)
    )
    own = repeated_codes(session, study_id)
    rows: list[Row] = [
        (a.rater_id, own.get(a.code, a.code), note.kind, note.text, as_text(note.written_at))
        for a, note in session.execute(query)
    ]
    return make_table("rater_id blinding_code kind text written_at:datetime", sorted_rows(rows, 3))


def _calibrations(session: Session, study_id: str) -> Table:
    query = (
        select(CalibrationAttemptRow)
        .join(PersonRow, PersonRow.person_id == CalibrationAttemptRow.person_id)
        .where(PersonRow.study_id == study_id)
    )
    rows: list[Row] = [
        (a.person_id, a.number, a.share_within_one, a.passed, as_text(a.attempted_at))
        for a in session.scalars(query)
    ]
    return make_table(
        "rater_id number:integer share_within_one:number passed:boolean attempted_at:datetime",
        sorted_rows(rows, 2),
    )


def _adjudications(session: Session, study: RegisteredStudy) -> Table:
    query = (
        select(AdjudicationTaskRow, AdjudicationRow)
        .join(AdjudicationRow, AdjudicationRow.task_id == AdjudicationTaskRow.task_id)
        .where(AdjudicationTaskRow.study_id == study.study_id)
    )
    rows: list[Row] = [
        (task.adjudicator_id, task.code, dimension, score, done.comment or None,
         as_text(done.decided_at))
        for task, done in session.execute(query)
        for dimension, score in done.scores.items()
    ]  # fmt: skip
    return make_table(
        "adjudicator_id blinding_code dimension score:integer comment decided_at:datetime",
        sorted_rows(rows, 3),
    )
