"""The unit of analysis: one difference per vignette."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from analysis.dataset import Dimension, FrozenDataset
from analysis.errors import UndefinedError
from analysis.paired import DECIMALS
from analysis.permutation import Floats


@dataclass(frozen=True, slots=True)
class ArmMeans:
    """Per-vignette means of one arm, respondents first."""

    by_vignette: dict[str, float]
    """Rubric points; vignettes without a rated response are not there."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A vignette that left the analysis of a dimension, and why."""

    vignette: str
    reason: str


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences of one dimension over the vignettes rated in both arms."""

    vignettes: tuple[str, ...]
    values: Floats
    """First arm minus second, in rubric points turned so that more is better; (n_vignettes,)."""
    first_mean: float
    second_mean: float
    """Rubric points as printed on the rater's scale."""
    excluded: tuple[Exclusion, ...]
    """Vignettes without a rated response in both arms."""


def vignette_differences(dataset: FrozenDataset, dimension: Dimension) -> Differences:
    """d_v = mean of the first arm minus mean of the second, per vignette.

    Raters are averaged within a response, responses within a respondent's vignette are one, and
    respondents are averaged within the arm: a missing rating does not reweight a respondent.

    Raises:
        UndefinedError: If no vignette is rated in both arms.

    References:
        docs/analysis_plan.md, point 1.
    """
    first = arm_means(dataset, dimension, dataset.first.id)
    second = arm_means(dataset, dimension, dataset.second.id)
    planned = dataset.vignettes
    both = tuple(v for v in planned if v in first.by_vignette and v in second.by_vignette)
    if not both:
        raise UndefinedError("undefined: no vignette is rated in both arms")
    in_first = np.array([first.by_vignette[v] for v in both])
    in_second = np.array([second.by_vignette[v] for v in both])
    turned = 1.0 if dimension.higher_is_better else -1.0
    return Differences(
        vignettes=both,
        values=np.round(turned * (in_first - in_second), DECIMALS),
        first_mean=float(in_first.mean()),
        second_mean=float(in_second.mean()),
        excluded=tuple(
            Exclusion(v, _why_excluded(dataset, v, first, second)) for v in planned if v not in both
        ),
    )


def _why_excluded(dataset: FrozenDataset, vignette: str, first: ArmMeans, second: ArmMeans) -> str:
    lacking = [
        arm
        for arm, means in ((dataset.first, first), (dataset.second, second))
        if vignette not in means.by_vignette
    ]
    reasons = []
    for arm in lacking:
        status = Counter(
            "unanswered" if row["status"] == "missing" else str(row["status"])
            for row in dataset.tables["responses"]
            if row["arm"] == arm.id and row["vignette_id"] == vignette
        )
        # Submitted and yet lacking: no rater scored this dimension of it.
        unrated = status.pop("submitted", 0)
        if unrated:
            status["submitted but not scored"] = unrated
        counted = ", ".join(f"{n} {what}" for what, n in sorted(status.items()))
        reasons.append(f"no scored response of {arm.label} ({counted or 'none planned'})")
    return "; ".join(reasons)


def arm_means(dataset: FrozenDataset, dimension: Dimension, arm: str) -> ArmMeans:
    """Mean of each vignette in one arm: raters within a respondent first, then respondents."""
    scores = _scores_by_code(dataset, dimension)
    by_vignette: dict[str, list[float]] = defaultdict(list)
    for response in dataset.tables["responses"]:
        given = scores.get(response["blinding_code"])
        if response["arm"] == arm and given:
            by_vignette[response["vignette_id"]].append(float(np.mean(given)))
    return ArmMeans({vignette: float(np.mean(m)) for vignette, m in by_vignette.items()})


def ratings_matrix(
    dataset: FrozenDataset, dimension: Dimension, arm: str | None = None
) -> tuple[Floats, tuple[str, ...]]:
    """Ratings as (n_responses, n_raters), NaN where missing, with each response's vignette.

    Args:
        dataset: A frozen dataset.
        dimension: The dimension.
        arm: One arm only, or all.
    """
    raters = sorted(str(row["rater_id"]) for row in dataset.tables["raters"])
    column = {rater: place for place, rater in enumerate(raters)}
    responses = [
        row
        for row in dataset.tables["responses"]
        if row["blinding_code"] is not None and arm in (None, row["arm"])
    ]
    responses.sort(key=lambda row: str(row["blinding_code"]))
    line = {row["blinding_code"]: place for place, row in enumerate(responses)}
    matrix = np.full((len(responses), len(raters)), np.nan)
    for rating in dataset.final_ratings():
        score = rating[dimension.id]
        if rating["blinding_code"] in line and score is not None:
            matrix[line[rating["blinding_code"]], column[rating["rater_id"]]] = score
    return matrix, tuple(str(row["vignette_id"]) for row in responses)


def _scores_by_code(dataset: FrozenDataset, dimension: Dimension) -> dict[str, list[int]]:
    scores: dict[str, list[int]] = defaultdict(list)
    for rating in dataset.final_ratings():
        if rating[dimension.id] is not None:
            scores[rating["blinding_code"]].append(rating[dimension.id])
    return scores
