"""Krippendorff's alpha from coincidences that are summed once an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.bootstrap import Finish, cluster_interval
from analysis.errors import UndefinedError
from analysis.permutation import Floats
from analysis.rating_counts import point_counts
from analysis.values import Interval, Value

Level = Literal["nominal", "ordinal", "interval"]


def krippendorff_alpha(
    ratings: Floats, *, level: Level, categories: Sequence[float] | None = None
) -> Value:
    """Krippendorff's alpha over all pairable ratings.

    Args:
        ratings: Shape (n_items, n_raters), NaN where missing.
        level: Of measurement; ordinal for rubric points.
        categories: The scale's points; the points seen by default.

    Raises:
        UndefinedError: If no item has two ratings, or all paired ratings are equal.
        ValueError: If a rating is not among the categories.

    References:
        Krippendorff 2019, Content Analysis, 4th ed., chapter 12.
    """
    counts, points = _pairable(ratings, categories)
    if not counts.any():
        raise UndefinedError("undefined: no item with two ratings")
    parts, finish = _parts(counts), _finish(points, level)
    value = finish(parts.sum(axis=0, keepdims=True))[0]
    if not np.isfinite(value):
        only = points[counts.sum(axis=0) > 0][0]
        raise UndefinedError(f"undefined: no variation, every paired rating is {only:g}")
    return Value(float(value))


def krippendorff_alpha_interval(
    ratings: Floats, *, level: Level, clusters: Sequence[object], n_resamples: int, seed: int,
    categories: Sequence[float] | None = None, confidence: float = 0.95,
) -> Interval:  # fmt: skip
    """Alpha with its BCa interval from a bootstrap of whole clusters.

    Args:
        ratings: Shape (n_items, n_raters).
        level: Of measurement.
        clusters: Cluster of each item, such as its vignette; shape (n_items,).
        n_resamples: Bootstrap resamples.
        seed: Of the bootstrap.
        categories: The scale's points.
        confidence: Of the interval.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `krippendorff_alpha`.
    """
    value = krippendorff_alpha(ratings, level=level, categories=categories).value
    counts, points = _pairable(ratings, categories)
    return cluster_interval(
        value, _parts(counts), _finish(points, level), clusters, n_resamples=n_resamples, seed=seed,
        confidence=confidence,
    )  # fmt: skip


def _pairable(ratings: Floats, categories: Sequence[float] | None) -> tuple[Floats, Floats]:
    counts, points = point_counts(ratings, categories)
    counts[counts.sum(axis=1) < 2] = 0
    return counts, points


def _parts(counts: Floats) -> Floats:
    """Of each item its counts of the points and its coincidences, point by point."""
    per_item = counts.sum(axis=1)
    share = np.divide(counts, (per_item - 1)[:, None], where=(per_item > 1)[:, None],
                      out=np.zeros_like(counts))  # fmt: skip
    pairs = np.einsum("ic,id->icd", share, counts).reshape(counts.shape[0], -1)
    return np.hstack([counts, pairs])


def _finish(points: Floats, level: Level) -> Finish:
    """Alpha from summed parts."""
    n_points = points.size

    def finish(sums: Floats) -> Floats:
        totals = sums[:, :n_points]
        coincidence = sums[:, n_points:].reshape(-1, n_points, n_points)
        distance = (
            _ordinal_distance(totals)
            if level == "ordinal"
            else np.broadcast_to(_squared_distance(points, level), coincidence.shape)
        )
        observed = (coincidence * distance).sum(axis=(1, 2))
        expected = (totals[:, None, :] @ distance @ totals[:, :, None])[:, 0, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 - (totals.sum(axis=1) - 1) * observed / expected, dtype=float)

    return finish


def _squared_distance(points: Floats, level: Level) -> Floats:
    if level == "nominal":
        return 1.0 - np.eye(points.size)
    return np.asarray((points[:, None] - points[None, :]) ** 2)


def _ordinal_distance(totals: Floats) -> Floats:
    """Squared ordinal distances for each row of totals, shape (n_rows, n_points, n_points)."""
    middle = np.cumsum(totals, axis=1) - totals / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)
