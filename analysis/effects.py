"""Effect sizes of paired differences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.bootstrap import BLOCK, bca
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
    sizes, codes = _coded(values)
    drawn = np.concatenate(list(_drawn_values(sizes, codes, n_resamples, seed)))
    counts = np.bincount(codes, minlength=2 * sizes).astype(float)
    # Leaving out any one of equal differences gives the same value.
    left_out = _values_of_counts(counts - np.eye(2 * sizes)[np.unique(codes)])
    left_out = np.repeat(left_out, counts[np.unique(codes)].astype(int))
    return bca(value, drawn, left_out, confidence)


def _coded(values: Floats) -> tuple[int, NDArray[np.int64]]:
    """How many distinct sizes there are, zero among them, and a code of each difference.

    The code of a difference is twice the place of its size, plus one where it is negative.
    """
    distinct, place = np.unique(np.append(0.0, np.abs(values)), return_inverse=True)
    return distinct.size, 2 * place[1:] + (values < 0)


def _drawn_values(
    sizes: int, codes: NDArray[np.int64], n_resamples: int, seed: int
) -> Iterator[Floats]:
    """Rank-biserial of every resample, in blocks."""
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // codes.size)
    for begun in range(0, n_resamples, step):
        n_rows = min(step, n_resamples - begun)
        places = codes[rng.integers(0, codes.size, (n_rows, codes.size))]
        places = places + 2 * sizes * np.arange(n_rows)[:, None]
        counts = np.bincount(places.ravel(), minlength=n_rows * 2 * sizes)
        yield _values_of_counts(counts.reshape(n_rows, 2 * sizes).astype(float))


def _values_of_counts(counts: Floats) -> Floats:
    """Rank-biserial of rows of counts, sizes rising from zero by sign; NaN for zeros only."""
    positive, negative = counts[:, 2::2], counts[:, 3::2]
    tied = positive + negative
    ranks = np.cumsum(tied, axis=1) - (tied - 1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        total = (ranks * tied).sum(axis=1)
        return np.asarray((ranks * (positive - negative)).sum(axis=1) / total, dtype=float)


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
