"""A real browser against a real server; skipped, with the reason, where there is no Chromium."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from app.identity import COOKIE
from study.sign_in import Entry
from tests.whole.serving import Served, served

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
expect.set_options(timeout=20_000)
"""A busy machine is no fault of the page."""
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium on this machine; install the package chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """The app on this test's own database, `study.db`."""
    from study.store import create_store

    create_store(tmp_path / "study.db").close()
    with served(str(tmp_path / "study.db"), tmp_path) as running:
        yield running


@pytest.fixture
def person_at(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a browser of its own for someone: `person_at(server, entry)`."""
    contexts: list[BrowserContext] = []

    def open_page(server: Served, entry: Entry | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        if entry is not None:
            context.add_cookies(
                [{"name": COOKIE, "value": entry.session_token, "url": server.base}]
            )
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


def settle(page: Page) -> None:
    """Wait until Streamlit has nothing left to run."""
    page.wait_for_selector(SETTLED)
    page.wait_for_timeout(150)


def open_study(page: Page, server: Served) -> None:
    """Open the study's page and wait for it."""
    page.goto(server.base)
    settle(page)


def wait_saved(page: Page) -> None:
    """Wait until the form says that the server has everything."""
    # Not has_text="Saved", which does not mind the case: "Not saved yet" would do.
    page.locator(".sm-form [role=status]", has_text=re.compile(r"^\s*Saved ")).wait_for()


def submit_answer(page: Page, text: str, sure: int = 4) -> None:
    """Write an answer, say how sure, submit, confirm."""
    before = page.locator(".sm-place").inner_text()
    page.fill(".sm-form textarea", text)
    page.locator(f".sm-form input[value='{sure}']").check()
    page.get_by_role("button", name="Submit answer").click(delay=80)
    page.get_by_role("button", name="Yes, submit it").click(delay=80)
    page.wait_for_function(
        "before => document.querySelector('.sm-place')?.innerText !== before", arg=before
    )
    settle(page)
