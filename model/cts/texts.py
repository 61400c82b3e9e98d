"""Reading what the firewall compares: rows, and texts from files of any layout."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from model.errors import FirewallError


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


def rows_of(path: Path) -> list[tuple[str, ...]]:
    """The training rows of a JSON lines file, each as its texts.

    Raises:
        FirewallError: Naming the file and the line.
    """
    rows: list[tuple[str, ...]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        try:
            if line.strip():
                rows.append(tuple(_strings(json.loads(line))))
        except ValueError as error:
            raise FirewallError(f"{path}, line {number}, is no JSON: {error}") from error
    if not rows:
        raise FirewallError(f"{path} holds no training row")
    return rows


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
