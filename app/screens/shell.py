"""The frame of every run: who is here, which pages they have, what goes wrong calmly."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import chrome, consent, questions, states
from study.consent import consent_form
from study.errors import StorageError
from study.overview import study_card
from study.people import Person

ASKED = ("resident", "rater")
"""Roles whose records the study team asks about."""
STYLE = Path(__file__).parents[1] / "style"


def run() -> None:
    """Show the page of whoever is signed in."""
    st.set_page_config(page_title="SafeMed", layout="wide")
    st.html(f"<style>{_stylesheet()}</style>")
    try:
        with services.store().looking():
            # Only this role's page is ever listed: Streamlit tells the browser of hidden ones too.
            page = st.Page(_page_of(signed_in()), title="SafeMed", url_path="study", default=True)
            st.navigation([page], position="hidden").run()
    except StorageError as error:
        states.out_of_order(error)


def _page_of(person: Person | None) -> Callable[[], None]:
    from app.screens import adjudicate, answer, console, custodian, inspect, rate, review, welcome

    if person is None:
        return welcome.show
    screens: dict[str, Callable[[Person], None]] = {
        "resident": answer.show,
        "rater": rate.show,
        "investigator": console.show,
        "coordinator": console.show,
        "statistician": console.show,
        "adjudicator": adjudicate.show,
        "custodian": custodian.show,
        "inspector": inspect.show,
        "auditor": review.show,
    }
    return partial(_with_banner, screens[person.role], person)


def _with_banner(screen: Callable[[Person], None], person: Person) -> None:
    try:
        chrome.banner(study_card(services.store(), person.study_id), person)
        form = consent_form(services.store(), person)
        if form is not None:
            consent.show(form)
            return
        if person.role in ASKED:
            questions.show(person)
        screen(person)
    except StorageError as error:
        states.out_of_order(error)


@cache
def _stylesheet() -> str:
    return "\n".join(
        (STYLE / name).read_text(encoding="utf-8") for name in ("tokens.css", "screens.css")
    )
