"""A client for our routes, with the middleware that stands before them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import identity, services
from app.middleware import BlockedPaths, CalmFaults, KnownHostOnly, SecurityHeaders, TrustedIdentity
from app.routes.table import routes
from study.store import Store

BASE = "http://127.0.0.1:8501"
OURS = {"origin": BASE, "sec-fetch-site": "same-origin"}


@pytest.fixture
def serving(store: Store, tmp_path: Path) -> Iterator[Store]:
    """The store, served to screens and routes of this process."""
    services.use(services.Services(store, str(tmp_path / "study.db"), tmp_path))
    yield store
    services.use(None)
    identity.read_cookie_with(None)


@pytest.fixture
def client(serving: Store) -> Iterator[TestClient]:
    """A browser of someone who is not signed in."""
    with browser_at() as made:
        yield made


def browser_at() -> TestClient:
    """A browser at what is served now."""
    application = Starlette(
        routes=routes(),
        middleware=[
            Middleware(KnownHostOnly, hosts=["127.0.0.1"]),
            Middleware(SecurityHeaders, script_hashes=[]),
            Middleware(CalmFaults),
            Middleware(BlockedPaths),
            Middleware(TrustedIdentity),
        ],
    )
    return TestClient(application, base_url=BASE, headers=OURS, follow_redirects=False)
