from __future__ import annotations

import numpy as np
import pytest

from analysis.ablation import ablation_share
from analysis.attempts import NotComputed
from analysis.paired import MeanDifference
from analysis.values import Interval

DRAWN = {"n_resamples": 500, "seed": 1}


def test_the_difference_is_over_seeds_and_has_a_t_interval() -> None:
    # Four rows, three seeds. Shares by seed: this .5, .25, .75; the first .75, .75, .75.
    hits = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]], dtype=float)
    first = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 1], [0, 0, 0]], dtype=float)
    found = ablation_share(hits, first, **DRAWN).minus_first
    assert isinstance(found, MeanDifference)
    # -.25, -.5, 0: mean -.25, sd .25; t(.975; 2) = 4.302653; .25 / sqrt(3) * t = .621034.
    assert found.value == pytest.approx(-0.25)
    assert (found.low, found.high) == pytest.approx((-0.25 - 0.621034, -0.25 + 0.621034), abs=1e-5)


def test_the_share_is_of_all_runs_and_its_interval_resamples_whole_rows() -> None:
    rng = np.random.default_rng(2)
    row = (rng.random(80) < 0.6).astype(float)
    # Two seeds that agree on every row say no more than one: the interval must not shrink.
    once = ablation_share(row[:, None], None, **DRAWN).share
    twice = ablation_share(np.column_stack([row, row]), None, **DRAWN).share
    assert isinstance(once, Interval) and once == twice
    assert once.value == row.mean() and once.low < once.value < once.high


def test_what_cannot_have_an_interval_says_so() -> None:
    same = ablation_share(np.ones((10, 2)), np.ones((10, 2)), **DRAWN)
    assert isinstance(same.share, NotComputed) and same.share.reason.startswith("100%, without")
    assert isinstance(same.minus_first, NotComputed)
    assert "every difference is 0" in same.minus_first.reason
    nothing = ablation_share(np.empty((0, 2)), None, **DRAWN)
    assert isinstance(nothing.share, NotComputed) and nothing.minus_first is None


def test_conditions_with_other_seeds_or_rows_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="wanted the same"):
        ablation_share(np.ones((4, 2)), np.ones((4, 3)), **DRAWN)
