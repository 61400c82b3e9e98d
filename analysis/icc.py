"""Intraclass correlations: by mean squares where complete, by REML where ratings are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.bootstrap import OfWeights, Weights, cluster_interval
from analysis.errors import UndefinedError
from analysis.icc_missing import components
from analysis.permutation import Floats
from analysis.rating_counts import rating_matrix
from analysis.values import Interval, Value

Form = Literal["A,1", "A,k", "C,1", "C,k", "1,1", "1,k"]
NOISE = 1e-9
"""Sums of squares at or below this are float noise around zero."""


def icc(ratings: Floats, *, form: Form) -> Value:
    """Intraclass correlation of one rating or of the mean of all raters.

    Complete ratings: from mean squares, which can be negative. With missing ratings: from variance
    components by restricted maximum likelihood, which cannot; no item is dropped.

    Args:
        ratings: Shape (n_items, n_raters), NaN where missing.
        form: Absolute agreement (A) or consistency (C) of crossed raters, or raters nested in
            items (1); of one rating (1) or of the mean of n_raters (k).

    Raises:
        UndefinedError: If there is one rater or one item, no item has two ratings, no variation,
            or a denominator that is not positive, where the formula would give numbers such as 3
            or minus infinity.

    References:
        McGraw and Wong 1996, Psychol. Methods 1, 30, table 4; Shrout and Fleiss 1979, Psychol.
        Bull. 86, 420 (raters nested in items).
    """
    values = _usable(ratings)
    result = _of_weights(values, form)(np.ones((1, values.shape[0])))[0]
    if not np.isfinite(result):
        raise UndefinedError(
            f"undefined: the {values.shape[0]} items differ too little against the disagreement "
            "of the raters, so the coefficient's denominator is not positive"
        )
    return Value(float(result))


def icc_interval(
    ratings: Floats, *, form: Form, clusters: Sequence[object], n_resamples: int, seed: int,
    confidence: float = 0.95,
) -> Interval:  # fmt: skip
    """The intraclass correlation with its percentile interval from a bootstrap of whole clusters.

    Args:
        ratings: Shape (n_items, n_raters), NaN where missing.
        form: As `icc`.
        clusters: Cluster of each item, such as its vignette; shape (n_items,).
        n_resamples: Bootstrap resamples.
        seed: Of the bootstrap.
        confidence: Of the interval.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `icc`.
    """
    value = icc(ratings, form=form).value
    values = _usable(ratings)
    named = np.asarray(clusters, dtype=object)
    rated = ~np.isnan(np.asarray(ratings, dtype=float)).all(axis=1)
    return cluster_interval(
        value, _of_weights(values, form), list(named[rated]), n_resamples=n_resamples, seed=seed,
        confidence=confidence,
    )  # fmt: skip


def _usable(ratings: Floats) -> Floats:
    """Items with a rating, around their mean: far off it, sums of squares would lose digits."""
    values = rating_matrix(ratings)
    values = values[~np.isnan(values).all(axis=1)]
    if min(values.shape) < 2:
        raise UndefinedError(
            f"undefined: needs two items and two raters; got {values.shape[0]} items with a "
            f"rating and {values.shape[1]} raters"
        )
    if ((~np.isnan(values)).sum(axis=1) < 2).all():
        raise UndefinedError("undefined: no item with two ratings")
    if np.nanmax(values) == np.nanmin(values):
        raise UndefinedError(f"undefined: no variation, every rating is {np.nanmax(values):g}")
    return np.asarray(values - np.nanmean(values))


def _of_weights(values: Floats, form: Form) -> OfWeights:
    """The coefficient where item i counts weights[s, i] times; one value a row of weights."""
    if np.isnan(values).any():
        compute = _from_components
    else:
        compute = _one_way if form in ("1,1", "1,k") else _two_way
    return lambda weights: compute(values, weights, form)


def _two_way(values: Floats, weights: Weights, form: Form) -> Floats:
    n, k = weights.sum(axis=1), values.shape[1]
    total_sum = weights @ values  # (n_rows, k)
    grand = total_sum.sum(axis=1) / (n * k)
    ss_items = k * (weights @ values.mean(axis=1) ** 2 - n * grand**2)
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


def _one_way(values: Floats, weights: Weights, form: Form) -> Floats:
    n, k = weights.sum(axis=1), values.shape[1]
    grand = (weights @ values.sum(axis=1)) / (n * k)
    ss_items = k * (weights @ values.mean(axis=1) ** 2 - n * grand**2)
    ss_total = weights @ (values**2).sum(axis=1) - n * k * grand**2
    with np.errstate(divide="ignore", invalid="ignore"):
        ms_items = ss_items / (n - 1)
        ms_within = (ss_total - ss_items) / (n * (k - 1))
        below = ms_items + (k - 1) * ms_within if form == "1,1" else ms_items
        defined = (ss_total > NOISE) & (below > NOISE)
        return np.where(defined, (ms_items - ms_within) / below, np.nan)


def _from_components(values: Floats, weights: Weights, form: Form) -> Floats:
    k = values.shape[1]
    found = components(values, weights, crossed=form not in ("1,1", "1,k"))
    noise = {"A": found.rater + found.residual, "C": found.residual, "1": found.residual}[form[0]]
    if form.endswith("k"):
        noise = noise / k
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(found.item / (found.item + noise), dtype=float)
