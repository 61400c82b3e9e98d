"""Places in a masked response that may still tell its source, for the custodian to rule on.

A scanner is a pattern with a kind; none of them changes a text. What they find is a question to a
person, never a verdict: a resident may write "as an AI would say", and a model may sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leak:
    """One place, and why it is asked about."""

    kind: str
    start: int
    text: str


_PATTERNS: Mapping[str, str] = {
    "contact": r"\b[\w.+-]+@[\w-]+\.\w{2,}|https?://\S+|\bwww\.\S+|\+?\d[\d ()/-]{8,}\d",
    "name": r"\b(?:Dr|Prof|Mr|Mrs|Ms|Nurse)\.? ?[A-Z][a-z]+\b",
    "self-reference": (
        r"(?i:\b(?:as an? (?:ai|language model|assistant|chatbot)|(?:my|our) training(?: data)?"
        r"|i was trained|knowledge cutoff|i cannot provide medical advice"
        r"|i am not a (?:doctor|physician|clinician)|in my (?:\w+ )?(?:clinic|hospital|ward)"
        r"|at our (?:hospital|institution|clinic)|my (?:attending|consultant|registrar)"
        r"|when i was on call|in residency)\b)"
    ),
    "address to the reader": (
        r"(?i:\b(?:here is (?:my|a|the) (?:answer|response|summary)|i hope this helps"
        r"|let me know if|feel free to|great question|happy to help)\b)"
    ),
    "markup": r"\*\*|__|(?m:^#{1,6} )|```|</?[a-z]+>|&[a-z]+;",
    "time": r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?: ?[AP]M)?\b",
    "emoji": r"[\U0001F300-\U0001FAFF\u2600-\u27BF]",
}
"""Kinds and what is looked for. `time` and `contact` are often clinical: the custodian says."""
_COMPILED = {kind: re.compile(pattern) for kind, pattern in _PATTERNS.items()}


def find_leaks(text: str, names: Sequence[str] = ()) -> tuple[Leak, ...]:
    """Every place that may tell who wrote a masked response, in the order of the text.

    Args:
        text: As raters would see it.
        names: Of sites, arms and models, from the protocol: none should stand in a response.
    """
    found = [
        Leak(kind, match.start(), match.group())
        for kind, pattern in _COMPILED.items()
        for match in pattern.finditer(text)
        if match.group() != "[masked]"
    ]
    for name in names:
        if len(name.strip()) >= 3:
            pattern = re.compile(rf"(?<!\w){re.escape(name.strip())}(?!\w)", re.IGNORECASE)
            found += [Leak("study name", m.start(), m.group()) for m in pattern.finditer(text)]
    return tuple(sorted(found, key=lambda leak: (leak.start, leak.kind)))
