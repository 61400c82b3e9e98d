"""Nobody is signed in: how to come in."""

from __future__ import annotations

from html import escape

import streamlit as st

from app.services import institution


def show() -> None:
    """The ways in, and nothing about any study."""
    st.html(
        '<div class="sm-state"><h1>Welcome</h1>'
        "<p>If you were here before, come in with the return code you wrote down.</p>"
        '<p><a class="sm-button" href="/return">I have a return code</a></p>'
        f"{_institution()}"
        "<p>If you are new, open the invitation link that the study team sent you. "
        "It works once.</p>"
        '<p class="sm-quiet">No link and no code? Ask the person who told you of the study.</p>'
        "</div>"
    )


def _institution() -> str:
    label = escape(institution())
    return (
        f"<p>If you have linked your account at {label}: "
        f'<a href="/institution">Sign in with {label}</a></p>'
        if label
        else ""
    )
