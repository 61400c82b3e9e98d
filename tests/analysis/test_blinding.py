from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from analysis.blinding import (
    bang_index,
    bang_index_interval,
    james_index,
    james_index_interval,
)
from analysis.errors import NoIntervalError, UndefinedError
from tests.analysis.loops import looped

KNOWN = [[48, 22], [4, 30], [330, 319]]
"""The table in the README of BlindingIndex.jl, which follows the R package BI."""


def test_both_indices_agree_with_the_published_example() -> None:
    first, second = bang_index(KNOWN).arms
    assert (round(first.value, 3), round(first.se, 3)) == (0.115, 0.018)
    assert (round(first.low, 2), round(first.high, 2)) == (0.08, 0.15)
    assert (round(second.value, 3), round(second.se, 3)) == (0.022, 0.019)
    assert (round(second.low, 3), round(second.high, 2)) == (-0.016, 0.06)
    james = james_index(KNOWN)
    assert (round(james.value, 3), round(james.se, 3)) == (0.896, 0.011)
    assert (round(james.low, 3), round(james.high, 3)) == (0.875, 0.918)


def test_bangs_index_by_hand() -> None:
    # Of 10 on the first arm 6 right, 2 wrong, 2 unsure: 0.4; variance (.24 + .16 + .24) / 10.
    first = bang_index([[6, 1], [2, 1], [2, 0]]).arms[0]
    assert first.value == pytest.approx(0.4)
    assert first.se == pytest.approx(sqrt(0.064))
    assert first.one_sided_low == pytest.approx(0.4 - 1.6448536 * sqrt(0.064))
    assert first.n == 10


@pytest.mark.parametrize(
    ("counts", "bang", "james"),
    [
        ([[10, 0], [0, 10], [0, 0]], (1, 1), 0.0),  # all right
        ([[0, 10], [10, 0], [0, 0]], (-1, -1), 1.0),  # all wrong
        ([[5, 5], [5, 5], [0, 0]], (0, 0), 0.5),  # by chance
        ([[0, 0], [0, 0], [10, 10]], (0, 0), 1.0),  # nobody knows
    ],
)
def test_the_ends_of_both_scales(
    counts: list[list[int]], bang: tuple[int, int], james: float
) -> None:
    assert tuple(arm.value for arm in bang_index(counts).arms) == bang
    assert james_index(counts).value == pytest.approx(james)


def test_the_standard_error_of_jamess_index_agrees_with_simulated_tables() -> None:
    shares = np.array([30, 10, 8, 25, 12, 15]) / 100
    rng = np.random.default_rng(5)
    values = [james_index(rng.multinomial(400, shares).reshape(3, 2)).value for _ in range(2_000)]
    expected = james_index((shares * 400).reshape(3, 2)).se
    assert np.std(values) == pytest.approx(expected, rel=0.06)


def test_an_arm_without_guesses_is_undefined_by_name() -> None:
    with pytest.raises(UndefinedError, match="no guess on the second arm"):
        bang_index([[3, 0], [2, 0], [1, 0]])
    with pytest.raises(UndefinedError, match="no guesses"):
        james_index(np.zeros((3, 2)))
    with pytest.raises(UndefinedError, match="of one arm, on one arm"):
        james_index([[5, 0], [0, 0], [0, 0]])


@pytest.mark.parametrize(
    ("counts", "words"),
    [([[1, 2], [3, 4]], "wanted"), ([[1, 2], [3, 4], [-1, 0]], "whole"),
     ([[1, 2.5], [3, 4], [1, 0]], "whole")],
)  # fmt: skip
def test_a_table_of_another_shape_or_of_no_counts_is_refused(
    counts: list[list[float]], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        bang_index(counts)


def test_the_cluster_bootstrap_equals_a_loop() -> None:
    rng = np.random.default_rng(1)
    guessed, actual = rng.integers(0, 3, 120), rng.integers(0, 2, 120)
    raters = np.repeat(np.arange(8), 15)
    settings = {"clusters": raters, "n_resamples": 150, "seed": 3}
    bang = bang_index_interval(guessed, actual, arm=1, **settings)
    james = james_index_interval(guessed, actual, **settings)

    def counted(rows: np.ndarray) -> np.ndarray:
        counts = np.zeros((3, 2))
        np.add.at(counts, (guessed[rows], actual[rows]), 1)
        return counts

    for ours, compute in (
        (bang, lambda rows: bang_index(counted(rows)).arms[1].value),
        (james, lambda rows: james_index(counted(rows)).value),
    ):
        assert (ours.low, ours.high) == pytest.approx(
            looped(compute, raters, n_resamples=150, seed=3)
        )


def test_guesses_that_repeat_within_a_rater_widen_the_interval() -> None:
    # Every rater says the same thing 30 times; one guess a rater would say as much.
    raters = np.repeat(np.arange(10), 30)
    guessed, actual = np.repeat([0, 0, 0, 0, 0, 0, 0, 1, 1, 1], 30), np.zeros(300, dtype=int)
    independent = bang_index([[210, 1], [90, 1], [0, 0]]).arms[0]
    clustered = bang_index_interval(
        guessed, actual, arm=0, clusters=raters, n_resamples=2_000, seed=1
    )
    assert clustered.high - clustered.low > 4 * (independent.high - independent.low)


def test_three_raters_are_too_few_to_resample() -> None:
    with pytest.raises(NoIntervalError, match="3 clusters are too few"):
        bang_index_interval(
            [0, 1, 2], [0, 0, 0], arm=0, clusters=list("abc"), n_resamples=10, seed=1
        )
