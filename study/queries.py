"""Queries: a question about somebody's record, open until it is answered and closed.

A query asks a person about their own record; it never says whose arm or whose answer is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from study.audit import record
from study.errors import NotAllowedError, StudyError
from study.people import Person, actor_of
from study.randomness import public_id
from study.registration import guard_injected
from study.store import Store
from study.tables import PersonRow
from study.tables_custody import QueryEntryRow, QueryRow

ASKERS = ("coordinator", "investigator")
MAX_CHARACTERS = 2_000
Kind = Literal["opened", "answered", "closed"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a query."""

    kind: str
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """A query with its turns, oldest first."""

    query_id: str
    to: str
    """Pseudonym of the person asked."""
    state: str
    """open, answered or closed."""
    opened_at: datetime
    turns: tuple[Turn, ...]


def open_query(store: Store, person: Person, *, to: str, text: str) -> str:
    """Ask somebody about their record.

    Args:
        store: The database.
        person: A coordinator or investigator.
        to: Pseudonym of the person asked.
        text: The question.

    Raises:
        NotAllowedError: If the person's role does not open queries.
        StudyError: If nobody has that pseudonym, or the text is empty or too long.
    """
    _require_asker(person, "open")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        asked = session.scalars(
            select(PersonRow).where(
                PersonRow.study_id == person.study_id, PersonRow.pseudonym == to.strip().upper()
            )
        ).first()
        if asked is None:
            raise StudyError(f"nobody here has the pseudonym {to!r}; choose one of the list")
        query = QueryRow(
            query_id=public_id(store.source, "query"),
            study_id=person.study_id,
            subject=asked.person_id,
            state="open",
            opened_at=store.clock.now(),
        )
        session.add(query)
        session.flush()
        _add_turn(session, store, person, query, "opened", text)
        return query.query_id


def answer_query(store: Store, person: Person, query_id: str, text: str) -> None:
    """Answer a query about one's own record.

    Raises:
        StudyError: If the query is not the person's to answer, or is closed.
    """
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        query = session.get(QueryRow, query_id)
        if query is None or query.subject != person.person_id or query.state == "closed":
            raise StudyError("this question is not waiting for you; reload the page")
        query.state = "answered"
        _add_turn(session, store, person, query, "answered", text)


def close_query(store: Store, person: Person, query_id: str, text: str = "settled") -> None:
    """Close a query, answered or not.

    Raises:
        NotAllowedError: If the person's role does not close queries.
        StudyError: If there is no such query, or it is closed.
    """
    _require_asker(person, "close")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        query = session.get(QueryRow, query_id)
        if query is None or query.study_id != person.study_id or query.state == "closed":
            raise StudyError("this query is closed or not of this study; reload the page")
        query.state = "closed"
        _add_turn(session, store, person, query, "closed", text)


def queries_to(store: Store, person: Person) -> tuple[Query, ...]:
    """Open queries that wait for this person's answer."""
    with store.read() as session:
        if session.scalar(_OPEN_TO, {"person": person.person_id}) is None:
            return ()
        return _queries(session, QueryRow.subject == person.person_id, QueryRow.state == "open")


_OPEN_TO = (
    select(QueryRow.query_id)
    .where(QueryRow.subject == bindparam("person"), QueryRow.state == "open")
    .limit(1)
)
"""Asked at every page, where there is hardly ever one."""


def queries_of(session: Session, study_id: str) -> tuple[Query, ...]:
    """Every query of the study, for the console."""
    return _queries(session, QueryRow.study_id == study_id)


def n_open_queries(session: Session, study_id: str) -> int:
    """How many queries are not closed."""
    query = select(func.count()).where(QueryRow.study_id == study_id, QueryRow.state != "closed")
    return session.scalar(query) or 0


def _queries(session: Session, *where: object) -> tuple[Query, ...]:
    rows = session.execute(
        select(QueryRow, PersonRow.pseudonym)
        .join(PersonRow, PersonRow.person_id == QueryRow.subject)
        .where(*where)  # type: ignore[arg-type]
        .order_by(QueryRow.opened_at, QueryRow.query_id)
    ).all()
    turns: dict[str, list[Turn]] = {row.query_id: [] for row, _ in rows}
    entries = select(QueryEntryRow).where(QueryEntryRow.query_id.in_(turns))
    for entry in session.scalars(entries.order_by(QueryEntryRow.query_id, QueryEntryRow.number)):
        turns[entry.query_id].append(Turn(entry.kind, entry.text, entry.written_at))
    return tuple(
        Query(row.query_id, to, row.state, row.opened_at, tuple(turns[row.query_id]))
        for row, to in rows
    )


def _add_turn(
    session: Session, store: Store, person: Person, query: QueryRow, kind: Kind, text: str
) -> None:
    if not text.strip() or len(text) > MAX_CHARACTERS:
        raise StudyError(
            f"a query needs between 1 and {MAX_CHARACTERS:,} characters; got {len(text.strip()):,}"
        )
    count = select(func.count()).where(QueryEntryRow.query_id == query.query_id)
    session.add(
        QueryEntryRow(
            query_id=query.query_id,
            number=(session.scalar(count) or 0) + 1,
            kind=kind,
            text=text.strip(),
            written_by=person.person_id,
            written_at=store.clock.now(),
        )
    )
    record(session, store.clock, person.study_id, actor_of(person), f"query {kind}", query.query_id)


def _require_asker(person: Person, act: str) -> None:
    if person.role not in ASKERS:
        raise NotAllowedError(
            f"a {person.role} cannot {act} a query; that is for: {', '.join(ASKERS)}"
        )
