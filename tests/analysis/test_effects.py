from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.effects import (
    cohen_dz,
    paired_superiority,
    r_from_z,
    rank_biserial,
    rank_biserial_value,
)
from analysis.errors import NoIntervalError, UndefinedError
from analysis.paired import signed_rank


def test_rank_biserial_drops_zeros_and_then_ranks() -> None:
    # Without the zero the ranks are 1, 2, 3: (1 + 2 - 3) / 6.
    assert rank_biserial_value(np.array([0.0, 1.0, 2.0, -3.0])) == 0.0
    # Ties share ranks: |1|, |1|, |2| rank 1.5, 1.5, 3: (1.5 - 1.5 + 3) / 6.
    assert rank_biserial_value(np.array([1.0, -1.0, 2.0])) == 0.5


def test_the_bca_interval_agrees_with_scipys() -> None:
    d = np.round(np.random.default_rng(5).normal(0.4, 1, 25), 1)
    ours = rank_biserial(d, n_resamples=20_000, seed=1)
    theirs = stats.bootstrap(
        (d,), lambda x: rank_biserial_value(x), vectorized=False, n_resamples=4_000,
        method="BCa", rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert ours.value == rank_biserial_value(d)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_differences_of_one_sign_are_said_by_name() -> None:
    with pytest.raises(NoIntervalError, match=r"every difference .* has one sign") as caught:
        rank_biserial(np.array([1.0, 2.0, 0.0, 3.0]), seed=1)
    assert caught.value.value == 1.0


def test_too_few_pairs_to_resample_are_said_by_name() -> None:
    # (2 - 1) / (2 + 1): the value is given, the interval is not.
    with pytest.raises(NoIntervalError, match="no interval: 2 vignettes are too few") as caught:
        rank_biserial(np.array([2.0, -1.0]), seed=1)
    assert caught.value.value == pytest.approx(1 / 3)


def test_only_zeros_have_no_rank_biserial() -> None:
    with pytest.raises(UndefinedError, match="every difference is zero"):
        rank_biserial(np.zeros(6), seed=1)


def test_the_bootstrap_repeats_with_its_seed() -> None:
    d = np.array([1.0, -2.0, 3.0, 0.5, -0.5, 2.0])
    assert rank_biserial(d, seed=3) == rank_biserial(d, seed=3)


def test_r_is_z_over_the_root_of_the_pairs_and_its_ceiling_at_thirty_is_point_873() -> None:
    d = np.arange(1.0, 31.0)
    result = r_from_z(signed_rank(d))
    # All positive: r is its own ceiling, 465 / sqrt(9455 * 30) = .873.
    assert result.value == pytest.approx(result.ceiling)
    assert result.ceiling == pytest.approx(465 / np.sqrt(9455 * 30))
    assert round(result.ceiling, 3) == 0.873


def test_ties_can_lift_r_above_the_untied_ceiling() -> None:
    # All sizes tied: Z = n * mid-rank / sqrt(n * mid-rank^2) = sqrt(n), so r = 1.
    result = r_from_z(signed_rank(np.ones(9)))
    assert result.value == pytest.approx(1.0)
    assert result.ceiling < 1


def test_superiority_counts_ties_half() -> None:
    result = paired_superiority(np.array([1.0, 0.0, -1.0, 2.0]))
    assert (result.value, result.wins, result.ties, result.losses) == (0.625, 2, 1, 1)


def test_d_z_by_hand() -> None:
    # Mean 2, standard deviation 1.
    assert cohen_dz(np.array([1.0, 2.0, 3.0])).value == 2


def test_d_z_of_equal_differences_is_undefined_by_name() -> None:
    with pytest.raises(UndefinedError, match="no variation"):
        cohen_dz(np.array([0.3, 0.3, 0.3]))
    with pytest.raises(UndefinedError, match="one pair"):
        cohen_dz(np.array([0.3]))
