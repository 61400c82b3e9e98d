"""An edit as changes by words: where, what stood there, what stands there now.

The review contract (`docs/contracts.md`) carries edits in this form; the ledger applies them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

FIELDS = ("reasoning", "answer")
_PIECE = re.compile(r"\s+|\S+")


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> list[dict[str, Any]]:
    """The changes that turn one pair of texts into another, by words; empty if nothing changed."""
    return [change for field in FIELDS for change in _in_field(field, before[field], after[field])]


def _in_field(field: str, before: str, after: str) -> list[dict[str, Any]]:
    one, other = _PIECE.findall(before), _PIECE.findall(after)
    places = [0]
    for piece in one:
        places.append(places[-1] + len(piece))
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return [
        {
            "field": field,
            "start": places[i],
            "before": "".join(one[i:j]),
            "after": "".join(other[k:m]),
        }
        for kind, i, j, k, m in matcher.get_opcodes()
        if kind != "equal"
    ]
