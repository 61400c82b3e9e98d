"""Agreement against R and irrCAC; `fixtures/make_agreement.R`, `make_gwet.py` made the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.reliability import gwet_ac, icc, weighted_kappa

FIXTURES = Path(__file__).parent / "fixtures"
REFERENCE: dict[str, Any] = json.loads((FIXTURES / "agreement.json").read_text())
GWET: dict[str, Any] = json.loads((FIXTURES / "gwet.json").read_text())["gwet"]
SCALE = (1, 2, 3, 4, 5)


def matrix(rows: list[list[float | None]]) -> np.ndarray:
    return np.array(rows, dtype=float)


@pytest.mark.parametrize("form", ["1,1", "1,k"])
@pytest.mark.parametrize("name", REFERENCE["icc"])
def test_the_icc_of_nested_raters_agrees_with_psych(name: str, form: Any) -> None:
    theirs = REFERENCE["icc"][name]
    assert icc(matrix(theirs["ratings"]), form=form).value == pytest.approx(theirs[form], abs=1e-9)


@pytest.mark.parametrize("form", ["A,1", "A,k", "C,1", "C,k", "1,1", "1,k"])
@pytest.mark.parametrize("name", REFERENCE["reml"])
def test_the_icc_with_missing_ratings_agrees_with_lme4(name: str, form: Any) -> None:
    theirs = REFERENCE["reml"][name]
    ratings = matrix(theirs["ratings"])
    parts = theirs["nested" if form[0] == "1" else "crossed"]
    noise = parts["Residual"] + (parts["rater"] if form[0] == "A" else 0)
    if form.endswith("k"):
        noise /= ratings.shape[1]
    wanted = parts["item"] / (parts["item"] + noise)
    assert icc(ratings, form=form).value == pytest.approx(wanted, abs=2e-5)


@pytest.mark.parametrize("weights", ["quadratic", "linear", "identity"])
@pytest.mark.parametrize("name", REFERENCE["kappa"])
def test_weighted_kappa_agrees_with_psych(name: str, weights: Any) -> None:
    theirs = REFERENCE["kappa"][name]
    first, second = matrix(theirs["ratings"]).T
    ours = weighted_kappa(first, second, weights=weights, categories=SCALE)
    assert ours.value == pytest.approx(theirs[weights], abs=1e-9)


@pytest.mark.parametrize("weights", ["quadratic", "linear", "identity"])
@pytest.mark.parametrize("name", GWET)
def test_gwets_ac_agrees_with_irrcac(name: str, weights: Any) -> None:
    theirs = GWET[name]
    ours = gwet_ac(matrix(theirs["ratings"]), weights=weights, categories=SCALE)
    assert ours.value == pytest.approx(theirs[weights], abs=1e-9)
