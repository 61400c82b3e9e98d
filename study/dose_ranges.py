"""The dose ranges of the drug facts, as far as a vignette's chart is checked against them.

The files are `safemed.drug-facts/1` (`docs/drug_facts.md`); nothing but `drugs` is read here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from study.errors import DrugFactsError, QuantityError
from study.quantities import kilograms, milligrams_per, quantity, times_daily, years

SLACK = 1.05
"""A dose by weight is rounded to what can be drawn up: 5 % beyond a limit is within it."""


@dataclass(frozen=True, slots=True)
class DoseRange:
    """Lowest and highest single dose, and the highest a day, all in `unit`."""

    population: str
    route: str
    lowest: float
    highest: float
    daily: float
    unit: str


@dataclass(frozen=True, slots=True)
class Given:
    """A medicine as a chart gives it."""

    name: str
    dose: str
    frequency: str
    route: str | None


def load_dose_ranges(directory: Path) -> dict[str, tuple[DoseRange, ...]]:
    """Dose ranges by every name of a medicine, in lower case.

    Raises:
        DrugFactsError: If the directory holds none, or a file is not of the schema.
    """
    ranges: dict[str, tuple[DoseRange, ...]] = {}
    for path in sorted(directory.glob("*.yaml")):
        try:
            drugs = yaml.safe_load(path.read_text(encoding="utf-8"))["drugs"]
            for name, drug in drugs.items():
                known = tuple(_range(written) for written in drug["doses"])
                for every in (name, *drug.get("national", {}).values(), *drug.get("brands", ())):
                    ranges[every.lower()] = known
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise DrugFactsError(
                f"{path.name} holds no dose ranges of safemed.drug-facts/1: {error!r}"
            ) from error
    if not ranges:
        raise DrugFactsError(f"{directory} holds no drug facts (*.yaml)")
    return ranges


def _range(written: Mapping[str, Any]) -> DoseRange:
    low, high = written["dose"]
    return DoseRange(
        population=written.get("population", "adult"),
        route=written["route"],
        lowest=float(low),
        highest=float(high),
        daily=float(written["daily"]),
        unit=written["unit"],
    )


def why_not_usual(
    given: Given,
    ranges: Mapping[str, Sequence[DoseRange]],
    *,
    age: str,
    weight: str,
) -> str | None:
    """Why a dose is not within a usual range; None when it is.

    A dose with several parts (`160/800 mg`) is compared by its first. What has no number to
    compare (`one tablet`, `2 sprays` of a medicine ranged in micrograms) is not compared.

    Raises:
        QuantityError: If age or weight cannot be read.
    """
    known = _known(given.name, ranges)
    if known is None:
        return f"{given.name} is not among the drug facts"
    population = _population(age)
    suited = [r for r in known if r.population == population]
    if given.route is not None:
        suited = [r for r in suited if r.route in given.route] or (
            [r for r in suited if r.route.split(" ")[-1] in given.route]
        )
    if not suited:
        way = f" {given.route}" if given.route else ""
        return f"the drug facts hold no range of {given.name}{way} for a {population}"
    outside = [_outside(given, each, kilograms(weight)) for each in suited]
    return None if None in outside else outside[0]


def _known(name: str, ranges: Mapping[str, Sequence[DoseRange]]) -> Sequence[DoseRange] | None:
    """Ranges of a name as charts write it: with a salt, a form or a second name in brackets."""
    words = re.sub(r"\s*\(.*?\)", "", name.lower()).strip()
    while words:
        if words in ranges:
            return ranges[words]
        words = words.rpartition(" ")[0]
    inside = re.search(r"\((.*?)\)", name.lower())
    return ranges.get(inside[1]) if inside else None


def _population(age: str) -> str:
    of_years = years(age)
    if of_years < 28 / 365.25:
        return "neonate"
    return "child" if of_years < 18 else "adult"


def _outside(given: Given, known: DoseRange, weight_kg: float) -> str | None:
    try:
        dose = quantity(re.sub(r"(?<=\d)/[\d.,]+", "", given.dose, count=1))
    except QuantityError:
        return None
    number = _converted(dose.number, dose.unit, known.unit, weight_kg)
    if number is None:
        return None
    allowed = f"{known.lowest:g} to {known.highest:g} {known.unit}, {known.daily:g} a day"
    times = times_daily(given.frequency) or 1.0
    too_much = number > known.highest * SLACK or number * times > known.daily * SLACK
    if number < known.lowest / SLACK or too_much:
        return f"{given.name} {given.dose} {given.frequency} is outside {allowed}"
    return None


def _converted(number: float, unit: str, wanted: str, weight_kg: float) -> float | None:
    """The number in the unit wanted; None where the two cannot be compared."""
    if unit.removesuffix("s") == wanted.removesuffix("s"):
        return number
    bare, per_kg, _ = wanted.partition("/kg")
    if per_kg and "/kg" not in unit:
        number /= weight_kg
    elif "/kg" in unit and not per_kg:
        number *= weight_kg
    unit = unit.replace("/kg", "", 1)
    if unit.removesuffix("s") == bare.removesuffix("s"):
        return number
    have, want = milligrams_per(unit), milligrams_per(bare)
    return number * have / want if have and want else None
