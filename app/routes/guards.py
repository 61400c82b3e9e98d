"""What every route that changes something asks first."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.identity import COOKIE, person_of_token
from study.people import Person
from study.sign_in import SIGN_IN_DAYS, Browser

MARK = "safemed_browser"
"""Cookie of the browser's mark: random, and the same whoever signs in."""
FOREIGN = "this was asked for from another site and was not done; open the study's own page"


def is_same_origin(request: Request) -> bool:
    """Whether a browser sent this from a page of ours.

    Browsers tell with one header or both; a request with neither is refused.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is None and origin is None:
        return False
    if site is not None and site != "same-origin":
        return False
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def person_of(request: Request) -> Person | None:
    """Who sent the request, by the cookie, or None."""
    return await run_in_threadpool(person_of_token, request.cookies.get(COOKIE))


def browser_of(request: Request) -> Browser:
    """The browser's long-lived mark, a new one if it has none, and what it calls itself."""
    mark = request.cookies.get(MARK, "")
    words = request.headers.get("user-agent", "")
    return Browser(mark if len(mark) == 43 else secrets.token_urlsafe(32), _device(words))


def mark_browser(response: Response, request: Request, browser: Browser) -> None:
    """Let the browser keep its mark for a year."""
    response.set_cookie(
        MARK,
        browser.mark or "",
        max_age=365 * 24 * 3600,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _device(user_agent: str) -> str:
    """Browser and system in two words, for the person's own list; no version, no more."""
    browsers = {"Edg/": "Edge", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
    systems = {
        "iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows",
        "Mac OS": "Mac", "Linux": "Linux",
    }  # fmt: skip
    name = next((words for key, words in browsers.items() if key in user_agent), "a browser")
    system = next((words for key, words in systems.items() if key in user_agent), "")
    return f"{name} on {system}" if system else name


def remember(response: Response, request: Request, token: str) -> None:
    """Give the browser its session cookie; Secure where the request came over https."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=SIGN_IN_DAYS * 24 * 3600,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def forget(response: Response) -> None:
    """Take the session cookie back."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
