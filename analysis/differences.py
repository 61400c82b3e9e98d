"""The unit of analysis: one difference per vignette."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.dataset import Arm, Contrast, Dataset
from analysis.errors import UndefinedError
from analysis.paired import DECIMALS
from analysis.permutation import Floats
from analysis.scores import Scores


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


def vignette_differences(dataset: Dataset, scores: Scores, contrast: Contrast) -> Differences:
    """d_v = mean of the first arm minus mean of the second, per vignette.

    Raters are averaged within a response, responses within a respondent's vignette are one, and
    respondents are averaged within the arm: a missing rating does not reweight a respondent.

    Raises:
        UndefinedError: If no vignette is rated in both arms.

    References:
        docs/analysis_plan.md, point 1.
    """
    first, second = scores.arm_means(contrast.first.id), scores.arm_means(contrast.second.id)
    both = np.isfinite(first) & np.isfinite(second)
    if not both.any():
        raise UndefinedError("undefined: no vignette is rated in both arms")
    statuses = _statuses(dataset) if not both.all() else {}
    return Differences(
        vignettes=tuple(v for v, used in zip(scores.vignettes, both, strict=True) if used),
        values=difference_values(scores, contrast)[both],
        first_mean=float(first[both].mean()),
        second_mean=float(second[both].mean()),
        excluded=tuple(
            Exclusion(vignette, _why_excluded(statuses, vignette, lacking))
            for vignette, lacking in _lacking(scores, contrast, first, second)
        ),
    )


def difference_values(scores: Scores, contrast: Contrast) -> Floats:
    """One difference a vignette of the study, NaN where an arm lacks it; (n_vignettes,)."""
    first, second = scores.arm_means(contrast.first.id), scores.arm_means(contrast.second.id)
    return np.asarray(np.round(scores.turned * (first - second), DECIMALS), dtype=float)


def respondent_differences(
    scores: Scores, contrast: Contrast
) -> tuple[Floats, tuple[str, ...], bool]:
    """D[v, p]: the arm of one respondent against each respondent of the other, turned.

    Returns:
        Shape (n_vignettes, n_respondents), NaN where either is missing; the respondents; whether
        the single respondent is of the second arm, which turns the signs back.

    Raises:
        UndefinedError: If both arms have several respondents, or both have one.
    """
    first, first_names = scores.table(contrast.first.id)
    second, second_names = scores.table(contrast.second.id)
    if (len(first_names) == 1) == (len(second_names) == 1):
        raise UndefinedError(
            f"not computed: {contrast.first.label} has {len(first_names)} respondents and "
            f"{contrast.second.label} {len(second_names)}; it compares one with several"
        )
    several = second_names if len(first_names) == 1 else first_names
    values = np.round(scores.turned * (first - second), DECIMALS)
    return np.asarray(values, dtype=float), several, len(second_names) == 1


Statuses = dict[tuple[str, str], Counter[str]]
"""By arm and vignette, how many responses were submitted, failed or unanswered."""


def _lacking(
    scores: Scores, contrast: Contrast, first: Floats, second: Floats
) -> Iterator[tuple[str, list[Arm]]]:
    """Every vignette that an arm lacks, with those arms."""
    for vignette, in_first, in_second in zip(
        scores.vignettes, np.isfinite(first), np.isfinite(second), strict=True
    ):
        if not (in_first and in_second):
            sides = ((contrast.first, in_first), (contrast.second, in_second))
            yield vignette, [arm for arm, is_there in sides if not is_there]


def _statuses(dataset: Dataset) -> Statuses:
    found: Statuses = defaultdict(Counter)
    for row in dataset.tables["responses"]:
        status = "unanswered" if row["status"] == "missing" else str(row["status"])
        found[str(row["arm"]), str(row["vignette_id"])][status] += 1
    return found


def _why_excluded(statuses: Statuses, vignette: str, lacking: list[Arm]) -> str:
    reasons = []
    for arm in lacking:
        status = Counter(statuses.get((arm.id, vignette), {}))
        # Submitted and yet lacking: no rater scored this dimension of it.
        unrated = status.pop("submitted", 0)
        if unrated:
            status["submitted but not scored"] = unrated
        counted = ", ".join(f"{n} {what}" for what, n in sorted(status.items()))
        reasons.append(f"no scored response of {arm.label} ({counted or 'none planned'})")
    return "; ".join(reasons)
