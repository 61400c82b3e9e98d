from __future__ import annotations

import warnings

import krippendorff
import numpy as np
import pandas as pd
import pytest

from analysis.errors import NoIntervalError, UndefinedError
from analysis.reliability import (
    gwet_ac,
    gwet_ac_interval,
    icc,
    icc_interval,
    krippendorff_alpha,
    krippendorff_alpha_interval,
    percent_agreement,
    percent_agreement_interval,
    weighted_kappa,
    weighted_kappa_interval,
)
from tests.analysis.loops import looped

RNG = np.random.default_rng(11)
COMPLETE = np.clip(RNG.integers(1, 5, (24, 1)) + RNG.integers(-1, 2, (24, 3)), 1, 5).astype(float)
CLUSTERS = np.repeat(np.arange(6), 4)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_alpha_agrees_with_the_package(level: str, missing: float) -> None:
    ratings = COMPLETE.copy()
    ratings[np.random.default_rng(2).random(ratings.shape) < missing] = np.nan
    theirs = krippendorff.alpha(
        reliability_data=ratings.T, level_of_measurement=level, value_domain=[1, 2, 3, 4, 5]
    )
    ours = krippendorff_alpha(ratings, level=level, categories=[1, 2, 3, 4, 5])
    assert ours.value == pytest.approx(theirs, abs=1e-12)


def test_icc_agrees_with_pingouin_on_complete_ratings() -> None:
    long = pd.DataFrame(
        [(i, j, COMPLETE[i, j]) for i in range(24) for j in range(3)],
        columns=["item", "rater", "score"],
    )
    with warnings.catch_warnings():
        # pingouin 0.7 assigns in a way that pandas 3 warns about.
        warnings.simplefilter("ignore")
        import pingouin

        table = pingouin.intraclass_corr(long, "item", "rater", "score").set_index("Type")["ICC"]
    for form in ("A,1", "A,k", "C,1", "C,k"):
        assert icc(COMPLETE, form=form).value == pytest.approx(table[f"ICC({form})"], abs=1e-9)


def test_icc_by_hand() -> None:
    # Two raters who differ by exactly one point on every item: consistency is perfect, absolute
    # agreement is not. MS items 2, MS raters 1.5, MS error 0: 2 / (2 + 2/3 * 1.5) = 2/3.
    ratings = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]])
    assert icc(ratings, form="C,1").value == pytest.approx(1.0)
    assert icc(ratings, form="A,1").value == pytest.approx(2 / 3)


def test_equal_ratings_are_undefined_by_name_and_never_one() -> None:
    same = np.full((5, 3), 4.0)
    for compute in (
        lambda: krippendorff_alpha(same, level="ordinal"),
        lambda: icc(same, form="A,1"),
        lambda: gwet_ac(same, categories=range(1, 6)),
        lambda: weighted_kappa(same[:, 0], same[:, 1], categories=range(1, 6)),
    ):
        with pytest.raises(UndefinedError, match="no variation"):
            compute()


def test_a_denominator_below_zero_is_named_and_gives_no_number() -> None:
    # Items alike, raters at odds: MS items 0, MS raters 0, MS error 2. ICC(A,k) would be
    # (0 - 2) / (0 + (0 - 2) / 2) = 2, and ICC(C,k) minus infinity.
    ratings = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    for form in ("A,k", "C,k"):
        with pytest.raises(UndefinedError, match="denominator is not positive"):
            icc(ratings, form=form)


def test_a_shift_of_the_scale_changes_no_icc() -> None:
    for form in ("A,1", "A,k", "C,1", "C,k"):
        shifted = icc(COMPLETE + 1e6, form=form)
        assert shifted.value == pytest.approx(icc(COMPLETE, form=form).value, abs=1e-9)


def test_the_order_of_items_and_raters_changes_nothing() -> None:
    mixed = COMPLETE[::-1][:, [2, 0, 1]]
    assert icc(mixed, form="A,1").value == pytest.approx(icc(COMPLETE, form="A,1").value)
    assert krippendorff_alpha(mixed, level="ordinal").value == pytest.approx(
        krippendorff_alpha(COMPLETE, level="ordinal").value
    )


def test_alpha_collapses_to_zero_when_one_rating_differs() -> None:
    # One 4 among ninety 5s: the known paradox, printed beside the share that agrees.
    ratings = np.full((30, 3), 5.0)
    ratings[0, 0] = 4.0
    assert krippendorff_alpha(ratings, level="ordinal").value == pytest.approx(0.0, abs=1e-9)
    # 88 of 90 pairs are identical.
    assert percent_agreement(ratings).value == pytest.approx(88 / 90)
    assert round(gwet_ac(ratings, categories=range(1, 6)).value, 4) == 0.9986


def test_one_missing_rating_hardly_moves_the_icc_and_drops_no_item() -> None:
    ratings = COMPLETE.copy()
    ratings[0, 0] = np.nan
    for form in ("A,1", "A,k", "C,1", "C,k", "1,1", "1,k"):
        whole, missing = icc(COMPLETE, form=form).value, icc(ratings, form=form).value
        assert missing == pytest.approx(whole, abs=0.05)
        assert missing != icc(COMPLETE[1:], form=form).value


def test_the_bootstrap_of_an_icc_with_missing_ratings_equals_a_loop() -> None:
    ratings = COMPLETE.copy()
    ratings[np.random.default_rng(3).random(ratings.shape) < 0.15] = np.nan
    ours = icc_interval(ratings, form="A,1", clusters=CLUSTERS, n_resamples=60, seed=4)
    theirs = looped(
        lambda rows: icc(ratings[rows], form="A,1").value, CLUSTERS, n_resamples=60, seed=4
    )
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("shape", [(1, 3), (5, 1)])
def test_one_rater_or_one_item_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(UndefinedError, match="needs two items and two raters"):
        icc(np.ones(shape), form="A,1")


def test_one_rater_has_no_alpha() -> None:
    with pytest.raises(UndefinedError, match="no item with two ratings"):
        krippendorff_alpha(np.array([[1.0], [2.0]]), level="ordinal")


def test_a_score_outside_the_categories_is_named() -> None:
    with pytest.raises(ValueError, match=r"ratings \[7\.0\] are not among"):
        krippendorff_alpha(np.array([[7.0, 1.0]]), level="ordinal", categories=[1, 2, 3, 4, 5])


def test_the_cluster_bootstrap_of_alpha_equals_a_loop_over_the_package() -> None:
    ours = krippendorff_alpha_interval(
        COMPLETE, level="ordinal", categories=range(1, 6), clusters=CLUSTERS, n_resamples=200,
        seed=4,
    )  # fmt: skip
    theirs = looped(
        lambda rows: krippendorff.alpha(
            reliability_data=COMPLETE[rows].T, level_of_measurement="ordinal",
            value_domain=[1, 2, 3, 4, 5],
        ),
        CLUSTERS, n_resamples=200, seed=4,
    )  # fmt: skip
    assert (ours.low, ours.high) == pytest.approx(theirs)


def test_the_cluster_bootstrap_of_icc_equals_a_loop() -> None:
    ours = icc_interval(COMPLETE, form="A,1", clusters=CLUSTERS, n_resamples=200, seed=4)
    theirs = looped(
        lambda rows: icc(COMPLETE[rows], form="A,1").value, CLUSTERS, n_resamples=200, seed=4
    )
    assert (ours.low, ours.high) == pytest.approx(theirs)


def test_agreement_within_one_point() -> None:
    ratings = np.array([[1.0, 2.0, 4.0], [3.0, 3.0, np.nan]])
    # Pairs: |1-2|, |1-4|, |2-4|, |3-3|: one identical, two within one, of four.
    assert percent_agreement(ratings).value == 0.25
    assert percent_agreement(ratings, within=1).value == 0.5


def test_too_few_vignettes_to_resample_are_said_by_name() -> None:
    with pytest.raises(NoIntervalError, match="2 clusters are too few to resample") as caught:
        icc_interval(COMPLETE[:8], form="A,1", clusters=CLUSTERS[:8], n_resamples=50, seed=1)
    assert caught.value.value == icc(COMPLETE[:8], form="A,1").value


def test_every_bootstrap_gives_what_a_loop_over_its_own_value_gives() -> None:
    scale, settings = range(1, 6), {"clusters": CLUSTERS, "n_resamples": 100, "seed": 6}
    drawn = {"n_resamples": 100, "seed": 6}
    pairs = (
        (gwet_ac_interval(COMPLETE, categories=scale, **settings),
         lambda rows: gwet_ac(COMPLETE[rows], categories=scale).value),
        (weighted_kappa_interval(COMPLETE[:, 0], COMPLETE[:, 1], categories=scale, **settings),
         lambda rows: weighted_kappa(
             COMPLETE[rows, 0], COMPLETE[rows, 1], categories=scale).value),
        (percent_agreement_interval(COMPLETE, within=1, **settings),
         lambda rows: percent_agreement(COMPLETE[rows], within=1).value),
    )  # fmt: skip
    for ours, compute in pairs:
        # A resample that equals the data is a tie for one and float noise for the other.
        theirs = looped(compute, CLUSTERS, **drawn)
        assert (ours.low, ours.high) == pytest.approx(theirs, abs=1e-3)


def test_raters_without_an_item_in_common_have_no_kappa() -> None:
    first, second = np.array([1.0, np.nan]), np.array([np.nan, 2.0])
    with pytest.raises(UndefinedError, match="no item in common"):
        weighted_kappa(first, second, categories=range(1, 6))


def test_a_scale_of_one_point_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two points"):
        gwet_ac(np.ones((4, 2)), categories=[1])


def test_half_points_weigh_by_their_distance() -> None:
    # 1 and 1.5 lie an eighth of the scale apart: quadratic credit 1 - 1/64.
    ratings = np.array([[1.0, 1.5], [5.0, 5.0]])
    halves = np.arange(1, 5.5, 0.5)
    agreed = (1 - 1 / 64 + 1) / 2
    credit = 1 - ((halves[:, None] - halves[None, :]) / 4) ** 2
    chance = credit.sum() / (9 * 8) * (2 * 0.25 * 0.75 + 0.25)
    assert gwet_ac(ratings, categories=halves).value == pytest.approx(
        (agreed - chance) / (1 - chance)
    )
