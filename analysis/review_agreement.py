"""Agreement of reviewers who each see other items: no column of the ratings is a person.

Krippendorff's alpha, Gwet's AC2 and the nested intraclass correlation do not need to know who gave
which rating, so any number of reviewers fits into as many columns as an item has ratings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.attempts import NotComputed, attempt
from analysis.errors import NoIntervalError
from analysis.permutation import Floats
from analysis.reliability import (
    gwet_ac,
    gwet_ac_interval,
    icc,
    krippendorff_alpha,
    krippendorff_alpha_interval,
    percent_agreement,
    weighted_kappa,
)
from analysis.values import Interval, Value

MOST_RESAMPLED = 50_000
"""Items up to which intervals are drawn; of more, they would be narrower than what is printed."""


@dataclass(frozen=True, slots=True)
class ReviewAgreement:
    """How far reviews of the same items agree."""

    n_items: int
    """With at least one review."""
    n_pairable: int
    """With at least two."""
    n_reviews: int
    alpha: Interval | NotComputed
    """Krippendorff's, ordinal."""
    gwet: Interval | NotComputed
    """Gwet's AC2, quadratic."""
    icc_nested: float | NotComputed
    """ICC(1,1): of one review, reviewers nested in items."""
    exact: float | NotComputed
    within_one: float | NotComputed


@dataclass(frozen=True, slots=True)
class ReviewerStanding:
    """One reviewer against everybody else who reviewed the same items."""

    n_reviews: int
    mean: float
    sd: float | None
    n_pairs: int
    """Pairs of an own and another's review of one item."""
    own_minus_others: float | None
    """Mean difference over those pairs, rubric points; positive is more lenient than the others."""
    kappa: float | NotComputed
    """Quadratic, over those pairs."""
    exact: float | NotComputed
    within_one: float | NotComputed


def review_agreement(
    ratings: Floats, *, points: Sequence[float], n_resamples: int, seed: int,
    confidence: float = 0.95,
) -> ReviewAgreement:  # fmt: skip
    """Agreement of the reviews of items.

    Args:
        ratings: Shape (n_items, most_reviews), NaN where an item has fewer.
        points: Every point of the scale.
        n_resamples: Bootstrap resamples of whole items.
        seed: Of the bootstrap.
        confidence: Of the intervals.

    Raises:
        ValueError: If a rating is not among the points.
    """
    per_item = (~np.isnan(ratings)).sum(axis=1)
    drawn: dict[str, Any] = {
        "clusters": np.arange(len(ratings)).tolist(), "n_resamples": n_resamples, "seed": seed,
        "confidence": confidence,
    }  # fmt: skip

    def with_interval(
        plain: Callable[[], Value], resampled: Callable[[], Interval]
    ) -> Interval | NotComputed:
        if len(ratings) <= MOST_RESAMPLED:
            return attempt(resampled)
        return attempt(lambda: _refuse(plain().value, len(ratings)))

    return ReviewAgreement(
        n_items=int((per_item > 0).sum()),
        n_pairable=int((per_item > 1).sum()),
        n_reviews=int(per_item.sum()),
        alpha=with_interval(
            lambda: krippendorff_alpha(ratings, level="ordinal", categories=points),
            lambda: krippendorff_alpha_interval(
                ratings, level="ordinal", categories=points, **drawn
            ),
        ),
        gwet=with_interval(
            lambda: gwet_ac(ratings, categories=points),
            lambda: gwet_ac_interval(ratings, categories=points, **drawn),
        ),
        icc_nested=attempt(lambda: icc(ratings, form="1,1").value),
        exact=attempt(lambda: percent_agreement(ratings).value),
        within_one=attempt(lambda: percent_agreement(ratings, within=1).value),
    )


def _refuse(value: float, n_items: int) -> Interval:
    raise NoIntervalError(
        f"no interval: {n_items:,} items are more than the {MOST_RESAMPLED:,} that are resampled",
        value,
    )


def reviewer_standing(
    all_scores: Floats, own: Floats, others: Floats, *, points: Sequence[float]
) -> ReviewerStanding:
    """One reviewer against the others.

    Args:
        all_scores: Every score of this reviewer; shape (n_reviews,).
        own: This reviewer's score of each pair; shape (n_pairs,).
        others: The other reviewer's score of the same item; shape (n_pairs,).
        points: Every point of the scale.

    Raises:
        ValueError: If a score is not among the points.
    """
    pairs = np.column_stack([own, others]).astype(float)
    return ReviewerStanding(
        n_reviews=all_scores.size,
        mean=float(all_scores.mean()),
        sd=float(all_scores.std(ddof=1)) if all_scores.size > 1 else None,
        n_pairs=len(pairs),
        own_minus_others=float((pairs[:, 0] - pairs[:, 1]).mean()) if len(pairs) else None,
        kappa=attempt(lambda: weighted_kappa(pairs[:, 0], pairs[:, 1], categories=points).value),
        exact=attempt(lambda: percent_agreement(pairs).value),
        within_one=attempt(lambda: percent_agreement(pairs, within=1).value),
    )
