from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.paired import signed_rank
from analysis.power import Latent, Power, signed_rank_z, simulate

SIZES: dict[str, Any] = {"n_vignettes": [30], "n_residents": [5], "n_raters": [3], "margin": 0.5}


def power(**changed: Any) -> Power:
    return simulate(**{**SIZES, "effect": 0.0, "seed": 1, **changed})[0]


def test_the_vectorised_statistic_is_the_one_of_the_test() -> None:
    d = np.round(np.random.default_rng(2).normal(0.1, 0.5, (40, 12)) * 3) / 3
    d[0] = 0
    for row, z in zip(d[1:], signed_rank_z(d)[1:], strict=True):
        assert z == pytest.approx(signed_rank(row).z)
    assert signed_rank_z(d)[0] == 0


def test_without_an_effect_and_with_residents_alike_a_test_rejects_at_its_level() -> None:
    found = power(latent=Latent(respondent=0.0), n_studies=4_000)
    # 5 % of 4,000 is 200, with a standard deviation of 14.
    assert 0.036 < found.superiority_last < 0.062
    assert found.superiority < 0.022


def test_a_model_worse_by_the_margin_is_called_noninferior_at_half_alpha_at_most() -> None:
    wide = Latent(mean=3.0, respondent=0.0, minimum=-20, maximum=20, step=0.01)
    found = power(effect=-0.5, latent=wide, n_studies=4_000)
    assert 0.015 < found.noninferiority < 0.035


def test_more_of_anything_gives_more_power() -> None:
    grid = simulate(
        n_vignettes=[15, 60], n_residents=[3, 12], n_raters=[2, 6], effect=0.3, margin=0.5, seed=3
    )
    by_size = {(c.n_vignettes, c.n_residents, c.n_raters): c.superiority for c in grid}
    assert by_size[60, 3, 2] > by_size[15, 3, 2]
    assert by_size[60, 12, 6] > by_size[60, 3, 2]


def test_equivalence_is_likelier_the_closer_the_arms_are() -> None:
    values = [power(effect=effect).equivalence for effect in (0.0, 0.3, 0.6)]
    assert values[0] > values[1] > values[2]


def test_the_ends_of_the_scale_shrink_the_effect() -> None:
    assert power(effect=1.0, latent=Latent(mean=4.5)).mean_difference < 0.7


def test_one_seed_gives_one_answer() -> None:
    assert power(effect=0.2) == power(effect=0.2)
    assert power(effect=0.2) != power(effect=0.2, seed=2)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"n_vignettes": [4]}, r"n_vignettes is \[4\]; each is 5 or more"),
        ({"n_raters": []}, "n_raters"),
        ({"margin": 0.0}, "above 0"),
        ({"n_studies": 10}, "100 or more"),
        ({"latent": Latent(rest=-1)}, "standard deviations"),
        ({"latent": Latent(minimum=5, maximum=1)}, "scale runs from 5"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_name(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        power(**changed)
