"""An investigator at the browser, and one person walking every role of a tryout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from study.audit import OPERATOR
from study.invitations import invite
from study.lifecycle import take_step
from study.overview import study_card
from study.store import Store
from tests.browser.conftest import open_study, settle, submit_answer
from tests.studies import answer_as_model, answer_everything, join, register_example, to_answering
from tests.whole.serving import Served
from tests.whole.studies import enter


def press(page: Page, name: str) -> None:
    """Press a button of the console and wait."""
    page.get_by_role("button", name=name, exact=True).click(delay=80)
    page.wait_for_timeout(300)
    settle(page)


def test_the_console_shows_counts_and_what_the_next_step_waits_for(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    study_id = to_answering(store, n_vignettes=3)
    answer_everything(store, join(store, study_id, "resident", arm="residents"))
    page = person_at(server, enter(store, study_id, "investigator"))
    open_study(page, server)
    expect(page.locator(".sm-counts")).to_contain_text("3 of 9")  # 3 by 2 residents and 1 model
    expect(page.locator(".sm-strip [aria-current=step]")).to_have_text("answering")
    expect(page.locator(".sm-check")).to_contain_text("every model's responses are taken in")
    expect(page.get_by_role("button", name="Close responses")).to_be_disabled()


def test_a_final_step_asks_once_and_not_now_changes_nothing(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    study_id = to_answering(store, n_vignettes=1, n_residents=1)
    answer_everything(store, join(store, study_id, "resident", arm="residents"))
    answer_as_model(store, study_id, tmp_path / "work")
    page = person_at(server, enter(store, study_id, "investigator"))
    open_study(page, server)
    press(page, "Close responses")
    expect(page.get_by_text("This cannot be undone by any later step.")).to_be_visible()
    press(page, "Not now")
    assert study_card(store, study_id).state == "answering"
    press(page, "Close responses")
    press(page, "Yes, close responses")
    assert study_card(store, study_id).state == "responses closed"


def test_a_new_link_is_shown_once_and_works(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    study_id = to_answering(store)
    page = person_at(server, enter(store, study_id, "investigator"))
    open_study(page, server)
    choose(page, "Invite a person as", "rater")
    press(page, "New link")
    link = page.locator(".sm-link-once").inner_text()
    assert link.startswith(f"{server.base}/enter?t=")
    page.reload()
    settle(page)
    assert page.locator(".sm-link-once").count() == 0
    guest = person_at(server)
    guest.goto(link)
    guest.get_by_role("button", name="Enter the study").click()
    expect(guest.get_by_role("heading", name="Write this down")).to_be_visible()


def test_one_person_walks_every_role_of_a_tryout_to_its_unblinding(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    study_id = register_example(
        store, kind="tryout", n_vignettes=1, n_residents=1, n_raters=1, raters_per_response=1
    )
    take_step(store, study_id, "open", by=OPERATOR, invite=False)
    answer_as_model(store, study_id, tmp_path / "work")
    token = invite(store, study_id, "resident", by=OPERATOR, arm="residents")
    page = person_at(server)
    page.goto(f"{server.base}/enter?t={token}")
    expect(page.get_by_text("marked simulated")).to_be_visible()
    page.get_by_role("button", name="Enter the study").click()
    page.get_by_role("link", name="Continue").click()
    settle(page)
    expect(page.locator(".sm-banner")).to_contain_text("Simulated")
    page.fill(".sm-form textarea", "Stop the plan.")
    page.locator(".sm-form input[value='4']").check()
    page.get_by_role("button", name="Submit answer").click(delay=80)
    page.get_by_role("button", name="Yes, submit it").click(delay=80)
    expect(page.get_by_role("heading", name="Every vignette is answered")).to_be_visible()
    walk_as(page, "rater")
    expect(page.get_by_text("go on as investigator")).to_be_visible()
    walk_as(page, "investigator")
    for step in ("Close responses", "Mask responses", "Allocate to raters"):
        press(page, step)
        press(page, f"Yes, {step[0].lower()}{step[1:]}")
    press(page, "Open rating")
    walk_as(page, "rater")
    for number in (1, 2):  # the resident's response and the model's
        expect(page.locator(".sm-place")).to_have_text(f"Response {number} of 2")
        for group in page.locator("fieldset").all():
            group.locator("input[value='3']").check()
        page.get_by_role("button", name="Save rating").click(delay=80)
    expect(page.get_by_role("heading", name="Every response is rated")).to_be_visible()
    consent_as_statistician(page, "lock the data")
    walk_as(page, "investigator")
    press(page, "Lock the data")
    press(page, "Yes, lock the data")
    consent_as_statistician(page, "unblind")
    walk_as(page, "investigator")
    page.get_by_label("Reason. It is written into the audit").fill("to see the end")
    page.keyboard.press("Tab")
    settle(page)
    press(page, "Unblind")
    press(page, "Yes, unblind")
    expect(page.locator(".sm-strip [aria-current=step]")).to_have_text("unblinded")
    assert study_card(store, study_id).state == "unblinded"


def consent_as_statistician(page: Page, step: str) -> None:
    """The second person, in a tryout the same human being in another role, consents."""
    walk_as(page, "statistician")
    page.get_by_label("Why you consent").fill("agreed at the meeting")
    page.keyboard.press("Tab")
    settle(page)
    press(page, f"I consent to {step}")


def choose(page: Page, label: str, option: str) -> None:
    """Choose one of a row of options."""
    page.get_by_role("radiogroup", name=label).get_by_text(option, exact=True).click()
    page.wait_for_timeout(600)  # a busy server begins its run late; a click before it is lost
    settle(page)


def walk_as(page: Page, role: str) -> None:
    """Go on in another role by the tryout's bar."""
    page.locator(".sm-walk").get_by_role("button", name=role).click()
    page.locator(".sm-walk strong", has_text=role).wait_for()
    settle(page)


def test_signing_out_leaves_nothing_of_the_study_in_the_tab(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    page = person_at(server, enter(store, to_answering(store), "resident", arm="residents"))
    open_study(page, server)
    submit_answer(page, "An answer.")
    page.get_by_role("link", name="Pause").click()
    page.get_by_role("button", name="Sign out of this device").click()
    settle(page)
    expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    page.go_back()
    page.wait_for_timeout(500)
    assert "An answer." not in page.inner_text("body")
