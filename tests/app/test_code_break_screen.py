"""The screen of an emergency: two people, one code, and the arm for one of them alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from analysis.dataset import open_export
from study.audit import OPERATOR, events_of
from study.export import export
from study.sign_in import Entry
from study.store import Store
from study.tables import MaskedResponseRow
from tests.app.test_screens import page_of, words_of
from tests.studies import lock_and_unblind, rate_everything, to_answering
from tests.whole.studies import Rating, enter, to_rating

ARMS = ("Clinicians of the north", "Machine of the south")
WORDS = "Emergency code-break"


@pytest.fixture
def study(serving: Store, tmp_path: Path) -> Rating:
    return to_rating(
        serving, tmp_path / "work", n_vignettes=1, resident_label=ARMS[0], model_label=ARMS[1]
    )


def code_of(store: Store) -> str:
    with store.read() as session:
        return min(session.scalars(select(MaskedResponseRow.code)))


def arm_of(store: Store, code: str) -> str:
    """The arm's label, by the text that each arm gave."""
    with store.read() as session:
        text = session.scalars(
            select(MaskedResponseRow.text).where(MaskedResponseRow.code == code)
        ).one()
    return ARMS["The model would go on" in text]


def fill(page: AppTest, code: str, reason: str) -> None:
    page.text_input(key="break_code").input(code)
    page.text_input(key="break_reason").input(reason)


def consent(entry: Entry, code: str, reason: str = "the patient is in danger") -> str:
    page = page_of(entry)
    fill(page, code, reason)
    page.button(key="break_consent").click().run()
    return words_of(page)


def break_it(entry: Entry, code: str, reason: str = "an allergy came to light") -> AppTest:
    page = page_of(entry)
    fill(page, code, reason)
    page.button(key="break").click().run()
    page.button(key="break_yes").click().run()
    return page


@pytest.mark.parametrize("breaker", ["investigator", "custodian"])
def test_who_breaks_a_code_with_a_second_person_alone_learns_what_it_hides(
    serving: Store, study: Rating, breaker: str
) -> None:
    code = code_of(serving)
    asker, second = (enter(serving, study.study_id, role) for role in (breaker, "statistician"))
    assert f"You consent to breaking {code}" in consent(second, code.lower())
    page = break_it(asker, code.lower())
    shown = words_of(page)
    assert f"The response {code} to vignette V01 is from: " in shown
    assert f"is from: {arm_of(serving, code)}, respondent" in shown
    assert sum(arm in shown for arm in ARMS) == 1
    page.button(key="break_away").click().run()
    assert "is from: " not in words_of(page)
    for other in (second, asker):
        later = words_of(page_of(other))
        assert "an allergy came to light" in later and code in later
        assert not any(arm in later for arm in ARMS)


def test_without_a_second_person_nothing_is_learnt_and_the_remedy_is_said(
    serving: Store, study: Rating
) -> None:
    asker = enter(serving, study.study_id, "investigator")
    code = code_of(serving)
    assert "Somebody else breaks it" in consent(asker, code)
    shown = words_of(break_it(asker, code))
    assert f"Breaking the code {code} needs a second person" in shown
    assert "is from: " not in shown
    with serving.read() as session:
        assert "code break" not in [e.action for e in events_of(session, study.study_id)]


def test_a_code_is_asked_about_once_more_and_not_now_breaks_nothing(
    serving: Store, study: Rating
) -> None:
    code = code_of(serving)
    consent(enter(serving, study.study_id, "inspector"), code)
    page = page_of(enter(serving, study.study_id, "investigator"))
    page.button(key="break").click().run()
    assert "Type the code and the reason first" in words_of(page)
    fill(page, code, "needed")
    page.button(key="break").click().run()
    page.button(key="break_no").click().run()
    assert "Broken: none" in words_of(page)


def test_what_was_asked_about_is_broken_whatever_is_typed_since(
    serving: Store, study: Rating
) -> None:
    with serving.read() as session:
        first, second, *_ = sorted(session.scalars(select(MaskedResponseRow.code)))
    consent(enter(serving, study.study_id, "statistician"), first)
    page = page_of(enter(serving, study.study_id, "investigator"))
    fill(page, first, "needed")
    page.button(key="break").click().run()
    page.text_input(key="break_code").input(second)
    page.button(key="break_yes").click().run()
    assert f"The response {first} " in words_of(page)


@pytest.mark.parametrize("role", ["coordinator", "adjudicator", "rater"])
def test_who_has_no_part_in_it_is_offered_nothing(serving: Store, study: Rating, role: str) -> None:
    code = code_of(serving)
    consent(enter(serving, study.study_id, "statistician"), code)
    break_it(enter(serving, study.study_id, "investigator"), code)
    other = study.raters[0] if role == "rater" else enter(serving, study.study_id, role)
    page = page_of(other)
    shown = words_of(page)
    assert WORDS not in shown and "an allergy came to light" not in shown
    assert "break_code" not in [field.key for field in page.text_input]


@pytest.mark.parametrize("role", ["statistician", "inspector"])
def test_who_may_consent_but_not_break_has_one_button(
    serving: Store, study: Rating, role: str
) -> None:
    keys = [button.key for button in page_of(enter(serving, study.study_id, role)).button]
    assert "break_consent" in keys and "break" not in keys


def test_before_masking_there_is_nothing_to_break(serving: Store) -> None:
    investigator = enter(serving, to_answering(serving), "investigator")
    assert WORDS not in words_of(page_of(investigator))


def test_the_audit_names_the_code_and_no_arm_and_every_later_table_says_it(
    serving: Store, study: Rating, tmp_path: Path
) -> None:
    code = code_of(serving)
    consent(enter(serving, study.study_id, "statistician"), code)
    break_it(enter(serving, study.study_id, "investigator"), code)
    with serving.read() as session:
        [event] = [e for e in events_of(session, study.study_id) if e.action == "code break"]
    assert event.subject == code
    assert not any(arm.lower() in str(event.details).lower() for arm in ARMS)
    for rater in study.raters:
        rate_everything(serving, rater.person)
    lock_and_unblind(serving, study.study_id)
    written = export(serving, study.study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    assert f"Codes broken before: {code} at" in open_export(written).unblinding_note
