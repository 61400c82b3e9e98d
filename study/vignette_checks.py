"""Checks that a schema cannot make; each fault names the vignette and the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from study.dose_ranges import DoseRange
from study.errors import VignetteError
from study.vignette import HEADINGS, Vignette
from study.vignette_numbers import (
    both_units_agree,
    derived_values_follow,
    doses_are_usual,
    temperatures_agree,
    thresholds_are_far,
    units_are_there,
)

MIN_WORDS, MAX_WORDS = 120, 220
HAZARD_WORDS = (
    "interact", "contraindicat", "overdos", "toxic", "teratogen", "cross-react", "cross react",
    "hazard", "unsafe", "medication error", "dosing error", "wrong dose", "adverse drug",
    "high-alert", "boxed warning", "off-label",
)  # fmt: skip
"""What gives any vignette away, beside its own `forbidden_words`."""
CATEGORY_WORDS = {
    "interaction": "interact", "renal": "renal", "hepatic": "hepatic", "allergy": "allerg",
    "paediatric": "", "older adult": "", "high alert": "alert", "QT": "qt",
    "monitoring": "monitor", "transition": "transition", "pharmacogenomics": "genom",
}  # fmt: skip
"""What a title would say to give its category away; a child or a pregnancy may be named."""


def check_vignettes(
    vignettes: Iterable[Vignette], ranges: Mapping[str, Sequence[DoseRange]]
) -> None:
    """Check every vignette.

    Args:
        vignettes: Those to check.
        ranges: Dose ranges by name, from `study.dose_ranges.load_dose_ranges`.

    Raises:
        VignetteError: With every fault of every vignette.
    """
    faults = [fault for vignette in vignettes for fault in faults_of(vignette, ranges)]
    if faults:
        raise VignetteError("vignettes cannot be used:\n" + "\n".join(f"- {f}" for f in faults))


def faults_of(vignette: Vignette, ranges: Mapping[str, Sequence[DoseRange]]) -> list[str]:
    """What is wrong with one vignette, in words; empty when nothing is."""
    faults = [fault for check in CHECKS for fault in check(vignette)]
    faults += doses_are_usual(vignette, ranges)
    return [f"{vignette.vignette_id}: {fault}" for fault in faults]


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
    text = vignette.texts["en"].text
    for path, value in chart_values(vignette):
        pattern = rf"(?<![\w.]){re.escape(value)}(?!\w|[.,]\d)"
        if not re.search(pattern, text):
            yield f"chart.{path}: {value!r} does not stand verbatim in the en text"


def _sections_are_whole(vignette: Vignette) -> Iterator[str]:
    for language, words in vignette.texts.items():
        found = tuple(re.findall(rf"(?m)^({'|'.join(HEADINGS)}):", words.text))
        if found != HEADINGS:
            yield f"the {language} text has the headings {found}, wanted {HEADINGS}"


def _other_languages_say_the_same(vignette: Vignette) -> Iterator[str]:
    wanted = _numbers(vignette.stimulus("en"))
    for language in vignette.texts:
        if _numbers(vignette.stimulus(language)) != wanted:
            yield f"the {language} text does not hold the numbers of the en text"


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", text))


def _length(vignette: Vignette) -> Iterator[str]:
    n_words = len(vignette.texts["en"].text.split())
    if not MIN_WORDS <= n_words <= MAX_WORDS:
        yield f"the text has {n_words} words, wanted {MIN_WORDS} to {MAX_WORDS}"


def _nothing_is_given_away(vignette: Vignette) -> Iterator[str]:
    shown = f"{vignette.title}\n{vignette.stimulus('en')}".lower()
    for word in (*vignette.hidden.forbidden_words, *HAZARD_WORDS):
        if word.lower() in shown:
            yield f"the title or text holds {word!r}, which gives the key away"


def _title_is_neutral(vignette: Vignette) -> Iterator[str]:
    title = vignette.title.lower()
    names = {m.name.lower() for m in (*vignette.chart.medicines, *vignette.chart.planned)}
    category = CATEGORY_WORDS.get(vignette.hidden.category, vignette.hidden.category)
    for word in sorted({*names, *(name.split(" ")[0] for name in names), category} - {""}):
        if re.search(rf"\b{re.escape(word)}", title):
            yield f"the title {vignette.title!r} leaks: it holds {word!r}"


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
    _other_languages_say_the_same,
    units_are_there,
    both_units_agree,
    temperatures_agree,
    derived_values_follow,
    thresholds_are_far,
    _length,
    _nothing_is_given_away,
    _title_is_neutral,
    _points_are_atomic,
    _sources_are_placed,
)
