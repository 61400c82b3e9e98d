"""Strata of too few people: merged with others of the same arm, or left out.

A stratum is whatever a protocol divides an arm by: a grade, a specialty, a department. Nobody
stands in a published stratum with fewer than `SMALLEST_CELL` people. An arm is never merged with
another: it is what the study compares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SMALLEST_CELL = 5
NOT_STATED = "not stated"

Cell = tuple[str, str | None]
"""An arm and a stratum of it."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Strata of one arm that became one."""

    arm: str
    strata: tuple[str, ...]
    into: str | None
    """The name of the merged stratum; None where even all together are too few."""
    n_people: int
    """In the merged stratum."""


def merged_strata(
    people: Sequence[Cell], *, smallest: int = SMALLEST_CELL
) -> tuple[Mapping[Cell, str | None], tuple[Merge, ...]]:
    """What each stratum is called once no cell has fewer people than allowed.

    Small strata are pooled; while the pool is still small, the next smallest stratum joins it.

    Args:
        people: Arm and stratum of every clinician.
        smallest: Fewest people of a cell.
    """
    names: dict[Cell, str | None] = {}
    merges = []
    for arm in dict.fromkeys(arm for arm, _ in people):
        counts = Counter(stratum for of, stratum in people if of == arm)
        names |= {(arm, stratum): stratum for stratum in counts}
        pooled = _pool(counts, smallest)
        if not pooled:
            continue
        merge = _merge(arm, pooled, counts, smallest)
        names |= {(arm, stratum): merge.into for stratum in pooled}
        merges.append(merge)
    return names, tuple(merges)


def _pool(counts: Counter[str | None], smallest: int) -> list[str | None]:
    """The strata that become one; none where every cell is large enough or nothing is told."""
    if set(counts) == {None}:
        return []
    pooled: list[str | None] = []
    for stratum, n_people in sorted(counts.items(), key=lambda c: (c[1], _words(c[0]))):
        is_enough = sum(counts[s] for s in pooled) >= smallest
        if n_people < smallest or (pooled and not is_enough):
            pooled.append(stratum)
    return pooled


def _merge(
    arm: str, pooled: Sequence[str | None], counts: Mapping[str | None, int], smallest: int
) -> Merge:
    strata = tuple(sorted(_words(stratum) for stratum in pooled))
    n_people = sum(counts[stratum] for stratum in pooled)
    into = " or ".join(strata) if n_people >= smallest else None
    return Merge(arm, strata, into, n_people)


def _words(stratum: str | None) -> str:
    return NOT_STATED if stratum is None else stratum
