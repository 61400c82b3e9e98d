from __future__ import annotations

import math

import pytest

from analysis.proportions import proportion


def by_formula(k: int, n: int, z: float) -> tuple[float, float]:
    """Wilson 1927, worked out: centre (p + z2/2n)/(1 + z2/n), half width z/(1 + z2/n) * root."""
    p, shrink = k / n, 1 + z**2 / n
    centre = (p + z**2 / (2 * n)) / shrink
    half = z / shrink * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


@pytest.mark.parametrize(("k", "n"), [(0, 10), (8, 10), (10, 10), (131, 140)])
def test_the_interval_is_wilson_s(k: int, n: int) -> None:
    found = proportion(k, n)
    low, high = by_formula(k, n, 1.959964)
    assert found.estimate == k / n
    assert found.low == pytest.approx(low, abs=1e-6)
    assert found.high == pytest.approx(high, abs=1e-6)


@pytest.mark.parametrize(("k", "n"), [(1, 0), (-1, 3), (4, 3)])
def test_what_is_no_proportion_is_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no proportion"):
        proportion(k, n)
