"""The inspector reads the audit, with the allocation hidden until unblinding."""

from __future__ import annotations

from html import escape

import streamlit as st

from app import services
from app.screens import code_break, states
from app.screens.chrome import console_head
from app.screens.console import when
from app.screens.console_consent import show as show_consent
from study.audit_view import AuditView, audit_view
from study.overview import study_card, study_progress
from study.people import Person


def show(person: Person) -> None:
    """Whether the chain holds, its receipt, and the newest events."""
    store = services.store()
    card = study_card(store, person.study_id)
    view = audit_view(store, person)
    with store.read() as session:
        now = study_progress(session, person.study_id, store)
    console_head("Audit")
    st.html(
        f'<div class="sm-console"><h1>{escape(card.title)}</h1><p>The study is: {card.state}. '
        f"{_verdict(view)}</p><p>Receipt, to be written down outside the system:</p>"
        f'<p class="sm-link-once">{view.receipt}</p></div>'
    )
    show_consent(person, now)
    code_break.show(person, now)
    st.html(f'<div class="sm-console">{_events(view)}<p>{states.SIGN_OUT}</p></div>')


def _verdict(view: AuditView) -> str:
    if view.holds:
        return f"The chain of {view.n_events:,} events holds."
    return f'<strong class="sm-over">The chain does not hold: {escape(view.fault)}.</strong>'


def _events(view: AuditView) -> str:
    rows = "".join(
        f"<tr><td>{e.number}</td><td>{when(e.at)}</td><td>{escape(e.who)}</td>"
        f"<td>{escape(e.action)}</td><td>{escape(e.details)}</td><td>{e.sha256[:12]}</td></tr>"
        for e in view.events
    )
    return (
        '<h2>Newest events</h2><div class="sm-scroll" tabindex="0" role="region" '
        'aria-label="Newest events of the audit"><table class="sm-table"><thead><tr>'
        + "".join(
            f'<th scope="col">{name}</th>'
            for name in ("no.", "when", "who", "what", "details", "digest")
        )
        + f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )
