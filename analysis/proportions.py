"""A proportion with its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proportion:
    """How many of how many, with a Wilson interval."""

    k: int
    n: int
    estimate: float
    """k / n."""
    low: float
    high: float
    confidence: float


def proportion(k: int, n: int, *, confidence: float = 0.95) -> Proportion:
    """A binomial proportion with Wilson's score interval.

    Args:
        k: Successes.
        n: Trials, at least 1; taken as independent.
        confidence: Coverage, 0 to 1.

    Raises:
        ValueError: If k is not within 0 to n, or n is 0.

    References:
        Wilson 1927, doi 10.1080/01621459.1927.10502953; Brown, Cai and DasGupta 2001,
        doi 10.1214/ss/1009213286.

    >>> p = proportion(8, 10)
    >>> round(p.low, 4), round(p.high, 4)
    (0.4902, 0.9433)
    """
    if n < 1 or not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no proportion")
    from scipy.stats import binomtest

    interval = binomtest(k, n).proportion_ci(confidence_level=confidence, method="wilson")
    return Proportion(k, n, k / n, float(interval.low), float(interval.high), confidence)
