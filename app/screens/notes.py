"""A rater flags a response, or gives it back for a conflict of interest."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import states
from app.screens.desk import leave_notice
from study.errors import StudyError
from study.rating_notes import MAX_CHARACTERS, flag, give_back

PROBLEM, OPEN = "_note_problem", "_note_open"
"""Keys of `session_state`: why the last note was refused, and the code of which one is written."""
ASKS = "Something is wrong with this response, or I should not rate it"


def show(code: str) -> None:
    """A button below the form; the fields come when it is pressed, so that few pages carry them."""
    if st.session_state.get(OPEN) != code:
        st.button(ASKS, key="note", on_click=partial(_open, code))
        return
    with st.container(border=True):
        st.html(f'<p class="sm-part">{ASKS}</p>')
        problem = st.session_state.pop(PROBLEM, None)
        if problem:
            st.html(f'<p class="sm-alert" role="alert">{escape(problem)}</p>')
        st.text_area("What is the matter?", max_chars=MAX_CHARACTERS, key="note_text")
        st.button("Tell the study team, and go on rating it", key="flag",
                  on_click=partial(_note, code, False))  # fmt: skip
        st.button("Give it back: I know who wrote it, or have an interest", key="conflict",
                  on_click=partial(_note, code, True))  # fmt: skip
        st.button("Close", key="note_close", on_click=partial(_open, None))


def _open(code: str | None) -> None:
    st.session_state[OPEN] = code


def _note(code: str, is_conflict: bool) -> None:
    person = signed_in()
    if person is None:
        return
    text = str(st.session_state.get("note_text", ""))
    try:
        (give_back if is_conflict else flag)(services.store(), person, code, text)
        leave_notice("Given back. Next response." if is_conflict else "The study team is told.")
        st.session_state["note_text"] = ""
        _open(None)
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
