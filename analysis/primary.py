"""All results of one dimension for one pair of arms: tests, effects, claims, sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.attempts import NotComputed, attempt
from analysis.bootstrap import MIN_CLUSTERS
from analysis.dataset import Contrast, Dataset, Dimension, Margin
from analysis.differences import (
    Differences,
    difference_values,
    respondent_differences,
    vignette_differences,
)
from analysis.effects import (
    PairedSuperiority,
    RFromZ,
    cohen_dz,
    paired_superiority,
    r_from_z,
    rank_biserial,
)
from analysis.equivalence import (
    Equivalence,
    MarginPoint,
    Noninferiority,
    Verdict,
    equivalence,
    margin_curve,
    noninferiority,
    verdict,
)
from analysis.errors import NoIntervalError
from analysis.generalise import TwoWayRandom, two_way_random
from analysis.mixed import CrossedFit, Residents, fit_crossed
from analysis.multiplicity import Correction, adjust
from analysis.ordinal import OrdinalFit, ordinal_gee
from analysis.paired import (
    HodgesLehmann,
    MeanDifference,
    SignedRank,
    SignFlip,
    hodges_lehmann,
    mean_difference,
    sign_flip,
    signed_rank,
)
from analysis.permutation import Floats
from analysis.scores import Scores, scores_of, with_worst
from analysis.values import Interval, Value

CURVE = tuple(round(0.1 * step, 1) for step in range(1, 11))
"""Margins of the curve, rubric points."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What can be claimed against the declared margin."""

    margin: Margin
    noninferiority: Noninferiority | NotComputed
    equivalence: Equivalence | NotComputed
    equivalence_t: Equivalence | NotComputed
    """The cross-check by t."""
    p_adjusted: float | None
    """Of equivalence, Holm over the dimensions: claims against margins are their own family."""
    verdict: Verdict | NotComputed


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same question by other methods, and with missing answers as the worst value."""

    wilcoxon: SignedRank | NotComputed
    """Zeros dropped."""
    sign_flip: SignFlip | NotComputed
    composite: SignedRank | NotComputed
    """Missing answers as the scale's worst value."""
    composite_median: HodgesLehmann | NotComputed
    two_way_bootstrap: Interval | NotComputed
    """Of the mean difference, vignettes and respondents resampled."""
    generalised: TwoWayRandom | NotComputed
    mixed_random: CrossedFit | NotComputed
    mixed_fixed: CrossedFit | NotComputed
    ordinal: OrdinalFit | NotComputed
    """Marginal proportional odds, clustered by vignette."""


@dataclass(frozen=True, slots=True)
class DimensionResult:
    """All results of one dimension for one pair of arms."""

    dimension: Dimension
    contrast: Contrast
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
    dz: Value | NotComputed
    claims: Claims | None
    """None where the protocol declares no margin."""
    curve: tuple[MarginPoint, ...]
    sensitivity: Sensitivity


def primary_results(dataset: Dataset) -> tuple[DimensionResult, ...]:
    """Every dimension of every declared contrast, adjusted over the declared family."""
    family = list(dataset.protocol["primary"]["family"])
    n_family = len(family) * len(dataset.contrasts)
    scores = {dimension.id: scores_of(dataset, dimension) for dimension in dataset.dimensions}
    raw = [
        _dimension(dataset, scores[dimension.id], contrast, n_family)
        for contrast in dataset.contrasts
        for dimension in dataset.dimensions
    ]
    correction: Correction = dataset.protocol["primary"]["correction"]
    return _claims_adjusted(_tests_adjusted(raw, family, correction), family)


def _dimension(
    dataset: Dataset, scores: Scores, contrast: Contrast, n_family: int
) -> DimensionResult:
    settings = dataset.protocol["analysis"]
    confidence = float(settings["confidence"])
    found = attempt(lambda: vignette_differences(dataset, scores, contrast))
    if isinstance(found, NotComputed):
        return _nothing(scores.dimension, contrast, found)
    d = found.values
    test = attempt(lambda: signed_rank(d, zeros=settings["zeros"]))
    median = attempt(lambda: hodges_lehmann(d, confidence=confidence))
    return DimensionResult(
        dimension=scores.dimension, contrast=contrast, differences=found, test=test,
        p_adjusted=None, hodges_lehmann=median,
        simultaneous=attempt(lambda: hodges_lehmann(d, confidence=1 - (1 - confidence) / n_family)),
        mean=attempt(lambda: mean_difference(d, confidence=confidence)),
        rank_biserial=attempt(
            lambda: rank_biserial(
                d, confidence=confidence, n_resamples=settings["n_resamples"],
                seed=settings["seed"],
            )
        ),
        r=test if isinstance(test, NotComputed) else r_from_z(test),
        superiority=attempt(lambda: paired_superiority(d)), dz=attempt(lambda: cohen_dz(d)),
        claims=_claims(dataset, d, median), curve=margin_curve(d, margins=CURVE),
        sensitivity=_sensitivity(dataset, scores, contrast, d),
    )  # fmt: skip


def _nothing(dimension: Dimension, contrast: Contrast, why: NotComputed) -> DimensionResult:
    """The results of a dimension without a single difference."""
    sensitivity = Sensitivity(why, why, why, why, why, why, why, why, why)
    return DimensionResult(
        dimension=dimension, contrast=contrast, differences=why, test=why, p_adjusted=None,
        hodges_lehmann=why, simultaneous=why, mean=why, rank_biserial=why, r=why, superiority=why,
        dz=why, claims=None, curve=(), sensitivity=sensitivity,
    )  # fmt: skip


def _claims(dataset: Dataset, d: Floats, median: HodgesLehmann | NotComputed) -> Claims | None:
    margin = dataset.margin
    if margin is None:
        return None
    alpha = float(dataset.protocol["analysis"]["alpha"])
    equal = attempt(lambda: equivalence(d, margin=margin.points, alpha=alpha))
    named: Verdict | NotComputed
    if isinstance(median, NotComputed):
        named = median
    else:
        inner = None if isinstance(equal, NotComputed) else (equal.low, equal.high)
        named = verdict(median.low, median.high, margin=margin.points, for_equivalence=inner)
    return Claims(
        margin=margin,
        noninferiority=attempt(lambda: noninferiority(d, margin=margin.points, alpha=alpha / 2)),
        equivalence=equal,
        equivalence_t=attempt(lambda: equivalence(d, margin=margin.points, alpha=alpha, test="t")),
        p_adjusted=None,
        verdict=named,
    )


def _sensitivity(dataset: Dataset, scores: Scores, contrast: Contrast, d: Floats) -> Sensitivity:
    settings = dataset.protocol["analysis"]
    confidence = float(settings["confidence"])
    composite = difference_values(with_worst(dataset, scores), contrast)
    composite = composite[np.isfinite(composite)]
    return Sensitivity(
        wilcoxon=attempt(lambda: signed_rank(d, zeros="wilcoxon")),
        sign_flip=attempt(lambda: sign_flip(d)),
        composite=attempt(lambda: signed_rank(composite, zeros=settings["zeros"])),
        composite_median=attempt(lambda: hodges_lehmann(composite, confidence=confidence)),
        two_way_bootstrap=attempt(
            lambda: _two_way_bootstrap(
                scores, contrast, settings["n_resamples"], settings["seed"], confidence
            )
        ),
        generalised=attempt(lambda: _generalised(scores, contrast, confidence)),
        mixed_random=attempt(lambda: _mixed(scores, contrast, "random", confidence)),
        mixed_fixed=attempt(lambda: _mixed(scores, contrast, "fixed", confidence)),
        ordinal=attempt(lambda: _ordinal(scores, contrast, confidence)),
    )


def _generalised(scores: Scores, contrast: Contrast, confidence: float) -> TwoWayRandom:
    """Over vignettes that every respondent of the larger arm was scored on."""
    table, _, _ = respondent_differences(scores, contrast)
    complete = table[np.isfinite(table).all(axis=1)]
    return two_way_random(complete, confidence=confidence)


def _two_way_bootstrap(
    scores: Scores, contrast: Contrast, n_resamples: int, seed: int, confidence: float
) -> Interval:
    table, _, _ = respondent_differences(scores, contrast)
    there = np.isfinite(table)
    value = float(np.nanmean(table))
    if min(table.shape) < 2 or there.any(axis=1).sum() < MIN_CLUSTERS:
        raise NoIntervalError(
            f"no interval: {table.shape[0]} vignettes and {table.shape[1]} respondents are too few "
            "to resample both",
            value,
        )
    rng = np.random.default_rng(seed)
    n_vignettes, n_respondents = table.shape
    of_vignettes = rng.multinomial(n_vignettes, [1 / n_vignettes] * n_vignettes, n_resamples)
    of_people = rng.multinomial(n_respondents, [1 / n_respondents] * n_respondents, n_resamples)
    sums = ((of_vignettes @ np.where(there, table, 0.0)) * of_people).sum(axis=1)
    times = ((of_vignettes @ there.astype(float)) * of_people).sum(axis=1)
    means = sums[times > 0] / times[times > 0]
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high))


def _mixed(
    scores: Scores, contrast: Contrast, residents: Residents, confidence: float
) -> CrossedFit:
    used = scores.of_arms(contrast.first.id, contrast.second.id)
    response, rater = np.nonzero(~np.isnan(used.values))
    return fit_crossed(
        scores.turned * used.values[response, rater], vignettes=used.vignette[response].tolist(),
        respondents=used.respondent[response].tolist(), raters=rater.tolist(),
        first=(used.arm == contrast.first.id)[response], residents=residents,
        confidence=confidence,
    )  # fmt: skip


def _ordinal(scores: Scores, contrast: Contrast, confidence: float) -> OrdinalFit:
    used = scores.of_arms(contrast.first.id, contrast.second.id)
    response, rater = np.nonzero(~np.isnan(used.values))
    return ordinal_gee(
        scores.turned * used.values[response, rater], vignettes=used.vignette[response].tolist(),
        first=(used.arm == contrast.first.id)[response], confidence=confidence,
    )  # fmt: skip


def _tests_adjusted(
    raw: Sequence[DimensionResult], family: Sequence[str], correction: Correction
) -> tuple[DimensionResult, ...]:
    members = [result for result in raw if result.dimension.id in family]
    p_values = [m.test.p_value for m in members if isinstance(m.test, SignedRank)]
    # A member without a p would shrink the family: then nothing is adjusted.
    if len(p_values) < len(members):
        return tuple(raw)
    adjusted = iter(adjust(p_values, method=correction))
    return tuple(
        replace(result, p_adjusted=next(adjusted)) if result.dimension.id in family else result
        for result in raw
    )


def _claims_adjusted(
    raw: Sequence[DimensionResult], family: Sequence[str]
) -> tuple[DimensionResult, ...]:
    """Equivalence p values adjusted by Holm over the same dimensions."""
    claims = [r.claims for r in raw if r.claims and r.dimension.id in family]
    p_values = [c.equivalence.p_value for c in claims if isinstance(c.equivalence, Equivalence)]
    if not claims or len(p_values) < len(claims):
        return tuple(raw)
    adjusted = iter(adjust(p_values))
    return tuple(
        replace(r, claims=replace(r.claims, p_adjusted=next(adjusted)))
        if r.claims and r.dimension.id in family
        else r
        for r in raw
    )
