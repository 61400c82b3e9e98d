"""Models, margins and flips against R; `fixtures/make_models.R` made the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.effects import cohen_dz, rank_biserial_value
from analysis.equivalence import equivalence, noninferiority
from analysis.generalise import two_way_random
from analysis.mixed import CrossedFit, fit_crossed
from analysis.multiplicity import adjust
from analysis.ordinal import ordinal_gee
from analysis.paired import sign_flip

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "fixtures" / "models.json").read_text()
)
GROUPS = {
    "vignette": "vignette", "cell": "vignette_respondent", "rater": "rater",
    "respondent": "respondent", "Residual": "residual",
}  # fmt: skip


def fit(name: str, residents: Any) -> CrossedFit:
    study = REFERENCE["mixed"][name]
    return fit_crossed(
        study["score"], vignettes=study["vignette"], respondents=study["respondent"],
        raters=study["rater"], first=np.array(study["respondent"]) == 0, residents=residents,
    )  # fmt: skip


@pytest.mark.parametrize("residents", ["random", "fixed"])
@pytest.mark.parametrize("name", REFERENCE["mixed"])
def test_the_crossed_model_agrees_with_lme4_and_lmertest(name: str, residents: str) -> None:
    theirs, ours = REFERENCE["mixed"][name][residents], fit(name, residents)
    assert ours.deviance == pytest.approx(theirs["deviance"], abs=1e-5)
    for field in ("value", "se", "t", "p_value"):
        assert getattr(ours, field) == pytest.approx(theirs[field], rel=2e-4, abs=1e-6), field
    assert ours.df == pytest.approx(theirs["df"], rel=5e-3)
    for group, variance in theirs["variances"].items():
        assert ours.variances[GROUPS[group]] == pytest.approx(variance, abs=1e-4), group


@pytest.mark.parametrize("name", REFERENCE["two_way"])
def test_the_two_way_standard_errors_agree_with_the_analysis_of_variance(name: str) -> None:
    theirs = REFERENCE["two_way"][name]
    ours = two_way_random(np.array(theirs["table"]))
    for field in ("mean", "se_two_way", "se_vignettes", "se_respondents"):
        assert getattr(ours, field) == pytest.approx(theirs[field], abs=1e-9)
    if theirs["se_two_way"] >= theirs["se_vignettes"]:
        assert ours.df == pytest.approx(theirs["df_two_way"], rel=1e-9)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("name", REFERENCE["sign_flip"])
def test_sign_flips_agree_with_exactranktests(name: str, alternative: Any) -> None:
    theirs = REFERENCE["sign_flip"][name]
    ours = sign_flip(np.array(theirs["differences"], dtype=float), alternative=alternative)
    assert ours.method == "exact"
    assert ours.p_value == pytest.approx(theirs[alternative], abs=1e-9)


@pytest.mark.parametrize("theirs", REFERENCE["equivalence"])
def test_both_one_sided_t_tests_and_their_interval_agree_with_r(theirs: dict[str, Any]) -> None:
    d = np.array(theirs["differences"])
    ours = equivalence(d, margin=theirs["margin"], test="t")
    assert ours.p_lower == pytest.approx(theirs["t_lower"], abs=1e-9)
    assert ours.p_upper == pytest.approx(theirs["t_upper"], abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((theirs["t_low"], theirs["t_high"]), abs=1e-9)
    assert noninferiority(d, margin=theirs["margin"], test="t").p_value == ours.p_lower


@pytest.mark.parametrize("theirs", REFERENCE["equivalence"])
def test_both_one_sided_rank_tests_and_their_interval_agree_with_r(theirs: dict[str, Any]) -> None:
    d = np.array(theirs["differences"])
    ours = equivalence(d, margin=theirs["margin"])
    assert ours.p_lower == pytest.approx(theirs["w_lower"], abs=1e-9)
    assert ours.p_upper == pytest.approx(theirs["w_upper"], abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((theirs["w_low"], theirs["w_high"]), abs=1e-9)
    assert noninferiority(d, margin=theirs["margin"]).p_value == ours.p_lower


@pytest.mark.parametrize("theirs", REFERENCE["effects"].values(), ids=list(REFERENCE["effects"]))
def test_rank_biserial_and_d_z_agree_with_r(theirs: dict[str, Any]) -> None:
    d = np.array(theirs["differences"], dtype=float)
    assert rank_biserial_value(d) == pytest.approx(theirs["rank_biserial"], abs=1e-9)
    assert cohen_dz(d).value == pytest.approx(theirs["dz"], abs=1e-9)


@pytest.mark.parametrize("method", ["holm", "bonferroni", "hochberg", "bh"])
@pytest.mark.parametrize("name", REFERENCE["adjust"])
def test_adjusted_p_values_agree_with_r(name: str, method: Any) -> None:
    family = REFERENCE["adjust"][name]
    assert adjust(family["p_values"], method=method) == pytest.approx(family[method], abs=1e-9)


@pytest.mark.parametrize("name", REFERENCE["ordinal"])
def test_the_ordinal_model_agrees_with_stacked_logistic_regression_in_r(name: str) -> None:
    study, theirs = REFERENCE["mixed"][name], REFERENCE["ordinal"][name]
    ours = ordinal_gee(
        study["score"], vignettes=study["vignette"], first=np.array(study["respondent"]) == 0
    )
    assert ours.log_odds == pytest.approx(theirs["log_odds"], abs=1e-5)
    assert ours.se == pytest.approx(theirs["se"], rel=1e-4)
