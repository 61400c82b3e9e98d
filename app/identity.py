"""Who is signed in: derived from the browser's cookie again at every run, request and message."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie

from app import services
from study.people import Person
from study.sign_in import person_of_session

COOKIE = "safemed_session"
HEADER = "x-study-user"
"""Set by `app.middleware` alone; what a client sends under this name is thrown away."""
OWNER = "_owner"
"""Key of `session_state` under which its owner is kept."""

CookieReader = Callable[[], object]


def _streamlit_cookie() -> object:
    import streamlit as st

    return st.context.cookies.get(COOKIE)


_read_cookie: CookieReader = _streamlit_cookie


def read_cookie_with(reader: CookieReader | None) -> None:
    """Take the session token from elsewhere than the browser; for tests of screens."""
    global _read_cookie
    _read_cookie = reader or _streamlit_cookie


def session_token() -> str | None:
    """The token of the browser that runs the present script, or None."""
    token = _read_cookie()
    # Under AppTest the cookie is a mock, which must not pass for a token.
    return token if isinstance(token, str) and token else None


def signed_in() -> Person | None:
    """The person behind the present script run, or None.

    A socket may be opened with one person's cookie and another's old session: whatever the old
    session remembered is forgotten before anything is shown.
    """
    import streamlit as st

    person = person_of_token(session_token())
    forget_if_other(st.session_state, person)
    return person


def forget_if_other(state: MutableMapping[str, object], person: Person | None) -> None:
    """Empty a session's memory unless it belongs to this person."""
    owner = person.person_id if person else None
    if state.get(OWNER) != owner:
        for key in list(state):
            del state[key]
    state[OWNER] = owner


def person_of_token(token: str | None) -> Person | None:
    """Whose session token that is, or None."""
    return person_of_session(services.store(), token) if token else None


def token_in_header(cookie_header: str) -> str | None:
    """The session token in a raw `Cookie` header, or None."""
    try:
        cookies = SimpleCookie(cookie_header)
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None
