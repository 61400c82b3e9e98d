"""An adjudicator scores the dimensions in dispute, without seeing what raters gave."""

from __future__ import annotations

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, TextPart, draft_form
from app.identity import signed_in
from app.screens import chrome, rate, states
from app.screens.desk import Desk, desk_for, desk_here, leave_notice, show_notice, submitted
from study.adjudication import AdjudicationService, AdjudicationTask
from study.errors import LifeCycleError, StudyError
from study.people import Person
from study.rating_checks import MAX_COMMENT


def show(person: Person) -> None:
    """The next response in dispute beside its vignette, or why there is none."""
    try:
        task = AdjudicationService(services.store()).next_task(person)
    except LifeCycleError as error:
        states.waiting(error, person)
        return
    if task is None:
        states.state(
            "No response is waiting for you", "Thank you. Whatever was put to you is decided."
        )
        return
    desk = desk_for(f"a{task.code}")
    chrome.head(
        f"Response {task.position} of {task.total}", done=task.position - 1, total=task.total
    )
    show_notice(desk)
    vignette, response = st.columns(2)
    with vignette:
        st.html(rate.vignette_panel(task.vignette_text, task.question))
    with response:
        st.html(rate.response_panel(task.code, task.text))
        st.html(
            '<p class="sm-quiet">Raters did not agree on what is asked below. What they gave is '
            "not shown, so that you judge the response itself.</p>"
        )
        draft_form(_form(task, desk), key=desk.key, on_submitted=_decide)


def _decide() -> None:
    person, desk = signed_in(), desk_here()
    if person is None or desk is None:
        return
    sent = submitted(desk)
    scores = sent.get("scores")
    try:
        AdjudicationService(services.store()).decide(
            person, str(sent.get("item")), scores if isinstance(scores, dict) else {},
            str(sent.get("comment", "")),
        )  # fmt: skip
        leave_notice("Saved. Next response.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _form(task: AdjudicationTask, desk: Desk) -> DraftFormData:
    parts: list[TextPart | ScalePart] = [
        ScalePart(d.id, d.label, d.question, sorted(d.anchors.items())) for d in task.dimensions
    ]
    parts.append(TextPart("comment", "Why, in a few words", rows=2, max_characters=MAX_COMMENT))
    return DraftFormData(
        kind="adjudication",
        item=task.code,
        parts=parts,
        values={"scores": dict(task.draft.scores), "comment": task.draft.comment},
        revision=task.draft.revision,
        saved_at=task.draft.saved_at,
        submit=Submit(
            label="Save decision", note="You cannot change it afterwards.", doing="Saving"
        ),
        problem=desk.problem,
        first=desk.is_next,
    )
