"""The campaign runs one served process on a database of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from study.store import Store, create_store
from tests.study.conftest import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@dataclass(frozen=True, slots=True)
class Place:
    """A database, open here and named for the server's process."""

    url: str
    store: Store
    work: Path


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty study database of either kind."""
    url = (
        request.getfixturevalue("postgres_url")
        if request.param == "postgresql"
        else str(tmp_path / "study.db")
    )
    opened = create_store(url)
    yield Place(url, opened, tmp_path)
    opened.close()
