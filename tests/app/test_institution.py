"""Signing in with an institution's account, against a provider on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from app import oidc, services
from app.identity import COOKIE
from app.institution import read_institution
from app.middleware import RateLimits
from app.oidc import Provider
from app.routes.institution import FLOW_COOKIE
from study.audit import OPERATOR
from study.institution_accounts import InstitutionAccount, link_account, linked_since
from study.invitations import invite
from study.people import Person
from study.sign_in import person_of_session
from study.store import Store
from study.tables import AuditEventRow, PersonRow
from tests.app.conftest import BASE, browser_at
from tests.oidc import LABEL, LocalProvider, installation_file, local_provider, rsa_key
from tests.studies import join, register_example, to_answering


@pytest.fixture
def there() -> Iterator[LocalProvider]:
    with local_provider() as running:
        yield running


@pytest.fixture
def here(serving: Store, there: LocalProvider, tmp_path: Path) -> Iterator[TestClient]:
    """A browser at an installation that knows the provider."""
    provider = Provider(read_institution(installation_file(tmp_path, there.issuer)))
    services.use(replace(services.current(), provider=provider))
    with browser_at() as made:
        yield made


def linked(store: Store, there: LocalProvider, role: Any = "rater") -> Person:
    person = join(store, register_example(store), role)
    link_account(store, person, InstitutionAccount(there.issuer, there.subject))
    return person


def leave(browser: TestClient, path: str = "/institution") -> str:
    """Leave for the provider, and come back as far as the address it sends the browser to."""
    begun = browser.get(path)
    assert begun.status_code == 303, begun.text
    return sent_back(begun.headers["location"])


def sent_back(there: str) -> str:
    back = httpx.get(there, follow_redirects=False)
    assert back.status_code == 302
    return back.headers["location"]


def signed_in(browser: TestClient, store: Store) -> Person | None:
    return person_of_session(store, browser.cookies.get(COOKIE, ""))


def test_a_linked_account_signs_in_on_a_new_device_and_goes_on_to_the_study(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    person = linked(serving, there)
    came_back = here.get(leave(here))
    assert (came_back.status_code, came_back.headers["location"]) == (303, "/")
    assert signed_in(here, serving) == person
    assert there.refused == []


def test_the_provider_is_asked_for_no_name_and_with_pkce_state_nonce_and_the_password_again(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    leave(here)
    [asked] = there.asked
    assert asked["scope"] == "openid"
    assert asked["prompt"] == "login"
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert len(asked["state"]) >= 20 and len(asked["nonce"]) >= 20
    assert asked["redirect_uri"] == f"{BASE}/institution/callback"


def test_somebody_who_enters_links_the_account_and_is_known_by_it_ever_after(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    token = invite(serving, to_answering(serving), "resident", by=OPERATOR, arm="residents")
    entered = here.post("/enter", data={"t": token})
    assert "Link my institution account" in entered.text
    asked = here.post("/institution/link")
    assert f"Go to {LABEL}" in asked.text
    [address] = [part for part in asked.text.split('"') if part.startswith(there.issuer)]
    back = here.get(sent_back(address.replace("&amp;", "&")))
    assert (back.status_code, back.headers["location"]) == (303, "/account")
    assert "signs you in, since" in here.get("/account").text
    person = signed_in(here, serving)
    here.post("/sign-out")
    assert signed_in(here, serving) is None
    here.get(leave(here))
    assert person is not None and signed_in(here, serving) == person


def test_an_account_that_nobody_linked_is_told_what_to_do_and_makes_nobody(
    here: TestClient, serving: Store
) -> None:
    answer = here.get(leave(here))
    assert answer.status_code == 403
    assert "not linked to anybody here" in answer.text
    assert "open the invitation link" in answer.text and 'href="/return"' in answer.text
    assert COOKIE not in here.cookies
    with serving.read() as session:
        assert session.scalars(select(PersonRow)).all() == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"claims": {"nonce": "another"}}, "the nonce of another sign-in"),
        ({"claims": {"nonce": None}}, "no nonce"),
        ({"claims": {"aud": "another-client"}}, "made for another client"),
        ({"claims": {"aud": "another-client", "azp": "safemed-at-hospital"}}, "only handed to us"),
        ({"claims": {"iss": "https://id.elsewhere.example"}}, "another issuer's"),
        ({"claims": {"exp": int(time.time()) - 3600}}, "expired an hour ago"),
        ({"claims": {"exp": None}}, "good for ever"),
        ({"claims": {"iat": int(time.time()) + 3600}}, "of a time to come"),
        ({"claims": {"sub": None}}, "about nobody"),
        ({"claims": {"sub": ""}}, "about an empty name"),
        ({"alg": "none"}, "unsigned"),
        ({"alg": "HS256"}, "signed with the public key as a secret"),
        ({"signs_with": rsa_key("first", "forger")}, "another key under the published name"),
        ({"signs_with": rsa_key("second")}, "a key nobody published"),
        ({"token_answer": {"access_token": "A", "token_type": "Bearer"}}, "no token"),
        (
            {"token_answer": {"access_token": "A", "token_type": "Bearer",
                              "userinfo": {"sub": "subject-QJ7"}}},
            "a bare claim",
        ),
        ({"token_answer": {"access_token": "A", "id_token": "a.b"}}, "torn"),
        ({"token_answer": {"error": "server_error"}, "token_status": 400}, "refused"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_token_that_proves_nothing_signs_nobody_in(
    here: TestClient, serving: Store, there: LocalProvider, changes: dict[str, Any], why: str
) -> None:
    linked(serving, there)
    for name, value in changes.items():
        setattr(there, name, value)
    answer = here.get(leave(here))
    assert answer.status_code == 400, why
    assert f"{LABEL} has not confirmed who you are" in answer.text
    assert "Your return code works all the same" in answer.text
    assert COOKIE not in here.cookies


def test_an_answer_of_the_provider_is_good_once(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    back = leave(here)
    kept = here.cookies.get(FLOW_COOKIE, path="/institution")
    assert here.get(back).status_code == 303
    here.cookies.clear()
    assert kept
    here.cookies.set(FLOW_COOKIE, kept)
    replayed = here.get(back)
    assert replayed.status_code == 400 and COOKIE not in here.cookies
    assert there.refused == []  # it was not even asked: the state is gone on our side


def test_an_answer_given_to_one_browser_signs_no_other_in(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    back = leave(here)
    with browser_at() as other:
        assert other.get(back).status_code == 400
        assert COOKIE not in other.cookies


@pytest.mark.parametrize(
    "query",
    ["", "?code=A", "?state=B", "?code=A&state=B", "?error=access_denied&state=B"],
)
def test_an_answer_that_nobody_asked_for_is_refused(here: TestClient, query: str) -> None:
    answer = here.get(f"/institution/callback{query}")
    assert answer.status_code == 400 and "Begin again" in answer.text


def test_an_answer_after_ten_minutes_is_refused(
    here: TestClient, serving: Store, there: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(serving, there)
    monkeypatch.setattr(oidc, "FLOW_S", -1.0)
    assert here.get(leave(here)).status_code == 400


def test_an_answer_in_another_issuers_name_is_refused(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    back = leave(here)
    assert here.get(f"{back}&iss=https://id.elsewhere.example").status_code == 400


def test_words_of_the_provider_never_reach_the_page_or_the_log(
    here: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = here.get("/institution/callback?error=access_denied&error_description=CANARY")
    assert "CANARY" not in answer.text + caplog.text
    assert "fault in an institution's sign-in" in caplog.text


@pytest.mark.parametrize("asked", ["next", "redirect_uri", "return_to", "url"])
def test_nobody_is_sent_elsewhere_whatever_the_address_asks_for(
    here: TestClient, serving: Store, there: LocalProvider, asked: str
) -> None:
    linked(serving, there)
    back = leave(here, f"/institution?{asked}=https://evil.example/")
    assert there.asked[0]["redirect_uri"] == f"{BASE}/institution/callback"
    assert "evil.example" not in back
    landed = here.get(f"{back}&{asked}=https://evil.example/")
    assert landed.headers["location"] == "/"


def test_the_provider_sends_people_back_to_the_configured_address_whatever_the_host_header(
    here: TestClient, there: LocalProvider, tmp_path: Path
) -> None:
    file = installation_file(tmp_path, there.issuer)
    known = Provider(read_institution(file, base_url="https://study.example/"))
    services.use(replace(services.current(), provider=known))
    with browser_at() as browser:
        begun = browser.get("/institution", headers={"x-forwarded-host": "evil.example"})
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://study.example/institution/callback"]
    assert "secure" in begun.headers["set-cookie"].lower()


def test_the_cookies_are_http_only_and_lax(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    begun = here.get("/institution")
    flow = begun.headers["set-cookie"]
    assert flow.startswith(FLOW_COOKIE)
    assert "httponly" in flow and "samesite=lax" in flow and "path=/institution" in flow
    came_back = here.get(sent_back(begun.headers["location"]))
    [ours] = [c for c in came_back.headers.get_list("set-cookie") if c.startswith(COOKIE)]
    assert "HttpOnly" in ours and "SameSite=lax" in ours and "Secure" not in ours


def test_a_provider_that_is_down_is_said_calmly_and_is_asked_again_when_it_is_back(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    there.metadata = {"issuer": "https://id.elsewhere.example"}
    for path, method in (("/institution", "GET"), ("/institution/callback?code=A&state=B", "GET")):
        answer = here.request(method, path)
        assert answer.status_code == 503
        assert f"The sign-in of {LABEL} does not answer" in answer.text
        assert "Your return code works all the same" in answer.text
    there.metadata = {}
    assert here.get("/institution").status_code == 303


def test_a_provider_that_nobody_runs_is_down(serving: Store, tmp_path: Path) -> None:
    with local_provider() as gone:
        pass
    provider = Provider(read_institution(installation_file(tmp_path, gone.issuer)))
    services.use(replace(services.current(), provider=provider))
    with browser_at() as browser:
        assert browser.get("/institution").status_code == 503
        assert browser.get("/return").status_code == 200


def test_a_provider_that_is_slow_is_down(
    here: TestClient, serving: Store, there: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked(serving, there)
    monkeypatch.setattr(oidc, "ANSWER_S", 0.3)
    there.delay_s = 1.5
    started = time.monotonic()
    assert here.get("/institution").status_code == 503
    there.delay_s = 0.0
    back = leave(here)
    there.delay_s = 1.5
    assert here.get(back).status_code == 503
    assert time.monotonic() - started < 2.5


def test_a_provider_whose_addresses_are_not_encrypted_is_not_used(
    here: TestClient, there: LocalProvider
) -> None:
    there.metadata = {"token_endpoint": "http://id.elsewhere.example/token"}
    assert here.get("/institution").status_code == 503


def test_a_server_error_at_the_provider_is_its_being_down(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    there.token_status = 502
    assert here.get(leave(here)).status_code == 503


def test_a_new_key_of_the_provider_is_taken_up(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    here.get(leave(here))
    there.key = rsa_key("second")
    here.cookies.delete(COOKIE)
    assert here.get(leave(here)).status_code == 303


def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    there.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert here.get(leave(here)).status_code == 303
    assert there.refused == []


def test_linking_needs_the_very_session_that_began_it(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    study_id = to_answering(serving)
    first, second = (
        invite(serving, study_id, role, by=OPERATOR) for role in ("rater", "inspector")
    )
    here.post("/enter", data={"t": first})
    asked = here.post("/institution/link")
    [address] = [part for part in asked.text.split('"') if part.startswith(there.issuer)]
    here.post("/enter", data={"t": second})
    answer = here.get(sent_back(address.replace("&amp;", "&")))
    assert answer.status_code == 409 and "while you were away" in answer.text
    person = signed_in(here, serving)
    assert person is not None and linked_since(serving, person) is None


def test_an_account_of_somebody_else_in_the_study_cannot_be_linked(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    rater = linked(serving, there)
    here.post("/enter", data={"t": invite(serving, rater.study_id, "inspector", by=OPERATOR)})
    asked = here.post("/institution/link")
    [address] = [part for part in asked.text.split('"') if part.startswith(there.issuer)]
    answer = here.get(sent_back(address.replace("&amp;", "&")))
    assert answer.status_code == 409 and "somebody else of this study" in answer.text


def test_with_several_studies_one_is_chosen_once(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    first, second = linked(serving, there), linked(serving, there, "inspector")
    asked = here.get(leave(here))
    assert "Which study?" in asked.text and COOKIE not in here.cookies
    foreign = here.post("/institution/choose", headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    chosen = {"study": first.study_id}
    assert here.post("/institution/choose", data=chosen).headers["location"] == "/"
    assert signed_in(here, serving) == first != second
    again = here.post("/institution/choose", data=chosen)
    assert again.headers["location"] == "/institution"


def test_a_study_that_is_not_the_accounts_cannot_be_chosen(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    linked(serving, there)
    other = register_example(serving)
    join(serving, other, "inspector")
    here.get(leave(here))
    assert here.post("/institution/choose", data={"study": other}).status_code == 403
    assert COOKIE not in here.cookies


def test_the_account_is_unlinked_on_the_own_page(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    person = linked(serving, there)
    here.get(leave(here))
    assert "Unlink it" in here.get("/account").text
    assert here.post("/institution/unlink").headers["location"] == "/account"
    assert linked_since(serving, person) is None


@pytest.mark.parametrize("path", ["/institution/link", "/institution/unlink"])
def test_another_site_links_and_unlinks_nothing(
    here: TestClient, serving: Store, there: LocalProvider, path: str
) -> None:
    person = linked(serving, there)
    here.get(leave(here))
    foreign = here.post(path, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    assert linked_since(serving, person) is not None
    here.cookies.clear()
    assert here.post(path).headers["location"] == "/return"


def test_the_audit_says_that_and_not_who_at_the_provider(
    here: TestClient, serving: Store, there: LocalProvider
) -> None:
    linked(serving, there)
    here.get(leave(here))
    with serving.read() as session:
        events = session.scalars(select(AuditEventRow).order_by(AuditEventRow.number)).all()
        assert [e.action for e in events][-2:] == ["link institution account", "sign in"]
        assert not any(there.subject in f"{e.subject} {e.details}" for e in events)


def test_without_a_configured_institution_nothing_is_offered(
    client: TestClient, serving: Store
) -> None:
    client.post("/enter", data={"t": invite(serving, to_answering(serving), "rater", by=OPERATOR)})
    for path in ("/return", "/pause", "/account"):
        assert "nstitution" not in client.get(path).text
    assert client.get("/institution").status_code == 404


def test_the_way_in_is_offered_where_there_is_one(here: TestClient) -> None:
    assert f"Sign in with {LABEL}" in here.get("/return").text


def test_tries_are_limited_on_the_way_out_and_back() -> None:
    limits = RateLimits(lambda *_: None)  # type: ignore[arg-type, return-value]
    for path in ("/institution", "/institution/callback"):
        scope = {"type": "http", "method": "GET", "path": path}
        assert limits._limit(scope) is limits.limits["sign in"]
