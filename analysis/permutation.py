"""Exact and asymptotic distributions behind the tests on paired differences."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]
WHOLE = 10**9
"""Differences are rounded to 9 decimals, so that many times each of them is a whole number."""


def rank_sum_p(ranks: Floats, w_plus: float, alternative: Alternative) -> float:
    """Share of the 2^n sign patterns of the ranks at least as extreme as `w_plus`.

    By dynamic programming; mid-ranks are doubled to be whole. Cost: cubic in the number of ranks.
    """
    doubled = np.rint(2 * ranks).astype(int)
    chance = np.zeros(int(doubled.sum()) + 1)
    chance[0] = 1.0
    for rank in doubled:
        chance[rank:] = (chance[rank:] + chance[:-rank]) / 2
        chance[:rank] /= 2
    seen = round(2 * w_plus)
    return _one_or_both(float(chance[seen:].sum()), float(chance[: seen + 1].sum()), alternative)


def signed_sum_p(sizes: Floats, signed_sum: float, alternative: Alternative) -> float:
    """Share of the 2^n sign patterns of the sizes whose sum is at least as extreme.

    The sums of two halves are listed and counted against each other, in whole numbers. Cost: 2 to
    the power of half the number of sizes.
    """
    whole = np.rint(np.sort(sizes) * WHOLE).astype(np.int64)
    # Every second size to either half, so that both reach equally far.
    first, second = _signed_sums(whole[::2]), np.sort(_signed_sums(whole[1::2]))
    seen = round(signed_sum * WHOLE)
    n_patterns = float(first.size) * second.size
    # Rounded thirds do not add up: sums that differ by less than the rounding of all are ties.
    near = sizes.size
    at_least = (second.size - np.searchsorted(second, seen - near - first, side="left")).sum()
    at_most = np.searchsorted(second, seen + near - first, side="right").sum()
    return _one_or_both(at_least / n_patterns, at_most / n_patterns, alternative)


def _signed_sums(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.zeros(1, dtype=np.int64)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums


def normal_p(z: float, alternative: Alternative) -> float:
    """Of a standard normal statistic."""
    upper, lower = float(stats.norm.sf(z)), float(stats.norm.cdf(z))
    return _one_or_both(upper, lower, alternative)


def _one_or_both(upper: float, lower: float, alternative: Alternative) -> float:
    if alternative == "greater":
        return min(1.0, upper)
    if alternative == "less":
        return min(1.0, lower)
    return min(1.0, 2 * min(upper, lower))


def cut_exact(n_pairs: int, tail: float) -> tuple[int, float]:
    """How many Walsh averages to cut off at each end, and the chance of missing at one end.

    Args:
        n_pairs: Pairs, none tied.
        tail: Highest chance allowed at one end.

    Returns:
        The cut, 0 if not even the extreme ones can be cut; then the chance is that of a cut of 1.
    """
    chance = np.zeros(n_pairs * (n_pairs + 1) // 2 + 1)
    chance[0] = 1.0
    for rank in range(1, n_pairs + 1):
        shifted = np.zeros_like(chance)
        shifted[rank:] = chance[:-rank]
        chance = (chance + shifted) / 2
    below = np.cumsum(chance)
    # k Walsh averages are cut off at each end; the interval misses with chance P(W <= k - 1).
    n_cut = int(np.searchsorted(below, tail, side="right"))
    return n_cut, float(below[max(n_cut, 1) - 1])


def cut_asymptotic(n_pairs: int, tail: float) -> tuple[int, float]:
    """As `cut_exact`, from the normal limit of the signed-rank statistic."""
    middle = n_pairs * (n_pairs + 1) / 4
    spread = sqrt(n_pairs * (n_pairs + 1) * (2 * n_pairs + 1) / 24)
    n_cut = int(np.floor(middle + float(stats.norm.ppf(tail)) * spread))
    return n_cut, float(stats.norm.cdf((n_cut - middle) / spread))
