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
from study.personal_data import erase_personal_data
from study.same_person import DECIDERS, Candidate, candidates, decide
from study.sign_in import reissue_return_code

PROBLEM, CODE, ERASED = "_accounts_problem", "_new_code", "_erased"


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
    _erasure(sorted(here))


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


def _erasure(pseudonyms: list[str]) -> None:
    erased = st.session_state.pop(ERASED, None)
    if erased:
        st.html(f'<p class="sm-console" role="status">Who {erased} is, is erased.</p>')
    with st.expander("Somebody asks to have their personal data erased"):
        st.html(
            '<p class="sm-quiet">Name, email, signature, the institution\'s account and what '
            "recognises a browser go, for good. Answers and ratings name nobody and stay; the "
            "return code still works.</p>"
        )
        who = st.selectbox("Whose", pseudonyms, index=None, key="erase_who")
        st.text_input("Reason for erasing", max_chars=300, key="erase_reason")
        st.button(
            "Erase personal data for good", key="erase", disabled=who is None, on_click=_erase
        )


def _erase() -> None:
    person = signed_in()
    if person is None:
        return
    who = str(st.session_state.get("erase_who"))
    try:
        erase_personal_data(
            services.store(), person, who, reason=str(st.session_state.get("erase_reason", ""))
        )
        st.session_state[ERASED] = who
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
