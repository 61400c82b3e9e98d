"""The draft routes: what is kept, and what each refusal says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.identity import COOKIE
from study.answering import AnsweringService
from study.rating import RatingService
from study.sign_in import Entry
from study.store import Store
from tests.studies import DIMENSIONS, to_answering
from tests.whole.studies import enter, to_rating


def resident(client: TestClient, store: Store) -> Entry:
    entry = enter(store, to_answering(store), "resident", arm="residents")
    client.cookies.set(COOKIE, entry.session_token)
    return entry


def draft(store: Store, entry: Entry, **changes: Any) -> dict[str, Any]:
    task = AnsweringService(store).next_task(entry.person)
    assert task is not None
    return {"item": task.item, "text": "Stop it", "confidence": 2, "revision": 0, **changes}


def test_a_draft_is_kept_with_a_new_revision(client: TestClient, serving: Store) -> None:
    entry = resident(client, serving)
    answer = client.post("/api/draft", json=draft(serving, entry))
    assert answer.status_code == 200
    assert answer.json()["revision"] == 1
    task = AnsweringService(serving).next_task(entry.person)
    assert task is not None and (task.draft.text, task.draft.confidence) == ("Stop it", 2)


def test_a_stale_draft_is_refused_with_the_newer_text_and_changes_nothing(
    client: TestClient, serving: Store
) -> None:
    entry = resident(client, serving)
    client.post("/api/draft", json=draft(serving, entry, text="newer"))
    answer = client.post("/api/draft", json=draft(serving, entry, text="older", revision=0))
    assert answer.status_code == 409
    assert answer.json()["draft"]["text"] == "newer"
    task = AnsweringService(serving).next_task(entry.person)
    assert task is not None and task.draft.text == "newer"


def test_a_draft_without_sign_in_is_refused_in_words(client: TestClient) -> None:
    answer = client.post("/api/draft", json={})
    assert answer.status_code == 401
    assert "signed out" in answer.json()["error"]


def test_a_text_beyond_the_limit_is_413(client: TestClient, serving: Store) -> None:
    entry = resident(client, serving)
    answer = client.post("/api/draft", json=draft(serving, entry, text="x" * 20_001))
    assert answer.status_code == 413
    assert "20,001" in answer.json()["error"]


def test_a_body_beyond_any_draft_is_413_and_not_read_whole(
    client: TestClient, serving: Store
) -> None:
    resident(client, serving)
    answer = client.post(
        "/api/draft", content=b" " * 300_000, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413


def test_a_full_database_is_507_and_says_that_nothing_was_saved(
    client: TestClient, serving: Store
) -> None:
    entry = resident(client, serving)
    body = draft(serving, entry, text="word " * 3_900)
    # The limit holds per connection; the pool of a file database gives this one again.
    with serving.engine.connect() as connection:
        n_pages = connection.execute(text("PRAGMA page_count")).scalar()
        connection.execute(text(f"PRAGMA max_page_count = {n_pages}"))
    answer = client.post("/api/draft", json=body)
    assert answer.status_code == 507
    assert "nothing was saved" in answer.json()["error"].lower()


def test_a_draft_after_closing_is_423(client: TestClient, serving: Store) -> None:
    entry = resident(client, serving)
    body = draft(serving, entry)
    with serving.write() as session:
        session.execute(text("UPDATE study SET state = 'responses closed'"))
    assert client.post("/api/draft", json=body).status_code == 423


def test_someone_elses_vignette_is_refused(client: TestClient, serving: Store) -> None:
    first = resident(client, serving)
    body = draft(serving, first)
    other = enter(serving, first.person.study_id, "resident", arm="residents")
    client.cookies.set(COOKIE, other.session_token)
    answer = client.post("/api/draft", json=body)
    assert answer.status_code == 422
    assert "not one of yours" in answer.json()["error"]


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'{"item": 1}', b'{"item": "a", "text": "b", "revision": "0"}'],
)
def test_what_is_not_a_draft_is_400_in_words(
    client: TestClient, serving: Store, body: bytes
) -> None:
    resident(client, serving)
    answer = client.post("/api/draft", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")


def test_another_site_cannot_save_a_draft(client: TestClient, serving: Store) -> None:
    entry = resident(client, serving)
    answer = client.post(
        "/api/draft", json=draft(serving, entry), headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403


def test_a_form_of_another_site_cannot_pass_for_json(client: TestClient, serving: Store) -> None:
    resident(client, serving)
    answer = client.post("/api/draft", content="{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 400


def test_partial_scores_are_kept_and_a_score_off_the_scale_is_named(
    client: TestClient, serving: Store, tmp_path: Path
) -> None:
    rater = to_rating(serving, tmp_path / "work").raters[0]
    client.cookies.set(COOKIE, rater.session_token)
    task = RatingService(serving).next_task(rater.person)
    assert task is not None
    body = {"code": task.response.code, "scores": {DIMENSIONS[0]: 4}, "comment": "", "revision": 0}
    assert client.post("/api/rating-draft", json=body).json()["scores"] == {DIMENSIONS[0]: 4}
    off = client.post("/api/rating-draft", json={**body, "scores": {DIMENSIONS[0]: 6}})
    assert off.status_code == 422
    assert "6 is off the scale" in off.json()["error"]
    task = RatingService(serving).next_task(rater.person)
    assert task is not None and task.draft.scores == {DIMENSIONS[0]: 4}


def test_a_resident_cannot_save_a_rating(client: TestClient, serving: Store) -> None:
    resident(client, serving)
    answer = client.post(
        "/api/rating-draft", json={"code": "AAA-BBB", "scores": {}, "comment": "", "revision": 0}
    )
    assert answer.status_code == 403


def test_a_draft_of_a_submitted_answer_changes_nothing(client: TestClient, serving: Store) -> None:
    entry = resident(client, serving)
    body = draft(serving, entry)
    AnsweringService(serving).submit(entry.person, body["item"], "Final", 3)
    answer = client.post("/api/draft", json=body)
    assert answer.status_code == 422
    assert "already submitted" in answer.json()["error"]


def test_totals_of_conduct_are_kept_where_declared_and_refused_in_words(
    client: TestClient, serving: Store
) -> None:
    from study.conduct import Conduct
    from study.consent import sign
    from tests.study.test_conduct import COUNTED

    entry = enter(serving, to_answering(serving, more=COUNTED), "resident", arm="residents")
    sign(serving, entry.person, "Mira Example")
    client.cookies.set(COOKIE, entry.session_token)
    service = AnsweringService(serving)
    task = service.next_task(entry.person)
    assert task is not None
    totals = {"pastes": 1, "pasted_characters": 9, "focus_losses": 2, "seconds_away": 31}
    answer = client.post("/api/conduct", json={"item": task.item, **totals})
    assert (answer.status_code, answer.json()) == (200, {})
    again = service.next_task(entry.person)
    assert again is not None and again.conduct == Conduct(1, 9, 2, 31)
    refused = client.post("/api/conduct", json={"item": task.item, **totals, "pastes": -1})
    assert refused.status_code == 422 and "Pastes is -1" in refused.json()["error"]
    refused = client.post("/api/conduct", json={"item": task.item, "pastes": 1})
    assert refused.status_code == 400 and "Pasted_characters" in refused.json()["error"]
