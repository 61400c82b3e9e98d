"""A clinician auditor at the review desk, by keyboard alone, at both widths."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from study.review_batches import write_reviews, write_verdicts
from study.review_rubric import DIMENSIONS
from study.reviewing import ReviewService
from study.store import Store
from tests.browser.conftest import settle, wait_saved
from tests.browser.test_rater import FOCUSED_GROUP, tab_to
from tests.browser.test_second_pass import WIDTHS, at, is_in_order
from tests.studies import register_example
from tests.study.desk import all_at, auditor, desk_row, put
from tests.whole.serving import Served
from tests.whole.studies import enter

FOCUSED_AREA = "document.activeElement.labels?.[0]?.innerText"
FOCUSED_BUTTON = "document.activeElement.innerText"


@WIDTHS
def test_a_row_is_scored_and_mended_by_keyboard_with_its_diff_and_the_next_one_follows(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page], width: int
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1, strikes=2), desk_row(2)])
    entry = enter(store, study_id, "auditor")
    page = at(person_at, server, entry, width)
    expect(page.get_by_text("missed this answer 2 times")).to_be_visible()
    expect(page.locator(".sm-row-panel li").first).to_have_text("Step one of 1.")
    is_in_order(page)
    for dimension in DIMENSIONS:
        tab_to(page, dimension.label, FOCUSED_GROUP)
        page.keyboard.press("4")
    tab_to(page, "Mend the answer", FOCUSED_AREA)
    page.keyboard.press("Control+End")
    page.keyboard.type(" Recheck.")
    expect(page.locator(".sm-diff:visible ins")).to_have_text(" Recheck.")
    wait_saved(page)
    page.reload()
    settle(page)
    expect(page.locator(".sm-diff:visible ins")).to_have_text(" Recheck.")
    assert page.locator(".sm-form input:checked").count() == 5
    is_in_order(page)
    tab_to(page, "Save review", FOCUSED_BUTTON)
    page.keyboard.press("Enter")
    expect(page.locator(".sm-row-panel")).to_contain_text("Question 2?")
    settle(page)
    assert page.locator(".sm-form input:checked").count() == 0
    assert write_reviews(store, study_id, tmp_path / "reviews.jsonl") == 1
    review = json.loads((tmp_path / "reviews.jsonl").read_bytes().splitlines()[1])
    assert review["scores"] == all_at(4)
    assert review["edit"] == [
        {"field": "answer", "start": 9, "before": "", "after": " Recheck."}
    ]  # fmt: skip


@WIDTHS
def test_a_member_of_the_panel_votes_before_the_earlier_scores_are_shown(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page], width: int
) -> None:
    study_id = register_example(store)
    put(store, study_id, tmp_path / "b.jsonl", [desk_row(1)], reviews_needed=1)
    reviewer = auditor(store, study_id, None)
    row = ReviewService(store).next_task(reviewer)
    assert row is not None
    texts = {"reasoning": row.reasoning, "answer": row.answer}
    ReviewService(store).submit(reviewer, row.item, all_at(1), texts, "Canary remark")
    put(store, study_id, tmp_path / "d.jsonl", [desk_row(1)], docket=True, panel=1)
    page = at(person_at, server, enter(store, study_id, "auditor"), width)
    expect(page.locator(".sm-place")).to_contain_text("Panel")
    assert "Canary remark" not in page.content()
    is_in_order(page)
    tab_to(page, "Your vote", FOCUSED_GROUP)
    page.keyboard.press("Space")
    tab_to(page, "Why, in a few words", FOCUSED_AREA)
    page.keyboard.type("sound after all")
    tab_to(page, "Vote", FOCUSED_BUTTON)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Canary remark")).to_be_visible()
    settle(page)
    is_in_order(page)
    assert write_verdicts(store, study_id, tmp_path / "v.jsonl") == 1
    page.get_by_role("button", name="Next row").click(delay=80)
    expect(page.get_by_role("heading", name="No row is waiting for you")).to_be_visible()
