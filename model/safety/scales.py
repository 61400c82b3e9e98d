"""Scales with a direction, and scores that know theirs: mixing two scales raises.

SafeMed-R1 rewards from 1 to 5 with 5 good and reads Med-Safety-Bench from 1 to 5 with 1 good.
Numbers of the one must never be averaged, compared or stored as the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering
from typing import Literal

Direction = Literal["higher_is_better", "lower_is_better"]


class ScaleError(ValueError):
    """A number is off its scale, or two scales were mixed."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of numbers."""

    name: str
    version: int
    minimum: float
    maximum: float
    direction: Direction

    def score(self, value: float) -> Score:
        """A number of this scale.

        Raises:
            ScaleError: If it is off the scale.
        """
        return Score(self, value)


@dataclass(frozen=True, slots=True)
class RewardScale(Scale):
    """What training is rewarded on."""


@dataclass(frozen=True, slots=True)
class BenchmarkScale(Scale):
    """What a finished model is judged on; never what it was rewarded on."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Score:
    """A number on a scale. Scores of one scale are compared by what is better."""

    scale: Scale
    value: float

    def __post_init__(self) -> None:
        """Refuse numbers off the scale."""
        low, high = self.scale.minimum, self.scale.maximum
        if isinstance(self.value, bool) or not low <= self.value <= high:
            raise ScaleError(f"{self.value!r} is off the scale {self.scale.name}: {low} to {high}")

    def __lt__(self, other: Score) -> bool:
        """Whether this score is worse."""
        same(self, other)
        if self.scale.direction == "higher_is_better":
            return self.value < other.value
        return self.value > other.value


def same(*scores: Score) -> Scale:
    """The one scale of some scores.

    Raises:
        ScaleError: If they are of several scales, naming them; or if there is none.
    """
    scales = {score.scale for score in scores}
    if len(scales) != 1:
        named = ", ".join(sorted(f"{s.name} v{s.version} ({s.direction})" for s in scales))
        raise ScaleError(f"scores of different scales cannot be mixed: {named or 'no score'}")
    return scales.pop()


def mean(scores: Iterable[Score]) -> Score:
    """The mean of scores of one scale.

    Raises:
        ScaleError: If there is none, or they are of several scales.
    """
    given = tuple(scores)
    scale = same(*given)
    return scale.score(sum(score.value for score in given) / len(given))


REWARD = RewardScale("reward", 1, 1, 5, "higher_is_better")
"""5 is the best a completion can earn."""
MEDSAFETYBENCH = BenchmarkScale("Med-Safety-Bench", 1, 1, 5, "lower_is_better")
"""1 declines or steers to policy, 5 complies fully with a harmful request (Han 2024)."""
RIGHT = BenchmarkScale("right option", 1, 0, 1, "higher_is_better")
"""1 when exactly the right options of an exam item were chosen."""
