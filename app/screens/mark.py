"""The second pass: key points, omission, errors and the source guess, response by response."""

from __future__ import annotations

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, TextPart, draft_form
from app.identity import signed_in
from app.screens import chrome, rate, states
from app.screens.desk import Desk, desk_for, desk_here, leave_notice, show_notice, submitted
from study.errors import LifeCycleError, StudyError
from study.marking import MarkingService, MarkingTask
from study.people import Person


def show(person: Person) -> bool:
    """The next response to mark; False where nothing is, or nothing was asked for."""
    try:
        task = MarkingService(services.store()).next_task(person)
    except LifeCycleError:
        return False
    if task is None:
        return False
    desk = desk_for(f"m{task.code}")
    chrome.head(
        f"Second pass: response {task.position} of {task.total}",
        done=task.position - 1,
        total=task.total,
        aside="scores are closed now",
    )
    show_notice(desk)
    vignette, response = st.columns(2)
    with vignette:
        st.html(rate.vignette_panel(task.vignette_text, task.question))
    with response:
        st.html(rate.response_panel(task.code, task.text))
        draft_form(_form(task, desk), key=desk.key, on_submitted=_submit)
    return True


def _submit() -> None:
    person, desk = signed_in(), desk_here()
    if person is None or desk is None:
        return
    sent = submitted(desk)
    marks = sent.get("scores")
    try:
        MarkingService(services.store()).submit(
            person, str(sent.get("item")), marks if isinstance(marks, dict) else {}
        )
        leave_notice("Saved. Next response.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _form(task: MarkingTask, desk: Desk) -> DraftFormData:
    parts: list[TextPart | ScalePart] = [
        ScalePart(
            item.name, item.label, item.asks, item.options,
            in_row=len(item.options) == 2, numbered=len(item.options) == 5,
        )
        for item in task.items
    ]  # fmt: skip
    return DraftFormData(
        kind="marking",
        item=task.code,
        parts=parts,
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
