"""Checks of a vignette's numbers: units, both units of a result, what is derived, thresholds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from study.dose_ranges import DoseRange, Given, why_not_usual
from study.errors import QuantityError
from study.formulas import compute
from study.quantities import quantity
from study.units import may_lack_a_unit, second_from_first
from study.vignette import Derived, Medicine, Vignette

LEAST_DISTANCE = 0.20
"""How far from the deciding threshold a value stays, as a share of the threshold."""
_BARE_NUMBER = re.compile(r"[\d.,/ ]*\d")


def units_are_there(vignette: Vignette) -> Iterator[str]:
    """Every number of the chart has its unit."""
    chart = vignette.chart
    for name in ("age", "weight", "height"):
        if _BARE_NUMBER.fullmatch(getattr(chart, name)):
            yield f"chart.{name}: {getattr(chart, name)!r} lacks a unit"
    for medicine in (*chart.medicines, *chart.planned):
        if _BARE_NUMBER.fullmatch(medicine.dose):
            yield f"the dose of {medicine.name}, {medicine.dose!r}, lacks a unit"
    for result in chart.results:
        for value in (result.value, result.second_value):
            if value and _BARE_NUMBER.fullmatch(value) and not may_lack_a_unit(result.name):
                yield f"the result {result.name}, {value!r}, lacks a unit"


def both_units_agree(vignette: Vignette) -> Iterator[str]:
    """The second unit of a result says what the first says, as far as a conversion is known."""
    for result in vignette.chart.results:
        if result.second_value is None:
            continue
        try:
            second = quantity(result.second_value)
            wanted = second_from_first(result.name, result.value, second.unit)
        except QuantityError:
            continue  # words, such as a culture
        if wanted is not None and not _rounds_to(wanted, second.number, second.decimals):
            yield f"{result.name} {result.value} is {wanted:.3g}, not {result.second_value}"


def temperatures_agree(vignette: Vignette) -> Iterator[str]:
    """Every temperature stands in both scales, and they agree."""
    text = vignette.stimulus("en")
    found = re.findall(r"([\d.]+) °C \(([\d.]+) °F\)", text)
    if len(found) != text.count("°C"):
        yield "a temperature lacks its second scale: write '38.1 °C (100.6 °F)'"
    for celsius, fahrenheit in found:
        if not _rounds_to(float(celsius) * 9 / 5 + 32, float(fahrenheit), 1):
            yield f"{celsius} °C is {float(celsius) * 9 / 5 + 32:.1f} °F, not {fahrenheit}"


def derived_values_follow(vignette: Vignette) -> Iterator[str]:
    """Every derived value follows from the chart by its formula and stands where it should."""
    text = vignette.stimulus("en")
    for derived in vignette.hidden.derived:
        place = f"derived {derived.quantity!r}"
        for name, words in derived.of.items():
            if words not in text:
                yield f"{place}: {name} {words!r} does not stand verbatim in the text"
        try:
            yield from (f"{place}: {fault}" for fault in _recomputed(derived))
        except QuantityError as error:
            yield f"{place}: {error}"
        if _stands(derived.value, text) != derived.printed:
            wanted = "should stand" if derived.printed else "stands"
            yield f"{place}: {derived.value!r} {wanted} in the text"


def thresholds_are_far(vignette: Vignette) -> Iterator[str]:
    """What decides the key is 20 % away from its threshold, or says why not."""
    text = vignette.stimulus("en")
    values = {derived.quantity: derived.value for derived in vignette.hidden.derived}
    for compared in vignette.hidden.deciding.compared:
        place = f"deciding {compared.quantity!r}"
        if values.get(compared.quantity, compared.value) != compared.value:
            yield f"{place}: {compared.value!r} is {values[compared.quantity]!r} under derived"
        elif compared.quantity not in values and compared.value not in text:
            yield f"{place}: {compared.value!r} is neither derived nor in the text"
        try:
            value, limit = quantity(compared.value), quantity(compared.threshold)
        except QuantityError as error:
            yield f"{place}: {error}"
            continue
        if value.unit != limit.unit:
            yield f"{place}: {compared.value!r} and {compared.threshold!r} differ in unit"
            continue
        distance = abs(value.number - limit.number) / limit.number
        if distance < LEAST_DISTANCE - 1e-9 and compared.close_because is None:
            yield (
                f"{place}: {compared.value} is {distance:.0%} from {compared.threshold}; move it "
                f"{LEAST_DISTANCE:.0%} away, or say in close_because why it may not be"
            )


def doses_are_usual(vignette: Vignette, ranges: Mapping[str, Sequence[DoseRange]]) -> Iterator[str]:
    """Every dose is within the drug facts' range, or has a reason.

    Args:
        vignette: A vignette.
        ranges: By name, from `study.dose_ranges.load_dose_ranges`.
    """
    reasons = vignette.hidden.dose_reasons
    medicines = (*vignette.chart.medicines, *vignette.chart.planned)
    for name in sorted(set(reasons) - {medicine.name for medicine in medicines}):
        yield f"dose_reasons names {name!r}, which is no medicine of the chart"
    for medicine in medicines:
        if medicine.name not in reasons:
            yield from _dose_fault(vignette, medicine, ranges)


def _dose_fault(
    vignette: Vignette, medicine: Medicine, ranges: Mapping[str, Sequence[DoseRange]]
) -> Iterator[str]:
    chart = vignette.chart
    given = Given(medicine.name, medicine.dose, medicine.frequency, medicine.route)
    try:
        why = why_not_usual(given, ranges, age=chart.age, weight=chart.weight)
    except QuantityError as error:
        yield f"the dose of {medicine.name}: {error}"
        return
    if why is not None:
        yield f"{why}: correct the dose, or give the reason in dose_reasons"


def _recomputed(derived: Derived) -> Iterator[str]:
    computed = compute(derived.formula, derived.of)
    written = quantity(derived.value)
    if written.unit != computed.unit:
        yield f"{derived.value!r} is in {written.unit!r}; {derived.formula} gives {computed.unit!r}"
    elif not _rounds_to(computed.number, written.number, written.decimals):
        yield f"{derived.formula} gives {computed.number:.4g} {computed.unit}, not {derived.value}"


def _rounds_to(number: float, written: float, decimals: int) -> bool:
    return abs(number - written) <= 0.5 * 10.0**-decimals + 1e-9


def _stands(value: str, text: str) -> bool:
    return re.search(rf"(?<![\d.,]){re.escape(value)}(?![\w/])", text) is not None
