"""One exam item, whatever layout it was published in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from model.errors import ItemError

Language = Literal["en", "zh"]
LETTERS = "ABCDEFGHIJ"


@dataclass(frozen=True, slots=True)
class Item:
    """A multiple-choice item."""

    item_id: str
    question: str
    options: tuple[str, ...]
    """In the order published; the first is A."""
    key: tuple[str, ...]
    """The right letters, sorted."""
    multiple: bool
    """Whether more than one option may be right; the examinee is told."""
    language: Language
    strata: Mapping[str, str]
    """What results are split by: subject, track, and what else the source says."""

    @property
    def letters(self) -> tuple[str, ...]:
        """Of the options as published."""
        return tuple(LETTERS[: len(self.options)])


def item(
    where: str, *, item_id: str, question: object, options: Mapping[str, object], key: object,
    language: Language, strata: Mapping[str, str], multiple: bool | None = None,
) -> Item:  # fmt: skip
    """Check and build one item.

    Args:
        where: Names the place in messages.
        item_id: Unique in its exam.
        question: Its text.
        options: By letter; empty ones are left out, as some layouts pad to five.
        key: The right letter or letters, as one text.
        language: Of the item.
        strata: Of the item.
        multiple: Whether several may be right; from the key when the source does not say.

    Raises:
        ItemError: If it has no question, fewer than two options, letters with a gap, no key, or a
            key that is no option.
    """
    if not isinstance(question, str) or not question.strip():
        raise ItemError(f"{where}: the question is {question!r}; an item needs one")
    kept = {
        letter.strip().upper(): str(text).strip()
        for letter, text in options.items()
        if text is not None and str(text).strip()
    }
    if len(kept) < 2 or sorted(kept) != list(LETTERS[: len(kept)]):
        raise ItemError(
            f"{where}: the options are {', '.join(sorted(kept)) or 'none'}; two or more are "
            f"needed, from A without a gap, at most {len(LETTERS)}"
        )
    if len(set(kept.values())) != len(kept):
        raise ItemError(f"{where}: two options have the same text")
    right = _key(where, key, tuple(sorted(kept)))
    several = len(right) > 1
    if multiple is False and several:
        raise ItemError(f"{where}: the key is {''.join(right)} though one answer is asked for")
    return Item(
        item_id, question.strip(), tuple(kept[letter] for letter in sorted(kept)), right,
        several if multiple is None else multiple, language, dict(strata),
    )  # fmt: skip


def _key(where: str, written: object, letters: tuple[str, ...]) -> tuple[str, ...]:
    text = "" if written is None else str(written)
    found = [c for c in text.upper() if c not in " ,，、;；/"]
    if not found:
        raise ItemError(f"{where}: the item has no key")
    unknown = sorted(set(found) - set(letters))
    if unknown or len(set(found)) != len(found):
        raise ItemError(f"{where}: the key is {text!r}; the options are {''.join(letters)}")
    return tuple(sorted(found))
