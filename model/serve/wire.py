"""OpenAI's shapes on the wire: bodies in, completions, streamed chunks and errors out."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from model.serve.engine import Generated
from model.serve.requests import RequestError

LARGEST_BODY = 4 * 1024 * 1024
DONE = b"data: [DONE]\n\n"
PATHS = frozenset({"/v1/models", "/v1/chat/completions", "/health", "/metrics"})


async def read_body(request: Request) -> bytes:
    """The bytes of a request.

    Raises:
        RequestError: If there are too many.
    """
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > LARGEST_BODY:
            raise RequestError(f"the request is longer than {LARGEST_BODY} bytes", status=413)
    return bytes(content)


def decoded(content: bytes) -> object:
    """A request's JSON.

    Raises:
        RequestError: If it is none.
    """
    try:
        body: object = json.loads(content)
    except ValueError as error:
        raise RequestError(f"the request is not JSON: {error}") from error
    return body


def usage(n_prompt: int, answers: Sequence[Generated]) -> dict[str, int]:
    """Tokens read and written."""
    n_written = sum(answer.n_tokens for answer in answers)
    return {
        "prompt_tokens": n_prompt,
        "completion_tokens": n_written,
        "total_tokens": n_prompt + n_written,
    }


def completion(name: str, n_prompt: int, answers: Sequence[Generated]) -> dict[str, Any]:
    """A whole answer."""
    return {
        **_head(name, "chat.completion"),
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": answer.text},
                "finish_reason": answer.finish_reason,
            }
            for index, answer in enumerate(answers)
        ],
        "usage": usage(n_prompt, answers),
    }


class Chunks:
    """The chunks of one streamed answer; all carry the same id and time."""

    def __init__(self, name: str) -> None:
        self._head = _head(name, "chat.completion.chunk")

    def text(self, index: int, piece: str) -> bytes:
        """A piece of one text."""
        return self._choice(index, {"role": "assistant", "content": piece}, None)

    def end(self, index: int, finish_reason: str) -> bytes:
        """The end of one text."""
        return self._choice(index, {}, finish_reason)

    def usage(self, counts: dict[str, int]) -> bytes:
        """The count of tokens, which has no text beside it."""
        return event({**self._head, "choices": [], "usage": counts})

    def _choice(self, index: int, delta: dict[str, str], reason: str | None) -> bytes:
        choice = {"index": index, "delta": delta, "finish_reason": reason}
        return event({**self._head, "choices": [choice]})


def event(value: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


def _head(name: str, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": name,
    }


BROKEN = RequestError(
    "the engine could not generate an answer; its log says why", code="engine_error", status=500
)


async def refused(request: Request, error: Exception) -> JSONResponse:
    """The reply to a request that cannot be answered."""
    shown = error if isinstance(error, RequestError) else RequestError(str(error))
    return JSONResponse(shown.as_json(), status_code=shown.status)


async def broken(request: Request, error: Exception) -> JSONResponse:
    """The reply when something of ours broke."""
    return JSONResponse(BROKEN.as_json(), status_code=500)
