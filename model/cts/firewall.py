"""The firewall: no training row may hold the text of a vignette or benchmark, nor nearly.

Two texts overlap when they share a run of `n` units after normalising; a shorter text overlaps when
all of it is found. Thirteen words is the length that GPT-3's authors used for overlap with
benchmarks (Brown 2020, appendix C); in scripts without spaces a unit is a character.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.cts.near import NEAR_SHARE, NearTexts
from model.cts.texts import texts_under
from model.cts.units import has_spaceless, runs, units_of
from model.errors import FirewallError

RUN = 13
_LEAST_WORDS = 10
"""Shorter texts (a result, a drug name, a question) are common property, not a vignette's."""
Row = str | tuple[str, ...]
"""A row's text, or its texts: prompt, reasoning and answer are then compared one by one as well."""
Units = list[list[str]]
"""The units of each part of a row."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A run of words that a row shares with a text."""

    row: int
    """Position among the rows, from 0."""
    text: int
    """Position among the texts, from 0."""
    words: str
    """The first shared run, normalised; or how nearly the row holds the text."""


def overlap(rows: Sequence[Row], texts: Sequence[str], *, n: int = RUN) -> list[Overlap]:
    """Find every pair of row and text that share a run of units.

    Args:
        rows: Training rows.
        texts: What they must not hold.
        n: Units in a run.

    Returns:
        One overlap a pair, in the order of rows and texts.
    """
    held = _HeldTexts([units_of(text) for text in texts], n)
    return _overlaps([_units(row) for row in rows], held)


def near_duplicates(
    rows: Sequence[Row], texts: Sequence[str], *, share: float = NEAR_SHARE
) -> list[Overlap]:
    """Find rows that hold much of a text with words exchanged, left out or put in.

    Args:
        rows: Training rows.
        texts: What they must not resemble.
        share: Containment from which on a row is reported, 0 to 1.
    """
    near = NearTexts([units_of(text) for text in texts], share)
    return _near([_units(row) for row in rows], near)


def check(rows: Sequence[Row], paths: Sequence[Path]) -> int:
    """Refuse rows that overlap with any text under the paths.

    Returns:
        How many texts the rows were compared with.

    Raises:
        FirewallError: Naming the first rows and the shared words.
    """
    texts = texts_under(paths)
    refuse_overlaps(rows, texts)
    return len(texts)


def refuse_overlaps(rows: Sequence[Row], texts: Sequence[str]) -> None:
    """Refuse rows that overlap with any of the texts, or nearly hold one.

    Raises:
        FirewallError: Naming the first rows and the shared words.
    """
    parts, against = [_units(row) for row in rows], [units_of(text) for text in texts]
    overlaps = _overlaps(parts, _HeldTexts(against, RUN)) + _near(parts, NearTexts(against))
    if overlaps:
        shown = "; ".join(f"row {o.row + 1}: “{o.words}”" for o in overlaps[:3])
        raise FirewallError(
            f"{len({o.row for o in overlaps})} training rows hold text of what the model is to "
            f"be tested with; remove them. {shown}"
        )


class _HeldTexts:
    """Long runs of the texts that no row may hold, found by how they begin."""

    def __init__(self, texts: Sequence[Sequence[str]], n: int) -> None:
        self._begin = min(n, _LEAST_WORDS)
        self._known: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}
        for number, units in enumerate(texts):
            # A few characters are less than as many words: such a text has to be a full run long.
            if len(units) < (n if has_spaceless(units) else self._begin):
                continue
            for run in runs(units, min(n, len(units))):
                beginning = self._known.setdefault(run[: self._begin], {})
                beginning.setdefault(run, []).append(number)

    def found_in(self, units: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Every text that shares a run with these units, each with the run, in their order."""
        for place, begun in enumerate(runs(units, self._begin)):
            for run, numbers in self._known.get(begun, {}).items():
                if tuple(units[place : place + len(run)]) == run:
                    for number in numbers:
                        yield number, run


def _units(row: Row) -> Units:
    return [units_of(part) for part in ((row,) if isinstance(row, str) else row)]


def _overlaps(rows: Sequence[Units], held: _HeldTexts) -> list[Overlap]:
    found: dict[tuple[int, int], str] = {}
    for row_number, parts in enumerate(rows):
        units = [unit for part in parts for unit in part]
        for number, run in held.found_in(units):
            found.setdefault((row_number, number), " ".join(run))
    return [Overlap(row, text, words) for (row, text), words in sorted(found.items())]


def _near(rows: Sequence[Units], near: NearTexts) -> list[Overlap]:
    return [
        Overlap(row_number, number, words)
        for row_number, parts in enumerate(rows)
        for number, words in sorted(near.found_in(parts).items())
    ]
