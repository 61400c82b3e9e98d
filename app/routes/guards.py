"""What every route that changes something asks first."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.identity import COOKIE, person_of_token
from study.people import Person
from study.sign_in import SIGN_IN_DAYS

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
