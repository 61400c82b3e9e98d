"""Practice, corrections, notes, the second pass and adjudication at the browser, at both widths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from study.calibrating import CalibratingService
from study.disputes import put_to_adjudicators
from study.marking import MarkingService
from study.rating import RatingService
from study.rating_notes import FLAG
from study.store import Store
from study.tables import RatingRow
from study.tables_rating import AdjudicationRow, MarkingRow, MarkRow, RatingNoteRow, SourceGuessRow
from tests.browser.capture import Capture
from tests.browser.conftest import open_study, settle, wait_saved
from tests.browser.test_layout import SIDEWAYS
from tests.browser.test_rater import FOCUSED_GROUP, tab_to
from tests.studies import DIMENSIONS, HARM, SECOND_PASS, practice, rate_everything
from tests.whole.serving import Served
from tests.whole.studies import enter, to_rating

WIDTHS = pytest.mark.parametrize("width", [1280, 390])


def at(person_at: Callable[..., Page], server: Served, entry: Any, width: int) -> Page:
    page = person_at(server, entry, viewport={"width": width, "height": 900})
    open_study(page, server)
    return page


def is_in_order(page: Page) -> None:
    """No sideways scroll, and nothing that axe finds."""
    assert page.evaluate(SIDEWAYS) == [0, 0]
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def choose(page: Page, points: dict[str, str]) -> None:
    """By digit where points are numbered, by the keys a browser gives a radio otherwise."""
    for label, key in points.items():
        tab_to(page, label, FOCUSED_GROUP)
        page.keyboard.press(key)


@WIDTHS
def test_a_rater_practises_by_keyboard_and_passes(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page], width: int
) -> None:
    study = to_rating(
        store, tmp_path / "work", n_vignettes=1, rating={"calibration": {"pass_share": 0.75}},
        practice=practice(),
    )  # fmt: skip
    rater = study.raters[0]
    page = at(person_at, server, rater, width)
    received = Capture().listen(page)
    page.reload()
    settle(page)
    is_in_order(page)
    for number, agreed in ((1, "5"), (2, "2")):
        expect(page.locator(".sm-place")).to_have_text(f"Practice {number} of 2")
        settle(page)
        assert f"Because {number}".encode() not in received.everything()
        choose(page, {"Medical correctness": agreed, "Medication safety": agreed})
        tab_to(page, "Compare with the agreed scores", "document.activeElement.innerText")
        page.keyboard.press("Enter")
        expect(page.locator(".sm-compared")).to_contain_text(f"Because {number}")
        settle(page)
        is_in_order(page)
        page.reload()  # before the pass, feedback is not lost by a reload
        settle(page)
        if number == 1:
            page.get_by_role("button", name="Next practice response").click(delay=80)
    expect(page.locator(".sm-place")).to_have_text("Response 1 of 3")
    standing = CalibratingService(store).standing(rater.person)
    assert standing is not None and standing.passed


@WIDTHS
def test_a_rater_says_harm_goes_back_corrects_and_flags(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page], width: int
) -> None:
    study = to_rating(store, tmp_path / "work", n_vignettes=1, rating={"harm": HARM})
    page = at(person_at, server, study.raters[0], width)
    assert page.locator(".sm-form input:checked").count() == 0
    choose(page, {"Medical correctness": "3", "Medication safety": "4"})
    tab_to(page, "Could it harm?", FOCUSED_GROUP)
    page.keyboard.press("Space")  # none
    page.keyboard.press("ArrowDown")  # mild
    page.get_by_role("button", name="Save rating").click(delay=80)
    expect(page.locator(".sm-form .sm-alert").last).to_contain_text("how likely it would be")
    tab_to(page, "How likely is that harm?", FOCUSED_GROUP)
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save rating").click(delay=80)
    expect(page.locator(".sm-place")).to_have_text("Response 2 of 3")
    settle(page)
    page.get_by_role("button", name="Correct my last rating").click(delay=80)
    expect(page.locator(".sm-place")).to_have_text("Response 1 of 3, corrected")
    settle(page)
    expect(page.locator(".sm-form input:checked")).to_have_count(4)
    is_in_order(page)
    page.locator("fieldset", has_text="Medication safety").locator("input[value='2']").check()
    page.get_by_role("button", name="Save the correction").click(delay=80)
    expect(page.locator(".sm-place")).to_have_text("Response 2 of 3")
    settle(page)
    page.get_by_role("button", name="Something is wrong").click(delay=80)
    page.get_by_label("What is the matter?").fill("Cut off in the middle?")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Tell the study team").click(delay=80)
    settle(page)
    with store.read() as session:
        ratings = session.query(RatingRow).order_by(RatingRow.revision).all()
        assert [(r.revision, r.harm_severity, r.harm_likelihood) for r in ratings] == [
            (1, "mild", "unlikely"),
            (2, "mild", "unlikely"),
        ]
        [note] = session.query(RatingNoteRow)
        assert (note.kind, note.text) == (FLAG, "Cut off in the middle?")


@WIDTHS
def test_key_points_come_with_the_second_pass_and_not_before_and_are_marked_by_keyboard(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page], width: int
) -> None:
    study = to_rating(store, tmp_path / "work", n_vignettes=1, rating={"second_pass": SECOND_PASS})
    rater = study.raters[0]
    page = at(person_at, server, rater, width)
    received = Capture().listen(page)
    page.reload()
    settle(page)
    service = RatingService(store)
    for _ in range(2):  # all but the last response are scored
        task = service.next_task(rater.person)
        assert task is not None
        service.record(rater.person, task.response.code, dict.fromkeys(DIMENSIONS, 3))
    page.reload()
    settle(page)
    assert b"Statement 1 of case 1" not in received.everything()
    choose(page, {"Medical correctness": "3", "Medication safety": "3"})
    page.get_by_role("button", name="Save rating").click(delay=80)
    expect(page.locator(".sm-place")).to_have_text("Second pass: response 1 of 3")
    settle(page)
    assert b"Statement 1 of case 1" in received.everything()
    is_in_order(page)
    for label in page.locator(".sm-form legend").all_inner_texts():
        tab_to(page, label, FOCUSED_GROUP)
        page.keyboard.press("Space")  # the first choice: yes
    wait_saved(page)
    page.reload()
    settle(page)
    tab_to(page, "Save marks", "document.activeElement.innerText")
    page.keyboard.press("Enter")
    expect(page.locator(".sm-place")).to_have_text("Second pass: response 2 of 3")
    with store.read() as session:
        assert session.query(MarkingRow).count() == 1
        assert all(mark.marked for mark in session.query(MarkRow))
    marking = MarkingService(store)
    while (left := marking.next_task(rater.person)) is not None:
        marking.submit(rater.person, left.code, {item.name: 0 for item in left.items})
    page.reload()
    settle(page)
    expect(page.locator(".sm-place")).to_have_text("Who wrote it: response 1 of 3")
    is_in_order(page)
    tab_to(page, "Who wrote it?", FOCUSED_GROUP)
    page.keyboard.press("Space")  # don't know
    choose(page, {"How sure are you of that?": "2"})
    tab_to(page, "Save guess", "document.activeElement.innerText")
    page.keyboard.press("Enter")
    expect(page.locator(".sm-place")).to_have_text("Who wrote it: response 2 of 3")
    with store.read() as session:
        [guess] = session.query(SourceGuessRow)
    assert (guess.guess, guess.confidence) == (None, 2)


@WIDTHS
def test_an_adjudicator_decides_by_keyboard_and_receives_no_score(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page], width: int
) -> None:
    """Adjudicators see names, times and agreement first (PEER_FAILURES)."""
    study = to_rating(
        store, tmp_path / "work", n_vignettes=1,
        rating={"adjudication": {"distance": 2, "n_adjudicators": 1}},
    )  # fmt: skip
    for number, rater in enumerate(study.raters):
        rate_everything(store, rater.person, 1 + 3 * number)
    adjudicator = enter(store, study.study_id, "adjudicator")
    put_to_adjudicators(store, enter(store, study.study_id, "coordinator").person)
    page = person_at(server, adjudicator, viewport={"width": width, "height": 900})
    received = Capture().listen(page)
    open_study(page, server)
    is_in_order(page)
    choose(page, {"Medical correctness": "2", "Medication safety": "3"})
    tab_to(page, "TEXTAREA", "document.activeElement.tagName")
    page.keyboard.type("The dose is right.")
    wait_saved(page)
    page.reload()
    settle(page)
    expect(page.locator(".sm-form textarea")).to_have_value("The dose is right.")
    tab_to(page, "Save decision", "document.activeElement.innerText")
    page.keyboard.press("Enter")
    expect(page.locator(".sm-place")).to_have_text("Response 2 of 3")
    everything = received.everything()
    for rater in study.raters:
        assert rater.person.pseudonym.encode() not in everything
        assert rater.person.person_id.encode() not in everything
    with store.read() as session:
        [decision] = session.query(AdjudicationRow)
    assert decision.scores == {"medical_correctness": 2, "medication_safety": 3}
