"""Inter-rater reliability: Krippendorff's alpha, intraclass correlations, cluster bootstrap.

Ratings are (n_items, n_raters), NaN where missing. Clusters are vignettes: the responses to one
vignette are not independent, so whole vignettes are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.effects import Interval
from analysis.errors import NoIntervalError, UndefinedError
from analysis.permutation import Floats

Level = Literal["nominal", "ordinal", "interval"]
Form = Literal["A,1", "A,k", "C,1", "C,k"]
MIN_CLUSTERS = 5
"""Fewer clusters have so few distinct resamples that an interval would say nothing."""
NOISE = 1e-9
"""Sums of squares at or below this are float noise around zero."""


def krippendorff_alpha(
    ratings: Floats, *, level: Level, categories: Sequence[float] | None = None
) -> float:
    """Krippendorff's alpha over all pairable ratings.

    Args:
        ratings: Shape (n_items, n_raters), NaN where missing.
        level: Of measurement; ordinal for rubric points.
        categories: The scale's points in order; the points seen by default.

    Raises:
        UndefinedError: If no item has two ratings, or all ratings are equal.
        ValueError: If a rating is not among the categories.

    References:
        Krippendorff 2019, Content Analysis, 4th ed., chapter 12.
    """
    counts, points = _counts(ratings, categories)
    value = _alpha_weighted(counts, np.ones((1, counts.shape[0]), dtype=np.int64), points, level)[0]
    if not counts.any():
        raise UndefinedError("undefined: no item with two ratings")
    if not np.isfinite(value):
        only = points[counts.sum(axis=0) > 0][0]
        raise UndefinedError(f"undefined: no variation, every paired rating is {only:g}")
    return float(value)


def krippendorff_alpha_interval(
    ratings: Floats,
    *,
    level: Level,
    clusters: Sequence[object],
    n_resamples: int,
    seed: int,
    categories: Sequence[float] | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Alpha with its percentile interval from a bootstrap of whole clusters.

    Args:
        ratings: Shape (n_items, n_raters).
        level: Of measurement.
        clusters: Cluster of each item, such as its vignette; shape (n_items,).
        n_resamples: Bootstrap resamples.
        seed: Of the bootstrap.
        categories: The scale's points in order.
        confidence: Of the interval.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `krippendorff_alpha`.
    """
    value = krippendorff_alpha(ratings, level=level, categories=categories)
    counts, points = _counts(ratings, categories)

    def of_weights(weights: NDArray[np.int64]) -> Floats:
        return _alpha_weighted(counts, weights, points, level)

    return _cluster_interval(value, of_weights, clusters, n_resamples, seed, confidence)


def icc(ratings: Floats, *, form: Form) -> float:
    """Intraclass correlation of complete ratings, two-way.

    Args:
        ratings: Shape (n_items, n_raters), none missing.
        form: Absolute agreement (A) or consistency (C) of one rating (1) or of the mean (k).

    Raises:
        UndefinedError: If ratings are missing (their REML estimate is not computed here; dropping
            items would bias it), there is one rater or one item, no variation, or a denominator
            that is not positive, where the formula would give numbers such as 3 or minus infinity.

    References:
        McGraw and Wong 1996, Psychol. Methods 1, 30, table 4 (case 2).
    """
    values = np.asarray(ratings, dtype=float)
    if np.isnan(values).any():
        raise UndefinedError(
            f"not computed: {int(np.isnan(values).sum())} of {values.size} ratings are missing, "
            "and leaving items out would bias it"
        )
    if values.ndim != 2 or min(values.shape) < 2:
        raise UndefinedError(f"undefined: needs two items and two raters; got {values.shape}")
    if np.ptp(values) == 0:
        raise UndefinedError(f"undefined: no variation, every rating is {values.flat[0]:g}")
    result = _icc_weighted(values, np.ones((1, values.shape[0]), dtype=np.int64), form)[0]
    if not np.isfinite(result):
        raise UndefinedError(
            f"undefined: the {values.shape[0]} items differ too little against the disagreement "
            "of the raters, so the coefficient's denominator is not positive"
        )
    return float(result)


def icc_interval(
    ratings: Floats,
    *,
    form: Form,
    clusters: Sequence[object],
    n_resamples: int,
    seed: int,
    confidence: float = 0.95,
) -> Interval:
    """The intraclass correlation with its percentile interval from a bootstrap of whole clusters.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `icc`.
    """
    value = icc(ratings, form=form)
    values = np.asarray(ratings, dtype=float)

    def of_weights(weights: NDArray[np.int64]) -> Floats:
        return _icc_weighted(values, weights, form)

    return _cluster_interval(value, of_weights, clusters, n_resamples, seed, confidence)


def percent_agreement(ratings: Floats, *, within: float = 0) -> float:
    """Share of pairs of ratings of one item that differ by at most `within` rubric points.

    Raises:
        UndefinedError: If no item has two ratings.
    """
    values = np.asarray(ratings, dtype=float)
    first, second = np.triu_indices(values.shape[1], k=1)
    apart = np.abs(values[:, first] - values[:, second])
    apart = apart[~np.isnan(apart)]
    if apart.size == 0:
        raise UndefinedError("undefined: no item has two ratings")
    return float((apart <= within + 1e-9).mean())


def _counts(
    ratings: Floats, categories: Sequence[float] | None
) -> tuple[NDArray[np.float64], Floats]:
    """How often each item got each point, shape (n_items, n_points); unpairable items count 0."""
    values = np.asarray(ratings, dtype=float)
    seen = np.unique(values[~np.isnan(values)])
    points = np.asarray(sorted(categories) if categories is not None else seen, dtype=float)
    foreign = np.setdiff1d(seen, points)
    if foreign.size:
        raise ValueError(f"ratings {foreign.tolist()} are not among {points.tolist()}")
    counts = (values[:, :, None] == points).sum(axis=1).astype(float)
    counts[counts.sum(axis=1) < 2] = 0
    return counts, points


def _squared_distance(points: Floats, level: Level) -> Floats:
    if level == "nominal":
        return 1.0 - np.eye(points.size)
    return np.asarray((points[:, None] - points[None, :]) ** 2)


def _ordinal_distance(totals: Floats) -> Floats:
    """Squared ordinal distances for each row of totals, shape (n_rows, n_points, n_points)."""
    middle = np.cumsum(totals, axis=1) - totals / 2
    return np.asarray((middle[:, :, None] - middle[:, None, :]) ** 2)


def _alpha_weighted(
    counts: Floats, weights: NDArray[np.int64], points: Floats, level: Level
) -> Floats:
    """Alpha where item i counts weights[s, i] times; one value a row of weights."""
    per_item = counts.sum(axis=1)
    share = np.divide(counts, (per_item - 1)[:, None], where=(per_item > 1)[:, None],
                      out=np.zeros_like(counts))  # fmt: skip
    pairs = np.einsum("ic,id->icd", share, counts).reshape(counts.shape[0], -1)
    coincidence = (weights @ pairs).reshape(-1, points.size, points.size)
    totals = weights @ counts
    distance = (
        _ordinal_distance(totals)
        if level == "ordinal"
        else np.broadcast_to(_squared_distance(points, level), coincidence.shape)
    )
    observed = (coincidence * distance).sum(axis=(1, 2))
    expected = np.einsum("sc,scd,sd->s", totals, distance, totals)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1 - (totals.sum(axis=1) - 1) * observed / expected, dtype=float)


def _icc_weighted(values: Floats, weights: NDArray[np.int64], form: Form) -> Floats:
    """ICC from weighted sums of squares; one value a row of weights."""
    k = values.shape[1]
    values = values - values.mean()  # sums of squares around a far-off mean would lose digits
    n = weights.sum(axis=1).astype(float)
    total_sum = weights @ values  # (n_rows, k)
    grand = total_sum.sum(axis=1) / (n * k)
    item_mean = values.mean(axis=1)
    ss_items = k * (weights @ item_mean**2 - n * grand**2)
    ss_raters = n * ((total_sum / n[:, None]) ** 2).sum(axis=1) - n * k * grand**2
    ss_total = weights @ (values**2).sum(axis=1) - n * k * grand**2
    ss_error = ss_total - ss_items - ss_raters
    with np.errstate(divide="ignore", invalid="ignore"):
        ms_items, ms_raters = ss_items / (n - 1), ss_raters / (k - 1)
        ms_error = ss_error / ((n - 1) * (k - 1))
        below = {
            "A,1": ms_items + (k - 1) * ms_error + k / n * (ms_raters - ms_error),
            "A,k": ms_items + (ms_raters - ms_error) / n,
            "C,1": ms_items + (k - 1) * ms_error,
            "C,k": ms_items,
        }[form]
        defined = (ss_total > NOISE) & (below > NOISE)
        return np.where(defined, (ms_items - ms_error) / below, np.nan)


def _cluster_interval(
    value: float,
    of_weights: Callable[[NDArray[np.int64]], Floats],
    clusters: Sequence[object],
    n_resamples: int,
    seed: int,
    confidence: float,
) -> Interval:
    names, member = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if names.size < MIN_CLUSTERS:
        raise NoIntervalError(
            f"no interval: {names.size} vignettes are too few to resample; "
            f"{MIN_CLUSTERS} are needed",
            value,
        )
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, names.size, (n_resamples, names.size))
    times = np.stack([np.bincount(row, minlength=names.size) for row in drawn])
    values = of_weights(times[:, member])
    values = values[np.isfinite(values)]
    if values.size < n_resamples / 2:
        raise NoIntervalError(
            f"no interval: undefined in {n_resamples - values.size} of {n_resamples} resamples",
            value,
        )
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))
