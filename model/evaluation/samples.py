"""What is put to a model in an evaluation, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.canonical import sha256_hex
from model.evaluation.answers import Answer


@dataclass(frozen=True, slots=True)
class Question:
    """One prompt of an evaluation."""

    sample_id: str
    item_id: str
    """Of the item; samples of one item (its orders) share it."""
    cluster: str
    """What intervals resample whole: the seed prompt, or the item."""
    strata: Mapping[str, str]
    """What results are split by, such as category or subject."""
    prompt: str
    """The whole user message."""
    request: str
    """What a judge is shown as the request."""
    key: tuple[str, ...] | None = None
    """The right options by their own letters; None where there is no key."""
    shown: tuple[str, ...] | None = None
    """The options' own letters in the order in which they were shown, as A, B, ..."""
    options: tuple[str, ...] | None = None
    """The options' texts in the order in which they were shown."""
    multiple: bool | None = None
    """Whether several options may be chosen."""
    order: int = 0
    """Which of the item's orders this is; 0 is as published."""

    def record(self, answer: Answer) -> dict[str, Any]:
        """One line of `samples.jsonl`."""
        return {
            "sample_id": self.sample_id,
            "item_id": self.item_id,
            "cluster": self.cluster,
            "strata": dict(self.strata),
            "order": self.order,
            "key": list(self.key) if self.key is not None else None,
            "shown": list(self.shown) if self.shown is not None else None,
            "options": list(self.options) if self.options is not None else None,
            "multiple": self.multiple,
            "prompt": self.prompt,
            "prompt_sha256": sha256_hex(self.prompt.encode()),
            "request": self.request,
            "status": answer.status,
            **answer.as_dict(),
        }


def answer_in(record: Mapping[str, Any]) -> Answer:
    """The answer of one line of `samples.jsonl`."""
    return Answer.from_dict(record)
