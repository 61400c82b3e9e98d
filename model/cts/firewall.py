"""The firewall: no training row may hold the text of a vignette, nor nearly.

Two texts overlap when they share a run of `n` words after normalising (Unicode NFKC, case folded,
punctuation dropped); a shorter text overlaps when all of it is found. Thirteen words is the length
that GPT-3's authors used for overlap with benchmarks (Brown 2020, appendix C).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from model.errors import FirewallError

_WORD = re.compile(r"[^\W_]+")
_NEAR_WORDS = 40
"""Texts from this length on are also compared for near-duplicates."""
_NEAR_RUN = 3
NEAR_SHARE = 0.4
"""From this share of its three-word runs on, a text counts as nearly there."""
_LEAST_WORDS = 10
"""Shorter texts (a result, a drug name, a question) are common property, not a vignette's."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A run of words that a row shares with a text."""

    row: int
    """Position among the rows, from 0."""
    text: int
    """Position among the texts, from 0."""
    words: str
    """The first shared run, normalised."""


def words_of(text: str) -> list[str]:
    """The normalised words of a text; digits count as words of their own."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def overlap(rows: Sequence[str], texts: Sequence[str], *, n: int = 13) -> list[Overlap]:
    """Find every pair of row and text that share a run of words.

    Args:
        rows: Training rows, prompt and completion together.
        texts: What they must not hold.
        n: Words in a run.

    Returns:
        One overlap a pair, in the order of rows and texts.
    """
    by_length: dict[int, dict[tuple[str, ...], list[int]]] = {}
    for number, text in enumerate(texts):
        words = words_of(text)
        if len(words) < min(n, _LEAST_WORDS):
            continue
        length = min(n, len(words))
        runs = by_length.setdefault(length, {})
        for run in _runs(words, length):
            runs.setdefault(run, []).append(number)
    found: dict[tuple[int, int], str] = {}
    for row_number, row in enumerate(rows):
        words = words_of(row)
        for length, runs in by_length.items():
            for run in _runs(words, length):
                for number in runs.get(run, ()):
                    found.setdefault((row_number, number), " ".join(run))
    return [Overlap(row, text, words) for (row, text), words in sorted(found.items())]


def near_duplicates(
    rows: Sequence[str], texts: Sequence[str], *, share: float = NEAR_SHARE
) -> list[Overlap]:
    """Find rows that hold much of a text with words exchanged, left out or put in.

    What is measured is containment (Broder 1997, doi 10.1109/SEQUEN.1997.666900): the share of the
    text's distinct three-word runs that stand in the row as well. Every number counts as the
    same word, so that a chart with other numbers is still the same chart.

    Args:
        rows: Training rows, prompt and completion together.
        texts: What they must not resemble; those of fewer than 40 words are passed over.
        share: Containment from which on a row is reported, 0 to 1.
    """
    runs_of: list[set[tuple[str, ...]]] = []
    holders: dict[tuple[str, ...], list[int]] = {}
    for number, text in enumerate(texts):
        words = _without_numbers(text)
        runs = set(_runs(words, _NEAR_RUN)) if len(words) >= _NEAR_WORDS else set()
        runs_of.append(runs)
        for run in runs:
            holders.setdefault(run, []).append(number)
    found = []
    for row_number, row in enumerate(rows):
        shared: Counter[int] = Counter()
        for run in set(_runs(_without_numbers(row), _NEAR_RUN)):
            shared.update(holders.get(run, ()))
        for number, count in sorted(shared.items()):
            held = count / len(runs_of[number])
            if held >= share:
                found.append(Overlap(row_number, number, f"{held:.0%} of its three-word runs"))
    return found


def texts_under(paths: Iterable[Path]) -> list[str]:
    """Every text in YAML, JSON, JSON lines and plain text files, and under directories of them.

    Structured files are read without knowing their schema: every string in them counts.

    Raises:
        FirewallError: If a path is missing or unreadable, or no text is found at all: a check
            against nothing would look like a check.
    """
    texts: list[str] = []
    for path in paths:
        if not path.exists():
            raise FirewallError(f"{path} is to be compared with the training rows, and is missing")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found = [text for file in inside if file.is_file() for text in _texts_of(file)]
        if not found:
            raise FirewallError(f"{path} holds no text to compare with the training rows")
        texts += found
    return texts


def rows_of(path: Path) -> list[str]:
    """The training rows of a JSON lines file, each with all of its text.

    Raises:
        FirewallError: Naming the file and the line.
    """
    rows: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        try:
            if line.strip():
                rows.append("\n".join(_strings(json.loads(line))))
        except ValueError as error:
            raise FirewallError(f"{path}, line {number}, is no JSON: {error}") from error
    if not rows:
        raise FirewallError(f"{path} holds no training row")
    return rows


def check(rows: Sequence[str], paths: Sequence[Path]) -> int:
    """Refuse rows that overlap with any text under the paths.

    Returns:
        How many texts the rows were compared with.

    Raises:
        FirewallError: Naming the first rows and the shared words.
    """
    texts = texts_under(paths)
    refuse_overlaps(rows, texts)
    return len(texts)


def refuse_overlaps(rows: Sequence[str], texts: Sequence[str]) -> None:
    """Refuse rows that overlap with any of the texts, or nearly hold one.

    Raises:
        FirewallError: Naming the first rows and the shared words.
    """
    overlaps = overlap(rows, texts) + near_duplicates(rows, texts)
    if overlaps:
        shown = "; ".join(f"row {o.row + 1}: “{o.words}”" for o in overlaps[:3])
        raise FirewallError(
            f"{len({o.row for o in overlaps})} training rows hold text of what the model is to "
            f"be tested with; remove them. {shown}"
        )


def _without_numbers(text: str) -> list[str]:
    return ["0" if word.isdigit() else word for word in words_of(text)]


def _runs(words: Sequence[str], length: int) -> Iterable[tuple[str, ...]]:
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def _texts_of(path: Path) -> list[str]:
    if path.suffix not in (".yaml", ".yml", ".json", ".jsonl", ".txt", ".md"):
        return []
    try:
        content = path.read_text(encoding="utf-8")
        if path.suffix in (".yaml", ".yml"):
            return list(_strings(yaml.safe_load(content)))
        if path.suffix == ".json":
            return list(_strings(json.loads(content)))
        if path.suffix == ".jsonl":
            return list(_strings([json.loads(line) for line in content.split("\n") if line]))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise FirewallError(f"{path} cannot be compared with the training rows: {error}") from error
    return [content] if content.strip() else []


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
