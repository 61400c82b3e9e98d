"""Whether blinding held: Bang's index for each arm, James's index over both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.bootstrap import cluster_interval
from analysis.errors import UndefinedError
from analysis.permutation import Floats
from analysis.values import Interval

TWO_SIDED, ONE_SIDED = float(stats.norm.ppf(0.975)), float(stats.norm.ppf(0.95))
WRONG = 0.5
"""James's weight of a wrong guess; a right one weighs 0, "don't know" 1."""


@dataclass(frozen=True, slots=True)
class BlindingIndex:
    """An index with its standard error and 95 % limits, taking guesses as independent."""

    value: float
    se: float
    low: float
    """Two-sided."""
    high: float
    one_sided_low: float
    one_sided_high: float
    n: int
    """Guesses behind it, "don't know" among them."""


@dataclass(frozen=True, slots=True)
class BangIndex:
    """One index an actual arm: 1 if all guess right, 0 as by chance, -1 if all guess wrong."""

    arms: tuple[BlindingIndex, BlindingIndex]


def bang_index(counts: ArrayLike) -> BangIndex:
    """Bang's blinding index of both arms.

    Args:
        counts: Shape (3, 2): guessed first arm, second arm, don't know; actual first, second.

    Raises:
        ValueError: If the shape is another, or a count is negative or no whole number.
        UndefinedError: If an arm has no guesses.

    References:
        Bang, Ni and Davis 2004, Control. Clin. Trials 25, 143.
    """
    table = _table(counts)
    return BangIndex((_bang_arm(table[:, 0], 0), _bang_arm(table[:, 1], 1)))


def _bang_arm(guesses: Floats, arm: int) -> BlindingIndex:
    n = guesses.sum()
    if n == 0:
        raise UndefinedError(f"undefined: no guess on the {('first', 'second')[arm]} arm")
    right, wrong = guesses[arm] / n, guesses[1 - arm] / n
    # Multinomial variance of the difference of two shares.
    variance = (right * (1 - right) + wrong * (1 - wrong) + 2 * right * wrong) / n
    return _with_limits(float(right - wrong), sqrt(max(variance, 0.0)), int(n))


def james_index(counts: ArrayLike) -> BlindingIndex:
    """James's blinding index: 1 if nobody knows, 0.5 as by chance, 0 if all guess right.

    The standard error is that of a multinomial table by the delta method.

    Args:
        counts: As `bang_index`.

    Raises:
        ValueError: As `bang_index`.
        UndefinedError: If there are no guesses, or those made leave nothing to chance (all on one
            arm and of one arm).

    References:
        James et al. 1996, Stat. Med. 15, 1421.
    """
    table = _table(counts)
    n = table.sum()
    if n == 0:
        raise UndefinedError("undefined: there are no guesses")
    shares = table.ravel() / n
    value = float(_james(shares[None, :])[0])
    if not np.isfinite(value):
        raise UndefinedError("undefined: every guess was of one arm, on one arm")
    slope = _slope(lambda at: float(_james(at[None, :])[0]), shares)
    variance = float((shares * slope**2).sum() - (shares * slope).sum() ** 2) / n
    return _with_limits(value, sqrt(max(variance, 0.0)), int(n))


def bang_index_interval(
    guessed: Sequence[int], actual: Sequence[int], *, arm: int, clusters: Sequence[object],
    n_resamples: int, seed: int, confidence: float = 0.95,
) -> Interval:  # fmt: skip
    """Bang's index of one arm with a bootstrap of whole clusters, since guesses repeat in them.

    Args:
        guessed: 0 for the first arm, 1 for the second, 2 for don't know; shape (n_guesses,).
        actual: 0 or 1.
        arm: 0 or 1.
        clusters: Rater or vignette of each guess.
        n_resamples: Bootstrap resamples.
        seed: Of the bootstrap.
        confidence: Of the interval.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `bang_index`.
    """
    cells = _cells(guessed, actual)
    value = _bang_arm(cells.sum(axis=0).reshape(3, 2)[:, arm], arm).value

    def finish(sums: Floats) -> Floats:
        table = sums.reshape(-1, 3, 2)[:, :, arm]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((table[:, arm] - table[:, 1 - arm]) / table.sum(axis=1), dtype=float)

    return cluster_interval(
        value, cells, finish, clusters, n_resamples=n_resamples, seed=seed, confidence=confidence
    )


def james_index_interval(
    guessed: Sequence[int], actual: Sequence[int], *, clusters: Sequence[object],
    n_resamples: int, seed: int, confidence: float = 0.95,
) -> Interval:  # fmt: skip
    """James's index with a bootstrap of whole clusters.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.
        UndefinedError: As `james_index`.
    """
    cells = _cells(guessed, actual)
    value = james_index(cells.sum(axis=0).reshape(3, 2)).value

    def finish(sums: Floats) -> Floats:
        return _james(sums / sums.sum(axis=1, keepdims=True))

    return cluster_interval(
        value, cells, finish, clusters, n_resamples=n_resamples, seed=seed, confidence=confidence
    )


def _table(counts: ArrayLike) -> Floats:
    table = np.asarray(counts, dtype=float)
    if table.shape != (3, 2):
        raise ValueError(
            f"counts have shape {table.shape}, wanted (3, 2): guessed first, second, don't know "
            "by actual first, second"
        )
    if (table < 0).any() or (table != np.rint(table)).any():
        raise ValueError(f"counts must be whole numbers of 0 or more; got {table.tolist()}")
    return table


def _cells(guessed: Sequence[int], actual: Sequence[int]) -> Floats:
    """Each guess as one of the six cells, shape (n_guesses, 6)."""
    row, column = np.asarray(guessed, dtype=int), np.asarray(actual, dtype=int)
    if row.shape != column.shape or not (np.isin(row, (0, 1, 2)) & np.isin(column, (0, 1))).all():
        raise ValueError("guesses are 0, 1 or 2 (don't know), actual arms 0 or 1, one of each")
    return np.asarray(np.eye(6)[2 * row + column], dtype=float)


def _james(shares: Floats) -> Floats:
    """Of tables of shares, each row (first on first, first on second, second on first, ...)."""
    table = shares.reshape(-1, 3, 2)
    unknown = table[:, 2].sum(axis=1)
    guessed = table[:, :2]
    known = 1 - unknown
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = WRONG * (guessed[:, 0, 1] + guessed[:, 1, 0]) / known
        by_guess, by_arm = guessed.sum(axis=2), guessed.sum(axis=1)
        chance = WRONG * (by_guess[:, 0] * by_arm[:, 1] + by_guess[:, 1] * by_arm[:, 0]) / known**2
        index = (1 + unknown + known * (wrong - chance) / chance) / 2
    return np.asarray(np.where(known < 1e-12, 1.0, index), dtype=float)


def _slope(function: Callable[[Floats], float], at: Floats) -> Floats:
    # One-sided where a share is zero: that cell has no variance to carry anyway.
    step = 1e-6
    slopes = []
    for move in np.eye(at.size) * step:
        below = at - move if at[move > 0] >= step else at
        slopes.append((function(at + move) - function(below)) / float((at + move - below).sum()))
    return np.array(slopes)


def _with_limits(value: float, se: float, n: int) -> BlindingIndex:
    return BlindingIndex(
        value, se, value - TWO_SIDED * se, value + TWO_SIDED * se, value - ONE_SIDED * se,
        value + ONE_SIDED * se, n,
    )  # fmt: skip
