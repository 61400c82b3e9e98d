"""Masking: layout and typography made uniform, salutations and self-identification taken out.

No clinical word is changed. Every change is recorded with its place: the original can be rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from study.masking_rules import RULES

MOST_ROUNDS = 20
"""Of the rules, one after another; a text is at rest after two or three."""


@dataclass(frozen=True, slots=True)
class MaskingChange:
    """One recorded change, in the text as it stood when the change was made."""

    rule: str
    start: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text and how it came about."""

    text: str
    changes: tuple[MaskingChange, ...]


def mask_text(text: str, rules: Sequence[str]) -> Masked:
    """Apply the protocol's masking rules in their fixed order, until none finds anything more.

    A greeting behind a greeting goes too, and masking a masked text changes nothing.

    Args:
        text: The response as submitted; reasoning is never part of it.
        rules: Names out of `RULES`.
    """
    changes: list[MaskingChange] = []
    for _ in range(MOST_ROUNDS):
        before = text
        for name, find in RULES.items():
            if name not in rules:
                continue
            # From the last to the first: each place holds until its change is made.
            found = [
                MaskingChange(name, start, text[start:end], new)
                for start, end, new in reversed(find(text))
            ]
            changed = apply_changes(text, found)
            if not changed.strip():
                # A response that is nothing but a greeting stays readable: nobody rates a blank.
                continue
            changes += found
            text = changed
        if text == before:
            break
    return Masked(text, tuple(changes))


def apply_changes(text: str, changes: Iterable[MaskingChange]) -> str:
    """Make changes one after another, in their order."""
    for change in changes:
        end = change.start + len(change.before)
        text = text[: change.start] + change.after + text[end:]
    return text


def unmask_text(text: str, changes: Sequence[MaskingChange]) -> str:
    """Rebuild the original from the recorded changes; the proof that nothing was lost."""
    for change in reversed(changes):
        end = change.start + len(change.after)
        text = text[: change.start] + change.before + text[end:]
    return text
