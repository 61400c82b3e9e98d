from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.equivalence import NAMES, equivalence, noninferiority, verdict
from analysis.errors import UnattainableError, UndefinedError

D = np.array([0.2, -0.4, 0.1, 0.3, -0.1, 0.0, 0.5, -0.2, 0.15, 0.05])


def test_a_difference_equal_to_minus_the_margin_is_a_zero_and_no_float_noise() -> None:
    # -0.3 + 0.3 and 0.1 + 0.2 - 0.3 are zeros; of 1, 2, 3 all signs up: p = 1 / 8 times the zeros'
    # patterns, that is 2^3 patterns of the three that count.
    d = np.array([-0.3, 0.1 + 0.2 - 0.6, 0.7, 1.7, 2.7])
    assert noninferiority(d, margin=0.3).p_value == 0.125


def test_equivalence_needs_both_one_sided_tests() -> None:
    result = equivalence(D, margin=0.5)
    assert result.p_value == max(result.p_lower, result.p_upper)
    assert result.is_shown == (result.p_value <= 0.05)


def test_the_interval_lies_within_any_margin_above_the_smallest() -> None:
    result = equivalence(D, margin=0.5)
    assert result.smallest_margin == max(-result.low, result.high)
    assert verdict(
        result.low, result.high, margin=result.smallest_margin + 1e-6
    ).against_margins == ("within")


def test_a_larger_margin_never_makes_equivalence_harder_to_show() -> None:
    p = [equivalence(D, margin=margin).p_value for margin in np.arange(0.1, 1.05, 0.1)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(p))


def test_turning_the_arms_round_swaps_the_two_tests() -> None:
    result, turned = equivalence(D, margin=0.4), equivalence(-D, margin=0.4)
    assert (result.p_lower, result.p_upper) == pytest.approx((turned.p_upper, turned.p_lower))
    assert (result.low, result.high) == pytest.approx((-turned.high, -turned.low))


@pytest.mark.parametrize("margin", [0.0, -0.5, float("nan"), float("inf")])
def test_a_margin_that_is_not_above_zero_is_refused(margin: float) -> None:
    for claim in (noninferiority, equivalence):
        with pytest.raises(ValueError, match="number of rubric points above 0"):
            claim(D, margin=margin)
    with pytest.raises(ValueError, match="above 0"):
        verdict(-0.1, 0.1, margin=margin)


def test_so_few_pairs_name_what_they_can_attain() -> None:
    with pytest.raises(UnattainableError, match="attainable: 75 %"):
        equivalence(np.array([0.1, 0.2, 0.4]), margin=0.5)


def test_equal_differences_give_no_t_test() -> None:
    with pytest.raises(UndefinedError, match="no variation"):
        equivalence(np.full(8, 0.2), margin=0.5, test="t")


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.1, 0.4, "better, but by less than the margin"),
        (0.1, 0.7, "better"),
        (-0.2, 0.3, "equivalent within the margin"),
        (-0.2, 0.8, "not worse by the margin (non-inferior)"),
        (-0.7, 0.2, "unclear"),
        (-0.4, -0.1, "worse, but by less than the margin"),
        (-0.9, -0.1, "worse, whether by more than the margin is unclear"),
        (-0.9, -0.6, "worse by more than the margin"),
    ],
)
def test_every_combination_of_the_two_facts_has_its_name(
    low: float, high: float, words: str
) -> None:
    assert verdict(low, high, margin=0.5).words == words


def test_no_pair_of_intervals_is_without_a_name() -> None:
    ends = np.arange(-1.2, 1.25, 0.1)
    for low in ends:
        for high in ends[ends >= low]:
            middle, half = (low + high) / 2, (high - low) / 2
            inner = (middle - 0.84 * half, middle + 0.84 * half)
            found = verdict(low, high, margin=0.5, for_equivalence=inner)
            assert (found.against_zero, found.against_margins) in NAMES


def test_equivalence_is_judged_on_its_own_narrower_interval() -> None:
    assert verdict(-0.52, 0.4, margin=0.5).words == "unclear"
    narrower = verdict(-0.52, 0.4, margin=0.5, for_equivalence=(-0.45, 0.35))
    assert narrower.words == "equivalent within the margin"


def test_an_interval_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="upside down"):
        verdict(0.2, 0.1, margin=0.5)
