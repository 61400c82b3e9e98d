"""What stands before every request."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.identity import COOKIE, HEADER
from app.middleware import TrustedIdentity
from study.store import Store
from tests.studies import to_answering
from tests.whole.studies import enter


async def headers_seen(scope_type: str, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    seen: list[tuple[bytes, bytes]] = []

    async def application(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.extend(scope["headers"])

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(_message: object) -> None:
        return None

    scope = {
        "type": scope_type,
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }
    await TrustedIdentity(application)(scope, receive, send)  # type: ignore[arg-type]
    return [pair for pair in seen if b"study" in pair[0].lower()]


def run(scope_type: str, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    import anyio

    return anyio.run(headers_seen, scope_type, headers)


@pytest.mark.parametrize("name", ["x-study-user", "X-Study-User", "x_study_user"])
@pytest.mark.parametrize("scope_type", ["http", "websocket"])
def test_a_forged_identity_header_is_thrown_away(
    serving: Store, name: str, scope_type: str
) -> None:
    assert run(scope_type, {name: "p_FORGED"}) == []


def test_a_good_cookie_puts_the_person_in_place_of_a_forged_header(serving: Store) -> None:
    entry = enter(serving, to_answering(serving), "resident", arm="residents")
    seen = run("websocket", {HEADER: "p_FORGED", "cookie": f"{COOKIE}={entry.session_token}"})
    assert seen == [(HEADER.encode(), entry.person.person_id.encode())]


def test_a_made_up_cookie_puts_nobody_there(serving: Store) -> None:
    assert run("websocket", {"cookie": f"{COOKIE}=made-up"}) == []


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "//_stcore/metrics",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/mcp",
        "/_stcore/upload_file/a/b",
    ],
)
def test_streamlits_open_doors_are_shut(client: TestClient, path: str) -> None:
    assert client.get(f"http://127.0.0.1:8501{path}").text == "Not found"


def test_a_foreign_host_name_is_refused_with_the_remedy(client: TestClient) -> None:
    answer = client.get("/health", headers={"host": "rebound.example"})
    assert answer.status_code == 421
    assert "SAFEMED_BASE_URL" in answer.text


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in policy
    assert "script-src 'self' blob:" in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "strict-transport-security" not in answer.headers


def test_https_asks_the_browser_to_stay_with_https(client: TestClient) -> None:
    answer = client.get("https://127.0.0.1:8501/health")
    assert "max-age" in answer.headers["strict-transport-security"]


def test_a_fault_is_answered_calmly_and_logged_without_its_words(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from app.routes import session

    async def broken(_request: object) -> None:
        raise RuntimeError("the arm is SECRET")

    monkeypatch.setattr(session, "person_of", broken)
    answer = client.get("/pause")
    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.text
    assert "SECRET" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text and "tests/app/test_middleware.py:" in caplog.text


def test_a_database_out_of_order_is_503_in_words_everywhere(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app import identity
    from study.errors import StorageError

    def out_of_order(*_: object) -> None:
        raise StorageError("nothing was saved: the database is busy")

    monkeypatch.setattr(identity, "person_of_session", out_of_order)
    client.cookies.set(COOKIE, "A")
    page = client.get("/pause")
    assert (page.status_code, "the database is busy" in page.text) == (503, True)
    draft = client.post("/api/draft", json={})
    assert (draft.status_code, "busy" in draft.json()["error"]) == (507, True)
