"""A person's own signed-in browsers: listed, and ended one by one or all others at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from study.audit import record
from study.people import Person, actor_of
from study.sign_in import secret_sha256
from study.store import Store
from study.tables import SignInRow


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One signed-in browser."""

    handle: str
    """The first digits of its token's digest: names it, and signs nobody in."""
    device: str
    started_at: datetime
    is_this: bool


def sessions_of(store: Store, person: Person, session_token: str) -> tuple[SignedIn, ...]:
    """The person's browsers that are signed in now, newest first."""
    here = secret_sha256(session_token)
    with store.read() as session:
        query = select(SignInRow).where(
            SignInRow.person_id == person.person_id,
            SignInRow.ended_at.is_(None),
            SignInRow.expires_at > store.clock.now(),
        )
        rows = session.scalars(query.order_by(SignInRow.started_at.desc(), SignInRow.token_sha256))
        return tuple(
            SignedIn(
                row.token_sha256[:12], row.device or "a browser", row.started_at,
                row.token_sha256 == here,
            )
            for row in rows
        )  # fmt: skip


def end_sessions(store: Store, person: Person, session_token: str, handle: str = "") -> int:
    """End one other browser's session, or all others; returns how many ended.

    Args:
        store: The database.
        person: Whose sessions; nobody ends another's.
        session_token: Of the present browser, which stays signed in.
        handle: Of the one to end; all others if empty.
    """
    here = secret_sha256(session_token)
    with store.write() as session:
        query = select(SignInRow).where(
            SignInRow.person_id == person.person_id,
            SignInRow.ended_at.is_(None),
            SignInRow.token_sha256 != here,
        )
        ended = [r for r in session.scalars(query) if r.token_sha256.startswith(handle)]
        for row in ended:
            row.ended_at = store.clock.now()
        if ended:
            record(
                session, store.clock, person.study_id, actor_of(person), "end sessions",
                person.person_id, {"count": len(ended)},
            )  # fmt: skip
        return len(ended)
