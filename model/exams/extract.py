"""Which options an answer chose; strict, versioned, and silent rather than guessing.

Exam accuracies differ by more than models do when extractors differ, so the version is part of a
result's identity: a change of any rule here is a new version.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from model.exams.items import LETTERS

VERSION = "letters/1"
_LETTERS = r"[A-J](?:[ \t]*(?:[,，、;；/&+]|and|和)?[ \t]*[A-J])*"
# "The answer is a blood thinner" chooses nothing.
_NO_ARTICLE = r"(?!(?<=[Aa])[ \t]+(?!(?:because|since|as|due|is|was|and|or)\b)[A-Za-z])"
_DECLARED = re.compile(
    r"(?:\b(?:final\s+)?answers?\s*(?:is|are)?|(?:正确|最终|最佳)?答案\s*(?:是|为|选|应为)?)"
    rf"[\s:：*_]*(?:\\boxed\{{)?[(（\[*_\s]*({_LETTERS})(?![A-Za-z'’]){_NO_ARTICLE}",
    re.IGNORECASE,
)
_BOXED = re.compile(rf"\\boxed\{{\s*(?:\\text\{{)?\s*({_LETTERS})\s*\}}", re.IGNORECASE)
_ALONE = re.compile(rf"\A[(（\[*_\s]*({_LETTERS})[)）\]*_\s.。．:：]*\Z")
_LEADING = re.compile(r"\A[(（\[*_\s]*([A-J])[)）\]*_]*[.。．:：、)）]?\s+(.*\S)\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Choice:
    """The options an answer chose, by the letters they were shown under; or why there is none."""

    status: Literal["chosen", "no_choice", "several_choices"]
    letters: tuple[str, ...]
    """Sorted; empty unless `chosen`."""
    detail: str | None = None


def extract(text: str, options: Sequence[str], *, multiple: bool) -> Choice:
    """Read the choice out of an answer.

    In this order: what is declared ("Answer: B", boxed), letters alone, a letter before its
    option's text, an option's text alone. Two different declarations are several choices: none
    is picked.

    Args:
        text: Answer without its reasoning.
        options: Texts as shown, the first as A.
        multiple: Whether several letters may be one choice.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    found = {_sorted(m) for p in (_DECLARED, _BOXED) for m in p.findall(plain)}
    if not found:
        found = _undeclared(plain, options)
    if not found:
        return Choice("no_choice", (), f"no option is named: {plain[-80:]!r}")
    if len(found) > 1:
        return Choice("several_choices", (), f"declares {', '.join(sorted(map(''.join, found)))}")
    letters = found.pop()
    if not set(letters) <= set(LETTERS[: len(options)]):
        return Choice("no_choice", (), f"{''.join(letters)} is not among the options")
    if len(letters) > 1 and not multiple:
        return Choice("several_choices", (), f"{''.join(letters)} where one option is asked for")
    return Choice("chosen", letters)


def _undeclared(plain: str, options: Sequence[str]) -> set[tuple[str, ...]]:
    if alone := _ALONE.match(plain):
        return {_sorted(alone[1])}
    texts = {_squeezed(text): LETTERS[n] for n, text in enumerate(options)}
    leading = _LEADING.match(plain)
    if leading and texts.get(_squeezed(leading[2])) == leading[1]:
        return {(leading[1],)}
    letter = texts.get(_squeezed(plain))
    return {(letter,)} if letter else set()


def _sorted(letters: str) -> tuple[str, ...]:
    without_and = re.sub(r"and", "", letters, flags=re.IGNORECASE)
    return tuple(sorted({c for c in without_and.upper() if c in LETTERS}))


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(".。")
