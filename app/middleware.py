"""What stands before every request: who it is from, where it may go, what the browser may do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.faults import log_fault
from app.identity import HEADER, person_of_token, token_in_header
from app.limits import Limit
from app.routes.pages import as_sentence, refusal
from study.errors import StorageError

BLOCKED = (
    "/_stcore/metrics",
    "/_stcore/agent",
    "/_stcore/script-health-check",
    "/_stcore/upload_file",
    "/auth/",
    "/oauth2callback",
)
"""Routes of Streamlit that nobody here needs and that answer without sign-in."""


class CalmFaults:
    """Answers a fault in words, and logs where it was but none of the values in it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; what goes wrong goes no further."""
        has_begun = False

        async def watched_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except ClientDisconnect:
            return  # whoever asked has left; a page being closed often does
        except Exception as error:
            log_fault("a request", error)
            if scope["type"] == "http" and not has_begun:
                await _fault_response(scope, error)(scope, receive, send)


def _fault_response(scope: Scope, error: Exception) -> Response:
    words, status = "Something went wrong on our side. Nothing shown as saved is lost.", 500
    if isinstance(error, StorageError):
        words, status = as_sentence(str(error)), 503
    if scope["path"].startswith("/api/"):
        return JSONResponse({"error": words}, status, headers={"cache-control": "no-store"})
    return refusal(
        "The page cannot be shown",
        words,
        status=status,
        remedy="Please reload it in a minute; if it lasts, tell the study team.",
    )


class RateLimits:
    """Slows down whoever tries too often from one address: signing in, and drafts."""

    def __init__(self, app: ASGIApp, *, trusted_header: str | None = None) -> None:
        self.app = app
        self.trusted_header = trusted_header
        self.limits = {
            "sign in": Limit(tries=300, within_s=300),
            "drafts": Limit(tries=6_000, within_s=60),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or say when to try again."""
        limit = self._limit(scope)
        wait = limit.wait_s(self._address(scope)) if limit else 0.0
        if not wait:
            await self.app(scope, receive, send)
            return
        words = f"too many tries from here; try again in {max(1, round(wait))} seconds"
        response: Response = (
            JSONResponse({"error": as_sentence(words)}, 429)
            if scope["path"].startswith("/api/")
            else refusal("A moment, please", words, status=429)
        )
        response.headers["retry-after"] = str(max(1, round(wait)))
        await response(scope, receive, send)

    def _limit(self, scope: Scope) -> Limit | None:
        if scope["type"] != "http":
            return None
        if scope["path"].startswith("/institution"):
            return self.limits["sign in"]
        if scope["method"] != "POST":
            return None
        if scope["path"].startswith("/api/"):
            return self.limits["drafts"]
        return self.limits["sign in"] if scope["path"] in ("/enter", "/return") else None

    def _address(self, scope: Scope) -> str:
        """The client's address; from a header only where the operator names one to trust."""
        if self.trusted_header:
            written = Headers(scope=scope).get(self.trusted_header, "")
            if written:
                # A proxy appends the address that it saw: what stands before it is a claim.
                return written.rpartition(",")[2].strip()
        client = scope.get("client")
        return str(client[0]) if client else "unknown"


class KnownHostOnly:
    """Refuses requests made under another name, which is how a foreign page would rebind ours."""

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse a foreign name."""
        if scope["type"] == "http" and not self._knows(Headers(scope=scope).get("host", "")):
            refusal = PlainTextResponse(
                "This address is not one the study is served under. The study team can allow it "
                "by starting the app with SAFEMED_BASE_URL set to it.",
                status_code=421,
            )
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _knows(self, host: str) -> bool:
        try:
            return (urlsplit(f"//{host}").hostname or "").lower() in self.hosts
        except ValueError:
            return False


class BlockedPaths:
    """Answers 404 where Streamlit would tell anyone about sessions or offer another way in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404, or pass on."""
        path = re.sub("/{2,}", "/", scope.get("path", ""))
        if scope["type"] == "http" and path.startswith(BLOCKED):
            await PlainTextResponse("Not found", status_code=404)(scope, receive, send)
            return
        await self.app(scope, receive, send)


class TrustedIdentity:
    """Takes the identity header from clients and gives it to sockets whose cookie is good."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with the identity we vouch for, and no other."""
        if scope["type"] in ("http", "websocket"):
            name = HEADER.encode("ascii")
            # Underscores too: some proxies and servers take them for hyphens.
            kept = [
                (key, value)
                for key, value in scope["headers"]
                if key.lower().replace(b"_", b"-") != name
            ]
            if scope["type"] == "websocket":
                person_id = await to_thread.run_sync(_person_id, scope)
                if person_id:
                    kept.append((name, person_id.encode("ascii")))
            scope = {**scope, "headers": kept}
        await self.app(scope, receive, send)


def _person_id(scope: Scope) -> str | None:
    try:
        person = person_of_token(token_in_header(Headers(scope=scope).get("cookie", "")))
    except StorageError:
        return None  # the screen will say that the database is out of order
    return person.person_id if person else None


class SecurityHeaders:
    """Tells the browser what our pages may do; a route's own policy is kept."""

    def __init__(self, app: ASGIApp, *, script_hashes: Sequence[str]) -> None:
        self.app = app
        self.script_hashes = " ".join(f"'{digest}'" for digest in script_hashes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and add the headers to the response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), host, scope["scheme"])
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, host: str, scheme: str) -> None:
        headers.setdefault("content-security-policy", self._policy(host))
        headers["x-content-type-options"] = "nosniff"
        headers["x-frame-options"] = "DENY"
        # Not "no-referrer": under it, browsers send "Origin: null" with our own forms.
        headers["referrer-policy"] = "same-origin"
        headers["cross-origin-opener-policy"] = "same-origin"
        headers["cross-origin-resource-policy"] = "same-origin"
        headers["permissions-policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        if scheme == "https":
            headers["strict-transport-security"] = "max-age=31536000"

    def _policy(self, host: str) -> str:
        return "; ".join(
            [
                "default-src 'none'",
                # blob: is where Streamlit puts a component's own script.
                f"script-src 'self' blob: {self.script_hashes}",
                # Streamlit's styles are made in the browser and cannot be known beforehand.
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                "font-src 'self' data:",
                f"connect-src 'self' ws://{host} wss://{host}",
                "manifest-src 'self'",
                "worker-src 'self' blob:",
                "base-uri 'none'",
                "form-action 'self'",
                "frame-ancestors 'none'",
            ]
        )
