"""The browser killed without warning: what was shown as saved is kept, work goes on in place."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, Playwright, sync_playwright
from sqlalchemy import select

from app.identity import COOKIE
from study.audit import events_of, verify_chain
from study.store import Store
from study.tables import RatingRow, ResponseRow
from tests.browser.conftest import ARGUMENTS, open_study, settle, wait_saved
from tests.studies import to_answering
from tests.whole.serving import Served, served
from tests.whole.studies import enter, to_rating

Process = subprocess.Popen[bytes]
SEED, KILLS = 4, 3
"""Kills of each kind of work."""
PAGE = ".sm-place, .sm-state"
"""A task, or what stands where there is none."""


@contextmanager
def chromium(profile: Path, playwright: Playwright) -> Iterator[tuple[Page, Process]]:
    """A browser in a process group of our own, so that all of it can be killed at once."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium on this machine; install the package chromium")
    process = subprocess.Popen(
        [path, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}",
         *ARGUMENTS, "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        opened = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{_port(profile)}")
        yield opened.contexts[0].pages[0], process
    finally:
        kill(process)
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)


def _port(profile: Path) -> int:
    written = profile / "DevToolsActivePort"
    for _ in range(600):
        if written.is_file() and (lines := written.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError("Chromium did not start within 30 s")


def kill(process: Process) -> None:
    """`kill -9` of the browser with all its processes."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass(slots=True)
class AtWork:
    """What one person's browser has been told, across its deaths."""

    chance: random.Random
    saved: dict[str, str] = field(default_factory=dict)
    """By task's place, the last text that stood there when the page said it was saved."""
    typed: dict[str, str] = field(default_factory=dict)
    """The last text typed, acknowledged or not."""
    places: list[str] = field(default_factory=list)
    """Tasks' places in the order in which they came up."""

    def goes_on(self, page: Page, *, button: str, confirm: str | None) -> None:
        """Work until the page says that all is done; ends by an error when the browser dies."""
        while self._has_task(page):
            place = page.locator(".sm-place").inner_text()
            self._resumes_in_place(place, page.locator(".sm-form textarea").input_value())
            for _ in range(3):
                self.typed[place] = f"At {place}: {self.chance.random()}"
                page.locator(".sm-form textarea").fill(self.typed[place])
                wait_saved(page)
                self.saved[place] = self.typed[place]
            for group in page.locator(".sm-form fieldset").all():
                group.locator("input").nth(2).check()
            page.get_by_role("button", name=button).click(delay=80)
            if confirm:
                page.get_by_role("button", name=confirm).click(delay=80)
            page.wait_for_function(
                "before => document.querySelector('.sm-place')?.innerText !== before", arg=place
            )

    def _has_task(self, page: Page) -> bool:
        page.wait_for_selector(PAGE)
        settle(page)
        return page.locator(".sm-place").count() > 0

    def _resumes_in_place(self, place: str, shown: str) -> None:
        if place not in self.places:
            self.places.append(place)
        assert self.places[-1] == place, "an earlier task has come up again"
        if place in self.saved:
            assert shown in (self.saved[place], self.typed[place])


def works_under_fire(
    server: Served, token: str, tmp_path: Path, *, button: str, confirm: str | None = None
) -> tuple[AtWork, int]:
    """All the work of one person whose browser dies after a random time, `KILLS` times."""
    at_work, n_killed = AtWork(random.Random(SEED)), 0
    with sync_playwright() as playwright:
        while True:
            with chromium(tmp_path / f"profile-{n_killed}", playwright) as (page, process):
                cookie = {"name": COOKIE, "value": token, "url": server.base}
                page.context.add_cookies([cookie])  # type: ignore[list-item]
                page.set_default_timeout(20_000)
                open_study(page, server)
                timer = threading.Timer(at_work.chance.uniform(0.1, 2.5), kill, [process])
                if n_killed < KILLS:
                    timer.start()
                try:
                    at_work.goes_on(page, button=button, confirm=confirm)
                    return at_work, n_killed
                except Error:
                    assert process.wait(timeout=10) == -signal.SIGKILL
                    n_killed += 1
                finally:
                    timer.cancel()


def test_an_answer_shown_as_saved_outlives_the_browser(store: Store, tmp_path: Path) -> None:
    """Reload, disconnect or a closed tab loses an answer."""
    study_id = to_answering(store, n_vignettes=3)
    resident = enter(store, study_id, "resident", arm="residents")
    with served(str(tmp_path / "study.db"), tmp_path) as server:
        at_work, n_killed = works_under_fire(
            server,
            resident.session_token,
            tmp_path,
            button="Submit answer",
            confirm="Yes, submit it",
        )
    assert n_killed == KILLS
    assert at_work.places == [f"Vignette {i} of 3" for i in (1, 2, 3)]
    with store.read() as session:
        rows = session.scalars(select(ResponseRow).order_by(ResponseRow.submitted_at))
        assert [row.text for row in rows] == list(at_work.saved.values())
        verify_chain(events_of(session, study_id))


def test_a_rating_shown_as_saved_outlives_the_browser(store: Store, tmp_path: Path) -> None:
    study = to_rating(store, tmp_path / "work", n_vignettes=1)
    with served(str(tmp_path / "study.db"), tmp_path) as server:
        at_work, n_killed = works_under_fire(
            server, study.raters[0].session_token, tmp_path, button="Save rating"
        )
    assert n_killed == KILLS
    assert at_work.places == [f"Response {i} of 3" for i in (1, 2, 3)]
    with store.read() as session:
        rows = session.scalars(select(RatingRow).order_by(RatingRow.submitted_at))
        assert [row.comment for row in rows] == list(at_work.saved.values())
        verify_chain(events_of(session, study.study_id))
