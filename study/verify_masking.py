"""Whether masked texts and the recorded changes give the texts as they were submitted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]


def masking_faults(tables: Tables) -> Iterator[str]:
    """Every masked response whose changes, undone, do not give its original."""
    changes = changes_by_code(tables)
    for row in tables.get("responses", ()):
        code = row["blinding_code"]
        if code is None:
            continue
        if undone(row["masked_text"], changes.get(code, ())) != row["text"]:
            yield f"the recorded changes of {code} do not lead back to the text as submitted"


def changes_by_code(tables: Tables, *, only: str | None = None) -> dict[object, list[Row]]:
    """The changes of each masked response, all of them or those of one rule."""
    found: dict[object, list[Row]] = {}
    for change in tables.get("masking_changes", ()):
        if only is None or change["rule"] == only:
            found.setdefault(change["blinding_code"], []).append(change)
    return found


def undone(masked_text: object, changes: Sequence[Row]) -> str | None:
    """The text before the changes; None if one of them was not made at its place."""
    text = str(masked_text or "")
    for change in sorted(changes, key=lambda c: c["number"], reverse=True):
        start, after = change["start"], change["after"] or ""
        end = start + len(after)
        if text[start:end] != after:
            return None
        text = text[:start] + (change["before"] or "") + text[end:]
    return text
