"""The consent, before anything else of the study is shown."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import states
from study.consent import ConsentForm, sign
from study.errors import StudyError

NAME, PROBLEM = "consent_name", "_consent_problem"


def show(form: ConsentForm) -> None:
    """The words, what withdrawing means, and the place for the name."""
    paragraphs = "".join(f"<p>{escape(p)}</p>" for p in form.text.split("\n\n") if p.strip())
    st.html(
        '<div class="sm-state"><h1 tabindex="-1">Your consent</h1>'
        f"{paragraphs}<p><strong>You can leave at any time</strong>, on the page Pause. "
        f'{escape(form.withdrawal)}</p><p class="sm-quiet">Version {escape(form.version)}</p></div>'
    )
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.html(f'<p class="sm-alert" role="alert">{escape(problem)}</p>')
    with st.form("consent", enter_to_submit=False, border=False):
        st.text_input("Type your full name; it is your signature", max_chars=200, key=NAME)
        st.form_submit_button("I have read this and agree", on_click=_sign)
    st.html(f'<div class="sm-state">{states.SIGN_OUT}</div>')


def _sign() -> None:
    person = signed_in()
    if person is None:
        return
    try:
        sign(services.store(), person, str(st.session_state.get(NAME, "")))
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
