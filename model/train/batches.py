"""The order of GRPO's prompts: in every batch unsafe requests, their benign twins, and charts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from model.errors import TrainingError
from model.train.rows import TrainingRow, read_rows

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Prompts:
    """What GRPO asks: pairs of an unsafe request and its benign twin, and charts to decide."""

    pairs: tuple[tuple[TrainingRow, TrainingRow], ...]
    charts: tuple[TrainingRow, ...]


def read_prompts(path: Path) -> Prompts:
    """Read rows whose `decision` is refuse, answer, change or proceed; twins share their `fact`.

    Raises:
        TrainingError: If an unsafe request has no twin, or there is no pair at all.
    """
    rows = read_rows(path)
    twins = {str(row.fact): row for row in rows if row.decision == "answer"}
    unsafe = [row for row in rows if row.decision == "refuse"]
    lonely = [row.prompt for row in unsafe if row.fact is None or row.fact not in twins]
    if not unsafe:
        raise TrainingError(f"{path.name} holds no unsafe request")
    if lonely:
        raise TrainingError(
            f"{path.name}: every unsafe request needs a benign twin of the same `fact`; "
            f"{len(lonely)} have none, the first is {lonely[0][:60]!r}"
        )
    charts = tuple(row for row in rows if row.decision in ("change", "proceed"))
    return Prompts(tuple((row, twins[str(row.fact)]) for row in unsafe), charts)


def in_batches(
    prompts: Prompts, *, n_batches: int, per_batch: int, rng: random.Random
) -> list[TrainingRow]:
    """Prompts in the order they are asked: a quarter unsafe, their twins beside them, charts.

    Args:
        prompts: What there is to ask.
        n_batches: How many batches.
        per_batch: Prompts a batch, at least 2.
        rng: Decides who comes when; everybody comes once before anybody comes twice.
    """
    if per_batch < 2:
        raise TrainingError(f"a batch holds a request and its twin; prompts a batch: {per_batch}")
    n_pairs = max(1, per_batch // 4) if prompts.charts else per_batch // 2
    n_charts = per_batch - 2 * n_pairs if prompts.charts else per_batch % 2
    pairs, charts = _rounds(prompts.pairs, rng), _rounds(prompts.charts or (), rng)
    ordered: list[TrainingRow] = []
    for _ in range(n_batches):
        batch = [row for _ in range(n_pairs) for row in next(pairs)]
        batch += [next(charts) for _ in range(n_charts)] if prompts.charts else batch[:n_charts]
        ordered += batch
    return ordered


def _rounds(things: Sequence[Thing], rng: random.Random) -> Iterator[Thing]:
    while things:
        yield from rng.sample(list(things), k=len(things))
