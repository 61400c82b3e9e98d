from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analysis.errors import UndefinedError
from analysis.mixed import CrossedFit, fit_crossed


def simulated(
    seed: int, *, effect: float = 0.5, n_vignettes: int = 24, sd_respondent: float = 0.3,
    sd_rater: float = 0.3,
) -> dict[str, Any]:  # fmt: skip
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(range(n_vignettes), range(6), range(3), indexing="ij")
    v, p, r = (a.ravel() for a in grid)
    y = 3 + rng.normal(0, 0.5, n_vignettes)[v] + rng.normal(0, 0.3, (n_vignettes, 6))[v, p]
    y += np.where(p == 0, effect, rng.normal(0, sd_respondent, 6)[p])
    y += rng.normal(0, sd_rater, 3)[r] + rng.normal(0, 0.6, v.size)
    return {"scores": y, "vignettes": v, "respondents": p, "raters": r, "first": p == 0}


def only(study: dict[str, Any], keep: Any) -> dict[str, Any]:
    return {name: column[keep] for name, column in study.items()}


def same(one: CrossedFit, other: CrossedFit) -> None:
    assert (one.value, one.se) == pytest.approx((other.value, other.se), rel=1e-5)


def test_on_complete_ratings_the_fixed_panels_difference_is_that_of_the_means() -> None:
    study = simulated(1)
    y, p = study["scores"], study["respondents"]
    means = [y[p == place].mean() for place in range(6)]
    fitted = fit_crossed(**study, residents="fixed")
    assert fitted.value == pytest.approx(means[0] - np.mean(means[1:]), abs=1e-9)


def test_a_planted_difference_is_recovered() -> None:
    errors = [fit_crossed(**simulated(seed)).value - 0.5 for seed in range(30)]
    # The standard error of one fit is near 0.19; of the mean of 30, near 0.035.
    assert abs(np.mean(errors)) < 0.11


def test_the_order_of_rows_and_the_names_change_nothing() -> None:
    study = simulated(2)
    moved = only(study, np.random.default_rng(0).permutation(study["scores"].size))
    moved["raters"] = np.array(["C", "A", "B"])[moved["raters"]]
    same(fit_crossed(**moved), fit_crossed(**study))


def test_a_shift_of_the_scale_changes_nothing_and_a_stretch_stretches() -> None:
    study = simulated(3)
    shifted = {**study, "scores": study["scores"] + 40}
    stretched = {**study, "scores": study["scores"] * 10}
    fitted = fit_crossed(**study)
    same(fit_crossed(**shifted), fitted)
    assert fit_crossed(**stretched).value == pytest.approx(10 * fitted.value, rel=1e-5)
    assert fit_crossed(**stretched).se == pytest.approx(10 * fitted.se, rel=1e-4)


def test_random_residents_widen_the_interval_when_residents_differ() -> None:
    study = simulated(4, sd_respondent=0.8)
    random, fixed = fit_crossed(**study), fit_crossed(**study, residents="fixed")
    assert random.se > 2 * fixed.se
    assert random.df < fixed.df


def test_a_term_estimated_as_zero_is_named() -> None:
    study = simulated(5, sd_rater=0.0)
    study["scores"] = study["scores"] - np.array(
        [study["scores"][study["raters"] == r].mean() for r in range(3)]
    )[study["raters"]]  # fmt: skip
    assert "rater" in fit_crossed(**study).at_zero


def test_missing_ratings_are_left_out_and_the_rest_still_counts() -> None:
    study = simulated(6)
    keep = np.random.default_rng(1).random(study["scores"].size) > 0.2
    fitted = fit_crossed(**only(study, keep))
    assert fitted.n_ratings == keep.sum()
    assert fitted.value == pytest.approx(fit_crossed(**study).value, abs=0.2)


def test_one_rater_leaves_the_terms_that_nothing_tells_apart_out() -> None:
    study = simulated(7)
    fitted = fit_crossed(**only(study, study["raters"] == 0))
    assert set(fitted.variances) == {"vignette", "respondent", "residual"}


def test_a_score_that_is_not_a_number_is_refused_with_its_place() -> None:
    study = simulated(8)
    study["scores"][5] = np.nan
    with pytest.raises(ValueError, match=r"scores at \[5\] are not finite"):
        fit_crossed(**study)


def test_a_respondent_in_both_arms_is_refused_by_name() -> None:
    study = simulated(9)
    study["first"] = study["first"].copy()
    study["first"][3] = True
    with pytest.raises(ValueError, match="respondents 1 are in both arms"):
        fit_crossed(**study)


def test_columns_of_different_lengths_are_refused() -> None:
    study = simulated(10)
    with pytest.raises(ValueError, match="different lengths"):
        fit_crossed(**{**study, "raters": study["raters"][1:]})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: only(s, s["first"]), "one arm has no ratings"),
        (lambda s: only(s, s["vignettes"] == 0), "needs two vignettes"),
        (lambda s: {**s, "scores": np.full(s["scores"].size, 4.0)}, "every rating is 4"),
    ],
)
def test_degenerate_ratings_are_answered_by_name(change: Any, words: str) -> None:
    with pytest.raises(UndefinedError, match=words):
        fit_crossed(**change(simulated(11)))
