"""A rater at the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from study.rating import RatingService
from study.store import Store
from study.tables import RatingRow, RatingScoreRow
from tests.browser.conftest import open_study, settle, wait_saved
from tests.whole.serving import Served
from tests.whole.studies import to_rating

FOCUSED_GROUP = "document.activeElement.closest('fieldset')?.querySelector('legend').innerText"


def tab_to(page: Page, wanted: str, what: str) -> None:
    """Press Tab until the focus is where it is wanted."""
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate(what) == wanted:
            return
    raise AssertionError(f"Tab never reached {wanted!r}")


def test_a_rater_scores_by_keyboard_alone(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    rater = to_rating(store, tmp_path / "work", n_vignettes=1).raters[0]
    page = person_at(server, rater)
    open_study(page, server)
    tab_to(page, "Medical correctness", FOCUSED_GROUP)
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")  # from 1 to 2
    tab_to(page, "Medication safety", FOCUSED_GROUP)
    page.keyboard.press("4")
    tab_to(page, "TEXTAREA", "document.activeElement.tagName")
    page.keyboard.type("Too vague")
    tab_to(page, "Save rating", "document.activeElement.innerText")
    page.keyboard.press("Enter")
    expect(page.locator(".sm-place")).to_have_text("Response 2 of 3")
    with store.read() as session:
        [rating] = session.query(RatingRow)
        scores = {row.dimension: row.score for row in session.query(RatingScoreRow)}
    assert rating.comment == "Too vague"
    assert scores == {"medical_correctness": 2, "medication_safety": 4}


def test_nothing_is_preselected_and_every_point_is_worded_in_view(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    rater = to_rating(store, tmp_path / "work", n_vignettes=1).raters[0]
    page = person_at(server, rater)
    open_study(page, server)
    assert page.locator(".sm-form input:checked").count() == 0
    for dimension in ("medical_correctness", "medication_safety"):
        for point in range(1, 6):
            expect(page.get_by_text(f"{dimension} point {point}")).to_be_visible()


def test_a_missing_dimension_is_named_and_nothing_is_saved_as_a_rating(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    rater = to_rating(store, tmp_path / "work", n_vignettes=1).raters[0]
    page = person_at(server, rater)
    open_study(page, server)
    page.locator("fieldset", has_text="Medication safety").locator("input[value='3']").check()
    page.get_by_role("button", name="Save rating").click(delay=80)
    alert = page.locator(".sm-form [role=alert]:visible")
    expect(alert).to_have_text("Please score every dimension. Missing: Medical correctness.")
    with store.read() as session:
        assert session.query(RatingRow).count() == 0


def test_scores_and_comment_survive_a_reload(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    rater = to_rating(store, tmp_path / "work", n_vignettes=1).raters[0]
    page = person_at(server, rater)
    open_study(page, server)
    page.locator("fieldset", has_text="Medication safety").locator("input[value='3']").check()
    page.locator(".sm-form textarea").press_sequentially("Half a com")
    page.reload()
    settle(page)
    expect(page.locator(".sm-form input:checked")).to_have_attribute("value", "3")
    expect(page.locator(".sm-form textarea")).to_have_value("Half a com")
    wait_saved(page)
    task = RatingService(store).next_task(rater.person)
    assert task is not None and task.draft.scores == {"medication_safety": 3}


def test_the_vignette_stays_in_view_while_the_rater_scrolls(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    rater = to_rating(store, tmp_path / "work", n_vignettes=1).raters[0]
    page = person_at(server, rater, viewport={"width": 1280, "height": 500})
    open_study(page, server)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 99999)")
    expect(page.locator(".sm-vignette dt").first).to_be_in_viewport()
    expect(page.get_by_role("button", name="Save rating")).to_be_in_viewport()


def test_the_next_response_starts_at_the_top_without_old_scores(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    rater = to_rating(store, tmp_path / "work", n_vignettes=1).raters[0]
    page = person_at(server, rater, viewport={"width": 1280, "height": 500})
    open_study(page, server)
    for group in page.locator("fieldset").all():
        group.locator("input[value='5']").check()
    page.get_by_role("button", name="Save rating").click(delay=80)
    expect(page.locator(".sm-place")).to_have_text("Response 2 of 3")
    settle(page)
    assert page.locator(".sm-form input:checked").count() == 0
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
    assert page.evaluate("document.activeElement.className") == "sm-place"
