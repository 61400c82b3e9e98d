"""An emergency: two people learn whose response one blinding code hides.

What is learnt is shown to the one who breaks the code, in that browser, until it is put away. The
second person and everybody else see that a code was broken, by whom and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from app import services
from app.identity import signed_in
from app.screens import states
from study.approvals import SECOND_PERSONS
from study.code_break import BREAKERS, CodeEvent, break_code, code_breaks, consent_to_break
from study.custody import Origin
from study.errors import StudyError
from study.lifecycle import STATES
from study.overview import Progress
from study.people import Person
from study.registration import load_study

PROBLEM, SAID, ASKED, LEARNT = "_break_problem", "_break_said", "_break_asked", "_break_learnt"
CODE, REASON = "break_code", "break_reason"


def show(person: Person, now: Progress) -> None:
    """From masking to unblinding, for those who may consent or break."""
    is_masked = STATES.index("masked") <= STATES.index(now.state) < STATES.index("unblinded")
    if not is_masked or person.role not in SECOND_PERSONS:
        return
    found = code_breaks(services.store(), person)
    st.html(
        '<div class="sm-console"><h2>Emergency code-break</h2>'
        f"{_listed('Consented to, not broken yet', found.consented)}"
        f"{_listed('Broken', found.broken)}</div>"
    )
    _say()
    _learnt(person)
    with st.expander("Somebody has to know whose response one code hides"):
        st.html(
            '<p class="sm-quiet">Two people are needed: one consents to this very code, somebody '
            "else breaks it and alone learns what it hides. The reasons go into the audit, and "
            "every table computed later says that the code was broken.</p>"
        )
        st.text_input("Blinding code", max_chars=12, key=CODE)
        st.text_input("Reason, without a name and without an arm", max_chars=500, key=REASON)
        _acts(person)


def _acts(person: Person) -> None:
    asked = st.session_state.get(ASKED)
    if person.role in BREAKERS and asked:
        st.html(f"<p><strong>Break the code {escape(asked)}?</strong> It cannot be undone.</p>")
        yes, no, _ = st.columns([2, 2, 5])
        yes.button("Yes, break it", type="primary", key="break_yes", on_click=_break)
        no.button("Not now", key="break_no", on_click=_not_now)
        return
    st.button("I consent to somebody else's breaking it", key="break_consent", on_click=_consent)
    if person.role in BREAKERS:
        st.button("Break this code", key="break", on_click=_ask)


def _listed(title: str, events: Sequence[CodeEvent]) -> str:
    if not events:
        return f'<p class="sm-quiet">{title}: none.</p>'
    lines = "".join(
        f'<li><span class="sm-code">{escape(e.code)}</span>, {e.at:%d %b %Y, %H:%M} UTC, '
        f"{escape(e.by)}: {escape(e.reason)}</li>"
        for e in events
    )
    return f"<p>{title}:</p><ul>{lines}</ul>"


def _say() -> None:
    problem, said = st.session_state.pop(PROBLEM, None), st.session_state.pop(SAID, None)
    if problem:
        st.html(f'<p class="sm-alert" role="alert">{escape(problem)} Nothing was changed.</p>')
    if said:
        st.html(f'<p class="sm-console" role="status">{escape(said)}</p>')


def _learnt(person: Person) -> None:
    """What this person has just learnt; it stays until they put it away or leave."""
    learnt: tuple[str, Origin] | None = st.session_state.get(LEARNT)
    if learnt is None or person.role not in BREAKERS:
        return
    code, origin = learnt
    with services.store().read() as session:
        arms = load_study(session, person.study_id).protocol.arms
    label = next((arm.label for arm in arms if arm.id == origin.arm), origin.arm)
    st.html(
        '<div class="sm-narrow sm-once" role="status"><p><strong>For you alone.</strong> '
        f"The response {escape(code)} to vignette {escape(origin.vignette_id)} is from: "
        f"{escape(label)}, respondent {escape(origin.respondent_id)}.</p></div>"
    )
    st.button("I have noted it; put it away", key="break_away", on_click=_put_away)


def _consent() -> None:
    person = signed_in()
    if person is None:
        return
    try:
        code = consent_to_break(services.store(), person, _typed(CODE), reason=_typed(REASON))
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
        return
    st.session_state[SAID] = f"You consent to breaking {code}. Somebody else breaks it."
    _clear()


def _ask() -> None:
    if _typed(CODE) and _typed(REASON):
        st.session_state[ASKED] = _typed(CODE).upper()
    else:
        st.session_state[PROBLEM] = "Type the code and the reason first."


def _break() -> None:
    person = signed_in()
    code = st.session_state.pop(ASKED, None)
    if person is None or code is None:
        return
    # What was asked about is broken, even if the field says something else by now.
    try:
        origin = break_code(services.store(), person, code, reason=_typed(REASON))
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
        return
    st.session_state[LEARNT] = (code, origin)
    _clear()


def _not_now() -> None:
    st.session_state.pop(ASKED, None)


def _put_away() -> None:
    st.session_state.pop(LEARNT, None)


def _typed(key: str) -> str:
    return str(st.session_state.get(key, "")).strip()


def _clear() -> None:
    st.session_state[CODE] = st.session_state[REASON] = ""
