from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.errors import UnattainableError, UndefinedError
from analysis.paired import hodges_lehmann, mean_difference, sign_flip, signed_rank

HALF_POINTS = st.lists(st.integers(-4, 4), min_size=1, max_size=9).filter(any)


def enumerated_p(differences: np.ndarray) -> float:
    """Two-sided p by walking through every sign pattern; the second implementation."""
    ranks = stats.rankdata(np.abs(differences))[differences != 0]
    signs = differences[differences != 0] > 0
    seen = ranks[signs].sum()
    sums = np.array([np.dot(ranks, p) for p in product((0, 1), repeat=ranks.size)])
    return min(1.0, 2 * min((sums >= seen - 1e-9).mean(), (sums <= seen + 1e-9).mean()))


@settings(deadline=None)
@given(HALF_POINTS)
def test_the_exact_p_is_the_share_of_sign_patterns(halves: list[int]) -> None:
    d = np.array(halves) / 2
    assert signed_rank(d).p_value == pytest.approx(enumerated_p(d), abs=1e-12)


def test_four_pairs_by_hand() -> None:
    result = signed_rank(np.array([1.0, 2.0, 3.0, -4.0]))
    # W+ = 1+2+3 = 6, W- = 4; 7 of 16 sign patterns reach 6, so p = 2 * 7/16
    assert (result.w_plus, result.w_minus, result.p_value) == (6, 4, 0.875)
    # Z = (6 - 4) / sqrt(1 + 4 + 9 + 16)
    assert result.z == pytest.approx(2 / np.sqrt(30))


def test_zeros_keep_their_ranks_under_pratt_and_lose_them_under_wilcoxon() -> None:
    d = np.array([0.0, 1.0, 2.0, -3.0])
    # Pratt: ranks 2, 3, 4 remain; Wilcoxon: ranks 1, 2, 3.
    assert (signed_rank(d).w_plus, signed_rank(d).w_minus) == (5, 4)
    dropped = signed_rank(d, zeros="wilcoxon")
    assert (dropped.w_plus, dropped.w_minus, dropped.n_pairs, dropped.n_zero) == (3, 3, 4, 1)


def test_balanced_data_with_zeros_and_ties_has_p_one_where_scipy_says_otherwise() -> None:
    d = np.array([0.0, 0.0, 0.0, 1.0, -1.0, 1.0, -1.0, 2.0, -2.0])
    assert signed_rank(d).p_value == 1.0


def test_untied_pairs_agree_with_scipy() -> None:
    d = np.array([1.3, -0.4, 2.2, 3.1, -0.9, 0.7, 1.8, 2.5, -1.1, 0.2])
    assert signed_rank(d).p_value == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)


def test_float_noise_makes_no_difference() -> None:
    exact = np.array([1 / 3, -1 / 3, 0.0, 2 / 3, 1.0])
    noisy = exact + np.array([1e-12, -1e-12, 1e-13, 1e-12, 0])
    assert signed_rank(noisy) == signed_rank(exact)


def test_one_sided_alternatives_add_up_around_the_seen_value() -> None:
    d = np.array([1.0, 2.0, 3.0, -4.0])
    greater = signed_rank(d, alternative="greater").p_value
    less = signed_rank(d, alternative="less").p_value
    # P(W >= 6) = 7/16; P(W <= 6) = 11/16: the pattern sums 6 itself (2 of 16) is in both.
    assert (greater, less) == (7 / 16, 11 / 16)


def test_above_500_pairs_the_form_is_asymptotic_and_exact_is_refused_by_name() -> None:
    d = np.random.default_rng(1).normal(0.1, 1, 501)
    assert signed_rank(d).method == "asymptotic"
    with pytest.raises(ValueError, match="an exact p of 501 pairs is refused above 500"):
        signed_rank(d, method="exact")


@pytest.mark.parametrize(
    ("d", "words"),
    [([], "there are no pairs"), ([0.0, 0.0], "all 2 differences are zero")],
)
def test_degenerate_pairs_are_answered_by_name(d: list[float], words: str) -> None:
    with pytest.raises(UndefinedError, match=words):
        signed_rank(np.array(d))


def test_a_missing_difference_is_refused_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"differences at \[1\] are not finite"):
        signed_rank(np.array([1.0, np.nan]))


def test_hodges_lehmann_by_hand() -> None:
    # Walsh averages of 1, 2, 6: 1, 1.5, 2, 3.5, 4, 6; their median is (2 + 3.5) / 2.
    result = hodges_lehmann(np.array([1.0, 2.0, 6.0]), confidence=0.7)
    assert result.value == 2.75
    # Cutting one at each end would attain 1 - 2 * 1/8 = 75 %.
    assert (result.low, result.high, result.confidence) == (1.0, 6.0, 0.75)


def test_the_interval_of_six_pairs_attains_ninety_seven_percent() -> None:
    result = hodges_lehmann(np.arange(1.0, 7.0), confidence=0.95)
    assert result.confidence == pytest.approx(1 - 2 / 64)
    assert (result.low, result.high) == (1.0, 6.0)


def test_an_unattainable_confidence_names_the_attainable_one() -> None:
    with pytest.raises(UnattainableError, match=r"with 3 pairs; attainable: 75 %") as caught:
        hodges_lehmann(np.array([1.0, 2.0, 6.0]))
    # The estimate is still known: the median of 1, 1.5, 2, 3.5, 4 and 6.
    assert (caught.value.attainable, caught.value.value) == (0.75, 2.75)


def test_the_attainable_confidence_is_attained() -> None:
    assert hodges_lehmann(np.array([1.0, 2.0, 6.0]), confidence=0.75).confidence == 0.75


def test_the_interval_holds_what_the_untied_test_does_not_reject() -> None:
    d = np.random.default_rng(3).normal(0.4, 1, 15)
    result = hodges_lehmann(d, confidence=0.95)
    inside, outside = result.low + 1e-6, result.low - 1e-6
    assert signed_rank(d - inside).p_value > 0.05
    assert signed_rank(d - outside).p_value <= 0.05


def test_the_mean_interval_agrees_with_scipy() -> None:
    d = np.array([0.5, 1.0, -0.5, 2.0, 0.0])
    test = stats.ttest_1samp(d, 0)
    low, high = test.confidence_interval(0.95)
    result = mean_difference(d)
    assert (result.low, result.high) == pytest.approx((low, high))
    assert result.p_value == pytest.approx(test.pvalue)


# Three times 0.1 has a standard deviation of 1.7e-17, which would give a tiny p.
@pytest.mark.parametrize("d", [[1.0], [2.0, 2.0], [0.1, 0.1, 0.1]])
def test_a_mean_without_spread_is_answered_by_name(d: list[float]) -> None:
    with pytest.raises(UndefinedError):
        mean_difference(np.array(d))


@settings(deadline=None)
@given(HALF_POINTS)
def test_a_sign_flip_p_is_the_share_of_patterns_of_the_sum(halves: list[int]) -> None:
    d = np.array(halves) / 2
    moved = d[d != 0]
    sums = np.array([np.dot(moved, p) for p in product((1, -1), repeat=moved.size)])
    upper, lower = (sums >= moved.sum()).mean(), (sums <= moved.sum()).mean()
    assert sign_flip(d).p_value == pytest.approx(min(1.0, 2 * min(upper, lower)), abs=1e-12)
    assert sign_flip(d, alternative="greater").p_value == pytest.approx(upper, abs=1e-12)


def test_the_asymptotic_sign_flip_is_near_the_exact_one() -> None:
    d = np.round(np.random.default_rng(2).normal(0.2, 1, 40), 2)
    exact, many = sign_flip(d), sign_flip(np.append(d, [0.001]))
    assert (exact.method, many.method) == ("exact", "asymptotic")
    assert many.p_value == pytest.approx(exact.p_value, abs=0.01)


def test_sign_flips_of_zeros_alone_are_undefined_by_name() -> None:
    with pytest.raises(UndefinedError, match="all 3 differences are zero"):
        sign_flip(np.zeros(3))


def test_above_500_pairs_the_hodges_lehmann_interval_is_asymptotic_and_says_so() -> None:
    d = np.random.default_rng(4).normal(0.1, 1, 501)
    exact, asymptotic = hodges_lehmann(d[:500]), hodges_lehmann(d)
    assert (exact.method, asymptotic.method) == ("exact", "asymptotic")
    assert (asymptotic.low, asymptotic.high) == pytest.approx((exact.low, exact.high), abs=0.01)
