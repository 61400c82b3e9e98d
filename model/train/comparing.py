"""Comparing two numbers digit by digit, in words that a small model can learn to write."""

from __future__ import annotations


def compare_in_words(value: int, limit: int) -> str:
    """Compare two whole numbers of at most four digits from the left.

    >>> compare_in_words(22, 30)
    '022 and 030: 0 = 0, 2 < 3, so 22 is below 30.'
    >>> compare_in_words(60, 60)
    '060 and 060: 0 = 0, 6 = 6, 0 = 0, so 60 is not below 60.'
    """
    width = max(3, len(str(value)), len(str(limit)))
    steps = []
    for one, other in zip(f"{value:0{width}d}", f"{limit:0{width}d}", strict=True):
        sign = "=" if one == other else "<" if one < other else ">"
        steps.append(f"{one} {sign} {other}")
        if sign != "=":
            break
    verdict = "is below" if value < limit else "is not below"
    padded = f"{value:0{width}d} and {limit:0{width}d}"
    return f"{padded}: {', '.join(steps)}, so {value} {verdict} {limit}."
