"""Bootstraps by loops over copies of the data: what the sums must give."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import bootstrap


def looped(
    compute: Callable[[np.ndarray], float], clusters: Sequence[object], *, n_resamples: int,
    seed: int,
) -> tuple[float, float]:  # fmt: skip
    """BCa limits of `compute(rows)` by scipy, over whole clusters, on the same draws."""
    names = sorted(set(map(str, clusters)))
    rows = [np.flatnonzero(np.asarray(clusters, dtype=str) == name) for name in names]
    places = np.arange(len(names))

    def of_clusters(drawn: np.ndarray) -> float:
        return compute(np.concatenate([rows[int(place)] for place in drawn]))

    found = bootstrap(
        (places,), of_clusters, vectorized=False, n_resamples=n_resamples, method="BCa",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
