"""Who is signed in, and what a session may remember."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest

from app import identity
from app.identity import OWNER, forget_if_other, session_token, token_in_header
from study.sign_in import sign_out
from study.store import Store
from tests.studies import to_answering
from tests.whole.studies import enter


def test_a_session_forgets_everything_when_another_person_has_it(serving: Store) -> None:
    study_id = to_answering(serving)
    first, second = (enter(serving, study_id, "resident", arm="residents").person for _ in range(2))
    state: dict[str, object] = {}
    forget_if_other(state, first)
    state["typed"] = "words"
    forget_if_other(state, first)
    assert state["typed"] == "words"
    forget_if_other(state, second)
    assert state == {OWNER: second.person_id}
    forget_if_other(state, None)
    assert state == {OWNER: None}


def test_a_session_that_ended_names_nobody(serving: Store) -> None:
    entry = enter(serving, to_answering(serving), "resident", arm="residents")
    assert identity.person_of_token(entry.session_token) == entry.person
    sign_out(serving, entry.session_token)
    assert identity.person_of_token(entry.session_token) is None


@pytest.mark.parametrize("found", [None, "", b"bytes", MagicMock()])
def test_what_is_no_text_is_no_token(found: object) -> None:
    identity.read_cookie_with(lambda: found)
    try:
        assert session_token() is None
    finally:
        identity.read_cookie_with(None)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("safemed_session=ABC", "ABC"),
        ("a=1; safemed_session=ABC; b=2", "ABC"),
        ("other=ABC", None),
        ("", None),
        ("x_safemed_session=ABC", None),
    ],
)
def test_the_token_is_read_from_a_raw_cookie_header(header: str, token: str | None) -> None:
    assert token_in_header(header) == token
