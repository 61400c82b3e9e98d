"""The firewall: no training row may hold the text of a vignette.

Two texts overlap when they share a run of `n` words after normalising (Unicode NFKC, case folded,
punctuation dropped); a shorter text overlaps when all of it is found. Thirteen words is the length
that GPT-3's authors used for overlap with benchmarks (Brown 2020, appendix C).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from model.errors import FirewallError

_WORD = re.compile(r"[^\W_]+")
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


def check(rows: Sequence[str], paths: Sequence[Path]) -> int:
    """Refuse rows that overlap with any text under the paths.

    Returns:
        How many texts the rows were compared with.

    Raises:
        FirewallError: Naming the first rows and the shared words.
    """
    texts = texts_under(paths)
    overlaps = overlap(rows, texts)
    if overlaps:
        shown = "; ".join(f"row {o.row + 1}: “{o.words}”" for o in overlaps[:3])
        raise FirewallError(
            f"{len({o.row for o in overlaps})} training rows hold text of what the model is to "
            f"be tested with; remove them. {shown}"
        )
    return len(texts)


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
