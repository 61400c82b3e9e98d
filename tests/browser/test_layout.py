"""Every screen in a narrow window: no sideways scroll, no errors, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from study.people import Role
from study.sign_in import Entry
from study.store import Store
from tests.browser.conftest import settle
from tests.studies import to_answering
from tests.whole.serving import Served
from tests.whole.studies import Rating, enter, to_rating

SIDEWAYS = """() => ['document.documentElement', '[data-testid=stMain]'].map(where => {
  const e = where.startsWith('[') ? document.querySelector(where) : document.documentElement;
  return e ? e.scrollWidth - e.clientWidth : 0;
})"""
CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")


ROLES = ["nobody", *(role for role in get_args(Role) if role != "model")]


def entry_of(role: str, store: Store, study: Rating) -> Entry | None:
    """Somebody of that role; a resident has a vignette waiting, a rater a response."""
    if role == "nobody":
        return None
    if role == "resident":
        return enter(store, to_answering(store), "resident", arm="residents")
    return study.raters[0] if role == "rater" else enter(store, study.study_id, role)


@pytest.fixture
def study(store: Store, tmp_path: Path) -> Rating:
    return to_rating(store, tmp_path / "work", n_vignettes=1)


def watch(page: Page, server: Served) -> list[str]:
    """What should not happen, as it happens."""
    seen: list[str] = []
    ours = (server.base, server.base.replace("http", "ws"), "data:", "blob:")
    page.on("console", lambda m: seen.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(f"error: {error}"))
    page.on(
        "request",
        lambda request: None if request.url.startswith(ours) else seen.append(request.url),
    )
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", ROLES)
def test_at_360_pixels_a_screen_fits_is_legible_and_asks_nobody_else(
    role: str, scheme: str, store: Store, server: Served, study: Rating,
    person_at: Callable[..., Page],
) -> None:  # fmt: skip
    entry = entry_of(role, store, study)
    page = person_at(server, entry, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    seen = watch(page, server)
    for path in ("/", "/return", "/pause"):
        page.goto(f"{server.base}{path}")
        if path == "/":
            settle(page)
            page.wait_for_timeout(300)
        assert page.evaluate(SIDEWAYS) == [0, 0]
        assert page.evaluate(CONTRAST) == []
    assert seen == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("role", ROLES)
def test_axe_finds_no_violation_on_any_screen(
    role: str, width: int, store: Store, server: Served, study: Rating,
    person_at: Callable[..., Page],
) -> None:  # fmt: skip
    page = person_at(server, entry_of(role, store, study), viewport={"width": width, "height": 900})
    for path in ("/", "/return", "/pause"):
        page.goto(f"{server.base}{path}")
        if path == "/":
            settle(page)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
