"""The tables of the frozen dataset, row by row; `docs/contracts.md` lists their columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import events_of
from study.canonical import canonical
from study.clock import as_text
from study.export_conduct import conduct_table
from study.export_custody import custody_tables
from study.export_rating import rating_tables
from study.export_repeats import allocation_tables, codes_of_repeats
from study.frozen_table import Row, Table, make_table, sorted_rows
from study.masked import shown_texts
from study.people import Person, people_of
from study.registration import RegisteredStudy
from study.tables import (
    AnswerItemRow,
    MaskedResponseRow,
    MaskingChangeRow,
    ModelRunRow,
    PersonRow,
    RaterAssignmentRow,
    RatingRow,
    RatingScoreRow,
    ResponseRow,
)


def all_tables(session: Session, study: RegisteredStudy) -> dict[str, Table]:
    """Every table of an unblinded study, rows ordered by key."""
    codes = _codes(session, study.study_id)
    return {
        "vignettes": _vignettes(study),
        "respondents": _respondents(session, study),
        "raters": _raters(session, study),
        "responses": _responses(session, study, codes),
        "assignments": _assignments(session, study),
        "ratings": _ratings(session, study, codes),
        "masking_changes": _masking_changes(session, codes),
        "audit": _audit(session, study),
        **custody_tables(session, study),
        **conduct_table(session, study),
        **rating_tables(session, study),
        **allocation_tables(session, study),
    }


def _vignettes(study: RegisteredStudy) -> Table:
    language = study.protocol.language
    rows: list[Row] = [
        (
            v.vignette_id,
            v.version,
            v.title,
            v.hidden.category,
            v.hidden.plan_appropriate,
            v.hidden.difficulty,
            v.text_sha256(language),
        )
        for v in study.vignettes.values()
    ]
    return make_table(
        "vignette_id version:integer title category plan_appropriate:boolean difficulty "
        "text_sha256",
        sorted_rows(rows),
    )


def _respondents(session: Session, study: RegisteredStudy) -> Table:
    runs = {
        run.person_id: run.manifest
        for run in session.scalars(
            select(ModelRunRow).where(ModelRunRow.study_id == study.study_id)
        )
    }
    rows: list[Row] = []
    for person in _respondents_of(session, study):
        run = runs.get(person.person_id, {})
        kind = "model" if person.role == "model" else "clinician"
        rows.append(
            (
                person.person_id,
                person.arm,
                kind,
                person.stratum,
                person.scripted,
                run.get("model"),
                run.get("weights_sha256"),
            )
        )
    return make_table(
        "respondent_id arm kind stratum scripted:boolean model weights_sha256", sorted_rows(rows)
    )


def _respondents_of(session: Session, study: RegisteredStudy) -> tuple[Person, ...]:
    residents = people_of(session, study.study_id, "resident")
    return residents + people_of(session, study.study_id, "model")


def _raters(session: Session, study: RegisteredStudy) -> Table:
    rows: list[Row] = [
        (p.person_id, p.scripted) for p in people_of(session, study.study_id, "rater")
    ]
    return make_table("rater_id scripted:boolean", sorted_rows(rows))


def _codes(session: Session, study_id: str) -> dict[str, MaskedResponseRow]:
    query = select(MaskedResponseRow).where(MaskedResponseRow.study_id == study_id)
    return {row.response_id: row for row in session.scalars(query)}


def _responses(
    session: Session, study: RegisteredStudy, codes: Mapping[str, MaskedResponseRow]
) -> Table:
    answered = {
        (row.person_id, row.vignette_id): row
        for row in session.scalars(
            select(ResponseRow).where(ResponseRow.study_id == study.study_id)
        )
    }
    positions = {
        (row.person_id, row.vignette_id): row.position
        for row in session.scalars(
            select(AnswerItemRow)
            .join(PersonRow, PersonRow.person_id == AnswerItemRow.person_id)
            .where(PersonRow.study_id == study.study_id)
        )
    }
    asked, dealt = positions.keys() | answered.keys(), {person_id for person_id, _ in positions}
    n_changes = Counter(
        session.scalars(
            select(MaskingChangeRow.response_id).where(MaskingChangeRow.response_id.in_(codes))
        )
    )
    shown = shown_texts(session, study.study_id)
    rows = [
        _response(person, vignette_id, answered, codes, shown, n_changes, positions)
        for person in _respondents_of(session, study)
        for vignette_id in study.protocol.vignettes
        if person.person_id not in dealt or (person.person_id, vignette_id) in asked
    ]
    return make_table(
        "response_id vignette_id respondent_id arm status failure blinding_code text masked_text "
        "n_masking_changes:integer confidence:integer position:integer submitted_at:datetime "
        "prompt_tokens:integer completion_tokens:integer",
        sorted_rows(rows),
    )


def _response(
    person: Person,
    vignette_id: str,
    answered: Mapping[tuple[str, str], ResponseRow],
    codes: Mapping[str, MaskedResponseRow],
    shown: Mapping[str, str],
    n_changes: Mapping[str, int],
    positions: Mapping[tuple[str, str], int],
) -> Row:
    key = (person.person_id, vignette_id)
    row = answered.get(key)
    if row is None:
        name = f"missing:{person.person_id}:{vignette_id}"
        nothing: Row = (None,) * 6
        place = positions.get(key)
        return (
            name, vignette_id, person.person_id, person.arm, "missing", *nothing, place,
            None, None, None,
        )  # fmt: skip
    masked = codes.get(row.response_id)
    return (
        row.response_id,
        vignette_id,
        person.person_id,
        person.arm,
        row.status,
        row.failure,
        masked.code if masked else None,
        row.text,
        shown.get(row.response_id),
        n_changes.get(row.response_id, 0) if masked else None,
        row.confidence,
        positions.get(key),
        as_text(row.submitted_at),
        row.prompt_tokens,
        row.completion_tokens,
    )


def _assignments(session: Session, study: RegisteredStudy) -> Table:
    rated = set(
        session.scalars(select(RatingRow.assignment_id).where(RatingRow.study_id == study.study_id))
    )
    rows: list[Row] = [
        (a.rater_id, a.code, a.position, "rated" if a.assignment_id in rated else "missing")
        for a in _assignment_rows(session, study)
    ]
    rows.sort(key=lambda row: (str(row[0]), int(row[2] or 0)))
    return make_table("rater_id blinding_code position:integer status", rows)


def _assignment_rows(session: Session, study: RegisteredStudy) -> list[RaterAssignmentRow]:
    """Without hidden repeats, which have a table of their own."""
    query = select(RaterAssignmentRow).where(
        RaterAssignmentRow.study_id == study.study_id,
        RaterAssignmentRow.code.not_in(codes_of_repeats(study.study_id)),
    )
    return list(session.scalars(query))


def _ratings(
    session: Session, study: RegisteredStudy, codes: Mapping[str, MaskedResponseRow]
) -> Table:
    dimensions = [dimension.id for dimension in study.protocol.rating.dimensions]
    assignments = {a.assignment_id: a for a in _assignment_rows(session, study)}
    vignette_of = {masked.code: masked.vignette_id for masked in codes.values()}
    query = select(RatingRow).where(RatingRow.study_id == study.study_id)
    ratings = [row for row in session.scalars(query) if row.assignment_id in assignments]
    last = Counter[str]()
    for rating in ratings:
        last[rating.assignment_id] = max(last[rating.assignment_id], rating.revision)
    scores = {
        (row.rating_id, row.dimension): row.score
        for row in session.scalars(
            select(RatingScoreRow)
            .join(RatingRow, RatingRow.rating_id == RatingScoreRow.rating_id)
            .where(RatingRow.study_id == study.study_id)
        )
    }
    rows: list[Row] = []
    for rating in ratings:
        assignment = assignments[rating.assignment_id]
        rows.append(
            (
                rating.rating_id,
                assignment.rater_id,
                assignment.code,
                vignette_of[assignment.code],
                assignment.position,
                rating.revision,
                rating.revision == last[rating.assignment_id],
                *(scores[rating.rating_id, dimension] for dimension in dimensions),
                rating.comment or None,
                as_text(rating.submitted_at),
            )
        )
    scored = " ".join(f"{dimension}:integer" for dimension in dimensions)
    return make_table(
        "rating_id rater_id blinding_code vignette_id position:integer revision:integer "
        f"final:boolean {scored} comment submitted_at:datetime",
        sorted_rows(rows),
    )


def _masking_changes(session: Session, codes: Mapping[str, MaskedResponseRow]) -> Table:
    query = select(MaskingChangeRow).where(MaskingChangeRow.response_id.in_(codes))
    rows: list[Row] = [
        (codes[c.response_id].code, c.number, c.rule, c.start, c.before, c.after)
        for c in session.scalars(query)
    ]
    return make_table(
        "blinding_code number:integer rule start:integer before after", sorted_rows(rows, 2)
    )


def _audit(session: Session, study: RegisteredStudy) -> Table:
    rows: list[Row] = [
        (
            e.number,
            as_text(e.at),
            e.actor,
            e.role,
            e.action,
            e.subject,
            canonical(e.details).decode(),
            e.previous_sha256,
            e.sha256,
        )
        for e in events_of(session, study.study_id)
    ]
    return make_table(
        "number:integer at:datetime actor role action subject details previous_sha256 sha256",
        rows,
    )
