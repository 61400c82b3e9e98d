"""Against R; `fixtures/make_reference.R` made the numbers and names the versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.multiplicity import adjust
from analysis.paired import hodges_lehmann, mean_difference, signed_rank
from analysis.reliability import icc

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "fixtures" / "reference.json").read_text()
)
PAIRED = REFERENCE["paired"]


@pytest.mark.parametrize("zeros", ["pratt", "wilcoxon"])
@pytest.mark.parametrize("name", PAIRED)
def test_z_and_the_exact_p_agree_with_coin(name: str, zeros: str) -> None:
    d, theirs = np.array(PAIRED[name]["differences"], dtype=float), PAIRED[name][zeros]
    assert signed_rank(d, zeros=zeros).z == pytest.approx(theirs["z"], abs=1e-12)
    for alternative in ("two-sided", "greater", "less"):
        ours = signed_rank(d, zeros=zeros, alternative=alternative)
        assert ours.method == "exact"
        assert ours.p_value == pytest.approx(theirs[alternative], abs=1e-8)


@pytest.mark.parametrize("name", PAIRED)
def test_the_mean_its_interval_and_p_agree_with_r(name: str) -> None:
    ours = mean_difference(np.array(PAIRED[name]["differences"], dtype=float))
    for field, value in PAIRED[name]["mean"].items():
        assert getattr(ours, field) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("theirs", REFERENCE["hodges_lehmann"])
def test_the_untied_hodges_lehmann_interval_agrees_with_r(theirs: dict[str, float]) -> None:
    d = np.array(PAIRED["ordinary"]["differences"])
    ours = hodges_lehmann(d, confidence=theirs["confidence"])
    assert ours.value == pytest.approx(theirs["value"], abs=1e-9)
    assert (ours.low, ours.high) == pytest.approx((theirs["low"], theirs["high"]), abs=1e-9)
    assert ours.confidence >= theirs["confidence"]


@pytest.mark.parametrize("method", ["holm", "bonferroni", "hochberg", "bh"])
def test_adjusted_p_values_agree_with_r(method: str) -> None:
    family = REFERENCE["adjust"]
    assert adjust(family["p_values"], method=method) == pytest.approx(family[method])


@pytest.mark.parametrize("form", ["A,1", "A,k", "C,1", "C,k"])
@pytest.mark.parametrize("name", REFERENCE["icc"])
def test_icc_agrees_with_psych(name: str, form: str) -> None:
    theirs = REFERENCE["icc"][name]
    ratings = np.array(theirs["ratings"], dtype=float)
    assert icc(ratings, form=form).value == pytest.approx(theirs[form], abs=1e-9)
