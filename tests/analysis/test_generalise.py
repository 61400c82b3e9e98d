from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from analysis.errors import UndefinedError
from analysis.generalise import two_way_random
from analysis.paired import mean_difference


def test_the_formula_by_hand_on_a_table_of_two_by_two() -> None:
    # Means of rows 1 and 3, of columns 1.5 and 2.5, grand 2. MS_v = 2 * (1 + 1) / 1 = 4,
    # MS_p = 2 * (0.25 + 0.25) / 1 = 1, interaction 0: every cell is row + column - grand + 0.
    result = two_way_random(np.array([[0.5, 1.5], [2.5, 3.5]]))
    assert result.mean == 2
    assert result.se_two_way == pytest.approx(sqrt((1 + 4) / 4))
    assert result.se_vignettes == pytest.approx(sqrt(4 / 4))
    assert result.se_respondents == pytest.approx(sqrt(1 / 4))
    # (4 * 1.25)^2 / (1^2 / 1) = 25
    assert result.df == pytest.approx(25)


def test_a_panel_that_agrees_falls_back_on_the_vignettes_alone() -> None:
    d = np.array([0.1, 0.5, -0.2, 0.7, 0.3])
    result = two_way_random(np.column_stack([d, d, d]))
    alone = mean_difference(d)
    assert result.se == pytest.approx(result.se_vignettes)
    assert result.df == 4
    assert (result.low, result.high) == pytest.approx((alone.low, alone.high))
    assert result.p_value == pytest.approx(alone.p_value)


def test_the_larger_standard_error_is_reported() -> None:
    rng = np.random.default_rng(8)
    for _ in range(50):
        d = rng.normal(0.2, 1, (12, 4)) + rng.normal(0, rng.uniform(0, 1), 4)
        result = two_way_random(d)
        assert result.se == max(result.se_two_way, result.se_vignettes)


def test_the_order_of_vignettes_and_respondents_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    d = rng.normal(0.2, 1, (9, 4))
    moved = d[rng.permutation(9)][:, rng.permutation(4)]
    assert two_way_random(moved).se == pytest.approx(two_way_random(d).se)


def test_a_missing_difference_is_refused_with_its_place() -> None:
    d = np.zeros((3, 3))
    d[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"\[\[1, 2\]\] are not finite"):
        two_way_random(d)


@pytest.mark.parametrize("shape", [(1, 4), (4, 1)])
def test_one_vignette_or_one_respondent_cannot_be_generalised(shape: tuple[int, int]) -> None:
    with pytest.raises(UndefinedError, match="needs two vignettes and two respondents"):
        two_way_random(np.ones(shape))


def test_equal_differences_are_undefined_by_name() -> None:
    with pytest.raises(UndefinedError, match=r"no variation, every difference is 0\.5"):
        two_way_random(np.full((4, 3), 0.5))


def test_a_flat_table_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(4,\)"):
        two_way_random(np.ones(4))


def test_with_true_zeros_it_rejects_near_the_level_where_the_panel_alone_rejects_too_often() -> (
    None
):
    # 400 studies of 20 vignettes and 6 residents who differ: 95 % of them 5 % of 400 = 20 +- 9.
    rng = np.random.default_rng(11)
    two_way, panel = 0, 0
    for _ in range(400):
        d = rng.normal(0, 0.5, (20, 1)) + rng.normal(0, 0.4, (1, 6)) + rng.normal(0, 0.5, (20, 6))
        two_way += two_way_random(d).p_value <= 0.05
        panel += mean_difference(d.mean(axis=1)).p_value <= 0.05
    assert 8 <= two_way <= 34
    assert panel > 60
