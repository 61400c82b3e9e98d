"""Chance-corrected agreement on declared categories, and plain agreement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.bootstrap import Finish, cluster_interval
from analysis.errors import UndefinedError
from analysis.permutation import Floats
from analysis.rating_counts import point_counts, rating_matrix
from analysis.values import Interval, Value

Partial = Literal["quadratic", "linear", "identity"]


def gwet_ac(
    ratings: Floats, *, weights: Partial = "quadratic", categories: Sequence[float]
) -> Value:
    """Gwet's AC2 (AC1 with identity weights); it stands when ratings pile up on one point.

    Args:
        ratings: Shape (n_items, n_raters), NaN where missing.
        weights: Partial credit of two ratings by their distance on the scale.
        categories: Every point of the scale, also those nobody used; they enter the chance term.

    Raises:
        UndefinedError: If no item has two ratings, or all ratings are equal.
        ValueError: If there are fewer than two categories, or a rating is not among them.

    References:
        Gwet 2008, Br. J. Math. Stat. Psychol. 61, 29; Gwet 2014, Handbook of Inter-Rater
        Reliability, 4th ed., chapters 2 (missing ratings) and 3 (weights).
    """
    parts, finish = _gwet_parts(ratings, weights, categories)
    return Value(float(finish(parts.sum(axis=0, keepdims=True))[0]))


def gwet_ac_interval(
    ratings: Floats, *, categories: Sequence[float], clusters: Sequence[object], n_resamples: int,
    seed: int, weights: Partial = "quadratic", confidence: float = 0.95,
) -> Interval:  # fmt: skip
    """Gwet's AC with its BCa interval from a bootstrap of whole clusters.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `gwet_ac`.
    """
    parts, finish = _gwet_parts(ratings, weights, categories)
    value = float(finish(parts.sum(axis=0, keepdims=True))[0])
    return cluster_interval(
        value, parts, finish, clusters, n_resamples=n_resamples, seed=seed, confidence=confidence
    )


def weighted_kappa(
    first: Floats, second: Floats, *, weights: Partial = "quadratic", categories: Sequence[float]
) -> Value:
    """Cohen's weighted kappa of two raters; items without both ratings are left out.

    Args:
        first: Shape (n_items,), NaN where missing.
        second: As `first`.
        weights: Partial credit of two ratings by their distance on the scale.
        categories: Every point of the scale.

    Raises:
        UndefinedError: If no item has both ratings, or chance alone would agree fully.
        ValueError: If lengths differ, or a rating is not among the categories.

    References:
        Cohen 1968, Psychol. Bull. 70, 213.
    """
    pairs, credit = _paired_points(first, second, weights, categories)
    value = _kappa(credit)(pairs.sum(axis=0, keepdims=True))[0]
    if not np.isfinite(value):
        raise UndefinedError("undefined: no variation, both raters gave one and the same point")
    return Value(float(value))


def weighted_kappa_interval(
    first: Floats, second: Floats, *, categories: Sequence[float], clusters: Sequence[object],
    n_resamples: int, seed: int, weights: Partial = "quadratic", confidence: float = 0.95,
) -> Interval:  # fmt: skip
    """Weighted kappa with its BCa interval from a bootstrap of whole clusters.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `weighted_kappa`.
    """
    value = weighted_kappa(first, second, weights=weights, categories=categories).value
    pairs, credit = _paired_points(first, second, weights, categories)
    return cluster_interval(
        value, pairs, _kappa(credit), clusters, n_resamples=n_resamples, seed=seed,
        confidence=confidence,
    )  # fmt: skip


def percent_agreement(ratings: Floats, *, within: float = 0) -> Value:
    """Share of pairs of ratings of one item that differ by at most `within` rubric points.

    Args:
        ratings: Shape (n_items, n_raters), NaN where missing.
        within: Rubric points.

    Raises:
        UndefinedError: If no item has two ratings.
    """
    agreeing, pairs = _agreeing(ratings, within)
    return Value(float(agreeing.sum() / pairs.sum()))


def percent_agreement_interval(
    ratings: Floats, *, clusters: Sequence[object], n_resamples: int, seed: int, within: float = 0,
    confidence: float = 0.95,
) -> Interval:  # fmt: skip
    """Percent agreement with its BCa interval from a bootstrap of whole clusters.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `percent_agreement`.
    """
    agreeing, pairs = _agreeing(ratings, within)

    def share(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[:, 0] / sums[:, 1], dtype=float)

    value = float(agreeing.sum() / pairs.sum())
    return cluster_interval(
        value, np.column_stack([agreeing, pairs]), share, clusters, n_resamples=n_resamples,
        seed=seed, confidence=confidence,
    )  # fmt: skip


def _credit(points: Floats, weights: Partial) -> Floats:
    if points.size < 2:
        raise ValueError(f"categories are {points.tolist()}; a scale has at least two points")
    apart = np.abs(points[:, None] - points[None, :]) / (points[-1] - points[0])
    if weights == "identity":
        return np.eye(points.size)
    return np.asarray(1 - apart**2 if weights == "quadratic" else 1 - apart)


def _gwet_parts(
    ratings: Floats, weights: Partial, categories: Sequence[float]
) -> tuple[Floats, Finish]:
    """Of each item its agreement, whether it has a pair, whether it is rated, its shares."""
    counts, points = point_counts(ratings, categories)
    credit = _credit(points, weights)
    n = counts.sum(axis=1)
    paired = n >= 2
    if not paired.any():
        raise UndefinedError("undefined: no item with two ratings")
    if (counts.sum(axis=0) > 0).sum() == 1:
        only = points[counts.sum(axis=0) > 0][0]
        raise UndefinedError(f"undefined: no variation, every rating is {only:g}")
    agreed = (counts * (counts @ credit - 1)).sum(axis=1)
    agreed = np.where(paired, agreed / np.maximum(n * (n - 1), 1), 0.0)
    shares = counts / np.maximum(n, 1)[:, None]
    factor = float(credit.sum()) / (points.size * (points.size - 1))

    def finish(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            observed = sums[:, 0] / sums[:, 1]
            used = sums[:, 3:] / sums[:, 2:3]
            expected = factor * (used * (1 - used)).sum(axis=1)
            return np.asarray((observed - expected) / (1 - expected), dtype=float)

    return np.column_stack([agreed, paired, n >= 1, shares]), finish


def _paired_points(
    first: Floats, second: Floats, weights: Partial, categories: Sequence[float]
) -> tuple[Floats, Floats]:
    """Of each item the joint table as one row, zeros where a rating is missing."""
    one, other = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(
            f"ratings have shapes {one.shape} and {other.shape}, wanted one (n_items,)"
        )
    counts_one, points = point_counts(one[:, None], categories)
    counts_other, _ = point_counts(other[:, None], categories)
    pairs = np.einsum("ic,id->icd", counts_one, counts_other).reshape(one.size, points.size**2)
    if not pairs.any():
        raise UndefinedError("undefined: the two raters have no item in common")
    return pairs, _credit(points, weights)


def _kappa(credit: Floats) -> Finish:
    """Weighted kappa from the summed joint tables."""
    n_points, lost = credit.shape[0], 1 - credit

    def finish(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            joint = sums.reshape(-1, n_points, n_points)
            joint = joint / joint.sum(axis=(1, 2), keepdims=True)
            observed = (joint * lost).sum(axis=(1, 2))
            expected = np.einsum("sc,cd,sd->s", joint.sum(axis=2), lost, joint.sum(axis=1))
            return np.asarray(np.where(expected > 1e-12, 1 - observed / expected, np.nan))

    return finish


def _agreeing(ratings: Floats, within: float) -> tuple[Floats, Floats]:
    """Of each item the pairs of ratings that agree, and all its pairs."""
    values = rating_matrix(ratings)
    first, second = np.triu_indices(values.shape[1], k=1)
    apart = np.abs(values[:, first] - values[:, second])
    there = ~np.isnan(apart)
    if not there.any():
        raise UndefinedError("undefined: no item has two ratings")
    return (there & (apart <= within + 1e-9)).sum(axis=1).astype(float), there.sum(axis=1).astype(
        float
    )
