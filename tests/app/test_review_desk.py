"""Rows of a ledger to clinician auditors at the desk, and their reviews back into the ledger."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.testclient import TestClient

from app.identity import COOKIE
from app.review_desk import put_on_desk, take_from_desk
from model.cts.ledger import faults
from model.cts.outcome import Policy, outcomes
from model.cts.reviews import write_batch
from study.panel import PanelService
from study.reviewing import ReviewService
from study.store import Store, create_store
from tests.app.test_analysis_commands import safemed
from tests.model.cts.rows import agreed, ids_of, ledger_of
from tests.studies import register_example
from tests.study.desk import all_at, auditor
from tests.whole.studies import enter


def test_a_row_goes_to_the_desk_and_comes_back_reviewed_mended_and_decided(tmp_path: Path) -> None:
    url = str(tmp_path / "study.db")
    store = create_store(url)
    study_id = register_example(store)
    ledger = ledger_of(tmp_path, n_rows=3)
    ledger.add_rows("reanswers", [agreed(row_id) for row_id in ids_of(ledger)])
    write_batch(ledger, tmp_path / "batch.jsonl")
    assert put_on_desk(url, None, tmp_path / "batch.jsonl") == 3
    people = [auditor(store, study_id, "general") for _ in range(2)]
    reviews = ReviewService(store)
    for number, person in enumerate(people):
        while (task := reviews.next_task(person)) is not None:
            point = 5 if task.prompt != "May patient 1 take it?" else 1 + 4 * number
            texts = {"reasoning": task.reasoning, "answer": f"{task.answer} (checked)"}
            reviews.submit(person, task.item, all_at(point), texts, "")
    assert take_from_desk(url, study_id, ledger).n_reviews == 6
    assert take_from_desk(url, study_id, ledger).n_reviews == 0  # nothing comes twice
    assert dict(outcomes(ledger, Policy()).counts()) == {
        "kept": 2, "waiting: panel, reviews far apart": 1,
    }  # fmt: skip
    write_batch(ledger, tmp_path / "docket.jsonl", docket=True)
    put_on_desk(url, None, tmp_path / "docket.jsonl")
    for person in (auditor(store, study_id, "general") for _ in range(3)):
        row = PanelService(store).next_task(person)
        assert row is not None and row.answer.endswith("(checked) (checked)")
        PanelService(store).vote(person, row.item, keep=True, reason="mended")
    assert take_from_desk(url, study_id, ledger).n_verdicts == 1
    assert dict(outcomes(ledger, Policy()).counts()) == {"kept": 2, "kept: panel": 1}
    assert list(faults(ledger)) == []


def test_the_commands_say_what_went_to_the_desk_and_what_came_back(tmp_path: Path) -> None:
    url = str(tmp_path / "study.db")
    store = create_store(url)
    study_id = register_example(store)
    ledger = ledger_of(tmp_path, n_rows=2)
    ledger.add_rows("reanswers", [agreed(row_id) for row_id in ids_of(ledger)])
    place = ("--store", url, "--ledger", tmp_path / "ledger")
    sent = safemed("cts", "batch", "--out", tmp_path / "batch.jsonl", *place)
    assert sent.returncode == 0 and "2 rows written" in sent.stdout
    person = auditor(store, study_id, None)
    task = ReviewService(store).next_task(person)
    assert task is not None
    texts = {"reasoning": task.reasoning, "answer": task.answer}
    ReviewService(store).submit(person, task.item, all_at(4), texts, "")
    back = safemed("cts", "take-in", "--json", *place)
    said = json.loads(back.stdout)
    assert (said["taken_in"], said["verdicts"]) == (1, 0)
    again = safemed("cts", "batch", "--out", tmp_path / "again.jsonl", *place)
    assert again.returncode == 2 and "wait on the desk already" in again.stderr


def test_a_review_draft_is_kept_by_its_route_and_refused_in_words(
    client: TestClient, serving: Store, tmp_path: Path
) -> None:
    from tests.study.desk import desk_row, put

    study_id = register_example(serving)
    put(serving, study_id, tmp_path / "b.jsonl", [desk_row(1)])
    entry = enter(serving, study_id, "auditor")
    client.cookies.set(COOKIE, entry.session_token)
    task = ReviewService(serving).next_task(entry.person)
    assert task is not None
    body = {
        "code": task.item, "scores": {"clinical_utility": 2}, "comment": "", "revision": 0,
        "texts": {"reasoning": "x" * 50_000, "answer": "Mended."},
    }  # fmt: skip
    kept = client.post("/api/review-draft", json=body)
    assert kept.status_code == 200 and kept.json()["revision"] == 1
    assert kept.json()["texts"]["answer"] == "Mended."
    refused = client.post("/api/review-draft", json={**body, "texts": ["x"]})
    assert refused.status_code == 400 and "Texts must be" in refused.json()["error"]
    stale = client.post("/api/review-draft", json={**body, "comment": "other"})
    assert stale.status_code == 409 and stale.json()["draft"]["texts"]["answer"] == "Mended."
