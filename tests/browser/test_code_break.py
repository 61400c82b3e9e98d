"""Two people at two browsers break one code; the arm reaches one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from study.store import Store
from study.tables import MaskedResponseRow
from tests.browser.capture import Capture
from tests.browser.conftest import open_study, settle
from tests.browser.test_investigator import press
from tests.browser.test_layout import CONTRAST, SIDEWAYS
from tests.whole.serving import Served
from tests.whole.studies import enter, to_rating

ARMS = ("Clinicians of the north", "Machine of the south")
PHONE = {"width": 360, "height": 740}


def check(page: Page) -> None:
    assert page.evaluate(SIDEWAYS) == [0, 0]
    assert page.evaluate(CONTRAST) == []
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def fill(page: Page, code: str, reason: str) -> None:
    page.get_by_text("Somebody has to know whose response").click()
    page.get_by_label("Blinding code").fill(code)
    page.get_by_label("Reason, without a name").fill(reason)
    page.keyboard.press("Tab")
    settle(page)


def test_two_people_break_a_code_and_the_arm_reaches_one_of_them(
    store: Store, server: Served, tmp_path: Path, person_at: Callable[..., Page]
) -> None:
    study = to_rating(
        store, tmp_path / "work", n_vignettes=1, resident_label=ARMS[0], model_label=ARMS[1]
    )
    with store.read() as session:
        code = min(session.scalars(select(MaskedResponseRow.code)))
    second = person_at(server, enter(store, study.study_id, "statistician"), viewport=PHONE)
    seconds = Capture().listen(second)
    open_study(second, server)
    fill(second, code.lower(), "the patient is in danger")
    check(second)
    press(second, "I consent to somebody else's breaking it")
    expect(second.get_by_text(f"You consent to breaking {code}")).to_be_visible()

    asker = person_at(server, enter(store, study.study_id, "custodian"), viewport=PHONE)
    askers = Capture().listen(asker)
    open_study(asker, server)
    expect(asker.get_by_text("the patient is in danger")).to_be_visible()
    fill(asker, code, "an allergy came to light")
    press(asker, "Break this code")
    check(asker)
    press(asker, "Yes, break it")
    learnt = asker.get_by_text(f"The response {code} to vignette V01 is from:")
    expect(learnt).to_be_visible()
    assert sum(arm in learnt.inner_text() for arm in ARMS) == 1
    check(asker)
    press(asker, "I have noted it; put it away")
    expect(learnt).to_have_count(0)

    second.reload()
    settle(second)
    expect(second.get_by_text("an allergy came to light")).to_be_visible()
    assert not any(arm.encode() in seconds.everything() for arm in ARMS)
    assert sum(arm.encode() in askers.everything() for arm in ARMS) == 1
