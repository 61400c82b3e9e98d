from __future__ import annotations

import math

import pytest

from analysis.multiplicity import adjust

P = [0.01, 0.04, 0.03, 0.005]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # Holm: 4*.005, 3*.01, 2*.03, then never smaller than the one before.
        ("holm", (0.03, 0.06, 0.06, 0.02)),
        ("bonferroni", (0.04, 0.16, 0.12, 0.02)),
        # Hochberg from the largest: .04, min(.04, 2*.03), min(.., 3*.01), min(.., 4*.005).
        ("hochberg", (0.03, 0.04, 0.04, 0.02)),
        # BH: .04*4/4, .03*4/3, .01*4/2, .005*4/1, running minimum from the largest.
        ("bh", (0.02, 0.04, 0.04, 0.02)),
    ],
)
def test_adjusted_p_values_by_hand(method: str, expected: tuple[float, ...]) -> None:
    assert adjust(P, method=method) == pytest.approx(expected)


def test_no_adjusted_p_exceeds_one() -> None:
    assert adjust([0.5, 0.9]) == (1.0, 1.0)


@pytest.mark.parametrize("p_values", [[0.01, math.nan], [], [1.2], [-0.1]])
def test_a_missing_or_impossible_p_is_refused(p_values: list[float]) -> None:
    with pytest.raises(ValueError, match="none missing"):
        adjust(p_values)
