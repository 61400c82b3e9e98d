"""What a rater gives, and what is refused before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from study.errors import RatingError
from study.protocol import Dimension, RatingDesign
from study.protocol_trial import Harm

MAX_COMMENT = 5_000


@dataclass(frozen=True, slots=True)
class HarmGiven:
    """What a rater said about harm, by the ids of the protocol's levels; None where not said."""

    severity: str | None = None
    likelihood: str | None = None


NOT_SAID = HarmGiven()


@dataclass(frozen=True, slots=True)
class Given:
    """What a rater submits, or amends with a reason."""

    scores: dict[str, int]
    comment: str
    harm: HarmGiven
    reason: str | None


def check_scores(
    dimensions: tuple[Dimension, ...], scores: Mapping[str, int], comment: str
) -> None:
    """Refuse scores off the scale or of no dimension, and a comment too long to keep."""
    by_id = {dimension.id: dimension for dimension in dimensions}
    for name, score in scores.items():
        if name not in by_id:
            raise RatingError(f"{name!r} is not a dimension of this study: {', '.join(by_id)}")
        scale = by_id[name].scale
        is_whole = isinstance(score, int) and not isinstance(score, bool)
        if not is_whole or not scale.minimum <= score <= scale.maximum:
            raise RatingError(
                f"{by_id[name].label}: {score!r} is off the scale; give a whole number from "
                f"{scale.minimum} to {scale.maximum}"
            )
    if len(comment) > MAX_COMMENT:
        raise RatingError(
            f"the comment has {len(comment):,} characters; at most {MAX_COMMENT:,} can be kept"
        )


def check_harm(asked: Harm | None, given: HarmGiven) -> None:
    """Refuse a severity or likelihood that the protocol does not word."""
    severities = [level.id for level in asked.severities] if asked else []
    likelihoods = [level.id for level in asked.likelihoods] if asked else []
    for said, known, what in (
        (given.severity, severities, "severity"),
        (given.likelihood, likelihoods, "likelihood"),
    ):
        if said is not None and said not in known:
            raise RatingError(
                f"{said!r} is no {what} of harm here; they are {known or 'not asked'}"
            )


def check_whole(design: RatingDesign, given: Given) -> None:
    """Refuse a rating that lacks something the protocol asks for."""
    dimensions = tuple(design.dimensions)
    check_scores(dimensions, given.scores, given.comment)
    check_harm(design.harm, given.harm)
    missing = [d.label for d in dimensions if d.id not in given.scores]
    if missing:
        raise RatingError(f"please score every dimension; missing: {', '.join(missing)}")
    extreme = [d.label for d in dimensions if given.scores[d.id] in design.comment_at]
    if extreme and not given.comment.strip():
        raise RatingError(
            f"please comment on the scores of {', '.join(extreme)}: a score of "
            f"{' or '.join(map(str, design.comment_at))} needs a few words"
        )
    if design.harm is None:
        return
    level = next((lv for lv in design.harm.severities if lv.id == given.harm.severity), None)
    if level is None or (level.is_harm and given.harm.likelihood is None):
        raise RatingError("please say how severe the harm could be, and how likely it would be")
