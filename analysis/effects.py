"""Effect sizes of paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import NoIntervalError, UndefinedError
from analysis.paired import SignedRank, clean
from analysis.permutation import Floats
from analysis.values import Interval, Value

MIN_PAIRS = 5
"""Fewer pairs have so few distinct resamples that a bootstrap interval would say nothing."""


@dataclass(frozen=True, slots=True)
class RFromZ:
    """r = Z / sqrt(n pairs)."""

    value: float
    ceiling: float
    """What pairs of one sign give when none is tied or zero: .873 at 30 pairs, towards .866 with
    many. Ties among the sizes can lift r above it; zeros keep r below it."""


@dataclass(frozen=True, slots=True)
class PairedSuperiority:
    """P(d > 0) + P(d = 0) / 2."""

    value: float
    wins: int
    ties: int
    losses: int


def rank_biserial_value(differences: Floats) -> float:
    """Matched-pairs rank-biserial correlation: (W+ - W-) / (W+ + W-), zeros dropped, then ranked.

    Raises:
        UndefinedError: If every difference is zero.

    References:
        Kerby 2014, Compr. Psychol. 3, 1.
    """
    values = clean(differences)
    values = values[values != 0]
    if values.size == 0:
        raise UndefinedError("undefined: every difference is zero")
    ranks = stats.rankdata(np.abs(values))
    return float((ranks * np.sign(values)).sum() / ranks.sum())


def rank_biserial(
    differences: Floats, *, confidence: float = 0.95, n_resamples: int = 10_000, seed: int
) -> Interval:
    """The rank-biserial correlation with its BCa bootstrap interval over vignettes.

    Args:
        differences: Rubric points; shape (n_vignettes,).
        confidence: Of the interval.
        n_resamples: Bootstrap resamples.
        seed: Of the bootstrap, from the protocol.

    Raises:
        NoIntervalError: If all differences have one sign (the value is 1 or -1), or there are
            fewer than five pairs.
        UndefinedError: If every difference is zero.

    References:
        Efron 1987, J. Am. Stat. Assoc. 82, 171 (BCa).
    """
    values = clean(differences)
    value = rank_biserial_value(values)
    if abs(value) == 1:
        raise NoIntervalError(
            "no interval: every difference that is not zero has one sign, so every resample gives "
            f"{value:+.0f}",
            value,
        )
    if values.size < MIN_PAIRS:
        raise NoIntervalError(
            f"no interval: {values.size} vignettes are too few to resample; {MIN_PAIRS} are needed",
            value,
        )
    rng = np.random.default_rng(seed)
    drawn = _row_values(values[rng.integers(0, values.size, (n_resamples, values.size))])
    left_out = _row_values(values[_leave_one_out(values.size)])
    drawn, left_out = drawn[np.isfinite(drawn)], left_out[np.isfinite(left_out)]
    low, high = _bca(value, drawn, left_out, confidence)
    return Interval(value, low, high)


def _leave_one_out(n_pairs: int) -> NDArray[np.int64]:
    places = np.arange(n_pairs)
    return np.stack([np.delete(places, i) for i in places])


def _row_values(rows: Floats) -> Floats:
    """Rank-biserial of each row, NaN where a row holds only zeros."""
    size = np.abs(rows)
    # Zeros rank lowest together; taking their number off every other rank is dropping them first.
    n_zero = (size == 0).sum(axis=1, keepdims=True)
    ranks = np.where(size > 0, stats.rankdata(size, axis=1) - n_zero, 0.0)
    total = ranks.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray((ranks * np.sign(rows)).sum(axis=1) / total, dtype=float)


def _bca(value: float, drawn: Floats, left_out: Floats, confidence: float) -> tuple[float, float]:
    share_below = ((drawn < value).sum() + (drawn == value).sum() / 2) / drawn.size
    if not 0 < share_below < 1:
        raise NoIntervalError("no interval: the bootstrap lies on one side of the value", value)
    bias = float(stats.norm.ppf(share_below))
    spread = left_out.mean() - left_out
    scale = float((spread**2).sum()) ** 1.5
    acceleration = float((spread**3).sum()) / (6 * scale) if scale else 0.0
    limits = []
    for tail in ((1 - confidence) / 2, (1 + confidence) / 2):
        z = bias + float(stats.norm.ppf(tail))
        limits.append(float(stats.norm.cdf(bias + z / (1 - acceleration * z))))
    low, high = np.quantile(drawn, limits)
    return float(low), float(high)


def r_from_z(result: SignedRank) -> RFromZ:
    """R = Z / sqrt(n pairs), with the ceiling that n pairs of one sign would reach.

    References:
        Rosenthal 1994, in The Handbook of Research Synthesis; the ceiling is sum of ranks over the
        root of n times the sum of squared ranks.
    """
    n = result.n_pairs
    ranks = np.arange(1, n + 1)
    ceiling = ranks.sum() / sqrt(float((ranks**2).sum()) * n)
    return RFromZ(result.z / sqrt(n), float(ceiling))


def paired_superiority(differences: Floats) -> PairedSuperiority:
    """Chance that the first arm scores higher on a vignette, ties counted half.

    Raises:
        UndefinedError: If there are no pairs.
    """
    values = clean(differences)
    wins, losses = int((values > 0).sum()), int((values < 0).sum())
    ties = values.size - wins - losses
    return PairedSuperiority((wins + ties / 2) / values.size, wins, ties, losses)


def cohen_dz(differences: Floats) -> Value:
    """Cohen's d of paired differences, d_z; no pooled or average spread enters it.

    Args:
        differences: Rubric points; shape (n_vignettes,).

    Raises:
        UndefinedError: If there are fewer than two pairs, or no variation.

    References:
        Cohen 1988, Statistical Power Analysis, section 2.3.5; Lakens 2013, Front. Psychol. 4, 863.
    """
    values = clean(differences)
    if values.size < 2:
        raise UndefinedError("undefined: one pair has no spread")
    if np.ptp(values) == 0:
        raise UndefinedError(f"undefined: no variation, every difference is {values[0]:g}")
    return Value(float(values.mean() / values.std(ddof=1)))
