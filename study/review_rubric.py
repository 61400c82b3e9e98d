"""What clinician auditors score on a training row: five dimensions, 1 to 5, every point in words.

The dimensions are those of the SafeMed-R1 study; it printed no anchors, so the words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReviewDimension:
    """One dimension; 5 is best."""

    id: str
    label: str
    question: str
    anchors: tuple[str, str, str, str, str]
    """Words for 1 to 5."""


DIMENSIONS = (
    ReviewDimension(
        "medical_correctness", "Medical correctness", "Is what it says true?",
        (
            "wrong in a way that matters to the patient",
            "a material error beside right parts",
            "right in the main, an error without consequence",
            "right, an imprecision at most",
            "right throughout",
        ),
    ),
    ReviewDimension(
        "reasoning_structure", "Reasoning structure", "Does each step follow from the one before?",
        (
            "the answer does not follow",
            "steps missing or in contradiction",
            "can be followed with good will",
            "follows, one step could be clearer",
            "every step stated and in order",
        ),
    ),
    ReviewDimension(
        "information_sufficiency", "Information sufficiency",
        "Is everything there that a safe decision needs?",
        (
            "what decides is missing",
            "important facts missing",
            "enough to decide, with gaps",
            "a minor fact missing",
            "nothing missing, nothing idle",
        ),
    ),
    ReviewDimension(
        "terminology_and_language", "Terminology and language",
        "Are terms, units and names those that clinicians use?",
        (
            "misleading terms or units",
            "several wrong or foreign terms",
            "understandable, not how one writes",
            "a slip at most",
            "as a good colleague writes",
        ),
    ),
    ReviewDimension(
        "clinical_utility", "Clinical utility", "Could somebody act on it at the bedside?",
        (
            "acting on it would harm",
            "no help",
            "some help after checking",
            "helpful",
            "helpful at once, with what to watch",
        ),
    ),
)  # fmt: skip
LOWEST, HIGHEST = 1, 5
