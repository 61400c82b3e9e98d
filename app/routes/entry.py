"""Coming in by an invitation link: looking consumes nothing, entering does."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app import services
from app.routes.guards import (
    FOREIGN,
    browser_of,
    is_same_origin,
    mark_browser,
    person_of,
    remember,
)
from app.routes.pages import ROLE_WORDS, page, refusal
from study.errors import InvitationError, RealPersonEnrolledError, StorageError
from study.invitations import accept_invitation, look_up_invitation
from study.sign_in import Browser, Entry

VISIT = "safemed_visit"
REPEAT_S = 300.0


@dataclass(slots=True)
class RecentEntries:
    """Entries of the last minutes, so that a double click still shows the return code.

    An entry is found only by the browser that made it: its key is a random visit cookie given
    with the form, together with the invitation.
    """

    _entries: dict[str, tuple[float, Entry]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, visit: str, token: str, browser: Browser) -> Entry:
        """Accept the invitation, or give again what this visit got for it a moment ago.

        Raises:
            InvitationError: If the link is unknown, used or expired.
        """
        key = hashlib.sha256(f"{visit} {token}".encode()).hexdigest()
        with self._lock:
            now = time.monotonic()
            self._entries = {k: v for k, v in self._entries.items() if v[0] > now}
            if visit and key in self._entries:
                return self._entries[key][1]
            entry = accept_invitation(services.store(), token, browser)
            self._entries[key] = (now + REPEAT_S, entry)
            return entry


_recent = RecentEntries()


async def show(request: Request) -> Response:
    """Name the study and the role; nothing is consumed, however often this is followed."""
    token = request.query_params.get("t", "")
    try:
        view = await run_in_threadpool(look_up_invitation, services.store(), token)
    except InvitationError as error:
        return await _refused(request, error)
    except StorageError as error:
        return _out_of_order(error)
    response = page(
        "enter",
        title=view.study_title,
        role=ROLE_WORDS[view.role],
        simulated=view.simulated,
        expires=f"{view.expires_at:%d %B %Y}",
        token=token,
    )
    response.set_cookie(
        VISIT,
        secrets.token_urlsafe(16),
        max_age=3600,
        path="/enter",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def accept(request: Request) -> Response:
    """Consume the invitation, sign the browser in and show the return code, once."""
    if not is_same_origin(request):
        return refusal("Not done", FOREIGN, status=403)
    form = await request.form()
    token, visit = str(form.get("t", "")), request.cookies.get(VISIT, "")
    try:
        browser = browser_of(request)
        entry = await run_in_threadpool(_recent.accept, visit, token, browser)
    except (InvitationError, RealPersonEnrolledError) as error:
        return await _refused(request, error)
    except StorageError as error:
        return _out_of_order(error)
    response = page("code", code=entry.return_code)
    remember(response, request, entry.session_token)
    mark_browser(response, request, browser)
    return response


async def _refused(request: Request, error: Exception) -> Response:
    return refusal(
        "This link cannot be used",
        str(error),
        status=410,
        go_on=await person_of(request) is not None,
    )


def _out_of_order(error: StorageError) -> Response:
    return refusal(
        "Out of order for the moment",
        str(error),
        status=503,
        remedy="Your link is still good. Please tell the study team, and try again later.",
    )
