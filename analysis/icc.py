"""Intraclass correlations: by mean squares where complete, by REML where ratings are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from analysis.bootstrap import Finish, cluster_interval
from analysis.errors import UndefinedError
from analysis.icc_missing import component_parts, components
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
    parts, finish = _parts(values, form)
    result = finish(parts.sum(axis=0, keepdims=True))[0]
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
    """The intraclass correlation with its BCa interval from a bootstrap of whole clusters.

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
    parts, finish = _parts(values, form)
    return cluster_interval(
        value, parts, finish, list(named[rated]), n_resamples=n_resamples, seed=seed,
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


def _parts(values: Floats, form: Form) -> tuple[Floats, Finish]:
    """What each item adds to the sums, and the coefficient from them."""
    if np.isnan(values).any():
        return component_parts(values), _from_components(values, form)
    ones = np.ones(values.shape[0])
    parts = np.column_stack([ones, values.mean(axis=1) ** 2, (values**2).sum(axis=1), values])
    n_raters = values.shape[1]
    return parts, _one_way(n_raters, form) if form in ("1,1", "1,k") else _two_way(n_raters, form)


def _two_way(k: int, form: Form) -> Finish:
    def finish(sums: Floats) -> Floats:
        n, by_rater = sums[:, 0], sums[:, 3:]
        grand = by_rater.sum(axis=1) / (n * k)
        ss_items = k * (sums[:, 1] - n * grand**2)
        ss_raters = (by_rater**2).sum(axis=1) / n - n * k * grand**2
        ss_total = sums[:, 2] - n * k * grand**2
        with np.errstate(divide="ignore", invalid="ignore"):
            ms_items, ms_raters = ss_items / (n - 1), ss_raters / (k - 1)
            ms_error = (ss_total - ss_items - ss_raters) / ((n - 1) * (k - 1))
            below = {
                "A,1": ms_items + (k - 1) * ms_error + k / n * (ms_raters - ms_error),
                "A,k": ms_items + (ms_raters - ms_error) / n,
                "C,1": ms_items + (k - 1) * ms_error,
                "C,k": ms_items,
            }[form]
            return _where_defined(ms_items - ms_error, below, ss_total)

    return finish


def _one_way(k: int, form: Form) -> Finish:
    def finish(sums: Floats) -> Floats:
        n = sums[:, 0]
        grand = sums[:, 3:].sum(axis=1) / (n * k)
        ss_items = k * (sums[:, 1] - n * grand**2)
        ss_total = sums[:, 2] - n * k * grand**2
        with np.errstate(divide="ignore", invalid="ignore"):
            ms_items = ss_items / (n - 1)
            ms_within = (ss_total - ss_items) / (n * (k - 1))
            below = ms_items + (k - 1) * ms_within if form == "1,1" else ms_items
            return _where_defined(ms_items - ms_within, below, ss_total)

    return finish


def _where_defined(above: Floats, below: Floats, ss_total: Floats) -> Floats:
    defined = (ss_total > NOISE) & (below > NOISE)
    return np.asarray(np.where(defined, above / below, np.nan), dtype=float)


def _from_components(values: Floats, form: Form) -> Finish:
    k, is_crossed = values.shape[1], form not in ("1,1", "1,k")

    def finish(sums: Floats) -> Floats:
        found = components(values, sums, crossed=is_crossed)
        noise = found.residual + (found.rater if form[0] == "A" else 0.0)
        if form.endswith("k"):
            noise = noise / k
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(found.item / (found.item + noise), dtype=float)

    return finish
