"""Two models on the same items: exact McNemar, and the difference with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from analysis.proportions import proportion


@dataclass(frozen=True, slots=True)
class PairedProportions:
    """Two proportions on the same items."""

    n: int
    both: int
    first_only: int
    second_only: int
    neither: int
    difference: float
    """First minus second."""
    low: float
    high: float
    p_value: float
    """Exact McNemar, two-sided."""
    confidence: float


def paired_proportions(
    first: Sequence[bool], second: Sequence[bool], *, confidence: float = 0.95
) -> PairedProportions:
    """Compare two proportions on the same items.

    Without a discordant item the exact p is 1: nothing speaks for either.

    Args:
        first: Of each item whether the first model was right.
        second: As `first`, item by item.
        confidence: Of the interval.

    Raises:
        ValueError: If the lengths differ, or there is no item.

    References:
        McNemar 1947, Psychometrika 12, 153; Newcombe 1998, Stat. Med. 17, 2635, method 10 (score
        interval for paired data).
    """
    pairs = list(zip(first, second, strict=True))
    if not pairs:
        raise ValueError("no item in common")
    both, first_only = pairs.count((True, True)), pairs.count((True, False))
    second_only, neither = pairs.count((False, True)), pairs.count((False, False))
    low, high = _newcombe(both, first_only, second_only, neither, confidence)
    return PairedProportions(
        len(pairs), both, first_only, second_only, neither,
        (first_only - second_only) / len(pairs), low, high,
        mcnemar_exact(first_only, second_only), confidence,
    )  # fmt: skip


def mcnemar_exact(first_only: int, second_only: int) -> float:
    """Two-sided p that discordant items fall either way with equal chance.

    >>> mcnemar_exact(1, 5)
    0.21875
    """
    from scipy.stats import binomtest

    n = first_only + second_only
    return float(binomtest(first_only, n, 0.5).pvalue) if n else 1.0


def _newcombe(
    both: int, first_only: int, second_only: int, neither: int, confidence: float
) -> tuple[float, float]:
    n = both + first_only + second_only + neither
    one = proportion(both + first_only, n, confidence=confidence)
    two = proportion(both + second_only, n, confidence=confidence)
    phi = _phi(both, first_only, second_only, neither)

    def reach(a: float, b: float) -> float:
        return sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))

    difference = one.estimate - two.estimate
    below = reach(one.estimate - one.low, two.high - two.estimate)
    above = reach(one.high - one.estimate, two.estimate - two.low)
    return difference - below, difference + above


def _phi(both: int, first_only: int, second_only: int, neither: int) -> float:
    """The correlation of the pairs, corrected for continuity where it is positive."""
    product = both * neither - first_only * second_only
    n = both + first_only + second_only + neither
    corrected = max(product - n / 2, 0.0) if product > 0 else float(product)
    margins = (
        (both + first_only) * (second_only + neither) * (both + second_only)
        * (first_only + neither)
    )  # fmt: skip
    return corrected / sqrt(margins) if margins else 0.0
