"""The states beside a task: nothing to do, finished, and what to say when something is wrong."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from study.errors import StudyError
from study.overview import study_card
from study.people import Person

SIGN_OUT = (
    '<form method="post" action="/sign-out"><button class="sm-link" type="submit">'
    "Sign out of this device</button></form>"
)


def state(title: str, *paragraphs: str, sign_out: bool = True) -> None:
    """A page that says one thing."""
    words = "".join(f"<p>{escape(p)}</p>" for p in paragraphs)
    end = SIGN_OUT if sign_out else ""
    st.html(f'<div class="sm-state"><h1 tabindex="-1">{escape(title)}</h1>{words}{end}</div>')


def waiting(error: StudyError, person: Person) -> None:
    """Nothing can be done at present; the study's own words say why."""
    words = [sentence(error)]
    if study_card(services.store(), person.study_id).kind == "tryout":
        words.append("This is a tryout: go on as investigator, above, and take the next step.")
    state("Nothing is waiting for you", *words)


def out_of_order(error: StudyError) -> None:
    """The database cannot be used at the moment."""
    state(
        "Out of order for the moment",
        sentence(error),
        "Everything that was shown as saved is kept. What was typed since is kept in this tab: "
        "leave it open, and reload the page in a minute.",
        "If it lasts, please tell the study team.",
        sign_out=False,
    )


def fault() -> None:
    """A fault of the program."""
    state(
        "Something went wrong on our side",
        "Everything that was shown as saved is kept. Reload the page to go on.",
        "If it happens again, please tell the study team what you did last.",
        sign_out=False,
    )


def sentence(error: StudyError) -> str:
    """The error's words with a capital and a full stop."""
    words = str(error)
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")
