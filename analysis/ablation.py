"""What is lost by leaving something out: shares over several runs, and differences by seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.attempts import NotComputed, attempt
from analysis.bootstrap import cluster_interval
from analysis.errors import UndefinedError
from analysis.paired import MeanDifference, mean_difference
from analysis.permutation import Floats
from analysis.values import Interval


@dataclass(frozen=True, slots=True)
class AblationShare:
    """One share under one condition, beside the condition that it is compared with."""

    n_rows: int
    n_seeds: int
    share: Interval | NotComputed
    """Over all runs; BCa over rows, since every seed is asked the same ones."""
    minus_first: MeanDifference | NotComputed | None
    """This condition minus the first, share by seed; t interval over seeds. None for the first."""


def ablation_share(
    hits: Floats, first: Floats | None, *, n_resamples: int, seed: int, confidence: float = 0.95
) -> AblationShare:
    """A share over runs with different seeds, and its difference from the first condition.

    The two intervals answer different questions: that of the share, how far other rows would
    differ; that of the difference, how far other trainings would.

    Args:
        hits: Whether each row counts, 0 or 1; shape (n_rows, n_seeds).
        first: The first condition's, with the same seeds; None where this is the first.
        n_resamples: Bootstrap resamples of rows.
        seed: Of the bootstrap.
        confidence: Of the intervals.

    Raises:
        ValueError: If the shapes differ.
    """
    if first is not None and first.shape != hits.shape:
        raise ValueError(f"hits have shapes {hits.shape} and {first.shape}, wanted the same")
    n_rows, n_seeds = hits.shape
    return AblationShare(
        n_rows, n_seeds,
        attempt(lambda: _share(hits, n_resamples, seed, confidence)),
        None if first is None else attempt(lambda: _difference(hits, first, confidence)),
    )  # fmt: skip


def _share(hits: Floats, n_resamples: int, seed: int, confidence: float) -> Interval:
    if not hits.size:
        raise UndefinedError("undefined: no such row was asked")
    parts = np.column_stack([hits.sum(axis=1), np.full(len(hits), hits.shape[1])]).astype(float)
    if len({*hits.ravel().tolist()}) == 1:
        raise UndefinedError(
            f"{float(hits.flat[0]):.0%}, without an interval: every answer in every run was the "
            "same"
        )
    return cluster_interval(
        float(hits.mean()), parts, lambda sums: np.asarray(sums[:, 0] / sums[:, 1]),
        _names(len(hits)), n_resamples=n_resamples, seed=seed, confidence=confidence,
    )  # fmt: skip


def _names(n_rows: int) -> Sequence[int]:
    return list(range(n_rows))


def _difference(hits: Floats, first: Floats, confidence: float) -> MeanDifference:
    if not hits.size:
        raise UndefinedError("undefined: no such row was asked")
    return mean_difference(hits.mean(axis=0) - first.mean(axis=0), confidence=confidence)
