"""Questions from the study team that wait for this person's answer, above the task."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import states
from study.errors import StudyError
from study.people import Person
from study.queries import answer_query, queries_to

PROBLEM = "_question_problem"


def show(person: Person) -> None:
    """Each waiting question with a place for its answer."""
    for number, query in enumerate(queries_to(services.store(), person), start=1):
        asked = "".join(f"<p>{escape(t.text)}</p>" for t in query.turns if t.kind == "opened")
        st.html(
            '<div class="sm-console" role="note"><h2>The study team asks about your record</h2>'
            f"{asked}</div>"
        )
        problem = st.session_state.pop(PROBLEM, None)
        if problem:
            st.html(f'<p class="sm-alert" role="alert">{escape(problem)}</p>')
        key = f"question_{number}"
        st.text_area("Your answer", max_chars=2_000, key=key)
        st.button(
            "Send the answer", key=f"send_{number}", on_click=partial(_answer, query.query_id, key)
        )


def _answer(query_id: str, key: str) -> None:
    person = signed_in()
    if person is None:
        return
    try:
        answer_query(services.store(), person, query_id, st.session_state.get(key, ""))
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
