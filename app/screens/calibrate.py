"""A rater practises: scores a response, then sees the agreed scores with their reasons."""

from __future__ import annotations

from functools import partial
from html import escape

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, draft_form
from app.identity import signed_in
from app.screens import chrome, rate, states
from app.screens.desk import Desk, desk_for, desk_here, show_notice, submitted
from study.calibrating import Attempt, Calibrating, CalibratingService, Feedback, PracticeTask
from study.errors import StudyError
from study.people import Person

JUST, SEEN = "_practised", "_practice_seen"
"""Keys of `session_state`: which feedback is due, and which was read."""


def show(person: Person) -> bool:
    """Feedback on the last practice response, or the next one; False once rating may begin."""
    now = CalibratingService(services.store()).standing(person)
    if now is None:
        return False
    if now.feedback is not None and _is_unread(now, now.feedback):
        _compare(now, now.feedback)
        return True
    if now.task is None:
        return False
    _practise(now.task, now.needed_share)
    return True


def _is_unread(now: Calibrating, feedback: Feedback) -> bool:
    """After a reload it is shown again, unless the rater has passed and rates already."""
    if now.passed:
        return st.session_state.get(JUST) == _name(feedback)
    return st.session_state.get(SEEN) != _name(feedback)


def _name(feedback: Feedback) -> str:
    return f"{feedback.attempt}-{feedback.item}"


def _practise(task: PracticeTask, needed: float) -> None:
    desk = desk_for(f"p{task.attempt}{task.item}")
    chrome.head(
        f"Practice {task.position} of {task.total}",
        done=task.position - 1,
        total=task.total,
        aside="" if task.attempt == 1 else f"attempt {task.attempt}",
    )
    show_notice(desk)
    if task.position == 1:
        st.html(
            '<p class="sm-narrow">These responses are for practice and belong to no study. Score '
            "each; then you see the agreed scores and why. Rating opens when "
            f"{needed:.0%} of your scores lie within one point of them. You may repeat it.</p>"
        )
    vignette, response = st.columns(2)
    with vignette:
        st.html(rate.vignette_panel(task.vignette_text, task.question))
    with response:
        st.html(rate.response_panel("for practice", task.response))
        draft_form(_form(task, desk), key=desk.key, on_submitted=_submit)


def _submit() -> None:
    person, desk = signed_in(), desk_here()
    if person is None or desk is None:
        return
    sent = submitted(desk)
    scores = sent.get("scores")
    service = CalibratingService(services.store())
    try:
        service.submit(
            person, str(sent.get("item")).partition("-")[2],
            scores if isinstance(scores, dict) else {},
        )  # fmt: skip
    except StudyError as error:
        desk.refuse(states.sentence(error))
        return
    now = service.standing(person)
    if now is not None and now.feedback is not None:
        st.session_state[JUST] = _name(now.feedback)


def _form(task: PracticeTask, desk: Desk) -> DraftFormData:
    return DraftFormData(
        kind="practice",
        item=f"{task.attempt}-{task.item}",
        parts=[
            ScalePart(d.id, d.label, d.question, sorted(d.anchors.items()))
            for d in task.dimensions
        ],
        values={"scores": {}, "comment": ""},
        revision=0,
        saved_at=None,
        submit=Submit(
            label="Compare with the agreed scores", note="You cannot change yours afterwards.",
            doing="Comparing",
        ),
        problem=desk.problem,
        first=desk.is_next,
    )  # fmt: skip


def _compare(now: Calibrating, feedback: Feedback) -> None:
    over = now.last if now.last is not None and now.last.number == feedback.attempt else None
    chrome.head(
        "Your scores and the agreed ones",
        done=1 if over else 0,
        total=1,
        aside=f"attempt {feedback.attempt}" if feedback.attempt > 1 else "",
    )
    # The news comes first, on a phone too; what it is about can be read again beside it.
    compared, read_again = st.columns(2)
    with compared:
        st.html(_compared(feedback) + (_verdict(over, now.needed_share) if over else ""))
        label = "Next practice response"
        if over is not None:
            label = "Begin rating" if over.passed else "Practise again"
        st.button(
            label, type="primary", key="practice_on", on_click=partial(_go_on, _name(feedback))
        )
    with read_again:
        st.html(rate.response_panel("for practice", feedback.response))
        st.html(rate.vignette_panel(feedback.vignette_text, feedback.question))


def _compared(feedback: Feedback) -> str:
    rows = "".join(
        f"<dt>{escape(c.label)}</dt><dd><strong>You gave {c.own}; agreed: {c.agreed}.</strong> "
        f"{escape(c.reason)}</dd>"
        for c in feedback.compared
    )
    source = (
        f"Agreed by {escape(feedback.agreed_by)}."
        if feedback.agreed_by
        else "Set by the authors of the rubric; no clinician has agreed on these scores yet."
    )
    return f'<dl class="sm-compared">{rows}</dl><p class="sm-quiet">{source}</p>'


def _verdict(attempt: Attempt, needed: float) -> str:
    words = (
        f"{attempt.share_within_one:.0%} of your scores lie within one point; "
        f"{needed:.0%} are needed. "
    )
    words += "Rating is open to you now." if attempt.passed else "Please practise once more."
    return f'<p role="status"><strong>{escape(words)}</strong></p>'


def _go_on(name: str) -> None:
    st.session_state[SEEN] = name
    st.session_state.pop(JUST, None)
