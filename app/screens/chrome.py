"""What stands around every screen: banner, tryout bar, head with progress."""

from __future__ import annotations

from html import escape

import streamlit as st

from study.overview import StudyCard
from study.people import Person
from study.sign_in import WALKED


def banner(card: StudyCard, person: Person) -> None:
    """The study-wide sentence, the same on every page, and in a tryout the bar to change role."""
    parts = []
    if card.banner:
        parts.append(f'<div class="sm-banner" role="note">{escape(card.banner)}</div>')
    if card.kind == "tryout":
        parts.append(_walk_bar(person))
    if parts:
        st.html("".join(parts))


def head(place: str, *, done: int, total: int, aside: str = "") -> None:
    """Where the person is, how far, and the way to a pause."""
    share = 100 * done / total if total else 0
    st.html(
        '<div class="sm-head sm-page">'
        f'<div class="sm-place" tabindex="-1" role="heading" aria-level="1">{escape(place)}</div>'
        f'<span class="sm-quiet">{escape(aside)}</span>'
        '<nav aria-label="Pause"><a href="/pause">Pause</a></nav></div>'
        f'<div class="sm-bar" role="progressbar" aria-label="Progress" aria-valuemin="0" '
        f'aria-valuemax="{total}" aria-valuenow="{done}">'
        f'<span style="width: {share:.1f}%"></span></div>'
    )


def console_head(place: str = "Console") -> None:
    """A wide page's head: where the person is, and the way to a pause."""
    st.html(
        f'<div class="sm-head sm-page"><div class="sm-quiet">{escape(place)}</div>'
        '<nav aria-label="Pause"><a href="/pause">Pause</a></nav></div>'
    )


def _walk_bar(person: Person) -> str:
    # Not name="role": Streamlit's sanitiser takes names that a form element has of itself.
    others = "".join(
        '<form method="post" action="/switch">'
        f'<button class="sm-link" type="submit" name="walk_as" value="{role}">{role}</button>'
        "</form>"
        for role in WALKED
        if role != person.role
    )
    return (
        f'<div class="sm-walk"><span>You are walking as: <strong>{person.role}</strong></span>'
        f"<span>Go on as</span>{others}</div>"
    )
