from __future__ import annotations

import krippendorff
import numpy as np
import pytest

from analysis import review_agreement as module
from analysis.attempts import NotComputed
from analysis.review_agreement import review_agreement, reviewer_standing

POINTS = (1.0, 2.0, 3.0, 4.0, 5.0)
NAN = float("nan")
DRAWN = {"points": POINTS, "n_resamples": 200, "seed": 1}


def some_ratings() -> np.ndarray:
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 6, 60)[:, None]
    ratings = np.clip(truth + rng.integers(-1, 2, (60, 3)), 1, 5).astype(float)
    ratings[rng.random((60, 3)) < 0.2] = np.nan
    return ratings


def test_counts_and_plain_agreement_are_those_of_the_pairs() -> None:
    ratings = np.array([[4, 5], [4, 4], [5, 2], [3, NAN]])
    found = review_agreement(ratings, **DRAWN)
    assert (found.n_items, found.n_pairable, found.n_reviews) == (4, 3, 7)
    # Of three pairs one is equal, and two are at most a point apart.
    assert found.exact == pytest.approx(1 / 3)
    assert found.within_one == pytest.approx(2 / 3)


def test_the_nested_coefficient_is_that_of_one_way_analysis_of_variance() -> None:
    # Means 4.5, 4, 3.5 around 4: between 2 (.25 + 0 + .25) / 2 = .5; within (.5 + 0 + 4.5) / 3 =
    # 5/3. (.5 - 5/3) / (.5 + 5/3) = -7/13.
    found = review_agreement(np.array([[4.0, 5], [4, 4], [5, 2]]), **DRAWN)
    assert found.icc_nested == pytest.approx(-7 / 13)


def test_alpha_is_that_of_the_library() -> None:
    ratings = some_ratings()
    found = review_agreement(ratings, **DRAWN)
    wanted = krippendorff.alpha(ratings.T, level_of_measurement="ordinal", value_domain=POINTS)
    assert found.alpha.value == pytest.approx(wanted)
    assert found.alpha.low < found.alpha.value < found.alpha.high


def test_in_which_column_a_review_stands_means_nothing() -> None:
    ratings = some_ratings()
    rng = np.random.default_rng(4)
    mixed = np.array([rng.permutation(row) for row in ratings])
    one, other = review_agreement(ratings, **DRAWN), review_agreement(mixed, **DRAWN)
    assert other.alpha == one.alpha and other.gwet == one.gwet
    assert other.exact == one.exact
    assert other.icc_nested == pytest.approx(one.icc_nested, abs=1e-6)


def test_more_items_than_are_resampled_keep_the_value_and_say_why(monkeypatch) -> None:
    ratings = some_ratings()
    wanted = review_agreement(ratings, **DRAWN).alpha.value
    monkeypatch.setattr(module, "MOST_RESAMPLED", 59)
    found = review_agreement(ratings, **DRAWN)
    assert isinstance(found.alpha, NotComputed)
    assert found.alpha.value == pytest.approx(wanted)
    assert found.alpha.reason == "no interval: 60 items are more than the 59 that are resampled"


def test_reviews_without_any_pair_say_so() -> None:
    found = review_agreement(np.array([[4.0], [5.0]]), **DRAWN)
    assert isinstance(found.alpha, NotComputed) and found.n_pairable == 0
    assert "no item" in found.alpha.reason


def test_a_reviewer_more_lenient_than_the_others_has_a_positive_difference() -> None:
    # Own minus other: 4 - 5, 5 - 2, 3 - 3: (-1 + 3 + 0) / 3.
    found = reviewer_standing(
        np.array([4.0, 5, 3, 1]), np.array([4.0, 5, 3]), np.array([5.0, 2, 3]), points=POINTS
    )
    assert found.own_minus_others == pytest.approx(2 / 3)
    assert (found.n_reviews, found.n_pairs, found.mean) == (4, 3, 3.25)
    assert (found.exact, found.within_one) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_a_reviewer_whom_nobody_overlaps_has_no_agreement_and_is_still_there() -> None:
    nothing = np.empty(0)
    found = reviewer_standing(np.array([4.0]), nothing, nothing, points=POINTS)
    assert (found.n_reviews, found.sd, found.own_minus_others) == (1, None, None)
    assert isinstance(found.kappa, NotComputed) and isinstance(found.exact, NotComputed)
