"""Percentile intervals from resamples of whole clusters, computed from weights instead of copies.

The responses to one vignette are not independent, so whole vignettes are drawn: a resample is how
often each item counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.errors import NoIntervalError
from analysis.permutation import Floats
from analysis.values import Interval

MIN_CLUSTERS = 5
"""Fewer clusters have so few distinct resamples that an interval would say nothing."""
BLOCK = 4_000_000
"""Weights held at once; more resamples are drawn in blocks."""

Weights = NDArray[np.float64]
OfWeights = Callable[[Weights], Floats]
"""From weights (n_resamples, n_items) to one value a resample, NaN where undefined."""


def cluster_interval(
    value: float, of_weights: OfWeights, clusters: Sequence[object], *,
    n_resamples: int, seed: int, confidence: float,
) -> Interval:  # fmt: skip
    """A value with its percentile interval from resamples of whole clusters.

    Args:
        value: Of the data as they are.
        of_weights: The statistic from weights of the items.
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
    drawn = resampled(of_weights, clusters, value=value, n_resamples=n_resamples, seed=seed)
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))


def resampled(
    of_weights: OfWeights, clusters: Sequence[object], *, value: float, n_resamples: int, seed: int
) -> Floats:
    """The statistic in every resample where it is defined.

    Raises:
        NoIntervalError: As `cluster_interval`.
    """
    names, member = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if names.size < MIN_CLUSTERS:
        raise NoIntervalError(
            f"no interval: {names.size} clusters are too few to resample; "
            f"{MIN_CLUSTERS} are needed",
            value,
        )
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // max(member.size, 1))
    values = np.concatenate([
        of_weights(_times(rng, names.size, min(step, n_resamples - begun))[:, member])
        for begun in range(0, n_resamples, step)
    ])  # fmt: skip
    values = values[np.isfinite(values)]
    if values.size < n_resamples / 2:
        raise NoIntervalError(
            f"no interval: undefined in {n_resamples - values.size} of {n_resamples} resamples",
            value,
        )
    return np.asarray(values, dtype=float)


def _times(rng: np.random.Generator, n_clusters: int, n_rows: int) -> Weights:
    """How often each cluster is drawn, (n_rows, n_clusters)."""
    drawn = rng.integers(0, n_clusters, (n_rows, n_clusters))
    places = drawn + n_clusters * np.arange(n_rows)[:, None]
    times = np.bincount(places.ravel(), minlength=n_rows * n_clusters)
    return times.reshape(n_rows, n_clusters).astype(float)
