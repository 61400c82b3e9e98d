"""Chat completion requests, read strictly: what cannot be honoured is refused, not ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model.serve.settings import Settings
from model.strict import Fields

_LARGEST_SEED = 2**63 - 1
_MOST_SAMPLES = 16
_ROLES = ("system", "user", "assistant")


class RequestError(Exception):
    """A request that cannot be answered, in the words and the shape of OpenAI's API."""

    def __init__(self, message: str, *, code: str = "invalid_request", status: int = 400) -> None:
        """Make the error.

        Args:
            message: What is wrong and what to do.
            code: Short name for programs.
            status: HTTP status.
        """
        super().__init__(message)
        self.code = code
        self.status = status

    def as_json(self) -> dict[str, Any]:
        """The body of the reply."""
        return {
            "error": {
                "message": str(self),
                "type": "invalid_request_error" if self.status < 500 else "server_error",
                "param": None,
                "code": self.code,
            }
        }


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request, checked."""

    messages: tuple[dict[str, str], ...]
    settings: Settings
    states_max_tokens: bool
    """False when the answer may be as long as the context leaves room for."""
    stream: bool = False
    """Whether the answer is sent while it is written."""
    states_usage: bool = False
    """Whether a stream ends with the count of tokens."""


def read_chat_request(body: object, *, model: str) -> ChatRequest:
    """Check the decoded body of `/v1/chat/completions`.

    Args:
        body: Decoded JSON.
        model: Name of the model served.

    Raises:
        RequestError: Naming the field, the value and what is accepted.
    """
    fields = Fields(body, "the request", RequestError)
    asked = fields.take("model", str)
    if asked != model:
        raise RequestError(
            f"the model {asked!r} is not served here; this endpoint serves {model!r}",
            code="model_not_found",
            status=404,
        )
    stream = bool(fields.take("stream", bool, type(None), default=False))
    states_usage = _usage(fields.take("stream_options", dict, type(None), default=None), stream)
    messages = _messages(fields.take("messages", list))
    limit = _limit(fields)
    settings = Settings(
        temperature=_within(fields, "temperature", 1.0, 0.0, 2.0),
        top_p=_within(fields, "top_p", 1.0, 1e-6, 1.0),
        max_tokens=limit or 1,
        stop=_stop(fields.take("stop", str, list, type(None), default=None)),
        n=_count(fields, "n", 1, _MOST_SAMPLES),
        seed=fields.take("seed", int, type(None), default=None),
    )
    fields.take("user", str, type(None), default=None)
    fields.finish()
    if settings.seed is not None and not 0 <= settings.seed <= _LARGEST_SEED:
        raise RequestError(f"seed is {settings.seed}; it is 0 to {_LARGEST_SEED}")
    if settings.n > 1 and settings.temperature == 0:
        raise RequestError("n above 1 needs a temperature above 0: the answers would be the same")
    return ChatRequest(messages, settings, limit is not None, stream, states_usage)


def _usage(written: dict[str, Any] | None, stream: bool) -> bool:
    if written is None:
        return False
    if not stream:
        raise RequestError("stream_options is stated and stream is not; state both or neither")
    fields = Fields(written, "stream_options", RequestError)
    wanted = bool(fields.take("include_usage", bool, default=False))
    fields.finish()
    return wanted


def _limit(fields: Fields) -> int | None:
    limits = [
        fields.take(name, int, type(None), default=None)
        for name in ("max_tokens", "max_completion_tokens")
    ]
    stated = [limit for limit in limits if limit is not None]
    if any(limit < 1 for limit in stated) or len(set(stated)) > 1:
        raise RequestError(f"max_tokens is {stated}; state it once, 1 or more")
    return int(stated[0]) if stated else None


def _messages(written: list[Any]) -> tuple[dict[str, str], ...]:
    if not written:
        raise RequestError("messages is empty; at least one message has to be asked")
    messages = []
    for number, message in enumerate(written, start=1):
        fields = Fields(message, f"message {number}", RequestError)
        role, content = fields.take("role", str), fields.take("content", str)
        fields.finish()
        if role not in _ROLES:
            raise RequestError(f"message {number}: role is {role!r}; it is one of {_ROLES}")
        messages.append({"role": role, "content": content})
    return tuple(messages)


def _stop(written: str | list[Any] | None) -> tuple[str, ...]:
    stops = [written] if isinstance(written, str) else (written or [])
    if len(stops) > 4 or not all(isinstance(stop, str) and stop for stop in stops):
        raise RequestError(f"stop is {stops!r:.80}; it is up to four texts that are not empty")
    return tuple(stops)


def _within(fields: Fields, name: str, default: float, low: float, high: float) -> float:
    value = fields.take(name, float, type(None), default=None)
    value = default if value is None else float(value)
    if not low <= value <= high:
        raise RequestError(f"{name} is {value:g}; it lies between {low:g} and {high:g}")
    return value


def _count(fields: Fields, name: str, default: int, most: int) -> int:
    value = fields.take(name, int, type(None), default=None)
    value = default if value is None else int(value)
    if not 1 <= value <= most:
        raise RequestError(f"{name} is {value}; it is 1 to {most}")
    return value
