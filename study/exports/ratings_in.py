"""Ratings gathered on paper or with another tool, taken in whole or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.calibrating import require_calibrated
from study.consent import require_consent
from study.errors import LifeCycleError, RatingError, StudyError
from study.exports.plain_table import MISSING, Faults, PlainRow, PlainTable, read_plain
from study.people import Person, people_of
from study.protocol import RatingDesign
from study.randomness import public_id
from study.rating_checks import Given, HarmGiven, check_whole
from study.rating_queue import (
    adjudication_has_begun,
    assignment_of,
    conflicted,
    second_pass_is_open,
)
from study.registration import guard_injected, load_study, require_role, require_state, study_row
from study.store import Store
from study.tables import RatingRow, RatingScoreRow

REQUIRED = ("rater", "response")
OPTIONAL = ("comment", "harm_severity", "harm_likelihood", "rated_at", "revision", "reason")
MAY_IMPORT = ("host", "investigator", "coordinator")


@dataclass(frozen=True, slots=True)
class _Rating:
    """One checked record."""

    row: PlainRow
    rater: Person
    assignment_id: str
    revision: int
    given: Given
    rated_at: datetime | None


def import_ratings(store: Store, study_id: str, path: Path, *, by: Actor) -> int:
    """Take ratings in from a plain CSV, all of them or none, and return how many.

    Args:
        store: The database.
        study_id: A study in which rating is open.
        path: The CSV; `docs/contracts.md` lists its columns.
        by: Who imports: the operator, an investigator or a coordinator. None of them learns an arm
            by it: the file names blinding codes.

    Raises:
        PlainTableError: Naming every fault by row and column; nothing was imported then.
        LifeCycleError: If rating is not open.
        NotAllowedError: If the role may not import.
    """
    require_role(by.role, *MAY_IMPORT, what="importing ratings")
    with store.read() as session:
        dimensions = load_study(session, study_id).protocol.rating.dimensions
    table = read_plain(path, [*REQUIRED, *(d.id for d in dimensions)], OPTIONAL)
    with store.write() as session:
        guard_injected(session, store, study_id)
        require_state(
            study_row(session, study_id), "rating", otherwise=LifeCycleError, what="importing"
        )
        design = load_study(session, study_id).protocol.rating
        faults = Faults(table.name)
        ratings = _checked(session, study_id, table, design, store.clock.now(), faults)
        _check_revisions(session, study_id, ratings, faults)
        faults.refuse()
        for rating in sorted(ratings, key=lambda r: r.revision):
            _add(session, store, study_id, rating, table, by)
        record(
            session, store.clock, study_id, by, "import ratings", table.sha256,
            {"n_ratings": len(ratings)},
        )  # fmt: skip
    return len(ratings)


def _checked(
    session: Session, study_id: str, table: PlainTable, design: RatingDesign, now: datetime,
    faults: Faults,
) -> list[_Rating]:  # fmt: skip
    raters = {
        name: person
        for person in people_of(session, study_id, "rater")
        for name in (person.pseudonym, person.person_id)
    }
    refused = {name: _refusal(session, person) for name, person in raters.items()}
    given_back = {p.person_id: conflicted(session, p) for p in raters.values()}
    ratings = []
    for row in table.rows:
        name = row["rater"].strip()
        given = _given(row, design, faults)
        revision = faults.number(row, "revision")
        rated_at = faults.moment(row, "rated_at", now)
        if name not in raters:
            faults.add(
                row, "rater", f"{name!r} is no rater who has joined; write the id or pseudonym of "
                "one",
            )  # fmt: skip
            continue
        if (words := refused[name]) is not None:
            faults.add(row, "rater", words)
        try:
            assignment = assignment_of(session, raters[name], row["response"].strip())
        except RatingError:
            faults.add(
                row, "response", f"{row['response']!r} is not allocated to this rater; write a "
                "blinding code of the rater's own queue",
            )  # fmt: skip
            continue
        if assignment.assignment_id in given_back[raters[name].person_id]:
            faults.add(row, "response", "it was given back for a conflict of interest")
        ratings.append(
            _Rating(
                row, raters[name], assignment.assignment_id,
                1 if revision is None else revision, given, rated_at,
            )
        )  # fmt: skip
    return ratings


def _refusal(session: Session, rater: Person) -> str | None:
    """Why nothing can be taken from this rater; None where it can."""
    try:
        require_consent(session, rater)
        require_calibrated(session, rater)
    except StudyError as error:
        return f"this rater cannot rate here: {error}"
    return None


def _given(row: PlainRow, design: RatingDesign, faults: Faults) -> Given:
    scores = {}
    for dimension in design.dimensions:
        scale, score = dimension.scale, faults.number(row, dimension.id)
        if score is not None and scale.minimum <= score <= scale.maximum:
            scores[dimension.id] = score
        elif row[dimension.id].strip() in MISSING:
            faults.add(row, dimension.id, "the score is missing; give it, or leave the row out")
        elif score is not None:
            faults.add(
                row, dimension.id, f"{score} is off the scale {scale.minimum} to {scale.maximum}"
            )
    harm = HarmGiven(_choice(row, "harm_severity"), _choice(row, "harm_likelihood"))
    given = Given(scores, row["comment"], harm, row["reason"].strip() or None)
    if len(scores) == len(design.dimensions):
        _check_rest(row, design, given, faults)
    return given


def _check_rest(row: PlainRow, design: RatingDesign, given: Given, faults: Faults) -> None:
    """Comment and harm by the same rules as on the screen."""
    without_harm = design.model_copy(update={"harm": None})
    said_nothing = Given(given.scores, given.comment, HarmGiven(), given.reason)
    for asked, said, column in (
        (without_harm, said_nothing, "comment"),
        (design, given, "harm_severity"),
    ):
        try:
            check_whole(asked, said)
        except RatingError as error:
            faults.add(row, column, str(error))
            return


def _choice(row: PlainRow, column: str) -> str | None:
    return None if row[column].strip() in MISSING else row[column].strip()


def _check_revisions(
    session: Session, study_id: str, ratings: Sequence[_Rating], faults: Faults
) -> None:
    """First submissions once; corrections number on, with a reason, while scores may change."""
    query = (
        select(RatingRow.assignment_id, func.max(RatingRow.revision))
        .where(RatingRow.study_id == study_id)
        .group_by(RatingRow.assignment_id)
    )
    there = {assignment_id: last for assignment_id, last in session.execute(query)}
    groups: dict[str, list[_Rating]] = defaultdict(list)
    for rating in sorted(ratings, key=lambda r: r.revision):
        groups[rating.assignment_id].append(rating)
    for assignment_id, group in groups.items():
        last = there.get(assignment_id, 0)
        closed = last > 0 and (
            second_pass_is_open(session, group[0].rater)
            or adjudication_has_begun(session, study_id)
        )
        for expected, rating in enumerate(group, start=last + 1):
            _check_revision(rating, expected, faults, closed=closed)


def _check_revision(rating: _Rating, expected: int, faults: Faults, *, closed: bool) -> None:
    if closed:
        faults.add(
            rating.row, "revision", "the second pass or adjudication has begun, so scores can no "
            "longer be corrected",
        )  # fmt: skip
    elif rating.revision != expected:
        faults.add(
            rating.row, "revision", f"it is {rating.revision}; this rater's next rating of this "
            f"response is number {expected}: a rating is given once, and corrected by the next "
            "revision with a reason",
        )  # fmt: skip
    if rating.revision > 1 and not rating.given.reason:
        faults.add(rating.row, "reason", "a correction needs its reason")
    if rating.revision == 1 and rating.given.reason:
        faults.add(rating.row, "reason", "only a correction has a reason; number it 2 or more")


def _add(
    session: Session, store: Store, study_id: str, rating: _Rating, table: PlainTable, by: Actor
) -> None:
    given = rating.given
    row = RatingRow(
        rating_id=public_id(store.source, "rating"), study_id=study_id,
        assignment_id=rating.assignment_id, revision=rating.revision, reason=given.reason,
        comment=given.comment, harm_severity=given.harm.severity,
        harm_likelihood=given.harm.likelihood, submitted_at=rating.rated_at or store.clock.now(),
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add_all(
        RatingScoreRow(rating_id=row.rating_id, dimension=name, score=score)
        for name, score in given.scores.items()
    )
    record(
        session, store.clock, study_id, by, "import rating", row.rating_id,
        {
            "code": rating.row["response"].strip(),
            "revision": rating.revision,
            "reason": given.reason,
            "file_sha256": table.sha256,
            "row": rating.row.number,
            "time_is_the_file_s": rating.rated_at is not None,
        },
    )  # fmt: skip
