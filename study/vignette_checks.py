"""Checks that a schema cannot make; each fault names the vignette and the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from study.errors import VignetteError
from study.vignette import HEADINGS, Vignette

MIN_WORDS, MAX_WORDS = 120, 220


def check_vignettes(vignettes: Iterable[Vignette]) -> None:
    """Check every vignette.

    Raises:
        VignetteError: With every fault of every vignette.
    """
    faults = [fault for vignette in vignettes for fault in faults_of(vignette)]
    if faults:
        raise VignetteError("vignettes cannot be used:\n" + "\n".join(f"- {f}" for f in faults))


def faults_of(vignette: Vignette) -> list[str]:
    """What is wrong with one vignette, in words; empty when nothing is."""
    return [f"{vignette.vignette_id}: {fault}" for check in CHECKS for fault in check(vignette)]


def chart_values(vignette: Vignette) -> Iterator[tuple[str, str]]:
    """Every structured value with its path in the chart."""
    chart = vignette.chart.model_dump(exclude_none=True)
    for key, value in chart.items():
        if isinstance(value, str):
            yield key, value
            continue
        for number, entry in enumerate(value):
            for name, words in entry.items():
                # The flag and the severity are readings of the text, not quotations from it.
                if name not in ("flag", "severity"):
                    yield f"{key}.{number}.{name}", words


def _values_stand_in_the_text(vignette: Vignette) -> Iterator[str]:
    for language, words in vignette.texts.items():
        for path, value in chart_values(vignette):
            pattern = rf"(?<![\w.]){re.escape(value)}(?!\w|[.,]\d)"
            if not re.search(pattern, words.text):
                yield f"chart.{path}: {value!r} does not stand verbatim in the {language} text"


def _sections_are_whole(vignette: Vignette) -> Iterator[str]:
    for language, words in vignette.texts.items():
        found = tuple(re.findall(rf"(?m)^({'|'.join(HEADINGS)}):", words.text))
        if found != HEADINGS:
            yield f"the {language} text has the headings {found}, wanted {HEADINGS}"


def _length(vignette: Vignette) -> Iterator[str]:
    n_words = len(vignette.texts["en"].text.split())
    if not MIN_WORDS <= n_words <= MAX_WORDS:
        yield f"the text has {n_words} words, wanted {MIN_WORDS} to {MAX_WORDS}"


def _nothing_is_given_away(vignette: Vignette) -> Iterator[str]:
    shown = f"{vignette.title}\n{vignette.stimulus('en')}".lower()
    for word in vignette.hidden.forbidden_words:
        if word.lower() in shown:
            yield f"the title or text holds {word!r}, which gives the key away"


def _points_are_atomic(vignette: Vignette) -> Iterator[str]:
    for point in vignette.hidden.key_points:
        for words in (point.statement, *point.equivalents):
            if re.search(r"\band\b", words):
                yield f"key point {point.id} joins two by 'and': {words!r}; split it"


def _sources_are_placed(vignette: Vignette) -> Iterator[str]:
    for point in vignette.hidden.key_points:
        for source in point.provenance:
            place = f"key point {point.id}: {source.document}"
            is_checked = source.checked != "not checked"
            if is_checked and (source.section == "unknown" or source.date_checked is None):
                yield f"{place} is checked but lacks section or date"
            if not is_checked and source.date_checked is not None:
                yield f"{place} is not checked but has the date {source.date_checked}"


CHECKS: tuple[Callable[[Vignette], Iterator[str]], ...] = (
    _sections_are_whole,
    _values_stand_in_the_text,
    _length,
    _nothing_is_given_away,
    _points_are_atomic,
    _sources_are_placed,
)
