"""Queries and deviations on the console."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape

import streamlit as st

from app import services
from app.screens import states
from study.deviations import REPORTERS, deviations_of, report_deviation
from study.errors import StudyError
from study.people import Person, people_of
from study.queries import ASKERS, Query, close_query, open_query

PROBLEM = "_records_problem"


def queries(person: Person, found: Sequence[Query]) -> None:
    """Every query with its turns; opening and closing for those whose it is."""
    st.html(f'<div class="sm-console"><h2>Queries</h2>{_listed(found)}</div>')
    _show_problem()
    if person.role not in ASKERS:
        return
    for query in (q for q in found if q.state != "closed"):
        if st.button(f"Close the query to {query.to}", key=f"close_{query.query_id}"):
            _do(partial(close_query, services.store(), person, query.query_id))
    with st.expander("Ask somebody about their record"):
        to = st.selectbox("Whom", _pseudonyms(person), index=None, key="query_to")
        text = st.text_area("Question", max_chars=2_000, key="query_text")
        if st.button("Send the query", disabled=to is None, key="query_send"):
            _do(lambda: open_query(services.store(), person, to=str(to), text=text))


def deviations(person: Person) -> None:
    """What did not go as the protocol says, and logging more."""
    with services.store().read() as session:
        found = deviations_of(session, person.study_id)
    rows = "".join(
        f"<tr><td>{d.reported_at:%d %b %Y}</td><td>{escape(d.kind)}</td>"
        f"<td>{escape(d.description)}</td></tr>"
        for d in found
    )
    table = (
        '<table class="sm-table"><thead><tr><th scope="col">when</th><th scope="col">kind</th>'
        f'<th scope="col">what happened</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="sm-quiet">None is logged.</p>'
    )
    st.html(f'<div class="sm-console"><h2>Deviations</h2>{table}</div>')
    if person.role not in REPORTERS:
        return
    with st.expander("Log a deviation"):
        kind = st.text_input("Kind, in a few words", max_chars=80, key="deviation_kind")
        text = st.text_area(
            "What happened, without a name and without an arm", max_chars=2_000, key="deviation"
        )
        if st.button("Log it for good", key="deviation_send"):
            _do(lambda: report_deviation(services.store(), person, kind, text))


def _listed(found: Sequence[Query]) -> str:
    if not found:
        return '<p class="sm-quiet">None so far.</p>'
    parts = []
    for query in found:
        turns = "".join(
            f"<li>{turn.written_at:%d %b, %H:%M} UTC, {turn.kind}: {escape(turn.text)}</li>"
            for turn in query.turns
        )
        parts.append(
            f"<p><strong>To {escape(query.to)}</strong>, {query.state}</p><ul>{turns}</ul>"
        )
    return "".join(parts)


def _pseudonyms(person: Person) -> list[str]:
    with services.store().read() as session:
        return sorted(
            asked.pseudonym
            for role in ("resident", "rater")
            for asked in people_of(session, person.study_id, role)
        )


def _do(act: Callable[[], object]) -> None:
    try:
        act()
    except StudyError as error:
        st.session_state[PROBLEM] = states.sentence(error)
    st.rerun()


def _show_problem() -> None:
    words = st.session_state.pop(PROBLEM, None)
    if words:
        st.html(f'<p class="sm-alert" role="alert">{escape(words)} Nothing was changed.</p>')
