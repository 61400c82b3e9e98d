"""Too many tries from one address."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.limits import MAX_ADDRESSES, Limit
from app.middleware import RateLimits


def test_tries_are_counted_in_a_window_that_slides() -> None:
    now = [0.0]
    limit = Limit(tries=2, within_s=10, clock=lambda: now[0])
    assert limit.wait_s("a") == limit.wait_s("a") == 0
    assert limit.wait_s("b") == 0  # each address by itself
    now[0] = 4
    assert limit.wait_s("a") == 6
    now[0] = 10.5
    assert limit.wait_s("a") == 0


def test_memory_is_bounded_however_many_addresses_there_are() -> None:
    limit = Limit(tries=1, within_s=1e9)
    for number in range(MAX_ADDRESSES + 50):
        limit.wait_s(str(number))
    assert len(limit._seen) == MAX_ADDRESSES


def client(**settings: object) -> TestClient:
    async def fine(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("in")

    routes = [Route(path, fine, methods=["GET", "POST"]) for path in ("/return", "/api/draft")]
    application = Starlette(routes=routes, middleware=[Middleware(RateLimits, **settings)])
    return TestClient(application)


def test_signing_in_too_often_is_answered_calmly_and_says_when_to_come_back() -> None:
    with client() as browser:
        codes = [browser.post("/return").status_code for _ in range(300)]
        late = browser.post("/return")
        assert set(codes) == {200}
        assert late.status_code == 429
        assert "try again in" in late.text
        assert 1 <= int(late.headers["retry-after"]) <= 300
        assert browser.get("/return").status_code == 200
        assert browser.post("/api/draft").status_code == 200


@pytest.mark.parametrize(("trusted", "blocked"), [(None, True), ("x-forwarded-for", False)])
def test_a_header_counts_as_the_address_only_where_the_operator_trusts_it(
    trusted: str | None, blocked: bool
) -> None:
    with client(trusted_header=trusted) as browser:
        codes = [
            browser.post("/return", headers={"x-forwarded-for": f"claim, 10.0.0.{n}"}).status_code
            for n in range(301)
        ]
    assert (codes[-1] == 429) is blocked
