"""Adjusting p values for a declared family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

Correction = Literal["holm", "bonferroni", "hochberg", "bh"]


def adjust(p_values: Sequence[float], *, method: Correction = "holm") -> tuple[float, ...]:
    """Adjusted p values, in the order given.

    Args:
        p_values: One of each member of the family, declared beforehand.
        method: Holm 1979, Bonferroni, Hochberg 1988, or Benjamini and Hochberg 1995.

    Raises:
        ValueError: If one is missing (leaving it out would shrink the family) or not in [0, 1].

    >>> adjust([0.01, 0.04, 0.03, 0.005])
    (0.03, 0.06, 0.06, 0.02)
    """
    p = np.asarray(p_values, dtype=float)
    if p.size == 0 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(
            f"p values must be numbers from 0 to 1, none missing; got {list(p_values)}"
        )
    n = p.size
    order = np.argsort(p, kind="stable")
    ascending = p[order]
    if method == "bonferroni":
        stepped = ascending * n
    elif method == "holm":
        stepped = np.maximum.accumulate(ascending * (n - np.arange(n)))
    else:
        factor = n - np.arange(n) if method == "hochberg" else n / np.arange(1, n + 1)
        stepped = np.minimum.accumulate((ascending * factor)[::-1])[::-1]
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(stepped, 1.0)
    return tuple(float(value) for value in np.round(adjusted, 12))
