"""Faults of a file in words: where, what was found, what is wanted."""

from __future__ import annotations

from pydantic import ValidationError

REMEDIES = {
    "extra_forbidden": "unknown key; remove it or correct its spelling",
    "missing": "missing; add it",
}


def faults_in_words(error: ValidationError) -> str:
    """All faults at once, one a line: path, what is wrong, and the value found."""
    lines = []
    for fault in error.errors(include_url=False):
        path = ".".join(str(part) for part in fault["loc"]) or "the whole file"
        words = REMEDIES.get(fault["type"], fault["msg"].removeprefix("Value error, "))
        is_plain = isinstance(fault["input"], str | int | float | bool | None)
        found = f" (found {fault['input']!r})" if is_plain else ""
        lines.append(f"- {path}: {words}{found}")
    return "\n".join(lines)
