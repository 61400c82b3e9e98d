"""The investigator's console: how the study stands, without arms, and its next step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

import streamlit as st

from app import services
from app.screens import console_actions, states
from app.screens.chrome import console_head
from study.lifecycle import STATES
from study.overview import PersonProgress, Progress, progress, study_card
from study.people import Person


def show(person: Person) -> None:
    """Progress, the next step, invitations, files and history."""
    store = services.store()
    card, now = study_card(store, person.study_id), progress(store, person)
    console_head()
    st.html(
        f'<div class="sm-console"><h1>{escape(card.title)}</h1>{_strip(now)}{_counts(now)}</div>'
    )
    console_actions.next_step(person, now)
    console_actions.files(person, now)
    st.html(
        '<div class="sm-console">'
        f"{_people('Residents', 'answered', now.residents, 'No resident has joined yet.')}"
        f"{_people('Raters', 'rated', now.raters, 'No rater has joined yet.')}</div>"
    )
    console_actions.invitations(person, now)
    st.html(f'<div class="sm-console">{_history(now)}<p>{states.SIGN_OUT}</p></div>')


def _strip(now: Progress) -> str:
    reached = STATES.index(now.state)
    steps = "".join(
        f'<li aria-current="step"><span>{state}</span></li>'
        if place == reached
        else f"<li{' class=sm-past' if place < reached else ''}>{state}</li>"
        for place, state in enumerate(STATES)
    )
    return f'<ol class="sm-strip" aria-label="Life of the study">{steps}</ol>'


def _counts(now: Progress) -> str:
    ratings = (
        f"<div><b>{now.n_ratings} of {now.n_ratings_due}</b><span>ratings in</span></div>"
        if now.n_ratings_due
        else "<div><b>none</b><span>ratings allocated yet</span></div>"
    )
    return (
        '<div class="sm-counts">'
        f"<div><b>{now.n_answers} of {now.n_answers_due}</b><span>answers in</span></div>"
        f"{ratings}</div>"
    )


def _people(title: str, done: str, people: Sequence[PersonProgress], empty: str) -> str:
    if not people:
        return f'<h2>{title}</h2><p class="sm-quiet">{empty}</p>'
    rows = "".join(
        f"<tr><td>{escape(p.pseudonym)}</td><td>{p.done} of {p.due}</td>"
        f"<td>{when(p.last_seen_at)}</td></tr>"
        for p in people
    )
    return (
        f'<h2>{title}</h2><table class="sm-table"><thead><tr><th scope="col">pseudonym</th>'
        f'<th scope="col">{done}</th><th scope="col">last seen</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _history(now: Progress) -> str:
    rows = "".join(
        f"<tr><td>{when(row.at)}</td><td>{escape(row.what)}</td></tr>" for row in now.history
    )
    return (
        '<h2>History</h2><table class="sm-table"><thead><tr><th scope="col">when</th>'
        f'<th scope="col">what</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def when(at: datetime | None) -> str:
    """A time in words; UTC, as in the audit."""
    return f"{at:%d %b %Y, %H:%M} UTC" if at else "not yet"
