"""A websocket with somebody's cookie and another person's old session gets nothing of the other's.

Streamlit alone gives a known session id its memory back, whoever asks.
"""

from __future__ import annotations

import time
from pathlib import Path

from study.store import Store
from study.tables import RaterAssignmentRow, RatingRow
from study.tables_rating import RatingNoteRow
from tests.campaign.client import Shown, Tab
from tests.whole.serving import served
from tests.whole.studies import enter, to_rating

TYPED = "Typedqvx7 by the first rater"


def left_behind(base: str, token: str) -> Shown:
    """The first rater types a note and goes away in the middle of it."""
    with Tab(base, token) as tab:
        shown = tab.load()
        asks = next(label for label in shown.buttons if label.startswith("Something is wrong"))
        shown = tab.press(shown, asks)
        return tab.push([], {shown.fields["What is the matter?"]: TYPED})


def test_an_old_session_is_worth_nothing_under_any_other_cookie(
    store: Store, tmp_path: Path
) -> None:
    study = to_rating(store, tmp_path / "work", n_vignettes=1)
    first, second = study.raters
    others = {
        "another rater": second.session_token,
        "an investigator": enter(store, study.study_id, "investigator").session_token,
        "a custodian": enter(store, study.study_id, "custodian").session_token,
        "nobody": "none",
        "a made-up cookie": "x" * 40,
    }
    with served(str(tmp_path / "study.db"), tmp_path) as server:
        old = left_behind(server.base, first.session_token)
        assert old.form is not None
        for who, token in others.items():
            time.sleep(0.5)  # until the server has noticed that the last socket is gone
            with Tab(server.base, token, old_session=old.session_id) as tab:
                shown = tab.load()
                assert shown.session_id != old.session_id, who
                for mine in (old.form.element, TYPED):
                    assert mine.encode() not in shown.received, (who, mine)
                # Nor does it act for the first rater, with the ids of all that was on the page.
                tab.push(sorted(old.buttons.values()), {i: "Forged" for i in old.fields.values()})
                tab.submit(old.form, {"scores": {}, "comment": "Forged"})
        time.sleep(0.5)
        with Tab(server.base, first.session_token, old_session=old.session_id) as tab:
            again = tab.load()
    assert again.session_id == old.session_id
    assert again.form is not None and again.form.element == old.form.element
    assert _records_of(store, first.person.person_id) == 0


def broken_code(base: str, consenting: str, breaking: str, code: str) -> Shown:
    """Two people break a code; what the second then sees stays with the session until put away."""
    with Tab(base, consenting) as tab:
        said = {"Blinding_code": code, "Reason": "An emergency"}
        tab.press(tab.load(), "I consent to somebody else's breaking it", **said)
    with Tab(base, breaking) as tab:
        asked = tab.press(tab.load(), "Break this code", **said)
        return tab.press(asked, "Yes, break it")


def test_what_a_code_break_told_one_person_comes_to_nobody_by_their_old_session(
    store: Store, tmp_path: Path
) -> None:
    study = to_rating(store, tmp_path / "work", n_vignettes=1, resident_arm="arm_qvx7human",
                      model_arm="arm_qvx7machine", resident_label="Labelqvx7human",
                      model_label="Labelqvx7machine")  # fmt: skip
    custodian = enter(store, study.study_id, "custodian").session_token
    inspector = enter(store, study.study_id, "inspector").session_token
    with store.read() as session:
        [code, *_] = [row.code for row in session.query(RaterAssignmentRow)]
    with served(str(tmp_path / "study.db"), tmp_path) as server:
        old = broken_code(server.base, inspector, custodian, code)
        assert b"qvx7" in old.received
        for token in (study.raters[0].session_token, inspector, "none"):
            time.sleep(0.5)
            with Tab(server.base, token, old_session=old.session_id) as tab:
                shown = tab.load()
                assert shown.session_id != old.session_id
                assert b"qvx7" not in shown.received
        time.sleep(0.5)
        with Tab(server.base, custodian, old_session=old.session_id) as tab:
            assert b"qvx7" in tab.load().received


def _records_of(store: Store, rater_id: str) -> int:
    """Ratings and notes in a rater's name."""
    with store.read() as session:
        mine = {
            row.assignment_id
            for row in session.query(RaterAssignmentRow)
            if row.rater_id == rater_id
        }
        rows = [*session.query(RatingRow), *session.query(RatingNoteRow)]
        return sum(row.assignment_id in mine for row in rows)
