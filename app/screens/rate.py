"""A rater scores one masked response after another, then marks them in the second pass."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, TextPart, draft_form
from app.harm_points import LIKELIHOOD, SEVERITY, as_points, given_of, harm_asked
from app.identity import signed_in
from app.screens import calibrate, chrome, mark, notes, states
from app.screens.desk import Desk, desk_for, desk_here, leave_notice, show_notice, submitted
from app.screens.vignette_text import vignette_html
from study.errors import LifeCycleError, StudyError
from study.people import Person
from study.rating import RatingProgress, RatingService, RatingTask
from study.rating_checks import MAX_COMMENT

BACK = "_back"
"""Key of `session_state` under which a rater's wish to correct the last rating stands."""
BREAK_EVERY = 20
"""Responses after which a break is suggested."""


def show(person: Person) -> None:
    """The next masked response beside its vignette, the second pass, or why there is nothing."""
    if calibrate.show(person):
        return
    service = RatingService(services.store())
    try:
        task = service.next_task(person)
        last = service.last_rated(person) if st.session_state.get(BACK) else None
    except LifeCycleError as error:
        states.waiting(error, person)
        return
    if last is not None:
        _rate(last.task, service.progress(person), corrects=True)
    elif task is not None:
        _rate(task, service.progress(person), corrects=False)
    elif not mark.show(person):
        _nothing_left(service.progress(person).total)


def _rate(task: RatingTask, progress: RatingProgress, *, corrects: bool) -> None:
    desk = desk_for(f"{task.response.code}{'+' if corrects else ''}")
    where = f"Response {task.position} of {progress.total}"
    chrome.head(
        f"{where}, corrected" if corrects else where,
        done=progress.done,
        total=progress.total,
        aside="" if corrects else _pace(progress),
    )
    show_notice(desk)
    vignette, response = st.columns(2)
    with vignette:
        st.html(vignette_panel(task.vignette_text, task.question))
    with response:
        st.html(response_panel(task.response.code, task.response.text))
        draft_form(
            _form(task, desk, corrects=corrects),
            key=desk.key,
            on_submitted=_amend if corrects else _record,
        )
        if corrects:
            st.button("Leave it as it is", key="stay", on_click=_stop_correcting)
        else:
            notes.show(task.response.code)
            if progress.done:
                st.button("Correct my last rating", key="back", on_click=_go_back)


def _pace(progress: RatingProgress) -> str:
    """How long a response takes at the present pace, and when a break is due."""
    words = []
    if progress.pace_s is not None:
        minutes = max(1, round(progress.pace_s / 60))
        words.append(f"about {minutes} min each")
    left = BREAK_EVERY - progress.done % BREAK_EVERY
    if progress.done and left < BREAK_EVERY and progress.total - progress.done > left:
        words.append(f"break suggested in {left}")
    return " \u00b7 ".join(words)


def _go_back() -> None:
    st.session_state[BACK] = True


def _stop_correcting() -> None:
    st.session_state.pop(BACK, None)


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
    with services.store().looking():
        person, desk = signed_in(), desk_here()
        if person is None or desk is None:
            return
        sent = submitted(desk)
        given = given_of(harm_asked(person), _points(sent))
    try:
        RatingService(services.store()).record(
            person, str(sent.get("item")), given.scores, str(sent.get("comment", "")),
            harm=given.harm,
        )  # fmt: skip
        leave_notice("Saved. Next response.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _amend() -> None:
    person, desk = signed_in(), desk_here()
    if person is None or desk is None:
        return
    sent = submitted(desk)
    given = given_of(harm_asked(person), _points(sent))
    try:
        RatingService(services.store()).amend(
            person, str(sent.get("item", "")).removesuffix("+"), given.scores,
            str(sent.get("comment", "")), harm=given.harm,
            reason="corrected by the rater on going back",
        )  # fmt: skip
        _stop_correcting()
        leave_notice("Corrected. The first version is kept beside it.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _points(sent: dict[str, object]) -> dict[str, int]:
    scores = sent.get("scores")
    return scores if isinstance(scores, dict) else {}


def vignette_panel(text: str, question: str) -> str:
    """The vignette, which stays in view and folds on a phone."""
    return (
        '<details class="sm-vignette sm-beside" open><summary>Vignette</summary>'
        f'{vignette_html(text)}<p class="sm-question">{escape(question)}</p></details>'
    )


def response_panel(code: str, text: str) -> str:
    """The masked response under its code."""
    return (
        '<section class="sm-response" aria-label="Response">'
        f'<p class="sm-part">Response <span class="sm-code">{escape(code)}</span></p>'
        f'<p class="sm-text">{escape(text)}</p></section>'
    )


def _form(task: RatingTask, desk: Desk, *, corrects: bool) -> DraftFormData:
    parts: list[TextPart | ScalePart] = [
        ScalePart(d.id, d.label, d.question, sorted(d.anchors.items())) for d in task.dimensions
    ]
    if task.harm is not None:
        severities = [(i, level.label) for i, level in enumerate(task.harm.severities)]
        likelihoods = [(i, level.label) for i, level in enumerate(task.harm.likelihoods)]
        parts += [
            ScalePart(SEVERITY, "Could it harm?", task.harm.question, severities, numbered=False),
            ScalePart(
                LIKELIHOOD, "How likely is that harm?", "Only where it could harm.", likelihoods,
                optional=True, numbered=False,
            ),
        ]  # fmt: skip
    needed = " or ".join(str(score) for score in task.comment_at)
    label = f"Comment (needed for a score of {needed})" if needed else "Comment, if you like"
    parts.append(TextPart("comment", label, rows=2, max_characters=MAX_COMMENT))
    points = as_points(task.harm, task.draft.scores, task.draft.harm)
    return DraftFormData(
        kind="practice" if corrects else "rating",
        item=f"{task.response.code}+" if corrects else task.response.code,
        parts=parts,
        values={"scores": points, "comment": task.draft.comment},
        revision=task.draft.revision,
        saved_at=None if corrects else task.draft.saved_at,
        submit=Submit(
            label="Save the correction" if corrects else "Save rating",
            note="Both versions are kept."
            if corrects
            else "Then the next response comes. You can correct the last one.",
            doing="Saving",
        ),
        problem=desk.problem,
        first=desk.is_next,
    )
