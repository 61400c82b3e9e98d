from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from study.audit import OPERATOR, Actor, events_of
from study.consent import withdraw
from study.errors import LifeCycleError, NotAllowedError
from study.exports.plain_table import PlainTableError
from study.exports.ratings_in import import_ratings
from study.people import Person
from study.rating import RatingService
from study.store import Store
from study.tables import RaterAssignmentRow, RatingRow, RatingScoreRow
from tests.studies import DIMENSIONS, HARM, join, to_answering, to_rating
from tests.study.exports.walks import write_rows


def queue(store: Store, rater: Person) -> list[str]:
    with store.read() as session:
        query = select(RaterAssignmentRow).where(RaterAssignmentRow.rater_id == rater.person_id)
        return [a.code for a in session.scalars(query.order_by(RaterAssignmentRow.position))]


def ratings(store: Store) -> list[RatingRow]:
    with store.read() as session:
        return list(session.scalars(select(RatingRow).order_by(RatingRow.revision)))


def row(rater: Person, code: str, **changes: object) -> dict[str, object]:
    scores = {name: 2 + i for i, name in enumerate(DIMENSIONS)}
    return {"rater": rater.pseudonym, "response": code, **scores, **changes}


def test_ratings_come_in_with_scores_comment_time_and_mark(store: Store, tmp_path: Path) -> None:
    study_id, (first, second) = to_rating(store, tmp_path)
    codes = queue(store, first)
    rows = [row(first, code) for code in codes]
    rows[0] |= {"comment": "why:\r\n 'so'", "rated_at": "2026-02-01T10:00:00Z"}
    path = write_rows(tmp_path / "r.csv", rows)
    assert import_ratings(store, study_id, path, by=OPERATOR) == len(codes) == 9
    found = ratings(store)
    assert sorted(r.comment for r in found) == [""] * 8 + ["why:\r\n 'so'"]
    with store.read() as session:
        scores = session.scalars(select(RatingScoreRow)).all()
        events = events_of(session, study_id)
    assert {(s.dimension, s.score) for s in scores} == set(zip(DIMENSIONS, (2, 3), strict=True))
    marked = [event for event in events if event.action == "import rating"]
    assert {event.subject for event in marked} == {r.rating_id for r in found}
    assert [event.details["row"] for event in marked] == list(range(2, 11))
    assert RatingService(store).next_task(first) is None
    assert RatingService(store).next_task(second) is not None


def test_a_correction_comes_in_as_the_next_revision_with_its_reason(
    store: Store, tmp_path: Path
) -> None:
    study_id, (first, _) = to_rating(store, tmp_path)
    code = queue(store, first)[0]
    again = row(first, code, revision=2, reason="misread", medication_safety=1)
    path = write_rows(tmp_path / "r.csv", [again, row(first, code, revision=1)])
    import_ratings(store, study_id, path, by=OPERATOR)
    assert [(r.revision, r.reason) for r in ratings(store)] == [(1, None), (2, "misread")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rater": "ZZZZ"}, "row 2, column rater: 'ZZZZ' is no rater who has joined"),
        ({"response": "ABC-DEF"}, "row 2, column response: 'ABC-DEF' is not allocated"),
        ({"medication_safety": 6}, "row 2, column medication_safety: 6 is off the scale 1 to 5"),
        ({"medication_safety": "NA"}, "row 2, column medication_safety: the score is missing"),
        ({"medication_safety": "good"}, "row 2, column medication_safety: 'good' is no whole"),
        ({"comment": "x" * 5001}, "row 2, column comment: the comment has 5,001 characters"),
        ({"harm_severity": "mild"}, "row 2, column harm_severity: 'mild' is no severity"),
        ({"rated_at": "2026-02-01"}, "row 2, column rated_at: .* no time zone"),
        ({"revision": 3}, "row 2, column revision: it is 3; .* is number 1"),
        ({"revision": 2, "reason": ""}, "row 2, column reason: a correction needs its reason"),
        ({"reason": "because"}, "row 2, column reason: only a correction has a reason"),
        ({"note": "x"}, "row 1: the column 'note' is unknown"),
    ],
)
def test_a_bad_rating_is_refused_by_row_column_and_remedy_and_none_comes_in(
    sqlite_store: Store, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    study_id, (first, _) = to_rating(sqlite_store, tmp_path)
    codes = queue(sqlite_store, first)
    rows = [row(first, codes[0]) | changes, row(first, codes[1])]
    path = write_rows(tmp_path / "r.csv", rows)
    with pytest.raises(PlainTableError, match=words):
        import_ratings(sqlite_store, study_id, path, by=OPERATOR)
    assert ratings(sqlite_store) == []


def test_a_rating_given_already_is_not_given_again(store: Store, tmp_path: Path) -> None:
    study_id, (first, _) = to_rating(store, tmp_path)
    path = write_rows(tmp_path / "r.csv", [row(first, queue(store, first)[0])])
    import_ratings(store, study_id, path, by=OPERATOR)
    with pytest.raises(PlainTableError, match=r"column revision: it is 1; .* number 2"):
        import_ratings(store, study_id, path, by=OPERATOR)
    assert len(ratings(store)) == 1


def test_harm_and_comments_are_asked_of_an_import_as_on_the_screen(
    store: Store, tmp_path: Path
) -> None:
    changes = {"rating": {"harm": HARM, "comment_at": [2]}}
    study_id, (first, _) = to_rating(store, tmp_path, **changes)
    code = queue(store, first)[0]
    whole = row(first, code, comment="so", harm_severity="mild", harm_likelihood="likely")
    for lacking, words in (
        ({"comment": ""}, "column comment: please comment on the scores"),
        ({"harm_likelihood": ""}, "column harm_severity: please say how severe"),
    ):
        path = write_rows(tmp_path / "r.csv", [whole | lacking])
        with pytest.raises(PlainTableError, match=words):
            import_ratings(store, study_id, path, by=OPERATOR)
    import_ratings(store, study_id, write_rows(tmp_path / "r.csv", [whole]), by=OPERATOR)
    (rating,) = ratings(store)
    assert (rating.harm_severity, rating.harm_likelihood) == ("mild", "likely")


def test_nothing_comes_in_from_a_rater_who_has_left(store: Store, tmp_path: Path) -> None:
    study_id, (first, _) = to_rating(store, tmp_path)
    withdraw(store, first)
    path = write_rows(tmp_path / "r.csv", [row(first, queue(store, first)[0])])
    with pytest.raises(PlainTableError, match=r"column rater: .* withdrawn from this study"):
        import_ratings(store, study_id, path, by=OPERATOR)


def test_ratings_come_in_only_while_rating_and_only_by_those_who_may(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_answering(store)
    rater = join(store, study_id, "rater")
    path = write_rows(tmp_path / "r.csv", [row(rater, "ABC-DEF")])
    with pytest.raises(LifeCycleError, match="'rating'"):
        import_ratings(store, study_id, path, by=OPERATOR)
    with pytest.raises(NotAllowedError, match="importing ratings is for the roles host"):
        import_ratings(store, study_id, path, by=Actor("x", "rater"))
