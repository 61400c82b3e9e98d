"""Tests and intervals on paired per-vignette differences."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from scipy import stats

from analysis.errors import UnattainableError, UndefinedError
from analysis.permutation import (
    Alternative,
    Floats,
    cut_asymptotic,
    cut_exact,
    normal_p,
    rank_sum_p,
    signed_sum_p,
)

Zeros = Literal["pratt", "wilcoxon"]
Used = Literal["exact", "asymptotic"]
Method = Literal["auto", "exact", "asymptotic"]
EXACT_UP_TO = 500
"""Pairs; an exact signed-rank p costs their cube."""
FLIPS_UP_TO = 40
"""Differences that are not zero; an exact sign-flip p costs 2 to the power of half of them."""
DECIMALS = 9
"""Means over 3 and over 15 ratings differ by float noise, which would break ties and zeros."""


@dataclass(frozen=True, slots=True)
class SignedRank:
    """A Wilcoxon signed-rank test on per-vignette differences."""

    n_pairs: int
    n_zero: int
    """Vignettes on which both arms scored the same."""
    w_plus: float
    """Sum of the ranks of positive differences."""
    w_minus: float
    """Sum of the ranks of negative differences."""
    z: float
    """Signed, without continuity correction; positive when the first arm scored higher."""
    p_value: float
    method: Used


@dataclass(frozen=True, slots=True)
class SignFlip:
    """A permutation test of the mean difference."""

    p_value: float
    method: Used


@dataclass(frozen=True, slots=True)
class HodgesLehmann:
    """The median of all Walsh averages with its signed-rank interval."""

    value: float
    low: float
    high: float
    confidence: float
    """Attained; at least what was asked for, since the statistic is discrete."""
    method: Used
    """Asymptotic above 500 pairs."""


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """The mean difference with its t interval."""

    value: float
    low: float
    high: float
    p_value: float


def clean(differences: Floats) -> Floats:
    """The differences as floats rounded to 9 decimals.

    Raises:
        UndefinedError: If there are none.
        ValueError: If any is NaN, or the shape is not (n_vignettes,). The analysis plan says what
            happens to missing pairs, and that happens before this point.
    """
    values = np.round(np.asarray(differences, dtype=float), DECIMALS)
    if values.ndim != 1:
        raise ValueError(f"differences have shape {values.shape}, wanted (n_vignettes,)")
    if values.size == 0:
        raise UndefinedError("undefined: there are no pairs")
    if not np.isfinite(values).all():
        places = np.flatnonzero(~np.isfinite(values)).tolist()
        raise ValueError(f"differences at {places} are not finite; settle missing pairs before")
    return values


def signed_rank(
    differences: Floats,
    *,
    zeros: Zeros = "pratt",
    alternative: Alternative = "two-sided",
    method: Method = "auto",
) -> SignedRank:
    """Test whether paired differences are symmetric about zero.

    Args:
        differences: First arm minus second, in rubric points; shape (n_vignettes,).
        zeros: What becomes of zero differences; fixed in the analysis plan.
        alternative: Of the first arm against the second.
        method: `auto` is exact up to 500 pairs and asymptotic above.

    Raises:
        UndefinedError: If there are no pairs, or all differences are zero.
        ValueError: If any difference is NaN, or `exact` is asked for above 500 pairs.

    References:
        Wilcoxon 1945, Biometrics Bull. 1, 80; Pratt 1959, J. Am. Stat. Assoc. 54, 655 (zeros keep
        their ranks). The exact p is by dynamic programming over doubled mid-ranks.

    >>> signed_rank(np.array([1.0, 2.0, 3.0, -4.0])).p_value
    0.875
    """
    values = clean(differences)
    n_zero = int((values == 0).sum())
    if n_zero == values.size:
        raise UndefinedError(f"undefined: all {values.size} differences are zero")
    if zeros == "wilcoxon":
        ranked = values[values != 0]
        ranks = stats.rankdata(np.abs(ranked))
    else:
        keep = values != 0
        ranked, ranks = values[keep], stats.rankdata(np.abs(values))[keep]
    used = _method(method, values.size)
    w_plus, w_minus = float(ranks[ranked > 0].sum()), float(ranks[ranked < 0].sum())
    z = (w_plus - w_minus) / sqrt(float((ranks**2).sum()))
    p = rank_sum_p(ranks, w_plus, alternative) if used == "exact" else normal_p(z, alternative)
    return SignedRank(values.size, n_zero, w_plus, w_minus, z, p, used)


def _method(method: Method, n_pairs: int) -> Used:
    if method == "exact" and n_pairs > EXACT_UP_TO:
        raise ValueError(
            f"an exact p of {n_pairs} pairs is refused above {EXACT_UP_TO}: its cost is cubic; "
            "use method='asymptotic'"
        )
    if method == "auto":
        return "exact" if n_pairs <= EXACT_UP_TO else "asymptotic"
    return method


def sign_flip(differences: Floats, *, alternative: Alternative = "two-sided") -> SignFlip:
    """Test whether paired differences are symmetric about zero, by their mean.

    Exact over all sign patterns up to 40 differences that are not zero, asymptotic above.

    Args:
        differences: First arm minus second, in rubric points; shape (n_vignettes,).
        alternative: Of the first arm against the second.

    Raises:
        UndefinedError: If there are no pairs, or all differences are zero.
        ValueError: If any difference is NaN.

    References:
        Fisher 1935, The Design of Experiments, section 21.

    >>> sign_flip(np.array([1.0, 2.0, 3.0]), alternative="greater").p_value
    0.125
    """
    values = clean(differences)
    moved = values[values != 0]
    if moved.size == 0:
        raise UndefinedError(f"undefined: all {values.size} differences are zero")
    if moved.size <= FLIPS_UP_TO:
        return SignFlip(signed_sum_p(np.abs(moved), float(moved.sum()), alternative), "exact")
    z = float(moved.sum()) / sqrt(float((moved**2).sum()))
    return SignFlip(normal_p(z, alternative), "asymptotic")


def hodges_lehmann(differences: Floats, *, confidence: float = 0.95) -> HodgesLehmann:
    """The median of the Walsh averages, with the interval that the signed-rank test gives.

    Zeros are kept. Exact up to 500 pairs, asymptotic above; the result says which.

    Args:
        differences: Rubric points; shape (n_vignettes,).
        confidence: Asked for; the interval attains at least this.

    Raises:
        UnattainableError: If so few pairs cannot attain it, naming what they can.
        UndefinedError: If there are no pairs.

    References:
        Hodges and Lehmann 1963, Ann. Math. Stat. 34, 598; Hollander and Wolfe 1999, section 3.3.
    """
    values = clean(differences)
    n_pairs = values.size
    method: Used = "exact" if n_pairs <= EXACT_UP_TO else "asymptotic"
    cut = cut_exact if method == "exact" else cut_asymptotic
    n_cut, missed = cut(n_pairs, (1 - confidence) / 2)
    walsh = walsh_averages(values)
    value = float(np.round(np.median(walsh), DECIMALS))
    attained = 1 - 2 * missed
    if n_cut == 0:
        raise UnattainableError(
            f"no interval: {_percent(confidence)} is not attainable with {n_pairs} pairs; "
            f"attainable: {_percent(attained)}",
            value,
            attained,
        )
    low, high = np.partition(walsh, [n_cut - 1, walsh.size - n_cut])[[n_cut - 1, -n_cut]]
    return HodgesLehmann(
        value=value,
        low=float(np.round(low, DECIMALS)),
        high=float(np.round(high, DECIMALS)),
        confidence=attained,
        method=method,
    )


def walsh_averages(values: Floats) -> Floats:
    """The mean of every pair of differences, each with itself as well; n (n + 1) / 2 of them."""
    first, second = np.triu_indices(values.size)
    return np.asarray((values[first] + values[second]) / 2)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def mean_difference(differences: Floats, *, confidence: float = 0.95) -> MeanDifference:
    """The mean with its t interval and the two-sided p of the paired t test.

    Raises:
        UndefinedError: If there are fewer than two pairs, or no variation.
    """
    values = clean(differences)
    if values.size < 2:
        raise UndefinedError("undefined: one pair has no spread")
    # Equal values can leave a standard deviation of float noise, and with it a tiny p.
    if np.ptp(values) == 0:
        raise UndefinedError(f"undefined: no variation, every difference is {values[0]:g}")
    mean, se = float(values.mean()), float(values.std(ddof=1)) / sqrt(values.size)
    df = values.size - 1
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * se
    return MeanDifference(mean, mean - half, mean + half, float(2 * stats.t.sf(abs(mean) / se, df)))
