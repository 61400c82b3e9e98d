"""A clinician auditor reviews training rows, then votes on the panel's docket."""

from __future__ import annotations

import re
from html import escape

import streamlit as st

from app import services
from app.components.draft_form import DraftFormData, ScalePart, Submit, TextPart, draft_form
from app.identity import signed_in
from app.screens import chrome, states
from app.screens.desk import Desk, desk_for, desk_here, leave_notice, show_notice, submitted
from study.desk_queue import RowShown
from study.errors import StudyError
from study.panel import MAX_REASON, PanelService, PanelTask, PriorReview
from study.people import Person
from study.review_batches import MAX_CHARACTERS
from study.review_rubric import DIMENSIONS
from study.reviewing import MAX_COMMENT, ReviewService, ReviewTask

PRIOR = "_prior"
"""Key of `session_state` under which a row just voted on waits to be looked back at."""
KEEP, DROP = 1, 0
OWN_NUMBER = re.compile(r"(?:step )?\d{1,2}[.:)]", re.IGNORECASE)
"""How a line begins that brings its own number."""


def show(person: Person) -> None:
    """The next row to review, else the next of the docket, or why there is none."""
    voted = st.session_state.get(PRIOR)
    if voted:
        _look_back(person, str(voted))
        return
    task = ReviewService(services.store()).next_task(person)
    if task is not None:
        _review(task)
        return
    docket = PanelService(services.store()).next_task(person)
    if docket is not None:
        _panel(docket)
        return
    states.state(
        "No row is waiting for you",
        "Thank you. We will write when there are rows of your specialty to review.",
    )


def _review(task: ReviewTask) -> None:
    desk = desk_for(task.item)
    chrome.head(
        f"Row {task.n_done + 1} \u00b7 {task.specialty}",
        done=task.n_done,
        total=task.n_done + task.n_waiting,
        aside=f"{task.n_waiting} waiting for you",
    )
    show_notice(desk)
    row, review = st.columns(2)
    with row:
        st.html(_row_panel(task))
    with review:
        draft_form(_form(task, desk), key=desk.key, on_submitted=_submit)


def _row_panel(task: RowShown) -> str:
    """The row as it stands: what was asked, the reasoning step by step, the answer."""
    lines = [line.strip() for line in task.reasoning.splitlines() if line.strip()]
    steps = "".join(f"<li>{escape(line)}</li>" for line in lines)
    numbered = any(OWN_NUMBER.match(line) for line in lines)
    missed = (
        f'<p class="sm-quiet">A strong model, asked again, missed this answer {task.strikes} '
        f"{'time' if task.strikes == 1 else 'times'}.</p>"
        if task.strikes
        else ""
    )
    return (
        '<details class="sm-vignette sm-beside" open><summary>Row</summary>'
        f'<div class="sm-row-panel" lang="{escape(task.language, quote=True)}">'
        f'<h2>Asked</h2><p class="sm-text">{escape(task.prompt)}</p>'
        "<h2>Reasoning, step by step</h2>"
        f"<ol{' class=' + repr('sm-own-numbers') if numbered else ''}>{steps}</ol>"
        f'<h2>Answer</h2><p class="sm-text">{escape(task.answer)}</p></div>{missed}</details>'
    )


def _form(task: ReviewTask, desk: Desk) -> DraftFormData:
    parts: list[TextPart | ScalePart] = [
        ScalePart(d.id, d.label, d.question, list(enumerate(d.anchors, start=1)))
        for d in DIMENSIONS
    ]
    for name, label, rows in (
        ("reasoning", "Mend the reasoning", 8),
        ("answer", "Mend the answer", 3),
    ):
        parts.append(
            TextPart(
                name, label, rows=rows, max_characters=MAX_CHARACTERS,
                diff_from=getattr(task, name),
            )
        )  # fmt: skip
    parts.append(TextPart("comment", "Comment", rows=2, max_characters=MAX_COMMENT))
    draft = task.draft
    return DraftFormData(
        kind="review",
        item=task.item,
        parts=parts,
        values={
            "scores": dict(draft.scores), "comment": draft.comment, "texts": dict(draft.texts),
        },
        revision=draft.revision,
        saved_at=draft.saved_at,
        submit=Submit(
            label="Save review", note="Scores are of the row before your edit.", doing="Saving"
        ),
        problem=desk.problem,
        first=desk.is_next,
    )  # fmt: skip


def _submit() -> None:
    person, desk = signed_in(), desk_here()
    if person is None or desk is None:
        return
    sent = submitted(desk)
    scores, texts = sent.get("scores"), sent.get("texts")
    try:
        ReviewService(services.store()).submit(
            person, str(sent.get("item")), scores if isinstance(scores, dict) else {},
            texts if isinstance(texts, dict) else {}, str(sent.get("comment", "")),
        )  # fmt: skip
        leave_notice("Saved. Next row.")
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _panel(task: PanelTask) -> None:
    desk = desk_for(task.item)
    chrome.head(
        f"Panel \u00b7 {task.specialty}", done=0, total=task.n_waiting,
        aside=f"{task.n_waiting} on your docket",
    )  # fmt: skip
    show_notice(desk)
    row, vote = st.columns(2)
    with row:
        st.html(_row_panel(task))
    with vote:
        st.html(
            '<p class="sm-quiet">Keep this row for training, or drop it? What reviews said is '
            "shown after your vote, so that you judge the row itself.</p>"
        )
        draft_form(_ballot(task, desk), key=desk.key, on_submitted=_vote)


def _ballot(task: PanelTask, desk: Desk) -> DraftFormData:
    points = [(KEEP, "keep the row"), (DROP, "drop it")]
    return DraftFormData(
        kind="guess",
        item=task.item,
        parts=[
            ScalePart("keep", "Your vote", "", points, in_row=True, numbered=False),
            TextPart("comment", "Why, in a few words", rows=3, max_characters=MAX_REASON),
        ],
        values={"scores": {}, "comment": ""},
        revision=0,
        saved_at=None,
        submit=Submit(label="Vote", note="You cannot change it afterwards.", doing="Voting"),
        problem=desk.problem,
        missing="Please choose.",
        first=desk.is_next,
    )


def _vote() -> None:
    person, desk = signed_in(), desk_here()
    if person is None or desk is None:
        return
    sent = submitted(desk)
    scores = sent.get("scores")
    chosen = scores.get("keep") if isinstance(scores, dict) else None
    item = str(sent.get("item"))
    try:
        PanelService(services.store()).vote(
            person, item, keep=None if chosen is None else chosen == KEEP,
            reason=str(sent.get("comment", "")),
        )  # fmt: skip
        st.session_state[PRIOR] = item
    except StudyError as error:
        desk.refuse(states.sentence(error))


def _look_back(person: Person, item: str) -> None:
    prior = PanelService(services.store()).prior(person, item)
    rows = "".join(_prior_row(review) for review in prior)
    names = "".join(f"<th>{escape(d.label)}</th>" for d in DIMENSIONS)
    said = (
        "<p>This is what the reviews of the row had said.</p>"
        '<div class="sm-scroll" tabindex="0" role="region" aria-label="Reviews of the row">'
        f"<table><thead><tr>{names}<th>Comment</th></tr></thead><tbody>{rows}</tbody></table></div>"
        if prior
        else "<p>Nobody had reviewed the row here.</p>"
    )
    st.html(f'<div class="sm-console"><h1 tabindex="-1">Your vote is in</h1>{said}</div>')
    st.button("Next row", key="next_row", type="primary", on_click=_go_on)


def _go_on() -> None:
    st.session_state.pop(PRIOR, None)


def _prior_row(review: PriorReview) -> str:
    scores = "".join(f"<td>{review.scores.get(d.id, '')}</td>" for d in DIMENSIONS)
    return f"<tr>{scores}<td>{escape(review.comment)}</td></tr>"
