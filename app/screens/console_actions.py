"""What the investigator may do on the console: the next step and invitations."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.screens import states
from study.errors import StudyError
from study.inviting import MAY_INVITE, invite_as
from study.lifecycle import IssuedInvitation, console_step
from study.overview import NextStep, Progress
from study.people import Person, Role
from study.registration import load_study

ASKED, ISSUED, PROBLEM = "_asked", "_issued", "_problem"


def next_step(person: Person, now: Progress) -> None:
    """The one next step with its checklist and one button; final steps ask once."""
    step = now.next_step
    if step is None:
        st.html(
            '<div class="sm-console"><h2>Next step</h2><p>None: the study is unblinded.</p></div>'
        )
        return
    st.html(
        f'<div class="sm-console"><h2>Next step: {escape(step.label)}</h2>{_checks(step)}</div>'
    )
    _show_problem()
    reason = ""
    if step.needs_reason and step.is_possible:
        reason = st.text_input(
            "Reason. It is written into the audit and printed with the results.",
            key=f"reason_{step.label}",
            max_chars=500,
        )
    if step.final and st.session_state.get(ASKED) == step.label:
        _ask_once(person, step, reason)
        return
    if st.button(step.label, type="primary", disabled=not step.is_possible, key="step"):
        if step.final:
            st.session_state[ASKED] = step.label
        else:
            _take(person, step, reason)
        st.rerun()


def _checks(step: NextStep) -> str:
    if not step.preconditions:
        return '<p class="sm-quiet">Nothing is waited for.</p>'
    lines = "".join(
        f'<li class="{"sm-met" if p.met else "sm-open"}">{escape(p.text)}'
        f"{'' if p.met or not p.may_stay_open else '; may stay open, with a reason'}</li>"
        for p in step.preconditions
    )
    return f'<ul class="sm-check">{lines}</ul>'


def _ask_once(person: Person, step: NextStep, reason: str) -> None:
    st.html(
        f"<p><strong>{escape(step.label)}?</strong> This cannot be undone by any later step.</p>"
    )
    yes, no, _ = st.columns([2, 2, 5])
    if yes.button(f"Yes, {step.label[:1].lower()}{step.label[1:]}", type="primary", key="yes"):
        _take(person, step, reason)
        st.session_state.pop(ASKED, None)
        st.rerun()
    if no.button("Not now", key="no"):
        st.session_state.pop(ASKED, None)
        st.rerun()


def _take(person: Person, step: NextStep, reason: str) -> None:
    try:
        result = console_step(services.store(), person, step.verb, reason=reason)
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
        return
    if result.invitations:
        st.session_state[ISSUED] = result.invitations


def _show_problem() -> None:
    words = st.session_state.pop(PROBLEM, None)
    if words:
        st.html(f'<p class="sm-alert" role="alert">{escape(words)} Nothing was changed.</p>')


def invitations(person: Person, now: Progress) -> None:
    """How many links wait, and making a new one; a link is shown once."""
    roles = MAY_INVITE.get(person.role, ())
    counts = "".join(
        f"<tr><td>{role}</td>"
        + "".join(
            f"<td>{sum(i.role == role and i.state == state for i in now.invitations)}</td>"
            for state in ("waiting", "accepted", "expired")
        )
        + "</tr>"
        for role in roles
        if role in ("resident", "rater") or any(i.role == role for i in now.invitations)
    )
    st.html(
        '<div class="sm-console"><h2>Invitations</h2><table class="sm-table"><thead><tr>'
        '<th scope="col">role</th><th scope="col">waiting</th><th scope="col">accepted</th>'
        f'<th scope="col">expired</th></tr></thead><tbody>{counts}</tbody></table></div>'
    )
    _show_issued()
    _new_link(person, roles)


def _new_link(person: Person, roles: tuple[Role, ...]) -> None:
    with services.store().read() as session:
        protocol = load_study(session, person.study_id).protocol
    role = st.radio("Invite a person as", roles, horizontal=True, key="invite_role")
    arms = [arm for arm in protocol.arms if arm.kind == "clinicians"]
    arm = arms[0]
    stratum = site = None
    if role == "resident":
        if len(arms) > 1:
            labels = {a.label: a for a in arms}
            arm = labels[st.radio("Group", list(labels), horizontal=True, key="invite_group")]
        if arm.strata:
            stratum = st.radio("Stratum", arm.strata, horizontal=True, key="invite_stratum")
    if role in ("resident", "rater") and protocol.sites:
        site = st.radio("Site", protocol.sites, horizontal=True, key="invite_site")
    if st.button("New link", key="invite"):
        _invite(person, role, arm.id if role == "resident" else None, stratum, site)
        st.rerun()


def _invite(
    person: Person, role: Role, arm: str | None, stratum: str | None, site: str | None
) -> None:
    try:
        token = invite_as(services.store(), person, role, arm=arm, stratum=stratum, site=site)
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
        return
    st.session_state[ISSUED] = (IssuedInvitation(role, token, stratum),)


def _show_issued() -> None:
    issued = st.session_state.pop(ISSUED, ())
    if not issued:
        return
    rows = "".join(
        f"<p>{invitation.role}{f', {escape(invitation.stratum)}' if invitation.stratum else ''}</p>"
        f'<p class="sm-link-once">{escape(_link(invitation.token))}</p>'
        for invitation in issued
    )
    st.html(
        '<div class="sm-narrow sm-once" role="status"><p><strong>Copy now.</strong> Each link '
        f"works once and is shown only here and only this time.</p>{rows}</div>"
    )


def _link(token: str) -> str:
    from urllib.parse import urlsplit

    here = urlsplit(str(st.context.url or "http://127.0.0.1"))
    return f"{here.scheme}://{here.netloc}/enter?t={token}"
