"""The study package's tests run over both databases; `sqlite_store` is for what is about a file."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from study.store import Store, create_store
from tests.postgres import cluster


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a throw-away cluster whose database `template` holds the empty tables."""
    with cluster() as server:
        _execute(server, "CREATE DATABASE template")
        create_store(f"{server}/template").close()
        yield server


def _execute(server: str, statement: str) -> None:
    address = server.replace("postgresql://", "postgresql+psycopg://") + "/postgres"
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh database."""
    name = f"study_{secrets.token_hex(6)}"
    _execute(postgres_server, f"CREATE DATABASE {name} TEMPLATE template")
    yield f"{postgres_server}/{name}"
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty study database of either kind."""
    if request.param == "postgresql":
        opened = create_store(request.getfixturevalue("postgres_url"))
    else:
        opened = create_store(tmp_path / "study.db")
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """An empty study database in the file `study.db`."""
    opened = create_store(tmp_path / "study.db")
    yield opened
    opened.close()
