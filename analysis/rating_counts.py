"""How often each item got each point of the scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.permutation import Floats


def rating_matrix(ratings: Floats) -> Floats:
    """Ratings as floats.

    Raises:
        ValueError: If they are not (n_items, n_raters).
    """
    values = np.asarray(ratings, dtype=float)
    if values.ndim != 2:
        raise ValueError(f"ratings have shape {values.shape}, wanted (n_items, n_raters)")
    return values


def point_counts(ratings: Floats, categories: Sequence[float] | None) -> tuple[Floats, Floats]:
    """Counts, shape (n_items, n_points), and the points in order.

    Args:
        ratings: Shape (n_items, n_raters), NaN where missing.
        categories: The scale's points in any order; the points seen by default.

    Raises:
        ValueError: If a rating is not among the categories.
    """
    values = rating_matrix(ratings)
    seen = np.unique(values[~np.isnan(values)])
    points = np.asarray(sorted(set(categories)) if categories is not None else seen, dtype=float)
    foreign = np.setdiff1d(seen, points)
    if foreign.size:
        raise ValueError(f"ratings {foreign.tolist()} are not among {points.tolist()}")
    return (values[:, :, None] == points).sum(axis=1).astype(float), points
