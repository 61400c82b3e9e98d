"""Every number of the report, computed once; tables, figures and sentences only arrange them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from analysis.dataset import Dimension, FrozenDataset
from analysis.differences import Differences, ratings_matrix, vignette_differences
from analysis.effects import (
    PairedSuperiority,
    RFromZ,
    paired_superiority,
    r_from_z,
    rank_biserial,
)
from analysis.errors import NoIntervalError, UndefinedError
from analysis.flow import ArmFlow, flow
from analysis.multiplicity import Correction, adjust
from analysis.paired import (
    HodgesLehmann,
    MeanDifference,
    SignedRank,
    hodges_lehmann,
    mean_difference,
    signed_rank,
)
from analysis.reliability import (
    icc,
    icc_interval,
    krippendorff_alpha_interval,
    percent_agreement,
)
from analysis.values import Interval

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NotComputed:
    """A statistic without a value, or without an interval, with the reason in words."""

    reason: str
    value: float | None = None
    """The value, where only the interval is missing."""


@dataclass(frozen=True, slots=True)
class DimensionResult:
    """All results of one dimension."""

    dimension: Dimension
    differences: Differences | NotComputed
    test: SignedRank | NotComputed
    p_adjusted: float | None
    """Within the declared family; None outside it or without a p."""
    hodges_lehmann: HodgesLehmann | NotComputed
    simultaneous: HodgesLehmann | NotComputed
    """Bonferroni-simultaneous over the family."""
    mean: MeanDifference | NotComputed
    rank_biserial: Interval | NotComputed
    r: RFromZ | NotComputed
    superiority: PairedSuperiority | NotComputed


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
    alpha: Interval | NotComputed
    """Krippendorff's, ordinal."""
    exact: float | NotComputed
    within_one: float | NotComputed


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that the report prints."""

    dataset: FrozenDataset
    flow: tuple[ArmFlow, ...]
    dimensions: tuple[DimensionResult, ...]
    agreement: tuple[Agreement, ...]


def compute(dataset: FrozenDataset) -> Results:
    """Compute every result of a frozen dataset; what has no value says why instead."""
    primary = dataset.protocol["primary"]
    family = list(primary["family"])
    raw = [_dimension(dataset, d, n_family=len(family)) for d in dataset.dimensions]
    agreement = [
        _agreement(dataset, dimension, arm)
        for dimension in dataset.dimensions
        for arm in (None, *dataset.arms)
    ]
    return Results(
        dataset, flow(dataset), _with_adjusted(raw, family, primary["correction"]), tuple(agreement)
    )


def attempt(compute_it: Callable[[], T]) -> T | NotComputed:
    """The value, or the reason why there is none."""
    try:
        return compute_it()
    except NoIntervalError as error:
        return NotComputed(str(error), error.value)
    except UndefinedError as error:
        return NotComputed(str(error))


def _dimension(dataset: FrozenDataset, dimension: Dimension, *, n_family: int) -> DimensionResult:
    settings = dataset.protocol["analysis"]
    confidence = float(settings["confidence"])
    differences = attempt(lambda: vignette_differences(dataset, dimension))
    if isinstance(differences, NotComputed):
        return DimensionResult(dimension, differences, differences, None, *[differences] * 6)
    d = differences.values
    test = attempt(lambda: signed_rank(d, zeros=settings["zeros"]))
    return DimensionResult(
        dimension=dimension,
        differences=differences,
        test=test,
        p_adjusted=None,
        hodges_lehmann=attempt(lambda: hodges_lehmann(d, confidence=confidence)),
        simultaneous=attempt(lambda: hodges_lehmann(d, confidence=1 - (1 - confidence) / n_family)),
        mean=attempt(lambda: mean_difference(d, confidence=confidence)),
        rank_biserial=attempt(
            lambda: rank_biserial(
                d,
                confidence=confidence,
                n_resamples=settings["n_resamples"],
                seed=settings["seed"],
            )
        ),
        r=test if isinstance(test, NotComputed) else r_from_z(test),
        superiority=attempt(lambda: paired_superiority(d)),
    )


def _with_adjusted(
    raw: list[DimensionResult], family: list[str], correction: Correction
) -> tuple[DimensionResult, ...]:
    members = [result for result in raw if result.dimension.id in family]
    p_values = [m.test.p_value for m in members if isinstance(m.test, SignedRank)]
    # A member without a p would shrink the family: then nothing is adjusted.
    if len(p_values) < len(family):
        return tuple(raw)
    adjusted = dict(
        zip([m.dimension.id for m in members], adjust(p_values, method=correction), strict=True)
    )
    return tuple(replace(result, p_adjusted=adjusted.get(result.dimension.id)) for result in raw)


def _agreement(dataset: FrozenDataset, dimension: Dimension, arm: str | None) -> Agreement:
    settings = dataset.protocol["analysis"]
    ratings, clusters = ratings_matrix(dataset, dimension, arm)
    n_resamples, seed = int(settings["n_resamples"]), int(settings["seed"])
    confidence = float(settings["confidence"])
    is_empty = ratings.size == 0 or bool(np.isnan(ratings).all())

    def attempt_on_ratings(compute_it: Callable[[], T]) -> T | NotComputed:
        return NotComputed("undefined: no ratings") if is_empty else attempt(compute_it)

    return Agreement(
        dimension=dimension,
        scope="all responses" if arm is None else dataset.arms[arm].label,
        n_responses=ratings.shape[0],
        n_raters=ratings.shape[1],
        icc_single=attempt_on_ratings(
            lambda: icc_interval(
                ratings, form="A,1", clusters=clusters, n_resamples=n_resamples, seed=seed,
                confidence=confidence,
            )
        ),
        icc_mean=attempt_on_ratings(lambda: icc(ratings, form="A,k").value),
        alpha=attempt_on_ratings(
            lambda: krippendorff_alpha_interval(
                ratings, level="ordinal", categories=dimension.points, clusters=clusters,
                n_resamples=n_resamples, seed=seed, confidence=confidence,
            )
        ),
        exact=attempt_on_ratings(lambda: percent_agreement(ratings).value),
        within_one=attempt_on_ratings(lambda: percent_agreement(ratings, within=1).value),
    )  # fmt: skip
