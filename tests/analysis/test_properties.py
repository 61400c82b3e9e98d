"""What must not matter does not: order of rows, names of people, shifts and turns of the scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis.dataset import from_ratings
from analysis.effects import cohen_dz, paired_superiority, rank_biserial_value
from analysis.equivalence import noninferiority
from analysis.errors import UndefinedError
from analysis.external import Scale
from analysis.paired import hodges_lehmann, mean_difference, sign_flip, signed_rank
from analysis.primary import primary_results
from analysis.reliability import gwet_ac, icc, krippendorff_alpha, weighted_kappa

QUICK = settings(max_examples=60, deadline=None)
DIFFERENCES = arrays(
    np.float64, st.integers(6, 14), elements=st.integers(-12, 12).map(lambda k: k / 3)
)
RATINGS = arrays(
    np.float64, st.tuples(st.integers(4, 9), st.integers(2, 4)), elements=st.integers(1, 5)
)
SCALE = (1, 2, 3, 4, 5)


def value_of(compute: Any) -> Any:
    """A value rounded to what must agree, or the name of the reason why there is none."""
    try:
        return compute()
    except UndefinedError as error:
        return str(error)[:24]


@QUICK
@given(DIFFERENCES, st.randoms())
def test_the_order_of_vignettes_does_not_matter(d: np.ndarray, random: Any) -> None:
    places = list(range(d.size))
    random.shuffle(places)
    for compute in (
        lambda x: signed_rank(x).p_value,
        lambda x: sign_flip(x).p_value,
        lambda x: hodges_lehmann(x).value,
        lambda x: mean_difference(x).low,
        rank_biserial_value,
        lambda x: paired_superiority(x).value,
        lambda x: cohen_dz(x).value,
    ):
        one = value_of(lambda c=compute: c(d))
        other = value_of(lambda c=compute: c(d[places]))
        assert one == other if isinstance(one, str) else one == pytest.approx(other)


@QUICK
@given(DIFFERENCES)
def test_swapping_the_arms_turns_every_sign(d: np.ndarray) -> None:
    assert value_of(lambda: signed_rank(d).p_value) == value_of(lambda: signed_rank(-d).p_value)
    one, other = hodges_lehmann(d), hodges_lehmann(-d)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    if d.any():
        assert signed_rank(d).z == pytest.approx(-signed_rank(-d).z)
        assert rank_biserial_value(d) == pytest.approx(-rank_biserial_value(-d))
    assert paired_superiority(d).value == pytest.approx(1 - paired_superiority(-d).value)


@QUICK
@given(DIFFERENCES, st.integers(-9, 9).map(lambda k: k / 3))
def test_a_shift_moves_the_estimate_and_its_interval_alike(d: np.ndarray, shift: float) -> None:
    one, other = hodges_lehmann(d), hodges_lehmann(d + shift)
    assert (other.value - one.value, other.low - one.low, other.high - one.high) == pytest.approx(
        (shift, shift, shift), abs=2e-9
    )


@QUICK
@given(DIFFERENCES, st.sampled_from([0.25, 2.0, 10.0]))
def test_a_stretch_of_the_scale_changes_no_test(d: np.ndarray, factor: float) -> None:
    for compute in (lambda x: signed_rank(x).p_value, lambda x: sign_flip(x).p_value,
                    rank_biserial_value):  # fmt: skip
        one = value_of(lambda c=compute: c(d))
        other = value_of(lambda c=compute: c(d * factor))
        assert one == other if isinstance(one, str) else one == pytest.approx(other)


@QUICK
@given(DIFFERENCES, st.sampled_from([0.3, 0.5, 1.0]))
def test_noninferiority_is_a_test_of_the_shifted_differences(d: np.ndarray, margin: float) -> None:
    one = value_of(lambda: noninferiority(d, margin=margin).p_value)
    assert one == value_of(lambda: signed_rank(d + margin, alternative="greater").p_value)


@QUICK
@given(RATINGS, st.randoms())
def test_the_order_of_items_and_the_names_of_raters_do_not_matter(
    ratings: np.ndarray, random: Any
) -> None:
    rows, columns = list(range(ratings.shape[0])), list(range(ratings.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = ratings[rows][:, columns]
    for compute in (
        lambda x: icc(x, form="A,1").value,
        lambda x: icc(x, form="C,k").value,
        lambda x: krippendorff_alpha(x, level="ordinal").value,
        lambda x: gwet_ac(x, categories=SCALE).value,
    ):
        one, other = value_of(lambda c=compute: c(ratings)), value_of(lambda c=compute: c(moved))
        assert one == other if isinstance(one, str) else one == pytest.approx(other, abs=1e-9)


@QUICK
@given(RATINGS)
def test_turning_the_scale_round_changes_no_agreement(ratings: np.ndarray) -> None:
    turned = 6 - ratings
    for compute in (
        lambda x: icc(x, form="A,1").value,
        lambda x: krippendorff_alpha(x, level="ordinal").value,
        lambda x: gwet_ac(x, categories=SCALE).value,
        lambda x: weighted_kappa(x[:, 0], x[:, 1], categories=SCALE).value,
    ):
        one, other = value_of(lambda c=compute: c(ratings)), value_of(lambda c=compute: c(turned))
        assert isinstance(one, str) == isinstance(other, str)
        if not isinstance(one, str):
            assert one == pytest.approx(other, abs=1e-9)


def test_names_and_order_of_a_whole_table_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    table = pd.DataFrame([
        (f"V{v}", "model" if p == 0 else "people", f"P{p}", f"R{r}", int(rng.integers(1, 6)))
        for v in range(9) for p in range(4) for r in range(3)
    ], columns=["vignette", "arm", "respondent", "rater", "score"])  # fmt: skip
    renamed = table.sample(frac=1, random_state=1)
    renamed["rater"] = renamed["rater"].map({"R0": "zoe", "R1": "adam", "R2": "mia"})
    renamed["respondent"] = "x" + renamed["respondent"]
    (one,), (other,) = (
        primary_results(from_ratings(t, first="model", second="people")) for t in (table, renamed)
    )
    assert one.test == other.test
    assert one.hodges_lehmann == other.hodges_lehmann
    mixed, same = one.sensitivity.mixed_random, other.sensitivity.mixed_random
    assert mixed.value == pytest.approx(same.value, abs=1e-9)  # type: ignore[union-attr]
    assert mixed.se == pytest.approx(same.se, rel=1e-6)  # type: ignore[union-attr]


def test_a_scale_turned_round_with_its_direction_gives_the_same_result() -> None:
    rng = np.random.default_rng(4)
    table = pd.DataFrame([
        (f"V{v}", arm, f"R{r}", int(rng.integers(1, 6)))
        for v in range(9) for arm in ("model", "people") for r in range(3)
    ], columns=["vignette", "arm", "rater", "score"])  # fmt: skip
    turned = table.assign(score=6 - table["score"])
    (one,) = primary_results(from_ratings(table, first="model", second="people"))
    (other,) = primary_results(
        from_ratings(
            turned, first="model", second="people", scale=Scale(lower_is_better=("score",))
        )
    )
    assert one.test == other.test
