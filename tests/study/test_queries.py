"""Queries about records: opened, answered by the person asked, closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.audit import events_of
from study.errors import NotAllowedError, StudyError
from study.preconditions import preconditions
from study.queries import answer_query, close_query, open_query, queries_of, queries_to
from study.store import Store
from tests.studies import join, to_rating


def test_a_query_is_opened_answered_and_closed(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    coordinator = join(store, study_id, "coordinator")
    query_id = open_query(store, coordinator, to=raters[0].pseudonym, text="Why 1 at 14:02?")
    (waiting,) = queries_to(store, raters[0])
    assert waiting.turns[0].text == "Why 1 at 14:02?"
    assert queries_to(store, raters[1]) == ()
    answer_query(store, raters[0], query_id, "It doubles the dose.")
    assert queries_to(store, raters[0]) == ()
    close_query(store, coordinator, query_id)
    with store.read() as session:
        (query,) = queries_of(session, study_id)
        actions = [e.action for e in events_of(session, study_id) if e.action.startswith("query")]
    assert query.state == "closed"
    assert [turn.kind for turn in query.turns] == ["opened", "answered", "closed"]
    assert actions == ["query opened", "query answered", "query closed"]


def test_nobody_answers_for_another_and_a_rater_asks_nobody(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    coordinator = join(store, study_id, "coordinator")
    query_id = open_query(store, coordinator, to=raters[0].pseudonym, text="Is it so?")
    with pytest.raises(StudyError, match="not waiting for you"):
        answer_query(store, raters[1], query_id, "Yes.")
    with pytest.raises(NotAllowedError, match="a rater cannot open a query"):
        open_query(store, raters[0], to=raters[1].pseudonym, text="How many have you?")
    with pytest.raises(StudyError, match="nobody here has the pseudonym 'ZZ'"):
        open_query(store, coordinator, to="ZZ", text="Hello?")
    with pytest.raises(StudyError, match="between 1 and 2,000 characters; got 0"):
        open_query(store, coordinator, to=raters[0].pseudonym, text="  ")


def test_an_open_query_is_on_the_checklist_of_the_lock(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path)
    coordinator = join(store, study_id, "coordinator")
    open_query(store, coordinator, to=raters[0].pseudonym, text="Is it so?")
    with store.read() as session:
        checklist = preconditions(session, study_id, "Lock the data", store.clock.now())
    line = next(p for p in checklist if "query" in p.text)
    assert (line.text, line.met, line.may_stay_open) == (
        "every query is closed (1 open)", False, True,
    )  # fmt: skip
