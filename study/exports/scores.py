"""The points of a rubric dimension, each in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def points_of(dimension: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every point of the scale as written in the tables, with its anchor or itself."""
    scale, anchors = dimension["scale"], dimension.get("anchors") or {}
    low, high, step = scale["minimum"], scale["maximum"], scale.get("step", 1)
    n_steps = round((high - low) / step)
    points = [low + place * step for place in range(n_steps + 1)]
    return [(f"{p:g}", str(anchors.get(f"{p:g}", anchors.get(p, f"{p:g}")))) for p in points]


def better_end(dimension: Mapping[str, Any]) -> str:
    """Which way the scale runs, in words."""
    is_higher = dimension["scale"]["direction"] == "higher_is_better"
    return "higher is better" if is_higher else "lower is better"


CONFIDENCE = [
    ("1", "1 (not at all sure)"), ("2", "2"), ("3", "3"), ("4", "4"), ("5", "5 (certain)"),
]  # fmt: skip
STATUS = [
    ("submitted", "Submitted"),
    ("failed", "Failed generation of a model"),
    ("missing", "Should exist and does not"),
]
