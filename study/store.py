"""The database behind a study: opening, migrating, and one way to write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL, Connection
from sqlalchemy.exc import DatabaseError, DisconnectionError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from study.clock import Clock, SystemClock
from study.errors import StorageError
from study.randomness import SeededSource, Source, SystemSource

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 10_000
POOL = 20
"""Connections kept open; beyond them as many again are opened for a moment, which costs more."""
IDLE_S = 2.0
"""A connection of PostgreSQL's that has lain longer is tested before it is used."""
RETURNED = "returned"
"""Key of a pooled connection's memory: when it was last given back."""
WRITERS = 7_333_623
"""Number of the PostgreSQL lock that writers take; any number, the same for all."""


@dataclass(frozen=True, slots=True)
class _Look:
    """The session that the reads of one page share."""

    session: Session
    engine_of: Engine


_LOOK: ContextVar[_Look | None] = ContextVar("look", default=None)


def _end_look() -> None:
    """Forget what the shared look has seen: somebody is about to write."""
    shared = _LOOK.get()
    if shared is not None:
        _end_read(shared.session)
        shared.session.info.clear()


def _end_read(session: Session) -> None:
    """End what a session has seen, by a commit of nothing.

    psycopg forgets every prepared statement at a rollback, and then each is parsed anew.
    """
    session.expunge_all()  # rows that were read keep what they hold, and nothing can be written
    session.commit()


@dataclass(frozen=True, slots=True)
class Store:
    """An open study database with the clock and the source of secrets its services use."""

    engine: Engine
    clock: Clock
    source: Source
    turn: AbstractContextManager[Any] = field(default_factory=RLock, repr=False, compare=False)
    """Writers of this process queue here, before any holds a connection: a wait inside SQLite is
    polled for and unfair, and under many writers one of them would run into its time limit."""

    @property
    def seeded(self) -> bool:
        """Whether secrets come from a repeatable source, as only simulation and tests may."""
        return isinstance(self.source, SeededSource) or not isinstance(self.clock, SystemClock)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end or rolled back whole.

        Raises:
            StorageError: If the database could not write. Nothing of the transaction was saved.
        """
        _end_look()
        try:
            with (
                self.turn,
                Session(self.engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session
        except OperationalError as error:
            raise StorageError(_storage_message(error, self.engine.url)) from error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only look.

        Raises:
            StorageError: If the database could not be read.
        """
        shared = _LOOK.get()
        try:
            if shared is not None and shared.engine_of is self.engine:
                yield shared.session
                return
            # One look sees one state, as a SQLite transaction does of itself.
            options = {} if _is_sqlite(self.engine.url) else {"isolation_level": "REPEATABLE READ"}
            engine = self.engine.execution_options(reads_only=True, **options)
            with Session(engine, expire_on_commit=False) as session:
                yield session
                _end_read(session)
        except DatabaseError as error:
            raise StorageError(_storage_message(error, self.engine.url)) from error

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Let every `read` inside share one look: a page asks a dozen questions of one state.

        A `write` inside ends that state; what is read afterwards is read anew.

        Raises:
            StorageError: If the database could not be read.
        """
        with self.read() as session:
            token = _LOOK.set(_Look(session, self.engine))
            try:
                yield
            finally:
                _LOOK.reset(token)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()


def create_store(
    url: str | Path, *, clock: Clock | None = None, source: Source | None = None
) -> Store:
    """Open a study database, making or migrating it first.

    Args:
        url: A path of a SQLite file, or a SQLAlchemy address of SQLite or PostgreSQL.
        clock: Defaults to the operating system's.
        source: Of secrets; defaults to the operating system's.

    Raises:
        StorageError: If the place cannot be written.
    """
    where = _as_url(url)
    if where.database and _is_sqlite(where):
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    store = Store(_engine(where), clock or SystemClock(), source or SystemSource())
    try:
        with store.engine.begin() as connection:
            _migrate(connection)
    except DatabaseError as error:
        store.close()
        raise StorageError(_storage_message(error, where)) from error
    return store


def open_store(
    url: str | Path, *, clock: Clock | None = None, source: Source | None = None
) -> Store:
    """Open a study database that exists and is at the newest revision.

    Raises:
        StorageError: If it is missing, not a study database, or of an older revision.
    """
    where = _as_url(url)
    is_file = _is_sqlite(where) and "mode" not in where.query
    if is_file and not Path(where.database or "").is_file():
        raise StorageError(
            f"there is no study database at {where.database}; `safemed register` makes one"
        )
    store = Store(_engine(where), clock or SystemClock(), source or SystemSource())
    try:
        with store.engine.connect() as connection:
            present, newest = _revisions(connection)
    except DatabaseError as error:
        store.close()
        raise StorageError(_storage_message(error, where)) from error
    if present != newest:
        store.close()
        raise StorageError(
            f"the study database {where.database} is at revision {present or 'none'}, this version "
            f"of safemed needs {newest}; run `safemed register` or open it once with `safemed app`"
        )
    return store


def _as_url(url: str | Path) -> URL:
    written = str(url)
    where = make_url(written if "://" in written else f"sqlite:///{written}")
    if where.get_backend_name() not in ("sqlite", "postgresql"):
        raise StorageError(
            f"{where.get_backend_name()} is not supported: its append-only triggers are not "
            "written; give a path, or an address that begins with sqlite:/// or postgresql://"
        )
    if where.drivername == "postgresql":
        where = where.set(drivername="postgresql+psycopg")
    return where


def _is_sqlite(where: URL) -> bool:
    return where.get_backend_name() == "sqlite"


def _engine(where: URL) -> Engine:
    engine = create_engine(where, pool_size=POOL, max_overflow=POOL, pool_use_lifo=True)
    if _is_sqlite(where):
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        event.listen(engine, "begin", _wait_for_writers)
        event.listen(engine, "checkin", _note_return)
        event.listen(engine, "checkout", _test_if_idle)
    return engine


def _note_return(_connection: Any, entry: ConnectionPoolEntry) -> None:
    entry.info[RETURNED] = monotonic()


def _test_if_idle(
    connection: Any, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Find out whether the server is still there, as its restart ends what was connected.

    SQLAlchemy's own test before every use takes three ways to the server and back, a third of all
    that a page asks.
    """
    if monotonic() - entry.info.get(RETURNED, monotonic()) < IDLE_S:
        return
    from psycopg import OperationalError as Gone

    try:
        connection.execute("SELECT 1")
        connection.commit()  # see `_end_read`
    except Gone as error:
        raise DisconnectionError("the server ended this connection") from error


def _wait_for_writers(connection: Connection) -> None:
    """One writer at a time in a PostgreSQL database, as in a SQLite one.

    Every service reads, decides and writes in one transaction; the lock is taken before its first
    read and let go with its commit.
    """
    if not connection.get_execution_options().get("reads_only", False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction start is deferred and loses read-modify-writes without an error.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    with suppress(sqlite3.OperationalError):  # a database opened read-only keeps its mode
        cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: an acknowledged save must survive a power cut, not only a crash of ours.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A pure read takes no write lock; `Store.write` is where a lost update could happen.
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    from alembic import command

    command.upgrade(_alembic_config(connection), "head")


def _revisions(connection: Connection) -> tuple[str | None, str | None]:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    present = MigrationContext.configure(connection).get_current_revision()
    return present, ScriptDirectory.from_config(_alembic_config(connection)).get_current_head()


def _alembic_config(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _storage_message(error: DatabaseError, where: URL) -> str:
    cause = str(error.orig).lower()
    remedies = {
        "full": "the disk or the database's size limit is full; free space and try again",
        "disk i/o": "the disk refused to write; check free space and file limits, then try again",
        "readonly": "the database was opened read-only; give the process write access",
        "locked": "the database is busy; wait a moment and try again",
        "unable to open": "the file cannot be opened; check that its folder exists and the rights",
        "not a database": "the file is not a study database; name another one",
        "no such table": "the file is not a study database; name another one",
        "connection": "the database server does not answer; check its address and that it runs",
        "no space left": "the server's disk is full; free space and try again",
    }
    remedy = next((words for key, words in remedies.items() if key in cause), str(error.orig))
    return f"nothing was saved: {remedy} (database: {where.database})"


def is_alive(store: Store) -> bool:
    """Whether the database answers."""
    with store.read() as session:
        return session.execute(text("SELECT 1")).scalar() == 1
