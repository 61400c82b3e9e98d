"""How a finished checkpoint answers rows it was not trained on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from model.reply import split_reasoning
from model.serve.engine import Engine
from model.serve.settings import Settings
from model.train.rows import TrainingRow

_DECISIONS = {
    "change": re.compile(r"plan should be changed|concern is|would not go ahead"),
    "proceed": re.compile(r"plan is appropriate"),
    "refuse": re.compile(r"\bI will not\b"),
}
_BATCH = 32


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Greedy answers to rows never trained on, about the same facts in other patients."""

    n_rows: int
    n_ended: int
    """Answers that ended by themselves, with the reasoning closed."""
    n_right_decision: int
    """Change, proceed or refuse as the row says."""
    n_exact: int
    """Reasoning and answer word for word as in the row, up to its choice of opening."""
    by_decision: dict[str, tuple[int, int]]
    """Right and all, for each decision."""


def decision_of(text: str) -> str | None:
    """The one decision that an answer states; None if it states none, or several."""
    stated = [name for name, pattern in _DECISIONS.items() if pattern.search(text)]
    return stated[0] if len(stated) == 1 else None


def measure(engine: Engine, rows: Sequence[TrainingRow], *, max_tokens: int = 256) -> HeldOut:
    """Answer rows that state a decision, and count."""
    stated = [row for row in rows if row.decision]
    n_ended = n_right = n_exact = 0
    tally: dict[str, tuple[int, int]] = {}
    for start in range(0, len(stated), _BATCH):
        batch = stated[start : start + _BATCH]
        prompts = [engine.encode([{"role": "user", "content": row.prompt}]) for row in batch]
        answers = engine.generate(prompts, Settings(max_tokens=max_tokens))
        for row, (answer,) in zip(batch, answers, strict=True):
            text, reasoning, closed = split_reasoning(answer.text)
            expected, thought, _ = split_reasoning(row.completion)
            right = decision_of(text) == row.decision
            n_ended += closed and answer.finish_reason == "stop"
            n_right += right
            n_exact += reasoning == thought and _ending(text) == _ending(expected)
            done, seen = tally.get(str(row.decision), (0, 0))
            tally[str(row.decision)] = (done + right, seen + 1)
    return HeldOut(len(stated), n_ended, n_right, n_exact, tally)


def _ending(text: str) -> str:
    return text.rpartition("My advice:")[2].rpartition("Please monitor:")[2].strip()
