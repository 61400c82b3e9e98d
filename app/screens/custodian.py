"""The masking custodian: findings with original and diff, and whether the arms tell apart."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Literal

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import code_break, states
from app.screens.chrome import console_head
from app.screens.console_consent import show as show_consent
from app.separability import note_seen, separability
from study.errors import StudyError
from study.leak_queue import LeakTask, next_leak_task, rule
from study.overview import study_card, study_progress
from study.people import Person

PROBLEM, WANTED = "_ruling_problem", "_separability"


def show(person: Person) -> None:
    """The queue, one response at a time; nothing of ratings is ever here."""
    store = services.store()
    card = study_card(store, person.study_id)
    task = next_leak_task(store, person)
    with store.read() as session:
        now = study_progress(session, person.study_id, store)
    console_head("Masking")
    st.html(
        f'<div class="sm-console"><h1>{escape(card.title)}</h1><p>The study is: {card.state}.</p>'
        "</div>"
    )
    if task is None:
        words = (
            "Nothing is masked yet."
            if card.state in ("registered", "answering", "responses closed")
            else "Every finding is ruled on."
        )
        st.html(f'<div class="sm-console"><h2>Findings</h2><p>{words}</p></div>')
    elif card.state == "masked":
        _queue(task)
    _separability(person)
    show_consent(person, now)
    code_break.show(person, now)
    st.html(f'<div class="sm-console"><p>{states.SIGN_OUT}</p></div>')


def _queue(task: LeakTask) -> None:
    changes = "".join(
        f"<li>{escape(c.rule)}: <del>{escape(c.before) or '(nothing)'}</del> "
        f"<ins>{escape(c.after) or '(nothing)'}</ins></li>"
        for c in task.changes
    )
    st.html(
        f'<div class="sm-console"><h2>{task.n_left} findings to rule on</h2>'
        f'<p>Response <span class="sm-code">{escape(task.code)}</span></p>'
        f'<h2>As raters would see it</h2><p class="sm-text">{_marked(task)}</p>'
        f'<h2>As submitted</h2><p class="sm-text">{escape(task.original)}</p>'
        f"<h2>What masking changed</h2><ul>{changes or '<li>nothing</li>'}</ul></div>"
    )
    problem = st.session_state.pop(PROBLEM, None)
    if problem:
        st.html(f'<p class="sm-alert" role="alert">{escape(problem)}</p>')
    finding = next(f for f in task.findings if f.ruling is None)
    st.html(
        f'<div class="sm-console"><p>Does <strong>{escape(finding.text)}</strong> '
        f"({escape(finding.kind)}) tell who wrote it?</p></div>"
    )
    st.text_input("Reason", max_chars=300, key="ruling_reason")
    stays, masks, _ = st.columns([2, 2, 4])
    here = partial(_rule, task.code, finding.number)
    stays.button("It stays", key="stays", on_click=partial(here, "stays"))
    masks.button("Mask it", key="mask", on_click=partial(here, "mask"))


def _marked(task: LeakTask) -> str:
    """The text with every open finding marked; each is looked for from the start on."""
    text = escape(task.shown)
    for words in {escape(f.text) for f in task.findings if f.ruling is None}:
        text = text.replace(words, f"<mark>{words}</mark>")
    return text


def _rule(code: str, number: int, ruling: Literal["stays", "mask"]) -> None:
    person = signed_in()
    if person is None:
        return
    reason = str(st.session_state.get("ruling_reason", ""))
    try:
        rule(services.store(), person, code, number, ruling, reason=reason)
        st.session_state["ruling_reason"] = ""
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)


def _separability(person: Person) -> None:
    st.html(
        '<div class="sm-console"><h2>Can the arms be told apart?</h2><p>A text classifier is '
        "trained on the masked texts and judged on vignettes it has not seen. Look before rating "
        "starts; the figure is for you alone, and that you looked is in the audit.</p></div>"
    )
    if st.button("Compute it", key="separability"):
        note_seen(services.store(), person)
        st.session_state[WANTED] = True
    if st.session_state.get(WANTED):
        told = separability(services.store(), person)
        st.html(f'<p class="sm-quiet" role="status">{escape(told.words)}</p>')
