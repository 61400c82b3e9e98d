"""Agreement between raters of one dimension, over all responses and arm by arm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeVar

import numpy as np

from analysis.attempts import NotComputed, attempt
from analysis.dataset import Dataset, Dimension
from analysis.permutation import Floats
from analysis.reliability import (
    gwet_ac_interval,
    icc,
    icc_interval,
    krippendorff_alpha_interval,
    percent_agreement,
    weighted_kappa,
    weighted_kappa_interval,
)
from analysis.scores import Scores, repeats_of, scores_of
from analysis.values import Interval

T = TypeVar("T")
MOST_PAIRS = 45
"""Ten raters; more pairs are not listed one by one."""


@dataclass(frozen=True, slots=True)
class RaterPair:
    """Weighted kappa of two raters."""

    first: str
    second: str
    kappa: float | NotComputed


@dataclass(frozen=True, slots=True)
class RaterScale:
    """How one rater uses the scale."""

    rater: str
    n: int
    mean: float
    sd: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Inter-rater reliability of one dimension."""

    dimension: Dimension
    scope: str
    """All responses, or the label of one arm."""
    n_responses: int
    n_raters: int
    icc_single: Interval | NotComputed
    """ICC(A,1)."""
    icc_mean: float | NotComputed
    """ICC(A,k)."""
    icc_consistency: float | NotComputed
    """ICC(C,k)."""
    alpha: Interval | NotComputed
    """Krippendorff's, ordinal."""
    gwet: Interval | NotComputed
    """Gwet's AC2, quadratic."""
    exact: float | NotComputed
    within_one: float | NotComputed
    pairs: tuple[RaterPair, ...]
    scales: tuple[RaterScale, ...]


@dataclass(frozen=True, slots=True)
class TestRetest:
    """The same rater on the same response twice; hidden repeats only."""

    dimension: Dimension
    n_pairs: int
    icc_single: Interval | NotComputed
    kappa: Interval | NotComputed
    identical: float | NotComputed
    bias: float
    """Second minus first, rubric points."""
    low: float | None
    """Bland-Altman 95 % limits of agreement."""
    high: float | None


def agreement_results(dataset: Dataset) -> tuple[Agreement, ...]:
    """Every dimension, over all responses and by arm."""
    return tuple(
        _agreement(dataset, scores, arm)
        for scores in (scores_of(dataset, dimension) for dimension in dataset.dimensions)
        for arm in (None, *dataset.arms)
    )


def _agreement(dataset: Dataset, scores: Scores, arm: str | None) -> Agreement:
    settings = dataset.protocol["analysis"]
    used = scores if arm is None else scores.of_arms(arm)
    ratings, clusters = used.values, used.vignette.tolist()
    points = scores.dimension.points
    drawn: dict[str, Any] = {
        "clusters": clusters, "n_resamples": int(settings["n_resamples"]),
        "seed": int(settings["seed"]), "confidence": float(settings["confidence"]),
    }  # fmt: skip
    is_empty = ratings.size == 0 or bool(np.isnan(ratings).all())

    def on_ratings(compute_it: Callable[[], T]) -> T | NotComputed:
        return NotComputed("undefined: no ratings") if is_empty else attempt(compute_it)

    return Agreement(
        dimension=scores.dimension,
        scope="all responses" if arm is None else dataset.arms[arm].label,
        n_responses=ratings.shape[0], n_raters=ratings.shape[1],
        icc_single=on_ratings(lambda: icc_interval(ratings, form="A,1", **drawn)),
        icc_mean=on_ratings(lambda: icc(ratings, form="A,k").value),
        icc_consistency=on_ratings(lambda: icc(ratings, form="C,k").value),
        alpha=on_ratings(
            lambda: krippendorff_alpha_interval(
                ratings, level="ordinal", categories=points, **drawn
            )
        ),
        gwet=on_ratings(lambda: gwet_ac_interval(ratings, categories=points, **drawn)),
        exact=on_ratings(lambda: percent_agreement(ratings).value),
        within_one=on_ratings(lambda: percent_agreement(ratings, within=1).value),
        pairs=_pairs(scores, ratings), scales=_scales(scores, ratings),
    )  # fmt: skip


def _pairs(scores: Scores, ratings: Floats) -> tuple[RaterPair, ...]:
    pairs = list(combinations(range(len(scores.raters)), 2))
    if len(pairs) > MOST_PAIRS:
        return ()
    points = scores.dimension.points
    return tuple(
        RaterPair(
            scores.raters[one], scores.raters[other],
            attempt(
                lambda one=one, other=other: weighted_kappa(  # type: ignore[misc]
                    ratings[:, one], ratings[:, other], categories=points
                ).value
            ),
        )
        for one, other in pairs
    )  # fmt: skip


def _scales(scores: Scores, ratings: Floats) -> tuple[RaterScale, ...]:
    given = [ratings[~np.isnan(ratings[:, place]), place] for place in range(len(scores.raters))]
    return tuple(
        RaterScale(
            name, own.size, float(own.mean()), float(own.std(ddof=1)) if own.size > 1 else None
        )
        for name, own in zip(scores.raters, given, strict=True)
        if own.size
    )


def test_retest_results(dataset: Dataset) -> tuple[TestRetest, ...]:
    """Every dimension that has hidden repeats; empty where the study has none."""
    results = []
    for dimension in dataset.dimensions:
        first, second = scores_of(dataset, dimension), repeats_of(dataset, dimension)
        both = ~np.isnan(first.values) & ~np.isnan(second.values)
        if both.any():
            response, _ = np.nonzero(both)
            clusters = first.vignette[response].tolist()
            pairs = np.column_stack([first.values[both], second.values[both]])
            results.append(_test_retest(dataset, dimension, pairs, clusters))
    return tuple(results)


def _test_retest(
    dataset: Dataset, dimension: Dimension, pairs: Floats, clusters: list[int]
) -> TestRetest:
    settings = dataset.protocol["analysis"]
    drawn: dict[str, Any] = {
        "clusters": clusters, "n_resamples": int(settings["n_resamples"]),
        "seed": int(settings["seed"]), "confidence": float(settings["confidence"]),
    }  # fmt: skip
    apart = pairs[:, 1] - pairs[:, 0]
    spread = 1.96 * float(apart.std(ddof=1)) if apart.size > 1 else None
    bias = float(apart.mean())
    return TestRetest(
        dimension=dimension, n_pairs=apart.size,
        icc_single=attempt(lambda: icc_interval(pairs, form="A,1", **drawn)),
        kappa=attempt(
            lambda: weighted_kappa_interval(
                pairs[:, 0], pairs[:, 1], categories=dimension.points, **drawn
            )
        ),
        identical=attempt(lambda: percent_agreement(pairs).value), bias=bias,
        low=None if spread is None else bias - spread,
        high=None if spread is None else bias + spread,
    )  # fmt: skip
