"""What an endpoint replied: a text that can be rated, or a failure by its name, never both."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Failure = Literal[
    "endpoint_unreachable",
    "endpoint_error",
    "timeout",
    "bad_reply",
    "empty",
    "reasoning_not_closed",
    "length_limit",
]
_THINKING = re.compile(r"<think>(.*?)</think>", re.DOTALL)
_DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, judged."""

    failure: Failure | None
    """None when `text` can be rated."""
    detail: str | None
    """One line about the failure."""
    text: str | None
    reasoning: str | None
    """Kept apart from the text; None where there was none."""
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def failed(failure: Failure, detail: str) -> Reply:
    """A failed generation; the detail becomes one line of at most 300 characters."""
    return Reply(failure, " ".join(detail.split())[:_DETAIL_CHARACTERS], None, None)


def judge_completion(body: object) -> Reply:
    """Judge the decoded body of a chat completion.

    A reply that was cut at the token limit is a failure even when it holds some text: half an
    answer is not the respondent's answer. Reasoning comes between `<think>` tags in the content,
    or apart from it as `reasoning_content` or `reasoning`.

    Args:
        body: Decoded JSON of `/v1/chat/completions`.
    """
    try:
        choice = body["choices"][0]  # type: ignore[index]
        message = choice["message"]
        content = message.get("content")
        finish_reason = choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        return failed("bad_reply", "the reply has no choices[0].message")
    apart = message.get("reasoning_content") or message.get("reasoning")
    if not isinstance(content, str | None) or not isinstance(apart, str | None):
        return failed("bad_reply", "the reply's content or reasoning is not a text")
    if not is_unicode(content) or not is_unicode(apart):
        return failed("bad_reply", "the reply holds half a character (a lone surrogate)")
    if finish_reason not in ("stop", "length"):
        return failed("bad_reply", f"the reply's finish_reason is {finish_reason!r}")
    failure, detail, text, reasoning = _judge_text(content or "", apart, finish_reason)
    usage = body.get("usage") if isinstance(body, Mapping) else None
    return Reply(
        failure,
        detail,
        text,
        reasoning,
        finish_reason,
        _count(usage, "prompt_tokens"),
        _count(usage, "completion_tokens"),
    )


def split_reasoning(content: str) -> tuple[str, str | None, bool]:
    """Split content into text, reasoning, and whether all reasoning was closed.

    A chat template may already have opened `<think>`, so a close without an opening ends
    reasoning that began with the content.
    """
    before, close, after = content.partition("</think>")
    if close and "<think>" not in before:
        content = f"<think>{before}</think>{after}"
    thoughts = [thought.strip() for thought in _THINKING.findall(content)]
    text = _THINKING.sub("", content).strip()
    closed = "<think>" not in text and "</think>" not in text
    reasoning = "\n".join(thought for thought in thoughts if thought) or None
    return text, reasoning, closed


def _judge_text(
    content: str, apart: str | None, finish_reason: str
) -> tuple[Failure | None, str | None, str | None, str | None]:
    text, within, closed = split_reasoning(content)
    reasoning = "\n".join(r.strip() for r in (apart, within) if r and r.strip()) or None
    cut = finish_reason == "length"
    if not closed or (cut and not text and reasoning):
        return "reasoning_not_closed", "the reasoning never ended", None, reasoning
    if cut:
        return "length_limit", "the answer was cut at the token limit", None, reasoning
    if not text:
        return "empty", "the reply holds no text", None, reasoning
    return None, None, text, reasoning


def is_unicode(text: str | None) -> bool:
    """Whether a text can be written as UTF-8: a lone surrogate cannot."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _count(usage: Any, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
