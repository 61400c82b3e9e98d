"""A resident at the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from study.answering import AnsweringService
from study.audit import OPERATOR
from study.invitations import invite
from study.store import Store
from study.tables import AuditEventRow, ResponseRow
from tests.browser.conftest import open_study, settle, submit_answer, wait_saved
from tests.studies import to_answering
from tests.whole.serving import Served, served
from tests.whole.studies import enter


def count(store: Store, row: type) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(row)) or 0


def test_a_resident_comes_in_by_link_reloads_in_mid_sentence_submits_and_returns_by_code(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    token = invite(store, to_answering(store), "resident", by=OPERATOR, arm="residents")
    page = person_at(server)
    page.goto(f"{server.base}/enter?t={token}")
    page.get_by_role("button", name="Enter the study").click()
    code = page.locator(".code").inner_text()
    page.get_by_role("link", name="Continue").click()
    settle(page)
    page.locator(".sm-form textarea").press_sequentially("I would stop the")
    page.reload()
    settle(page)
    expect(page.locator(".sm-form textarea")).to_have_value("I would stop the")
    submit_answer(page, "I would stop the plan.")
    expect(page.locator(".sm-place")).to_have_text("Vignette 2 of 3")
    page.locator(".sm-form textarea").press_sequentially("Tomorrow")
    wait_saved(page)
    page.context.close()

    next_day = person_at(server)
    next_day.goto(server.base)
    next_day.get_by_role("link", name="I have a return code").click()
    next_day.fill("#code", code.lower())
    next_day.get_by_role("button", name="Sign in").click()
    settle(next_day)
    expect(next_day.locator(".sm-place")).to_have_text("Vignette 2 of 3")
    expect(next_day.locator(".sm-form textarea")).to_have_value("Tomorrow")
    assert count(store, ResponseRow) == 1


def test_a_tab_closed_in_mid_sentence_loses_nothing(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    entry = enter(store, to_answering(store), "resident", arm="residents")
    page = person_at(server, entry)
    open_study(page, server)
    page.locator(".sm-form textarea").press_sequentially("Half a sen")
    page.close(run_before_unload=True)
    again = person_at(server, entry)
    again.wait_for_timeout(500)
    open_study(again, server)
    expect(again.locator(".sm-form textarea")).to_have_value("Half a sen")


def test_after_the_last_answer_the_page_says_that_all_is_done(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    entry = enter(store, to_answering(store, n_vignettes=2), "resident", arm="residents")
    page = person_at(server, entry)
    open_study(page, server)
    submit_answer(page, "First.")
    page.fill(".sm-form textarea", "Second.")
    page.locator(".sm-form input[value='3']").check()
    page.get_by_role("button", name="Submit answer").click(delay=80)
    page.get_by_role("button", name="Yes, submit it").click(delay=80)
    expect(page.get_by_role("heading", name="Every vignette is answered")).to_be_visible()
    assert count(store, ResponseRow) == 2


def test_an_empty_answer_and_a_missing_confidence_are_named_and_lose_nothing(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    entry = enter(store, to_answering(store), "resident", arm="residents")
    page = person_at(server, entry)
    open_study(page, server)
    submit = page.get_by_role("button", name="Submit answer")
    submit.click(delay=80)
    page.get_by_role("button", name="Yes, submit it").click(delay=80)
    alert = page.locator(".sm-form [role=alert]:visible")
    expect(alert).to_contain_text("The answer is empty")
    page.fill(".sm-form textarea", "Only words")
    submit.click(delay=80)
    page.get_by_role("button", name="Yes, submit it").click(delay=80)
    expect(alert).to_contain_text("Say how sure you are")
    expect(page.locator(".sm-form textarea")).to_have_value("Only words")
    assert count(store, ResponseRow) == 0


def test_submitting_in_two_tabs_leaves_one_answer_and_one_audit_event(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    entry = enter(store, to_answering(store), "resident", arm="residents")
    first = person_at(server, entry)
    open_study(first, server)
    first.fill(".sm-form textarea", "From one desk.")
    first.locator(".sm-form input[value='4']").check()
    wait_saved(first)
    second = first.context.new_page()
    open_study(second, server)
    for page in (first, second):
        page.get_by_role("button", name="Submit answer").click(delay=80)
    for page in (first, second):
        page.get_by_role("button", name="Yes, submit it").click(delay=80, no_wait_after=True)
    for page in (first, second):
        expect(page.locator(".sm-place")).to_have_text("Vignette 2 of 3")
    said = {page.locator("p[role=status]").inner_text() for page in (first, second)}
    assert any("already submitted" in words for words in said)
    assert count(store, ResponseRow) == 1
    with store.read() as session:
        events = session.scalars(select(AuditEventRow.action)).all()
    assert events.count("submit answer") == 1


def test_two_tabs_with_different_texts_are_both_offered(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    entry = enter(store, to_answering(store), "resident", arm="residents")
    older = person_at(server, entry)
    open_study(older, server)
    newer = older.context.new_page()
    open_study(newer, server)
    newer.fill(".sm-form textarea", "The newer text")
    wait_saved(newer)
    older.fill(".sm-form textarea", "What stood in the older tab")
    panel = older.locator(".sm-form [role=alert]:visible")
    expect(panel).to_contain_text("A newer text was saved")
    expect(panel.locator("blockquote")).to_have_text("The newer text")
    expect(older.locator(".sm-form textarea")).to_have_value("What stood in the older tab")
    older.get_by_role("button", name="Keep what stands here").click()
    wait_saved(older)
    task = AnsweringService(store).next_task(entry.person)
    assert task is not None and task.draft.text == "What stood in the older tab"
    newer.fill(".sm-form textarea", "Again in the other tab")
    newer.get_by_role("button", name="Use the newer text").click()
    expect(newer.locator(".sm-form textarea")).to_have_value("What stood in the older tab")


def test_a_read_only_database_keeps_the_text_on_the_page_and_says_what_to_do(
    store: Store, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    entry = enter(store, to_answering(store), "resident", arm="residents")
    url = f"sqlite:///file:{tmp_path / 'study.db'}?mode=ro&uri=true"
    with served(url, tmp_path) as server:
        page = person_at(server, entry)
        open_study(page, server)
        page.fill(".sm-form textarea", "Words that must stay")
        status = page.locator(".sm-form .sm-under [role=status]")
        expect(status).to_contain_text("Nothing was saved")
        page.locator(".sm-form input[value='2']").check()
        page.get_by_role("button", name="Submit answer").click(delay=80)
        page.get_by_role("button", name="Yes, submit it").click(delay=80)
        alert = page.locator(".sm-form [role=alert]:visible")
        expect(alert).to_contain_text("Nothing was submitted; nothing is lost")
        page.reload()
        settle(page)
        expect(page.locator(".sm-form textarea")).to_have_value("Words that must stay")
    assert count(store, ResponseRow) == 0


def test_a_scanner_may_follow_the_link_before_the_person_does(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    token = invite(store, to_answering(store), "resident", by=OPERATOR, arm="residents")
    link = f"{server.base}/enter?t={token}"
    scanner = person_at(server)
    scanner.request.get(link)
    scanner.request.head(link)
    scanner.request.get(link)
    page = person_at(server)
    page.goto(link)
    page.get_by_role("button", name="Enter the study").click()
    expect(page.get_by_role("heading", name="Write this down")).to_be_visible()
    scanner.goto(link)
    expect(scanner.get_by_role("heading")).to_contain_text("has been used")


def test_pastes_and_looks_away_are_counted_across_a_reload_and_the_clock_is_shown(
    store: Store, server: Served, person_at: Callable[..., Page]
) -> None:
    from study.conduct import Conduct
    from study.consent import sign
    from tests.studies import protocol_values
    from tests.study.test_conduct import CONSENT

    conditions = {
        **protocol_values()["conditions"], "record_conduct": True, "time_limit_minutes": 12,
    }  # fmt: skip
    study_id = to_answering(store, more={"conditions": conditions, "consent": CONSENT})
    entry = enter(store, study_id, "resident", arm="residents")
    sign(store, entry.person, "Mira Example")
    page = person_at(server, entry)
    open_study(page, server)
    expect(page.get_by_text("Nobody who rates sees that")).to_be_visible()
    expect(page.get_by_role("timer")).to_have_text("12 min left")
    paste = """(area) => {
        const data = new DataTransfer(); data.setData("text", "12345");
        area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data })); }"""
    for number in (1, 2):
        with page.expect_response("**/api/conduct"):
            page.locator(".sm-form textarea").evaluate(paste)
        page.evaluate("window.dispatchEvent(new Event('blur'))")
        page.wait_for_timeout(1_100)
        with page.expect_response("**/api/conduct"):
            page.evaluate("window.dispatchEvent(new Event('focus'))")
        page.reload()
        settle(page)
        for _ in range(100):  # the last count is sent while the page goes away
            task = AnsweringService(store).next_task(entry.person)
            assert task is not None and task.conduct is not None
            counted = task.conduct
            if counted.pastes == number and counted.seconds_away >= number:
                break
            page.wait_for_timeout(100)
        assert (counted.pastes, counted.pasted_characters) == (number, 5 * number)
        # The blur, and mostly the leaving for the reload, which is of no length.
        assert number <= counted.focus_losses <= 3 * number
        assert number <= counted.seconds_away <= 20 * number
    assert isinstance(counted, Conduct)
    submit_answer(page, "Stop the plan.")
    assert count(store, ResponseRow) == 1
