"""Blinding indices, alpha and AC against R; `fixtures/make_blinding.R` made the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.blinding import bang_index, james_index
from analysis.reliability import gwet_ac, krippendorff_alpha, percent_agreement

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "fixtures" / "blinding.json").read_text()
)
INDICES, AGREEMENT = REFERENCE["indices"], REFERENCE["agreement"]


@pytest.mark.parametrize("name", INDICES)
def test_both_blinding_indices_and_their_errors_agree_with_r(name: str) -> None:
    theirs = INDICES[name]
    ours = bang_index(theirs["counts"])
    for arm, side in zip(ours.arms, ("first", "second"), strict=True):
        assert arm.value == pytest.approx(theirs[side]["value"], abs=1e-9)
        assert arm.se == pytest.approx(theirs[side]["se"], abs=1e-9)
    james = james_index(theirs["counts"])
    assert james.value == pytest.approx(theirs["james"]["value"], abs=1e-9)
    assert james.se == pytest.approx(theirs["james"]["se"], abs=1e-6)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("name", AGREEMENT)
def test_alpha_agrees_with_r(name: str, level: Any) -> None:
    theirs = AGREEMENT[name]
    ours = krippendorff_alpha(np.array(theirs["ratings"], dtype=float), level=level)
    assert ours.value == pytest.approx(theirs[level], abs=1e-9)


@pytest.mark.parametrize("weights", ["quadratic", "linear", "identity"])
@pytest.mark.parametrize("name", AGREEMENT)
def test_gwets_ac_agrees_with_r(name: str, weights: Any) -> None:
    theirs = AGREEMENT[name]
    ratings = np.array(theirs["ratings"], dtype=float)
    ours = gwet_ac(ratings, weights=weights, categories=range(1, 6))
    assert ours.value == pytest.approx(theirs[weights], abs=1e-9)


@pytest.mark.parametrize("name", AGREEMENT)
def test_percent_agreement_agrees_with_r(name: str) -> None:
    theirs = AGREEMENT[name]
    ours = percent_agreement(np.array(theirs["ratings"], dtype=float))
    assert ours.value == pytest.approx(theirs["exact"], abs=1e-9)
