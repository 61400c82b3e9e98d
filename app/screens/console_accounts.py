"""Accounts that look like one human being, and new return codes for those who lost theirs."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import states
from study.errors import StudyError
from study.people import Person, actor_of, people_of
from study.same_person import DECIDERS, Candidate, candidates, decide
from study.sign_in import reissue_return_code

PROBLEM, CODE = "_accounts_problem", "_new_code"


def show(person: Person) -> None:
    """For the coordinator and the investigator."""
    if person.role not in DECIDERS:
        return
    with services.store().read() as session:
        found = candidates(session, person.study_id)
        here = {
            p.pseudonym: p.person_id
            for role in ("resident", "rater", "adjudicator")
            for p in people_of(session, person.study_id, role)
        }
    st.html('<div class="sm-console"><h2>Accounts</h2></div>')
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.html(f'<p class="sm-alert" role="alert">{escape(problem)} Nothing was changed.</p>')
    for candidate in found:
        _pair(candidate)
    if not found:
        st.html('<div class="sm-console"><p class="sm-quiet">No two look alike.</p></div>')
    _lost_code(here)


def _pair(pair: Candidate) -> None:
    st.html(
        f'<div class="sm-console"><p><strong>{pair.first} and {pair.second}</strong> share '
        f"{escape(pair.why)}. One human being?</p></div>"
    )
    reason = f"same_{pair.first}_{pair.second}"
    st.text_input("Reason", max_chars=300, key=reason)
    for words, same in (("One person", True), ("Two people", False)):
        st.button(
            f"{words}: {pair.first} and {pair.second}", key=f"{reason}_{same}",
            on_click=partial(_decide, pair.first_id, pair.second_id, same, reason),
        )  # fmt: skip


def _decide(first_id: str, second_id: str, same: bool, key: str) -> None:
    person = signed_in()
    if person is None:
        return
    try:
        decide(
            services.store(), person, first_id, second_id, same=same,
            reason=str(st.session_state.get(key, "")),
        )  # fmt: skip
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)


def _lost_code(here: dict[str, str]) -> None:
    code = st.session_state.pop(CODE, None)
    if code:
        st.html(
            '<div class="sm-narrow sm-once" role="status"><p><strong>Copy now.</strong> The new '
            f'return code is shown only this time.</p><p class="sm-link-once">{code}</p></div>'
        )
    with st.expander("Somebody has lost the return code"):
        who = st.selectbox("Who", sorted(here), index=None, key="lost_who")
        st.button(
            "Make a new one; the old one and every browser are signed out", key="lost_new",
            disabled=who is None, on_click=partial(_reissue, here.get(str(who), "")),
        )  # fmt: skip


def _reissue(person_id: str) -> None:
    person = signed_in()
    if person is None or person.role not in DECIDERS:
        return
    try:
        st.session_state[CODE] = reissue_return_code(
            services.store(), person_id, by=actor_of(person)
        )
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
