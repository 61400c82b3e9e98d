"""The conditions of a sitting, confirmed before its first vignette."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import states
from study.attestation import MAX_REMARK, AttestationDue, attest
from study.errors import StudyError
from study.overview import study_card
from study.people import Person

KEPT, REMARK, PROBLEM = "attest_kept", "attest_remark", "_attest_problem"
YES, NO = "Yes, all of them", "No, not all"


def show(person: Person, due: AttestationDue) -> None:
    """The conditions, how the last sitting went, and one button."""
    conditions = study_card(services.store(), person.study_id).conditions
    lines = "".join(f"<li>{escape(words)}</li>" for words in conditions)
    st.html(
        '<div class="sm-state"><h1 tabindex="-1">Before you begin</h1>'
        f"<p>These conditions hold for everybody who answers:</p><ul>{lines}</ul></div>"
    )
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.html(f'<p class="sm-alert" role="alert">{escape(problem)}</p>')
    if due.asks_about_last:
        st.radio("In your last sitting, were they kept?", (YES, NO), index=None, key=KEPT)
        st.text_area("If not, what was different?", max_chars=MAX_REMARK, key=REMARK)
    st.button("I will keep to them in this sitting", key="attest", type="primary",
              on_click=_attest)  # fmt: skip
    st.html(f'<div class="sm-state">{states.SIGN_OUT}</div>')


def _attest() -> None:
    person = signed_in()
    if person is None:
        return
    answered = st.session_state.get(KEPT, YES)
    if answered is None:
        st.session_state[PROBLEM] = "Please say whether they were kept in your last sitting."
        return
    try:
        attest(
            services.store(), person, kept=answered == YES,
            remark=str(st.session_state.get(REMARK, "")),
        )  # fmt: skip
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
