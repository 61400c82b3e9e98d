"""Every refusal leaves a line in the log: which role asked for what, and nothing that it sent."""

from __future__ import annotations

import logging

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.identity import person_of_token, token_in_header
from study.errors import StorageError

REFUSED = (401, 403)
HIDING = "/files/"
"""Where a refusal answers 404, so that nothing can be learnt from it."""
log = logging.getLogger("safemed.app")


class LoggedRefusals:
    """Writes down what was refused to whom.

    A role and a place, no more: a name, a token, a code or what was typed stays out of the log,
    and so does everything below the place.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and log the answer if it is a refusal."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def watched_send(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_refusal(scope, message["status"]):
                role = await to_thread.run_sync(_role, scope)
                log.warning(
                    "refused: %s, %s %s, %d", role, scope["method"], _place(scope["path"]),
                    message["status"],
                )  # fmt: skip
            await send(message)

        await self.app(scope, receive, watched_send)


def _is_refusal(scope: Scope, status: int) -> bool:
    return status in REFUSED or (status == 404 and scope["path"].startswith(HIDING))


def _place(path: str) -> str:
    """The first two steps of the path where they are ours, which they are of a draft's route."""
    steps = path.strip("/").split("/")
    # As ASCII: a path may hold a line's end, which would write a line of its own.
    return ascii("/" + "/".join(steps[: 2 if steps[0] == "api" else 1])).strip("'")


def _role(scope: Scope) -> str:
    try:
        person = person_of_token(token_in_header(Headers(scope=scope).get("cookie", "")))
    except StorageError:
        return "unknown"
    return person.role if person else "nobody"
