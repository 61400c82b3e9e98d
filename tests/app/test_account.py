"""A person's own account, and the consent on the screen."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from starlette.testclient import TestClient

from app.identity import COOKIE
from study.audit import OPERATOR
from study.invitations import invite
from study.people import Role
from study.sign_in import person_of_session, sign_in
from study.store import Store
from tests.studies import to_answering


def enter(client: TestClient, store: Store) -> str:
    """Come in as a resident; returns the return code."""
    token = invite(store, to_answering(store), "resident", by=OPERATOR, arm="residents")
    shown = client.post("/enter", data={"t": token}).text
    (code,) = re.findall(r"[0-9A-Z]{6}-[0-9A-Z]{6}-[0-9A-Z]{6}", shown)
    return code


@pytest.mark.parametrize("role", [role for role in get_args(Role) if role not in ("model",)])
def test_the_entry_page_has_words_for_every_role(
    client: TestClient, serving: Store, role: Role
) -> None:
    arm = "residents" if role == "resident" else None
    token = invite(serving, to_answering(serving), role, by=OPERATOR, arm=arm)
    assert role in client.get(f"/enter?t={token}").text


def test_other_browsers_are_listed_and_signed_out(client: TestClient, serving: Store) -> None:
    code = enter(client, serving)
    elsewhere = sign_in(serving, code).session_token
    page = client.get("/account").text
    assert page.count("<li>") == 2 and "this browser" in page
    assert elsewhere not in page and client.cookies[COOKIE] not in page
    assert client.post("/account/end", data={}).status_code == 303
    assert person_of_session(serving, elsewhere) is None
    assert person_of_session(serving, client.cookies[COOKIE]) is not None


def test_leaving_the_study_asks_once_and_signs_out(client: TestClient, serving: Store) -> None:
    enter(client, serving)
    token = client.cookies[COOKIE]
    assert client.post("/account/leave", data={}).status_code == 400
    assert person_of_session(serving, token) is not None
    left = client.post("/account/leave", data={"sure": "yes", "reason": "no time"})
    assert left.status_code == 200 and "You have left the study" in left.text
    assert person_of_session(serving, token) is None


@pytest.mark.parametrize("path", ["/account/end", "/account/leave"])
def test_nothing_is_done_for_a_foreign_site_or_for_nobody(
    client: TestClient, serving: Store, path: str
) -> None:
    enter(client, serving)
    foreign = client.post(path, data={"sure": "yes"}, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    client.cookies.clear()
    assert client.post(path, data={"sure": "yes"}).headers["location"] == "/return"
    assert client.get("/account").headers["location"] == "/return"
