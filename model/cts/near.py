"""Rows that nearly hold a text: words exchanged, left out or put in.

Two measures over short runs (`units.short_runs`). Containment: the share of the text's runs that
stand somewhere in the row (Broder 1997, doi 10.1109/SEQUEN.1997.666900); it finds a text inside a
longer row and needs a text of some length. Likeness: the runs that a text and one part of a row
(its prompt, its answer) share, of all that either has (Jaccard); it also finds short texts, such
as a benchmark's questions. For likeness MinHash proposes the pairs (library `rensa`), and what is
reported is counted, not estimated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from model.cts.units import has_spaceless, is_spaceless, short_runs

NEAR_SHARE = 0.4
"""From this containment on a text counts as nearly there."""
ALIKE_SHARE = 0.5
"""From this likeness on a part of a row and a text count as nearly the same."""
_NEAR_UNITS = 40
"""Texts from this length on are compared by containment."""
_LEAST_UNITS, _LEAST_CHARACTERS = 10, 20
"""Shorter texts (a result, a drug name) are common property, not a vignette's."""
_BANDS, _PER_BAND = 43, 3
"""Of a pair with likeness 0.5 all but 1 - (1 - 0.5**3)**43 = 0.3 % are proposed."""
_SEED = 1


class NearTexts:
    """The texts that no row may nearly hold."""

    def __init__(self, texts: Sequence[Sequence[str]], share: float = NEAR_SHARE) -> None:
        """Index the texts.

        Args:
            texts: The units of each.
            share: Containment from which on a row is reported, 0 to 1.
        """
        self._share = share
        self._kinds = ["five-character" if is_spaceless(t) else "three-word" for t in texts]
        self._runs = [short_runs(units) for units in texts]
        self._holders: dict[str, list[int]] = {}
        self._alike = _index()
        sizes: list[int] = []
        for number, units in enumerate(texts):
            if len(units) >= _NEAR_UNITS:
                for run in self._runs[number]:
                    self._holders.setdefault(run, []).append(number)
            if len(units) >= (_LEAST_CHARACTERS if has_spaceless(units) else _LEAST_UNITS):
                self._alike.insert(number, _sketch(self._runs[number]))
                sizes.append(len(self._runs[number]))
        self._least = ALIKE_SHARE * min(sizes, default=0)
        self._most = max(sizes, default=0) / ALIKE_SHARE

    def found_in(self, parts: Sequence[Sequence[str]]) -> dict[int, str]:
        """The texts that a row nearly holds, each with how nearly.

        Args:
            parts: The units of each part of the row.
        """
        by_part = [short_runs(part) for part in parts]
        found = dict(self._contained(set().union(*by_part)))
        for runs in by_part:
            for number, words in self._same(runs):
                found.setdefault(number, words)
        return found

    def _contained(self, runs: set[str]) -> Iterator[tuple[int, str]]:
        shared: Counter[int] = Counter()
        for run in runs:
            shared.update(self._holders.get(run, ()))
        for number, count in shared.items():
            held = count / len(self._runs[number])
            if held >= self._share:
                yield number, f"{held:.0%} of its {self._kinds[number]} runs"

    def _same(self, runs: set[str]) -> Iterator[tuple[int, str]]:
        if not self._least <= len(runs) <= self._most or not runs:
            return
        for number in self._alike.query(_sketch(runs)):
            other = self._runs[number]
            alike = len(runs & other) / len(runs | other)
            if alike >= ALIKE_SHARE:
                yield number, f"{alike:.0%} of the {self._kinds[number]} runs of either are shared"


def _index() -> Any:
    from rensa import RMinHashLSH

    return RMinHashLSH(threshold=ALIKE_SHARE, num_perm=_BANDS * _PER_BAND, num_bands=_BANDS)


def _sketch(runs: set[str]) -> Any:
    from rensa import RMinHash

    sketch = RMinHash(num_perm=_BANDS * _PER_BAND, seed=_SEED)
    sketch.update(list(runs))
    return sketch
