"""The console: is the study on track, what needs somebody, and what the next step waits for.

Investigator, coordinator and statistician read the same figures, none of them by arm. The
investigator takes the steps; the coordinator invites and asks; the statistician consents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape

import streamlit as st

from app import services
from app.monitoring import (
    DimensionAgreement,
    Forecast,
    RaterWatch,
    agreement,
    forecast,
    per_day,
    watch_raters,
)
from app.screens import (
    code_break,
    console_accounts,
    console_actions,
    console_adjudication,
    console_consent,
    console_files,
    console_pictures,
    console_records,
    states,
)
from app.screens.chrome import console_head
from app.screens.console_drawing import Drawings
from study.inviting import MAY_INVITE
from study.lifecycle import STATES
from study.monitor import FlowStep, monitored, n_ratings
from study.overview import PersonProgress, Progress, progress, study_card
from study.people import Person
from study.queries import Query, queries_of

OLD_QUERY = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the console draws of the ratings so far."""

    vignettes: tuple[str, ...]
    due: dict[tuple[str, str], int]
    done: dict[tuple[str, str], int]
    days: tuple[tuple[date, int], ...]
    ahead: Forecast | None
    agreement: tuple[DimensionAgreement, ...]
    raters: tuple[RaterWatch, ...]
    flow: tuple[FlowStep, ...]


def show(person: Person) -> None:
    """Figures for all who watch the study; acts for those whose they are."""
    store = services.store()
    card, now = study_card(store, person.study_id), progress(store, person)
    with store.read() as session:
        queries = queries_of(session, person.study_id)
    picture = _picture(person, now)
    console_head()
    st.html(
        f'<div class="sm-console"><h1>{escape(card.title)}</h1>{_strip(now)}'
        f"{_counts(now, picture, queries)}{_needs_you(now, picture, queries)}</div>"
    )
    if person.role == "investigator":
        console_actions.next_step(person, now)
        console_files.show(person, now)
    console_consent.show(person, now)
    code_break.show(person, now)
    _pictures(now, picture)
    console_adjudication.show(person, now)
    console_records.queries(person, queries)
    console_records.deviations(person)
    console_accounts.show(person)
    if person.role in MAY_INVITE:
        console_actions.invitations(person, now)
    st.html(f'<div class="sm-console">{_history(now)}<p>{states.SIGN_OUT}</p></div>')


def _picture(person: Person, now: Progress) -> Picture:
    today = services.store().clock.now().date()
    is_all_in = now.n_ratings >= now.n_ratings_due
    return _DRAWINGS.of(
        (person.study_id, now.state, is_all_in, now.n_ratings_due, today),
        _drawn_at(n_ratings(services.store(), person)),
        lambda: _drawn(person, now.n_ratings_due, today),
    )


_DRAWINGS: Drawings[Picture] = Drawings()


def _drawn_at(n: int) -> int:
    """Changes with every rating at first, then with each half a percent more.

    The counts at the top are exact at every look; drawing 30,000 ratings anew for one more is not
    worth the second that it takes.
    """
    step = max(1, n // 200)
    return n // step * step


def _drawn(person: Person, n_due: int, today: date) -> Picture:
    found = monitored(services.store(), person)
    return Picture(
        vignettes=found.vignettes,
        due=dict(found.due),
        done=dict(console_pictures.done_by_cell([(r.rater, r.vignette_id) for r in found.ratings])),
        days=tuple(per_day(found.ratings)),
        ahead=forecast(found.ratings, n_due, today),
        agreement=agreement(found) if found.ratings else (),
        raters=watch_raters(found),
        flow=found.flow,
    )


def _pictures(now: Progress, picture: Picture) -> None:
    st.html(
        '<div class="sm-console">'
        + console_pictures.heat(picture.vignettes, picture.due, picture.done)
        + console_pictures.days(picture.days, picture.ahead)
        + console_pictures.agreement(picture.agreement)
        + console_pictures.raters(picture.raters)
        + console_pictures.flow(picture.flow)
        + _people("Residents", "answered", now.residents, "No resident has joined yet.")
        + _people("Raters", "rated", now.raters, "No rater has joined yet.")
        + "</div>"
    )


def _strip(now: Progress) -> str:
    reached = STATES.index(now.state)
    steps = "".join(
        f'<li aria-current="step"><span>{state}</span></li>'
        if place == reached
        else f"<li{' class=sm-past' if place < reached else ''}>{state}</li>"
        for place, state in enumerate(STATES)
    )
    return f'<ol class="sm-strip" aria-label="Life of the study">{steps}</ol>'


def _counts(now: Progress, picture: Picture, queries: Sequence[Query]) -> str:
    n_open = sum(query.state != "closed" for query in queries)
    figures = [
        (f"{now.n_answers} of {now.n_answers_due}", "answers in"),
        (f"{now.n_ratings} of {now.n_ratings_due}", f"ratings in{_share(now)}")
        if now.n_ratings_due
        else ("none", "ratings allocated yet"),
        (str(n_open) if n_open else "none", "queries open"),
    ]
    return (
        '<div class="sm-counts">'
        + "".join(f"<div><b>{value}</b><span>{words}</span></div>" for value, words in figures)
        + "</div>"
    )


def _share(now: Progress) -> str:
    return f", {100 * now.n_ratings // now.n_ratings_due} %"


def _needs_you(now: Progress, picture: Picture, queries: Sequence[Query]) -> str:
    """What to look at today, the most pressing first; and what the next step still waits for."""
    today = services.store().clock.now()
    lines = []
    old = sum(q.state != "closed" and today - q.opened_at > OLD_QUERY for q in queries)
    if old:
        lines.append(f"{_n(old, 'query')} open for more than three days")
    lines += [f"rater {w.rater} {flag}" for w in picture.raters for flag in w.flags]
    unjoined = sum(i.state == "waiting" for i in now.invitations)
    expired = sum(i.state == "expired" for i in now.invitations)
    if unjoined:
        lines.append(f"{_n(unjoined, 'invitation')} not accepted yet")
    if expired:
        lines.append(f"{_n(expired, 'invitation')} expired")
    if now.next_step:
        waits = [p.text for p in now.next_step.preconditions if not p.met]
        label = now.next_step.label
        if waits:
            lines.append(f"{label[:1].lower()}{label[1:]} waits for: {'; '.join(waits)}")
    if not lines:
        return '<h2>What needs you</h2><p class="sm-quiet">Nothing today.</p>'
    return (
        "<h2>What needs you</h2><ul>"
        + "".join(f"<li>{escape(line[:1].upper() + line[1:])}</li>" for line in lines)
        + "</ul>"
    )


def _n(count: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"


def _people(title: str, done: str, people: Sequence[PersonProgress], empty: str) -> str:
    if not people:
        return f'<h2>{title}</h2><p class="sm-quiet">{empty}</p>'
    rows = "".join(
        f"<tr><td>{escape(p.pseudonym)}</td><td>{p.done} of {p.due}</td>"
        f"<td>{when(p.last_seen_at)}</td></tr>"
        for p in people
    )
    return (
        f'<h2>{title}</h2><table class="sm-table"><thead><tr><th scope="col">pseudonym</th>'
        f'<th scope="col">{done}</th><th scope="col">last seen</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _history(now: Progress) -> str:
    rows = "".join(
        f"<tr><td>{when(row.at)}</td><td>{escape(row.what)}</td></tr>" for row in now.history
    )
    return (
        '<h2>History</h2><table class="sm-table"><thead><tr><th scope="col">when</th>'
        f'<th scope="col">what</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def when(at: datetime | None) -> str:
    """A time in words; UTC, as in the audit."""
    return f"{at:%d %b %Y, %H:%M} UTC" if at else "not yet"
