"""Somebody at the browser who links the institution's account and comes back with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from app.identity import COOKIE
from study.audit import OPERATOR
from study.invitations import invite
from study.store import Store
from tests.browser.conftest import settle, submit_answer, wait_saved
from tests.browser.test_layout import CONTRAST, SIDEWAYS
from tests.oidc import LABEL, LocalProvider, installation_file, local_provider
from tests.studies import to_answering
from tests.whole.serving import Served, served


@pytest.fixture
def there() -> Iterator[LocalProvider]:
    with local_provider(asks=True) as running:
        yield running


@pytest.fixture
def here(store: Store, there: LocalProvider, tmp_path: Path) -> Iterator[Served]:
    file = installation_file(tmp_path, there.issuer)
    environment = {"SAFEMED_OIDC": str(file)}
    with served(str(tmp_path / "study.db"), tmp_path, environment=environment) as running:
        yield running


def check(page: Page) -> None:
    """The page of ours fits a phone, is legible, and axe finds nothing."""
    assert page.evaluate(SIDEWAYS) == [0, 0]
    assert page.evaluate(CONTRAST) == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_somebody_links_signs_out_and_comes_back_by_the_institution_to_where_they_left(
    store: Store, here: Served, there: LocalProvider, person_at: Callable[..., Page]
) -> None:
    token = invite(store, to_answering(store), "resident", by=OPERATOR, arm="residents")
    page = person_at(here, viewport={"width": 360, "height": 740})
    page.goto(f"{here.base}/enter?t={token}")
    page.get_by_role("button", name="Enter the study").click()
    check(page)
    page.get_by_role("button", name="Link my institution account").click()
    check(page)
    page.get_by_role("link", name=f"Go to {LABEL}").click()
    page.get_by_role("link", name="Sign in as Dr Example").click()
    expect(page.get_by_text(f"Your account at {LABEL} signs you in")).to_be_visible()
    check(page)
    page.get_by_role("link", name="Go on").click()
    settle(page)
    submit_answer(page, "I would stop the plan.")
    page.locator(".sm-form textarea").press_sequentially("Half a sen")
    wait_saved(page)

    page.goto(f"{here.base}/pause")
    check(page)
    page.get_by_role("button", name="Sign out").click()
    settle(page)
    check(page)
    page.get_by_role("link", name=f"Sign in with {LABEL}").click()
    page.get_by_role("link", name="Sign in as Dr Example").click()
    settle(page)
    expect(page.locator(".sm-place")).to_have_text("Vignette 2 of 3")
    expect(page.locator(".sm-form textarea")).to_have_value("Half a sen")
    assert page.url.rstrip("/").removesuffix("/study") == here.base
    [ours] = [c for c in page.context.cookies() if c["name"] == COOKIE]
    assert (ours["httpOnly"], ours["sameSite"]) == (True, "Lax")
    assert there.refused == []
    assert here.log_lines() == []


def test_a_stranger_from_the_institution_is_told_what_to_do(
    here: Served, person_at: Callable[..., Page]
) -> None:
    page = person_at(here, viewport={"width": 360, "height": 740})
    page.goto(f"{here.base}/return")
    check(page)
    page.get_by_role("link", name=f"Sign in with {LABEL}").click()
    page.get_by_role("link", name="Sign in as Dr Example").click()
    expect(page.get_by_text("open the invitation link")).to_be_visible()
    check(page)
    page.get_by_role("link", name="I have a return code").click()
    expect(page.get_by_role("heading", name="Your return code")).to_be_visible()
