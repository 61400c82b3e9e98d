"""The second pass: key points, omission and errors of every response, then every source guess."""

from __future__ import annotations

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, draft_form
from app.identity import signed_in
from app.screens import chrome, rate, states
from app.screens.desk import Desk, desk_for, desk_here, leave_notice, show_notice, submitted
from study.errors import LifeCycleError, StudyError
from study.guessing import SURE, GuessingService, GuessTask
from study.marking import MarkingService, MarkingTask
from study.people import Person


def show(person: Person) -> bool:
    """The next response to mark, or to guess; False where nothing is, or nothing was asked for."""
    store = services.store()
    try:
        to_mark = MarkingService(store).next_task(person)
        task = to_mark or GuessingService(store).next_task(person)
    except LifeCycleError:
        return False
    if task is None:
        return False
    is_guess = isinstance(task, GuessTask)
    desk = desk_for(f"{'g' if is_guess else 'm'}{task.code}")
    chrome.head(
        f"{'Who wrote it' if is_guess else 'Second pass'}: response {task.position} of "
        f"{task.total}",
        done=task.position - 1,
        total=task.total,
        aside="the last question" if is_guess else "scores are closed now",
    )
    show_notice(desk)
    vignette, response = st.columns(2)
    with vignette:
        st.html(rate.vignette_panel(task.vignette_text, task.question))
    with response:
        st.html(rate.response_panel(task.code, task.text))
        if isinstance(task, GuessTask):
            draft_form(_guess_form(task, desk), key=desk.key, on_submitted=_guess)
        else:
            draft_form(_form(task, desk), key=desk.key, on_submitted=_submit)
    return True


def _submit() -> None:
    _send(MarkingService(services.store()))


def _guess() -> None:
    _send(GuessingService(services.store()))


def _send(service: MarkingService | GuessingService) -> None:
    person, desk = signed_in(), desk_here()
    if person is None or desk is None:
        return
    sent = submitted(desk)
    marks = sent.get("scores")
    try:
        service.submit(
            person,
            str(sent.get("item")).removesuffix("?"),
            marks if isinstance(marks, dict) else {},
        )
        leave_notice("Saved. Next response.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _form(task: MarkingTask, desk: Desk) -> DraftFormData:
    return DraftFormData(
        kind="marking",
        item=task.code,
        parts=[
            ScalePart(i.name, i.label, i.asks, i.options, in_row=True, numbered=False)
            for i in task.items
        ],
        values={"scores": dict(task.draft.scores), "comment": ""},
        revision=task.draft.revision,
        saved_at=task.draft.saved_at,
        submit=Submit(
            label="Save marks", note="You cannot change them afterwards.", doing="Saving"
        ),
        missing="Please mark every point.",
        problem=desk.problem,
        first=desk.is_next,
    )


def _guess_form(task: GuessTask, desk: Desk) -> DraftFormData:
    return DraftFormData(
        kind="guess",
        item=f"{task.code}?",
        parts=[
            ScalePart(i.name, i.label, i.asks, i.options, numbered=i.name == SURE)
            for i in task.items
        ],
        values={"scores": {}, "comment": ""},
        revision=0,
        saved_at=None,
        submit=Submit(label="Save guess", note="You cannot change it afterwards.", doing="Saving"),
        missing="Please answer both.",
        problem=desk.problem,
        first=desk.is_next,
    )
