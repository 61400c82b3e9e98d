"""A rater scores one masked response after another."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, TextPart, draft_form
from app.identity import signed_in
from app.screens import chrome, states
from app.screens.desk import Desk, desk_for, desk_here, leave_notice, show_notice, submitted
from app.screens.vignette_text import vignette_html
from study.errors import LifeCycleError, StudyError
from study.people import Person
from study.rating import MAX_COMMENT, RatingService, RatingTask


def show(person: Person) -> None:
    """The next masked response beside its vignette, or why there is none."""
    service = RatingService(services.store())
    try:
        task = service.next_task(person)
    except LifeCycleError as error:
        states.waiting(error, person)
        return
    if task is None:
        _nothing_left(service.progress(person).total)
        return
    desk = desk_for(task.response.code)
    chrome.head(
        f"Response {task.position} of {task.total}",
        done=service.progress(person).done,
        total=task.total,
    )
    show_notice(desk)
    vignette, response = st.columns(2)
    with vignette:
        st.html(_vignette(task))
    with response:
        st.html(_response(task))
        draft_form(_form(task, desk), key=desk.key, on_submitted=_record)


def _nothing_left(total: int) -> None:
    if total:
        states.state(
            "Every response is rated", "Thank you. Nothing more is waiting for you to rate."
        )
    else:
        states.state(
            "No response is waiting for you", "We will write when there is something to rate."
        )


def _record() -> None:
    person = signed_in()
    desk = desk_here()
    if person is None or desk is None:
        return
    given = submitted(desk)
    scores = given.get("scores")
    try:
        RatingService(services.store()).record(
            person,
            str(given.get("item")),
            scores if isinstance(scores, dict) else {},
            str(given.get("comment", "")),
        )
        leave_notice("Saved. Next response.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _vignette(task: RatingTask) -> str:
    return (
        '<details class="sm-vignette sm-beside" open><summary>Vignette</summary>'
        f"{vignette_html(task.vignette_text)}"
        f'<p class="sm-question">{escape(task.question)}</p></details>'
    )


def _response(task: RatingTask) -> str:
    return (
        '<section class="sm-response" aria-label="Response">'
        f'<p class="sm-part">Response <span class="sm-code">{escape(task.response.code)}</span></p>'
        f'<p class="sm-text">{escape(task.response.text)}</p></section>'
    )


def _form(task: RatingTask, desk: Desk) -> DraftFormData:
    scales = [
        ScalePart(d.id, d.label, d.question, sorted(d.anchors.items())) for d in task.dimensions
    ]
    comment = TextPart("comment", "Comment, if you like", rows=2, max_characters=MAX_COMMENT)
    return DraftFormData(
        kind="rating",
        item=task.response.code,
        parts=[*scales, comment],
        values={"scores": dict(task.draft.scores), "comment": task.draft.comment},
        revision=task.draft.revision,
        saved_at=task.draft.saved_at,
        submit=Submit(
            label="Save rating",
            note="Then the next response comes. You cannot change it afterwards.",
            doing="Saving",
        ),
        problem=desk.problem,
        first=desk.is_next,
    )
