"""Everything that reaches a browser: socket frames, responses with their headers, downloads."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToDict
from playwright.sync_api import Error, Page, Request, Response, WebSocket
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg


@dataclass
class Capture:
    """What one page has received since the capture began.

    Without slots: Playwright keeps its wrappers of the handlers on the object.
    """

    frames: list[bytes] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    """Streamlit's own static files left out."""
    bodies: dict[Response, bytes] = field(default_factory=dict)
    page: Page | None = None
    n_pending: int = 0
    """Responses whose bodies are still being taken."""

    def listen(self, page: Page) -> Capture:
        """Begin; every later socket and response of the page is kept."""
        self.page = page
        page.on("websocket", self._socket)
        page.on("requestfinished", self._finished)
        return self

    def _finished(self, request: Request) -> None:
        # The body is taken at once: Chromium forgets it when the page moves on.
        self.n_pending += 1
        response = request.response()
        if response is not None and "/static/" not in response.url:
            self.bodies[response] = _body_of(response)
            self.responses.append(response)
        self.n_pending -= 1

    def settle(self) -> None:
        """Wait until every body is taken: none may be left out of a search."""
        assert self.page is not None
        for _ in range(100):
            if not self.n_pending:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{self.n_pending} responses were not taken within 5 s")

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._frame)

    def _frame(self, payload: str | bytes) -> None:
        self.frames.append(payload.encode() if isinstance(payload, str) else payload)

    def messages(self) -> list[dict[str, Any]]:
        """The frames decoded as Streamlit's messages."""
        return [MessageToDict(parsed(frame)) for frame in self.frames]

    def everything(self) -> bytes:
        """All of it in one piece, to search: raw, and decoded with nested bytes opened."""
        self.settle()
        parts: list[bytes] = list(self.frames)
        for message in self.messages():
            parts.append(json.dumps(message, ensure_ascii=False).encode())
            parts += opened(message)
        for response in self.responses:
            parts.append(response.url.encode())
            parts.append(json.dumps(response.headers_array()).encode())
            parts.append(self.bodies[response])
        return b"\n".join(parts)


def _body_of(response: Response) -> bytes:
    """The response's body; empty for redirects and the like, which have none to give."""
    try:
        return response.body()
    except Error:
        return b""


def parsed(frame: bytes) -> ForwardMsg:
    """The frame as Streamlit's message."""
    message = ForwardMsg()
    message.ParseFromString(frame)
    return message


def opened(value: Any) -> list[bytes]:
    """Texts that are base64 or JSON within JSON, opened."""
    if isinstance(value, dict):
        return [part for inner in value.values() for part in opened(inner)]
    if isinstance(value, list):
        return [part for inner in value for part in opened(inner)]
    if not isinstance(value, str):
        return []
    found = [value.encode()]
    if re.fullmatch(r"[A-Za-z0-9+/]{16,}={0,2}", value) and len(value) % 4 == 0:
        found.append(base64.b64decode(value))
    return found


SESSION_FIELDS = {"sessionId", "scriptRunId", "hash", "refHash", "installationId", "userInfo"}


def without_session(value: Any) -> Any:
    """The message without what names a session, a run or a moment."""
    if isinstance(value, dict):
        return {
            name: without_session(inner)
            for name, inner in value.items()
            if name not in SESSION_FIELDS
        }
    if isinstance(value, list):
        return [without_session(inner) for inner in value]
    return plain(value) if isinstance(value, str) else value


def plain(text: str) -> str:
    """The text without form keys, element digests, times, ports and session tokens."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"[0-9a-f]{32,}", "DIGEST", text)
    text = re.sub(r"(?<![0-9a-f])f[0-9a-f]{16}(?![0-9a-f])", "KEY", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", text)
    return re.sub(r"safemed_session=\w+", "safemed_session=TOKEN", text)
