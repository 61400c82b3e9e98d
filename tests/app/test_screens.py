"""The screens without a browser: which page a role gets, and its other states."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import identity
from app.screens.vignette_text import sections, vignette_html
from study.sign_in import Entry
from study.store import Store
from study.vignette import HEADINGS, load_vignettes
from tests.studies import rate_everything, register_example, to_answering, to_unblinded
from tests.whole.studies import enter, to_rating

ROOT = Path(__file__).parents[2]


@pytest.fixture
def screen(serving: Store) -> Callable[[Entry | None], str]:
    """Runs the app's script for someone and gives the page's HTML."""

    return lambda entry: words_of(page_of(entry))


Screen = Callable[[Entry | None], str]


def page_of(entry: Entry | None) -> AppTest:
    """The page that someone gets."""
    identity.read_cookie_with(lambda: entry.session_token if entry else None)
    ran = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=30).run()
    assert not ran.exception
    return ran


def words_of(page: AppTest) -> str:
    """Its HTML, wherever it stands."""
    bodies = [element.proto.body for element in page.main if element.type == "html"]
    return "\n".join(body for body in bodies if not body.startswith("<style>"))


def test_nobody_is_told_how_to_come_in_and_nothing_of_any_study(
    screen: Screen, serving: Store
) -> None:
    to_answering(serving)
    shown = screen(None)
    assert "return code" in shown
    assert "An example study" not in shown


def test_a_session_that_ended_shows_what_nobody_sees(screen: Screen, serving: Store) -> None:
    entry = enter(serving, to_answering(serving), "resident", arm="residents")
    from study.sign_in import sign_out

    sign_out(serving, entry.session_token)
    assert screen(entry) == screen(None)


def test_a_resident_before_the_opening_is_told_to_wait(screen: Screen, serving: Store) -> None:
    entry = enter(serving, register_example(serving), "resident", arm="residents")
    shown = screen(entry)
    assert "Nothing is waiting for you" in shown
    assert "we will write when it is" in shown


def test_a_rater_before_rating_is_told_to_wait(screen: Screen, serving: Store) -> None:
    shown = screen(enter(serving, to_answering(serving), "rater"))
    assert "Rating is not open yet" in shown


def test_a_rater_without_responses_is_told_so(
    screen: Screen, serving: Store, tmp_path: Path
) -> None:
    study = to_rating(serving, tmp_path / "work", n_vignettes=1)
    late = enter(serving, study.study_id, "rater")
    assert "No response is waiting for you" in screen(late)


def test_a_rater_who_is_done_is_thanked(screen: Screen, serving: Store, tmp_path: Path) -> None:
    study = to_rating(serving, tmp_path / "work", n_vignettes=1)
    rate_everything(serving, study.raters[0].person)
    assert "Every response is rated" in screen(study.raters[0])


def test_the_banner_is_the_same_for_every_role_and_every_task(
    screen: Screen, serving: Store
) -> None:
    study_id = register_example(serving, kind="tryout")
    shown = [
        screen(enter(serving, study_id, role, arm=arm))
        for role, arm in (("resident", "residents"), ("rater", None), ("investigator", None))
    ]
    banners = {page[: page.index("</div>")] for page in shown}
    assert len(banners) == 1
    assert "Simulated" in banners.pop()


def test_the_console_of_an_unblinded_study_offers_to_write_its_results(
    screen: Screen, serving: Store, tmp_path: Path
) -> None:
    study_id = to_unblinded(serving, tmp_path / "work", n_vignettes=1)
    shown = screen(enter(serving, study_id, "investigator"))
    assert "not written yet" in shown
    assert "None: the study is unblinded." in shown


def test_the_console_of_an_unblinded_study_leads_to_every_shape_that_is_written(
    screen: Screen, serving: Store, tmp_path: Path
) -> None:
    from tests.app.test_files import home, put_files, put_shapes

    study_id = to_unblinded(serving, tmp_path / "work", n_vignettes=1)
    put_files(study_id, home(study_id))
    investigator = enter(serving, study_id, "investigator")
    shown = screen(investigator)
    assert "the public bundle are not written yet" in shown and "public.zip" not in shown
    put_shapes(study_id)
    shown = screen(investigator)
    for name in ("codebook.html", "plain.zip", "redcap.zip", "odm.zip", "public.zip"):
        assert f'href="/files/{study_id}/{name}"' in shown
    assert "de-identified, not anonymous" in shown and "not written yet" not in shown
    assert "/files/" not in screen(enter(serving, study_id, "statistician"))


def test_a_text_is_set_by_its_headings_and_keeps_every_word() -> None:
    text = "Before\nSetting: ward\nMedicines:\n- one 5 mg\n- two\nPlan: wait"
    assert sections(text) == [
        (None, "Before"),
        ("Setting", "ward"),
        ("Medicines", "- one 5 mg\n- two"),
        ("Plan", "wait"),
    ]


def test_the_words_of_every_shipped_vignette_are_shown_unchanged() -> None:
    import html
    import re

    for vignette in load_vignettes(ROOT / "data" / "vignettes").values():
        text = vignette.texts["en"].text
        shown = html.unescape(re.sub(r"<[^>]+>", " ", vignette_html(text)))
        squeezed = re.sub(r"\s+:", ":", " ".join(shown.split()))
        assert squeezed == " ".join(text.split())
        assert {h for h, _ in sections(text)} == set(HEADINGS)


def test_markup_in_a_text_is_shown_as_it_stands() -> None:
    assert "<b>" not in vignette_html("Plan: <b>stop</b> & wait")
    assert "&lt;b&gt;stop&lt;/b&gt; &amp; wait" in vignette_html("Plan: <b>stop</b> & wait")


def test_a_question_of_the_study_team_is_answered_on_the_raters_own_page(
    screen: Screen, serving: Store, tmp_path: Path
) -> None:
    from study.queries import open_query, queries_to

    study = to_rating(serving, tmp_path / "work", n_vignettes=1)
    asker = enter(serving, study.study_id, "coordinator").person
    rater = study.raters[0]
    open_query(serving, asker, to=rater.person.pseudonym, text="Is the first score meant?")
    assert "Is the first score meant?" in screen(rater)
    assert "Is the first score meant?" not in screen(study.raters[1])
    assert len(queries_to(serving, rater.person)) == 1


def test_coordinator_and_statistician_read_the_console_and_take_no_step(
    screen: Screen, serving: Store, tmp_path: Path
) -> None:
    study = to_rating(serving, tmp_path / "work", n_vignettes=1)
    coordinator = screen(enter(serving, study.study_id, "coordinator"))
    assert "What needs you" in coordinator and "Next step" not in coordinator
    assert "Consent to" not in coordinator
    statistician = screen(enter(serving, study.study_id, "statistician"))
    assert "Consent to lock the data" in statistician and "Invitations" not in statistician


def test_the_consent_stands_before_everything_else(screen: Screen, serving: Store) -> None:
    from study.consent import consent_form
    from tests.study.test_consent import CONSENT

    study_id = to_answering(serving, more={"consent": CONSENT})
    entry = enter(serving, study_id, "resident", arm="residents")
    shown = screen(entry)
    assert "It takes an hour." in shown and "Setting" not in shown
    assert consent_form(serving, entry.person) is not None


def test_a_coordinator_erases_who_somebody_is_from_the_console(
    serving: Store,
) -> None:
    from study.tables_people import PersonalDataRow

    study_id = to_answering(serving)
    resident = enter(serving, study_id, "resident", arm="residents").person
    page = page_of(enter(serving, study_id, "coordinator"))
    page.selectbox(key="erase_who").select(resident.pseudonym).run()
    page.button(key="erase").click().run()
    assert "needs a reason" in words_of(page)
    page.text_input(key="erase_reason").input("asked for it").run()
    page.button(key="erase").click().run()
    assert f"Who {resident.pseudonym} is, is erased" in words_of(page)
    with serving.read() as session:
        assert session.get_one(PersonalDataRow, resident.person_id).erased_at is not None
