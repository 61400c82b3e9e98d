"""Where raters differ: how many responses, and putting them to the adjudicators."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.screens import states
from study.disputes import disputes, put_to_adjudicators
from study.errors import StudyError
from study.overview import Progress
from study.people import Person

MAY_BEGIN = ("investigator", "coordinator")
PROBLEM = "_adjudication_problem"


def show(person: Person, now: Progress) -> None:
    """Only while rating, and only where the protocol has adjudicators."""
    if now.state != "rating":
        return
    found = disputes(services.store(), person)
    if found is None:
        return
    words = (
        f"{found.n_decided} of {found.n_disputed} responses in dispute are decided."
        if found.has_begun
        else f"Raters differ by the declared distance on {found.n_disputed} responses so far."
    )
    st.html(f'<div class="sm-console"><h2>Adjudication</h2><p>{escape(words)}</p></div>')
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.html(f'<p class="sm-alert" role="alert">{escape(problem)} Nothing was changed.</p>')
    if found.has_begun or person.role not in MAY_BEGIN:
        return
    st.html(
        '<p class="sm-quiet">Possible once every rating is in. From then on no rating can be '
        "corrected.</p>"
    )
    if st.button("Put them to the adjudicators", key="adjudication"):
        try:
            put_to_adjudicators(services.store(), person)
        except StudyError as error:
            st.session_state[PROBLEM] = states.sentence(error)
        st.rerun()
