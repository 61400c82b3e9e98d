"""Fifty people at once against one server: the failures that other tools are known for."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from study.audit import OPERATOR, events_of, verify_chain
from study.export import export
from study.store import Store
from study.tables import (
    AnswerItemRow,
    RaterAssignmentRow,
    RatingDraftRow,
    RatingRow,
    RatingScoreRow,
    ResponseRow,
)
from study.verify import verify
from tests.campaign.conftest import Place
from tests.campaign.scripted import Person
from tests.studies import lock_and_unblind, to_answering
from tests.whole.serving import served
from tests.whole.studies import enter, to_rating

N_RESIDENTS, N_RATERS = 25, 25
N_VIGNETTES = 2
N_RATED, EACH = 3, 5
"""Vignettes that are rated by three respondents, and raters of a response."""


def test_fifty_at_once_leave_every_quota_exact_and_no_record_lost_or_doubled(
    place: Place,
) -> None:
    """Overlap exceeded, or an item starved, when many raters ask for work at once.

    Two tabs, a double submit, a retry after a time-out make two rows.
    A single-choice question stores every value clicked on the way.
    """
    answering = to_answering(place.store, n_vignettes=N_VIGNETTES, n_residents=N_RESIDENTS)
    residents = [
        enter(place.store, answering, "resident", arm="residents") for _ in range(N_RESIDENTS)
    ]
    rating = to_rating(
        place.store, place.work / "work", n_vignettes=N_RATED, n_raters=N_RATERS,
        raters_per_response=EACH,
    )  # fmt: skip
    with served(place.url, place.work) as server:
        people = [
            Person(server.base, entry.session_token, entry.person.person_id, number)
            for number, entry in enumerate([*residents, *rating.raters])
        ]
        with ThreadPoolExecutor(len(people)) as at_once:
            list(at_once.map(Person.works_through, people))
        log = server.log.read_text()
    assert "Error" not in log
    _answers_are_exact(place.store, answering, people[:N_RESIDENTS])
    _ratings_are_exact(place.store, rating.study_id, people[N_RESIDENTS:])
    with place.store.read() as session:
        for study_id in (answering, rating.study_id):
            verify_chain(events_of(session, study_id))
    lock_and_unblind(place.store, rating.study_id)
    bundle = export(
        place.store, rating.study_id, place.work / "export", by=OPERATOR, code_version="test"
    )
    assert [check for check in verify(bundle) if check.outcome == "fault"] == []


def _answers_are_exact(store: Store, study_id: str, people: list[Person]) -> None:
    with store.read() as session:
        items = {row.item: row for row in session.scalars(select(AnswerItemRow))}
        rows = list(session.scalars(select(ResponseRow).where(ResponseRow.study_id == study_id)))
        submitted = [
            event.subject
            for event in events_of(session, study_id)
            if event.action == "submit answer"
        ]
    assert len(rows) == N_RESIDENTS * N_VIGNETTES
    assert sorted(submitted) == sorted(row.response_id for row in rows)
    stored = {(row.person_id, row.vignette_id): (row.text, row.confidence) for row in rows}
    for person in people:
        assert len(person.meant) == N_VIGNETTES
        assert [items[item].position for item in person.items] == [1, 2]
        for item, given in person.meant.items():
            row = items[item]
            kept = stored[row.person_id, row.vignette_id]
            assert kept == (given["text"], given["confidence"])


def _ratings_are_exact(store: Store, study_id: str, people: list[Person]) -> None:
    with store.read() as session:
        assignments = {
            row.assignment_id: row
            for row in session.scalars(
                select(RaterAssignmentRow).where(RaterAssignmentRow.study_id == study_id)
            )
        }
        ratings = list(session.scalars(select(RatingRow).where(RatingRow.study_id == study_id)))
        scores: dict[str, dict[str, int]] = {rating.rating_id: {} for rating in ratings}
        n_scores = 0
        for row in session.scalars(select(RatingScoreRow)):
            scores[row.rating_id][row.dimension] = row.score
            n_scores += 1
        n_drafts = len(session.scalars(select(RatingDraftRow)).all())
    n_wanted = N_RATED * 3 * EACH  # by two residents and one model
    assert len(assignments) == len(ratings) == n_drafts == n_wanted
    assert n_scores == 2 * n_wanted
    per_code = Counter(assignments[rating.assignment_id].code for rating in ratings)
    assert set(per_code.values()) == {EACH}
    mine = {rating.assignment_id: rating for rating in ratings}
    queues = {
        person.person_id: sorted(
            (a for a in assignments.values() if a.rater_id == person.person_id),
            key=lambda a: a.position,
        )
        for person in people
    }
    assert sum(map(len, queues.values())) == n_wanted
    for person in people:
        queue = queues[person.person_id]
        assert person.items == [assignment.code for assignment in queue]
        for assignment in queue:
            rating = mine[assignment.assignment_id]
            assert scores[rating.rating_id] == person.meant[assignment.code]["scores"]
