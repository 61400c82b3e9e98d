"""What becomes of every column of the frozen dataset in the public bundle.

A table or column that is not named here is left out: what nobody thought about is not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Treatment(Enum):
    """What becomes of a column's values."""

    KEPT = "kept"
    RENAMED = "renamed"
    """A random new name, the same wherever the old one stood."""
    MERGED = "merged"
    """A stratum, merged where it has too few people."""
    TEXT = "text"
    """A response as the raters saw it; left out by choice."""
    COMMENT = "comment"
    """Free text of raters and adjudicators; kept by choice."""
    LEFT_OUT = "left out"


def _columns(words: str) -> dict[str, Treatment]:
    split = (word.partition(":") for word in words.split())
    return {name: Treatment(how.replace("-", " ") or "kept") for name, _, how in split}


TREATMENTS: Mapping[str, Mapping[str, Treatment]] = {
    "vignettes": _columns(
        "vignette_id version title category plan_appropriate difficulty text_sha256"
    ),
    "respondents": _columns(
        "respondent_id:renamed arm kind stratum:merged scripted model weights_sha256"
    ),
    "raters": _columns("rater_id:renamed scripted"),
    "responses": _columns(
        "response_id:renamed vignette_id respondent_id:renamed arm status failure "
        "blinding_code:renamed text:left-out masked_text:text n_masking_changes confidence "
        "position submitted_at:left-out prompt_tokens completion_tokens"
    ),
    "assignments": _columns("rater_id:renamed blinding_code:renamed position status"),
    "ratings": _columns(
        "rating_id:renamed rater_id:renamed blinding_code:renamed vignette_id position revision "
        "final comment:comment submitted_at:left-out"
    ),
    "same_person": _columns(
        "first_id:renamed second_id:renamed same reason:left-out decided_at:left-out"
    ),
    "marks": _columns("rater_id:renamed blinding_code:renamed kind item marked"),
    "guesses": _columns("rater_id:renamed blinding_code:renamed guess confidence"),
    "harms": _columns("rater_id:renamed blinding_code:renamed severity likelihood"),
    "calibrations": _columns(
        "rater_id:renamed number share_within_one passed attempted_at:left-out"
    ),
    "adjudications": _columns(
        "adjudicator_id:renamed blinding_code:renamed dimension score comment:comment "
        "decided_at:left-out"
    ),
    "repeat_ratings": _columns(
        "rater_id:renamed blinding_code:renamed repeat_code:renamed position submitted_at:left-out"
    ),
    "cue_pairs": _columns("first_vignette second_vignette"),
}
SCORED = ("ratings", "repeat_ratings")
"""Tables with one column a dimension; those columns are kept."""
EMPTIED = ("masking_changes", "audit")
"""Tables of which the bundle has the columns and no row: they hold what was masked, and who did
what when."""
PREFIXES = {
    "respondent_id": "respondent", "rater_id": "rater", "response_id": "response",
    "rating_id": "rating", "blinding_code": "code", "repeat_code": "code",
    "adjudicator_id": "adjudicator",
}  # fmt: skip
"""How a new name begins, by the column where the old one was first met."""


def treatment_of(table: str, column: str, dimensions: frozenset[str]) -> Treatment:
    """What becomes of one column."""
    if table in SCORED and column in dimensions:
        return Treatment.KEPT
    return TREATMENTS[table].get(column, Treatment.LEFT_OUT)
