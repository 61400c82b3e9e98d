"""What texts are compared by: words, and in scripts without spaces characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_NO_SPACES = (
    "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # kana, Han
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1780-\u17d3"  # Thai, Lao, Myanmar, Khmer
    "\U00020000-\U0003fffd"  # Han beyond the first plane
)
"""Scripts that write words without spaces between them; each character is a unit."""
_UNIT = re.compile(rf"[{_NO_SPACES}]|[^\W_{_NO_SPACES}]+")
_CHARACTER = re.compile(rf"[{_NO_SPACES}]")
_FIRST = "\u0e01"
"""The first of those characters; whatever sorts before it is none, which is quickly seen."""
WORD_RUN, CHARACTER_RUN = 3, 5
"""Units of a run by which near-duplicates are compared."""


def units_of(text: str) -> list[str]:
    """The units of a text, normalised (Unicode NFKC, case folded, punctuation dropped).

    Numbers count as words of their own.
    """
    return _UNIT.findall(unicodedata.normalize("NFKC", text).casefold())


def is_spaceless(units: Sequence[str]) -> bool:
    """Whether most of the units are characters of a script without spaces."""
    return 2 * sum(1 for unit in units if unit >= _FIRST and _CHARACTER.match(unit)) > len(units)


def has_spaceless(units: Sequence[str]) -> bool:
    """Whether any unit is a character of a script without spaces."""
    return any(unit >= _FIRST and _CHARACTER.match(unit) for unit in units)


def runs(units: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    """Every run of so many units, in order."""
    return zip(*(units[i:] for i in range(length)), strict=False)


def short_runs(units: Sequence[str]) -> set[str]:
    """Distinct runs of three words, or of five characters, every number being the same word.

    A chart with other numbers is still the same chart.
    """
    length = CHARACTER_RUN if is_spaceless(units) else WORD_RUN
    plain = ["0" if unit.isdigit() else unit for unit in units]
    return {" ".join(run) for run in runs(plain, length)}
