"""Coming in, coming back, pausing, signing out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from app.identity import COOKIE
from study.audit import OPERATOR
from study.invitations import invite
from study.sign_in import person_of_session
from study.store import Store
from study.tables import InvitationRow, SignInRow
from tests.app.conftest import BASE
from tests.studies import register_example, to_answering


def link(store: Store, role: str = "resident", **more: object) -> str:
    arm = "residents" if role == "resident" else None
    return invite(store, to_answering(store), role, by=OPERATOR, arm=arm, **more)  # type: ignore[arg-type]


def n_entered(store: Store) -> int:
    with store.read() as session:
        return session.query(SignInRow).count()


def test_following_a_link_any_number_of_times_consumes_nothing(
    client: TestClient, serving: Store
) -> None:
    token = link(serving)
    for method in ("GET", "HEAD", "GET"):
        assert client.request(method, f"/enter?t={token}").status_code == 200
    assert n_entered(serving) == 0
    assert client.post("/enter", data={"t": token}).status_code == 200
    assert n_entered(serving) == 1


def test_the_entry_page_names_the_study_and_the_role(client: TestClient, serving: Store) -> None:
    shown = client.get(f"/enter?t={link(serving)}").text
    assert "An example study" in shown
    assert "resident" in shown


def test_entering_signs_in_and_shows_a_return_code_that_signs_in_again(
    client: TestClient, serving: Store
) -> None:
    entered = client.post("/enter", data={"t": link(serving)})
    [code] = re.findall(r"[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}", entered.text)
    first = person_of_session(serving, client.cookies[COOKIE])
    client.cookies.clear()
    returned = client.post("/return", data={"code": code.lower().replace("-", " ")})
    assert (returned.status_code, returned.headers["location"]) == (303, "/")
    assert first is not None
    assert person_of_session(serving, client.cookies[COOKIE]) == first


def test_the_cookie_is_http_only_and_lax_and_secure_only_behind_https(
    client: TestClient, serving: Store
) -> None:
    plain = client.post("/enter", data={"t": link(serving)}).headers["set-cookie"]
    assert "HttpOnly" in plain and "SameSite=lax" in plain and "Secure" not in plain
    encrypted = client.post(
        BASE.replace("http", "https") + "/enter", data={"t": link(serving)},
        headers={"origin": BASE.replace("http", "https")},
    )  # fmt: skip
    assert "Secure" in encrypted.headers["set-cookie"]


def test_a_double_click_shows_the_same_return_code_again(
    client: TestClient, serving: Store
) -> None:
    token = link(serving)
    client.get(f"/enter?t={token}")
    first, second = (client.post("/enter", data={"t": token}).text for _ in range(2))
    assert first == second
    assert n_entered(serving) == 1


def test_a_used_link_answers_by_name_and_shows_no_code_to_another_browser(
    client: TestClient, serving: Store
) -> None:
    token = link(serving)
    client.get(f"/enter?t={token}")
    client.post("/enter", data={"t": token})
    client.cookies.clear()
    for answer in (client.get(f"/enter?t={token}"), client.post("/enter", data={"t": token})):
        assert answer.status_code == 410
        assert "has been used" in answer.text
        assert "return code" in answer.text


def test_an_expired_link_answers_by_name(client: TestClient, serving: Store) -> None:
    token = link(serving)
    with serving.write() as session:
        row = session.query(InvitationRow).one()
        row.expires_at = datetime(2026, 1, 2, tzinfo=UTC)
    answer = client.get(f"/enter?t={token}")
    assert answer.status_code == 410
    assert "expired on 02 January 2026" in answer.text


def test_an_unknown_link_answers_by_name(client: TestClient) -> None:
    answer = client.get("/enter?t=NOSUCHLINK")
    assert answer.status_code == 410
    assert "not known" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"},
        {"origin": "https://elsewhere.example", "sec-fetch-site": ""},
        {"origin": "null", "sec-fetch-site": "same-site"},
    ],
)
def test_another_site_cannot_enter_for_someone(
    client: TestClient, serving: Store, headers: dict[str, str]
) -> None:
    answer = client.post("/enter", data={"t": link(serving)}, headers=headers)
    assert answer.status_code == 403
    assert n_entered(serving) == 0


def test_a_request_that_tells_no_origin_changes_nothing(client: TestClient, serving: Store) -> None:
    for header in ("origin", "sec-fetch-site"):
        del client.headers[header]
    assert client.post("/enter", data={"t": link(serving)}).status_code == 403
    assert n_entered(serving) == 0


def test_a_wrong_return_code_has_one_wording_and_the_form_stays(client: TestClient) -> None:
    answers = [client.post("/return", data={"code": code}) for code in ("", "A", "A" * 500)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert 'name="code"' in answers[0].text


def test_signing_out_ends_the_session_and_takes_the_cookie_back(
    client: TestClient, serving: Store
) -> None:
    client.post("/enter", data={"t": link(serving)})
    token = client.cookies[COOKIE]
    assert client.get("/pause").status_code == 200
    assert client.post("/sign-out").status_code == 303
    assert COOKIE not in client.cookies
    assert person_of_session(serving, token) is None


def test_another_site_cannot_sign_someone_out(client: TestClient, serving: Store) -> None:
    client.post("/enter", data={"t": link(serving)})
    answer = client.post("/sign-out", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert person_of_session(serving, client.cookies[COOKIE]) is not None


def test_roles_are_switched_in_a_tryout_only(client: TestClient, serving: Store) -> None:
    client.post("/enter", data={"t": link(serving)})
    assert client.post("/switch", data={"walk_as": "rater"}).status_code == 403
    tryout = register_example(serving, kind="tryout")
    token = invite(serving, tryout, "resident", by=OPERATOR, arm="residents")
    client.post("/enter", data={"t": token})
    assert client.post("/switch", data={"walk_as": "rater"}).status_code == 303
    person = person_of_session(serving, client.cookies[COOKIE])
    assert person is not None and person.role == "rater"


def test_a_role_nobody_can_walk_in_is_refused(client: TestClient, serving: Store) -> None:
    tryout = register_example(serving, kind="tryout")
    token = invite(serving, tryout, "resident", by=OPERATOR, arm="residents")
    client.post("/enter", data={"t": token})
    assert client.post("/switch", data={"walk_as": "model"}).status_code == 400


def test_pages_of_ours_run_no_script_and_are_kept_by_no_cache(
    client: TestClient, serving: Store
) -> None:
    token = link(serving)
    for answer in (
        client.get(f"/enter?t={token}"),
        client.post("/enter", data={"t": token}),
        client.get("/pause"),
        client.get("/return"),
    ):
        assert "script-src" not in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"


def test_what_the_link_carries_is_escaped(client: TestClient) -> None:
    shown = client.get("/enter?t=%22%3E%3Cscript%3E").text
    assert "<script>" not in shown


def test_a_link_shows_the_day_it_is_good_until(client: TestClient, serving: Store) -> None:
    token = link(serving, days_valid=1)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert f"{tomorrow:%d %B %Y}" in client.get(f"/enter?t={token}").text
