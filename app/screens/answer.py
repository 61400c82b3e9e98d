"""A resident answers one vignette after another."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, TextPart, draft_form
from app.identity import signed_in
from app.screens import attest, chrome, states
from app.screens.desk import Desk, desk_for, desk_here, leave_notice, show_notice, submitted
from app.screens.vignette_text import vignette_html
from study.answering import MAX_CHARACTERS, AnsweringService, AnswerTask
from study.attestation import attestation_due
from study.errors import LifeCycleError, StudyError
from study.overview import study_card
from study.people import Person

SURE = [(1, "not at all"), (2, ""), (3, ""), (4, ""), (5, "certain")]


def show(person: Person) -> None:
    """The next vignette, or why there is none."""
    service = AnsweringService(services.store())
    due = attestation_due(services.store(), person)
    if due is not None:
        attest.show(person, due)
        return
    try:
        task = service.next_task(person)
    except LifeCycleError as error:
        states.waiting(error, person)
        return
    if task is None:
        states.state(
            "Every vignette is answered",
            "Thank you. Your answers are submitted and nothing more is asked of you.",
        )
        return
    desk = desk_for(task.item)
    chrome.head(
        f"Vignette {task.position} of {task.total}",
        done=service.progress(person).done,
        total=task.total,
    )
    show_notice(desk)
    _briefing(person, is_open=task.position == 1)
    vignette, answer = st.columns(2)
    with vignette:
        st.html(
            '<details class="sm-vignette sm-beside" open><summary>Vignette</summary>'
            f"{vignette_html(task.text)}</details>"
        )
    with answer:
        draft_form(_form(task, desk), key=desk.key, on_submitted=_submit)


def _submit() -> None:
    person = signed_in()
    desk = desk_here()
    if person is None or desk is None:
        return
    given = submitted(desk)
    try:
        AnsweringService(services.store()).submit(
            person, str(given.get("item")), str(given.get("text", "")), given.get("confidence")
        )
        leave_notice("Submitted. Next vignette.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _form(task: AnswerTask, desk: Desk) -> DraftFormData:
    parts: list[TextPart | ScalePart] = [
        TextPart("text", task.question, rows=9, max_characters=MAX_CHARACTERS, asks=True)
    ]
    if task.asks_confidence:
        parts.append(ScalePart("confidence", "How sure are you?", "", SURE, in_row=True))
    return DraftFormData(
        kind="answer",
        item=task.item,
        parts=parts,
        values={"text": task.draft.text, "confidence": task.draft.confidence},
        revision=task.draft.revision,
        saved_at=task.draft.saved_at,
        submit=Submit(
            label="Submit answer",
            note="You cannot change it afterwards.",
            doing="Submitting",
            confirm="Submit this answer for good?",
            yes="Yes, submit it",
        ),
        max_words=task.max_words,
        seconds_left=task.seconds_left,
        conduct=task.conduct,
        problem=desk.problem,
        first=desk.is_next,
    )


def _briefing(person: Person, *, is_open: bool) -> None:
    """The instruction and the conditions, the same for every vignette."""
    card = study_card(services.store(), person.study_id)
    conditions = "".join(f"<li>{escape(words)}</li>" for words in card.conditions)
    st.html(
        f'<details class="sm-briefing"{" open" if is_open else ""}>'
        f"<summary>What is asked of you</summary><p>{escape(card.instruction)}</p>"
        f"<ul>{conditions}</ul></details>"
    )
