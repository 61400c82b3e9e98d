"""Intervals from resamples of whole clusters, computed from sums instead of copies.

The responses to one vignette are not independent, so whole vignettes are drawn. A statistic states
what each item adds to a few sums and how those sums finish; a resample is then one weighted sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.errors import NoIntervalError
from analysis.permutation import Floats
from analysis.values import Interval

MIN_CLUSTERS = 5
"""Fewer clusters have so few distinct resamples that an interval would say nothing."""
BLOCK = 4_000_000
"""Numbers held at once; more resamples are taken in blocks."""

Finish = Callable[[Floats], Floats]
"""From sums (n_resamples, n_parts) to one value a resample, NaN where undefined."""


def cluster_interval(
    value: float, parts: Floats, finish: Finish, clusters: Sequence[object], *,
    n_resamples: int, seed: int, confidence: float,
) -> Interval:  # fmt: skip
    """A value with its BCa interval from resamples of whole clusters.

    Args:
        value: Of the data as they are.
        parts: What each item adds to the sums, shape (n_items, n_parts).
        finish: The statistic from the sums.
        clusters: Cluster of each item, such as its vignette; shape (n_items,).
        n_resamples: Bootstrap resamples.
        seed: Of the bootstrap.
        confidence: Of the interval.

    Raises:
        NoIntervalError: With fewer than five clusters, or when most resamples are undefined.

    References:
        Davison and Hinkley 1997, Bootstrap Methods and their Application, section 3.8; Field and
        Welsh 2007, J. R. Stat. Soc. B 69, 369 (clusters).
    """
    names, member = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    refuse_few(names.size, value)
    sums = np.zeros((names.size, parts.shape[1]))
    np.add.at(sums, member, parts)
    drawn = np.concatenate([
        finish(times.astype(float) @ sums) for times in blocks(names.size, n_resamples, seed)
    ])  # fmt: skip
    return bca(value, drawn, finish(sums.sum(axis=0) - sums), confidence)


def refuse_few(n_clusters: int, value: float) -> None:
    """Refuse to resample fewer than five clusters.

    Raises:
        NoIntervalError: With the value, which may be printed.
    """
    if n_clusters < MIN_CLUSTERS:
        raise NoIntervalError(
            f"no interval: {n_clusters} clusters are too few to resample; "
            f"{MIN_CLUSTERS} are needed",
            value,
        )


def bca(value: float, drawn: Floats, left_out: Floats, confidence: float) -> Interval:
    """The bias-corrected and accelerated interval.

    Args:
        value: Of the data as they are.
        drawn: Of each resample, NaN where undefined.
        left_out: Of the data without each unit in turn, NaN where undefined.
        confidence: Of the interval.

    Raises:
        NoIntervalError: If the statistic is undefined in more than half of the resamples, or they
            all lie on one side of the value.

    References:
        Efron 1987, J. Am. Stat. Assoc. 82, 171.
    """
    n_drawn = drawn.size
    drawn, left_out = drawn[np.isfinite(drawn)], left_out[np.isfinite(left_out)]
    if drawn.size < n_drawn / 2:
        raise NoIntervalError(
            f"no interval: undefined in {n_drawn - drawn.size} of {n_drawn} resamples", value
        )
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
    return Interval(value, float(low), float(high))


def blocks(n_clusters: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.uint8]]:
    """How often each cluster is drawn, in blocks of (n_rows, n_clusters)."""
    times = _times(n_clusters, n_resamples, seed)
    step = max(1, BLOCK // n_clusters)
    for begun in range(0, n_resamples, step):
        yield times[begun : begun + step]


@lru_cache(maxsize=2)
def _times(n_clusters: int, n_resamples: int, seed: int) -> NDArray[np.uint8]:
    """All resamples, kept: every coefficient of a study is drawn on the same ones.

    A byte holds a count: more than 255 times the same of many clusters is never seen.
    """
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // n_clusters)
    found = []
    for begun in range(0, n_resamples, step):
        n_rows = min(step, n_resamples - begun)
        drawn = rng.integers(0, n_clusters, (n_rows, n_clusters))
        drawn += n_clusters * np.arange(n_rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n_rows * n_clusters)
        found.append(counts.reshape(n_rows, n_clusters).astype(np.uint8))
    return np.concatenate(found)
