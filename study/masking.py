"""Masking: layout and typography made uniform, salutations and self-identification taken out.

No clinical word is changed. Every change is recorded with its place: the original can be rebuilt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Replacement = tuple[int, int, str]
"""Start and end in the text before the rule ran, and what stands there afterwards."""


@dataclass(frozen=True, slots=True)
class MaskingChange:
    """One recorded change, in the text as it stood when its rule ran."""

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
    """Apply the protocol's masking rules in their fixed order.

    Args:
        text: The response as submitted; reasoning is never part of it.
        rules: Names out of `RULES`.
    """
    changes: list[MaskingChange] = []
    for name, find in RULES.items():
        if name not in rules:
            continue
        replacements = find(text)
        changed = _apply(text, replacements)
        if not changed.strip():
            # A response that is nothing but a greeting stays readable: nobody can rate a blank.
            continue
        changes += [MaskingChange(name, s, text[s:e], new) for s, e, new in replacements]
        text = changed
    return Masked(text, tuple(changes))


def unmask_text(masked: Masked) -> str:
    """Rebuild the original from the recorded changes; the proof that nothing was lost."""
    text = masked.text
    for rule in reversed(RULES):
        shift = 0
        backwards: list[Replacement] = []
        for change in (c for c in masked.changes if c.rule == rule):
            start = change.start + shift
            backwards.append((start, start + len(change.after), change.before))
            shift += len(change.after) - len(change.before)
        text = _apply(text, backwards)
    return text


def _apply(text: str, replacements: Sequence[Replacement]) -> str:
    parts, end = [], 0
    for start, stop, new in replacements:
        parts += [text[end:start], new]
        end = stop
    return "".join([*parts, text[end:]])


def _by_pattern(*patterns: tuple[str, str], flags: int = 0) -> Callable[[str], list[Replacement]]:
    """A rule made of patterns; where two overlap, the one listed first stands."""
    compiled = [(re.compile(pattern, flags), new) for pattern, new in patterns]

    def find(text: str) -> list[Replacement]:
        found: list[Replacement] = []
        for pattern, new in compiled:
            for match in pattern.finditer(text):
                clash = any(s < match.end() and match.start() < e for s, e, _ in found)
                if not clash and match.group() != new and match.group():
                    found.append((*match.span(), match.expand(new)))
        return sorted(f for f in found if text[f[0] : f[1]] != f[2])

    return find


_NAME_LINE = r"(?-i:(?:Dr\.? )?[A-Z][a-z]+ [A-Z][a-z'-]+(?:, [A-Z][A-Za-z]+)?)"

_SALUTATION = _by_pattern(
    (r"\A\s*(dear|hello|hi|good (morning|afternoon|evening))\b[^\n,.!]{0,40}[,.!]\s*", ""),
    (
        r"\s*\n\s*(kind|best|warm|many|yours)?\s*(regards|wishes|thanks|sincerely|faithfully)"
        rf"[,.!]?[ \t]*(\n[ \t]*{_NAME_LINE}[ \t]*)?\s*\Z",
        "",
    ),
    (r"\s*(i )?hope (this|that) helps( you)?[.!]?\s*\Z", ""),
    flags=re.IGNORECASE,
)

_AI = (
    r"an? (?:ai|artificial intelligence|large language|language)(?: language)?"
    r"(?: model| assistant)?"
)
_JUNIOR = (
    r"an? (?:(?:junior |medical )?(?:resident|doctor)|intern|house officer|registrar"
    r"|pgy-?\d(?: resident)?)"
)

_SELF_IDENTIFICATION = _by_pattern(
    (rf"\bas {_AI}\b,?\s*", ""),
    # Only before "I": a patient can be a resident too, of a nursing home.
    (rf"\bas {_JUNIOR},?\s+(?=I\b)", ""),
    (rf"\bI(?: a|')m {_AI}\b", "[masked]"),
    (rf"\bI(?: a|')m {_JUNIOR}\b", "[masked]"),
    (
        r"\b(?:safemed(?:-r1)?|chatgpt|gpt-?\d\w*|qwen\d?|gemini|claude|deepseek(?:-r1)?|llama)\b",
        "[masked]",
    ),
    flags=re.IGNORECASE,
)

_LAYOUT = _by_pattern(
    (r"^[ \t]{0,3}#{1,6}[ \t]+", ""),
    (r"^[ \t]*```[^\n]*\n?", ""),
    (r"(?<![*\w])\*{1,3}(?=\S)([^*\n]+?)(?<=\S)\*{1,3}(?![*\w])", r"\1"),
    (r"(?<![_\w])_{1,2}(?=\S)([^_\n]+?)(?<=\S)_{1,2}(?![_\w])", r"\1"),
    (r"`([^`\n]+)`", r"\1"),
    # A list marker is a layout; a number that starts a sentence ("5 mg") is not: it has no mark.
    (r"^[ \t]*(?:[-*+•‣◦]|\d{1,2}[.)])[ \t]+(?=\S)", "- "),
    (r"^[ \t]*([-*_][ \t]*){3,}$\n?", ""),
    flags=re.MULTILINE,
)

_TYPOGRAPHY = _by_pattern(
    ("\\A\\s+|\\s+\\Z", ""),
    ("\r\n?", "\n"),
    ("[\u2018\u2019\u201b]", "'"),
    ("[\u201c\u201d\u201e\u00ab\u00bb]", '"'),
    ("[\u2010\u2011\u2012\u2013\u2014\u2212]", "-"),
    ("\u2026", "..."),
    ("[\u00b5\u03bc](?=g|mol|l|L|M)", "micro"),
    ("[ \t\u00a0\u2007\u2009\u202f]+(?=\n|\\Z)", ""),
    ("(?<=\\S)(?:[\t\u00a0\u2007\u2009\u202f]|[ \t\u00a0\u2007\u2009\u202f]{2,})(?=\\S)", " "),
    ("\n{3,}", "\n\n"),
)

RULES: dict[str, Callable[[str], list[Replacement]]] = {
    "salutation": _SALUTATION,
    "self_identification": _SELF_IDENTIFICATION,
    "layout": _LAYOUT,
    "typography": _TYPOGRAPHY,
}
"""Every rule of the protocol, in the order in which they run."""
