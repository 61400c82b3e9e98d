"""What came of one call in an evaluation: a text, or a failure by its name, never both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from model.reply import Failure

CallFailure = Literal[Failure, "rate_limit", "half_reply", "refused", "other_model"]
"""Beyond the failures of any reply: too many requests, a reply that broke off, a provider that
declined to generate, a reply in another model's name."""
FAILURES: frozenset[str] = frozenset(get_args(CallFailure))
_DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Answer:
    """One call's outcome."""

    failure: CallFailure | None
    """None when `text` can be judged."""
    detail: str | None
    text: str | None
    reasoning: str | None = None
    finish_reason: str | None = None
    model_named: str | None = None
    """The model's name as the reply states it."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def __post_init__(self) -> None:
        """Refuse a failure with a text, and an answer without one."""
        if (self.failure is None) != (self.text is not None):
            raise ValueError("an answer has either a text or a failure")

    @property
    def status(self) -> Literal["completed", "failed"]:
        """Whether there is a text."""
        return "failed" if self.failure else "completed"

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Answer:
        """From what `as_dict` gave."""
        return cls(**{field.name: value[field.name] for field in fields(cls)})


def no_answer(failure: CallFailure, detail: str, **known: Any) -> Answer:
    """A failed call; the detail becomes one line of at most 300 characters."""
    return Answer(failure, " ".join(detail.split())[:_DETAIL_CHARACTERS], None, **known)
