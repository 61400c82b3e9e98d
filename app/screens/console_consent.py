"""The second person: consents, signed in as themselves, to a step that somebody else takes."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.screens import states
from study.approvals import APPROVED, SECOND_PERSONS, approve
from study.errors import StudyError
from study.overview import Progress
from study.people import Person

PROBLEM = "_consent_problem"


def show(person: Person, now: Progress) -> None:
    """Offer consent to the next step where that step needs a second person."""
    step = now.next_step
    if step is None or step.verb not in APPROVED or person.role not in SECOND_PERSONS:
        return
    label = f"{step.label[:1].lower()}{step.label[1:]}"
    st.html(
        f'<div class="sm-console"><h2>Consent to {escape(label)}</h2>'
        "<p>Two people are needed: one consents here, somebody else takes the step. "
        "Your own consent does not count for a step that you take yourself.</p></div>"
    )
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.html(f'<p class="sm-alert" role="alert">{escape(problem)} Nothing was changed.</p>')
    reason = st.text_input(
        "Why you consent. It is written into the audit and printed with the results.",
        key=f"consent_{step.verb}",
        max_chars=500,
    )
    if st.button(f"I consent to {label}", key=f"give_{step.verb}"):
        try:
            approve(services.store(), person, step.verb, reason=reason)
        except StudyError as error:
            st.session_state[PROBLEM] = states.sentence(error)
        st.rerun()
