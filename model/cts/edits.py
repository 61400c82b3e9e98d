"""Clinicians' edits of a row's reasoning and answer, kept as diffs and applied in order.

An edit is a list of changes `{"field", "start", "before", "after"}`: in that field, from that
character on, `before` stands and `after` is to stand. It applies to the text as it is after all
earlier edits, and only if `before` is what stands there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from model.errors import LedgerError

FIELDS = ("reasoning", "answer")
_PIECE = re.compile(r"\s+|\S+")


@dataclass(frozen=True, slots=True)
class Change:
    """One replaced stretch of one field."""

    field: str
    start: int
    before: str
    after: str


def read_edit(written: str) -> tuple[Change, ...]:
    """The changes of an edit as a review holds it; empty text is no edit.

    Raises:
        LedgerError: Naming what cannot be read.
    """
    if not written:
        return ()
    try:
        changes = tuple(Change(**change) for change in json.loads(written))
    except (ValueError, TypeError) as error:
        raise LedgerError(f"the edit {written[:60]!r} cannot be read: {error}") from error
    for change in changes:
        if change.field not in FIELDS:
            raise LedgerError(f"an edit changes {change.field!r}; only {', '.join(FIELDS)} can be")
    return changes


def apply(texts: dict[str, str], changes: Sequence[Change], *, where: str) -> dict[str, str]:
    """The texts after an edit; the changes of one edit all refer to the texts before it.

    Raises:
        LedgerError: If what should stand there does not; naming where, and both.
    """
    edited = dict(texts)
    for change in sorted(changes, key=lambda c: (c.field, c.start), reverse=True):
        text = edited[change.field]
        end = change.start + len(change.before)
        if text[change.start : end] != change.before:
            raise LedgerError(
                f"{where}: the edit does not apply. At character {change.start} of {change.field} "
                f"it expects {change.before[:40]!r}, but there stands "
                f"{text[change.start : end][:40]!r}. Review the row as it is now"
            )
        edited[change.field] = text[: change.start] + change.after + text[end:]
    return edited


def diff(before: dict[str, str], after: dict[str, str]) -> str:
    """The edit that turns one pair of texts into another, by words, as a review holds it."""
    changes = []
    for field in FIELDS:
        one, other = _words(before[field]), _words(after[field])
        places = [0]
        for word in one:
            places.append(places[-1] + len(word))
        matcher = SequenceMatcher(None, one, other, autojunk=False)
        changes += [
            {
                "field": field, "start": places[i1],
                "before": "".join(one[i1:i2]), "after": "".join(other[j1:j2]),
            }
            for tag, i1, i2, j1, j2 in matcher.get_opcodes()
            if tag != "equal"
        ]  # fmt: skip
    return json.dumps(changes, ensure_ascii=False) if changes else ""


def _words(text: str) -> list[str]:
    """Words and the white space between them; joined they are the text."""
    return _PIECE.findall(text)
