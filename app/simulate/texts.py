"""Scripted residents' answers, composed from a vignette's key points with omissions and slips."""

from __future__ import annotations

import random
from collections.abc import Sequence

from study.vignette import KeyPoint, Vignette

OPENINGS = (
    "I have read the chart.",
    "Dear colleague, I have looked at this.",
    "Looking at the chart and the plan:",
    "My view of the plan:",
    "",
)
CLOSINGS = (
    "I would write this in the notes and hand it over.",
    "Happy to discuss.",
    "I would tell the patient and the nurse.",
    "",
    "",
)
INCLUDED = {"must": 0.8, "should": 0.55, "bonus": 0.25}
"""How often a scripted resident of average skill makes a point of each kind."""
SLIP = 0.06
"""How often a scripted resident makes one of the vignette's critical errors."""


def compose_answer(vignette: Vignette, *, skill: float, rng: random.Random) -> str:
    """One scripted resident's answer.

    Args:
        vignette: Its hidden key points are the material; scripted people may know them.
        skill: Added to the chance of making each point, about -0.2 to 0.2.
        rng: Generator of this answer.
    """
    points = [
        point
        for point in vignette.hidden.key_points
        if point.kind in INCLUDED and rng.random() < INCLUDED[point.kind] + skill
    ]
    errors = [p for p in vignette.hidden.key_points if p.kind == "critical_error"]
    if errors and rng.random() < SLIP - skill / 5:
        points.append(rng.choice(errors))
    rng.shuffle(points)
    sentences = [_as_said(point, rng) for point in points] or ["I would go by the plan as written."]
    return _laid_out([rng.choice(OPENINGS), *sentences, rng.choice(CLOSINGS)], rng)


def _as_said(point: KeyPoint, rng: random.Random) -> str:
    """The point as a resident would write it: sometimes in other words where equivalents exist."""
    said = rng.choice([point.statement, *point.equivalents]).strip().rstrip(".")
    return f"{said[0].upper()}{said[1:]}."


def _laid_out(sentences: Sequence[str], rng: random.Random) -> str:
    written = [sentence for sentence in sentences if sentence]
    if rng.random() < 0.25:
        return "\n".join(f"- {sentence}" for sentence in written)
    return " ".join(written)
