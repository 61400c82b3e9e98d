"""Quantities as a chart writes them: `1,000 mg`, `9 days`, `every 6 hours`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from study.errors import QuantityError

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_QUANTITY = re.compile(rf"({_NUMBER})(?:\s*)(\S.*)?")
_TIMES_A_DAY = {"once": 1.0, "twice": 2.0, "three times": 3.0, "four times": 4.0, "five times": 5.0}
_DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
_IN_MILLIGRAMS = {"g": 1000.0, "mg": 1.0, "microgram": 0.001, "mcg": 0.001}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit as written; a pure number has the unit `""`."""

    number: float
    unit: str
    decimals: int
    """Decimal places as written: what it is rounded to."""


def quantity(written: str) -> Quantity:
    """Read a number with its unit.

    Raises:
        QuantityError: Naming what is not a number followed by a unit.
    """
    found = _QUANTITY.fullmatch(written.strip())
    if found is None:
        raise QuantityError(f"{written!r} is not a number with a unit, such as '50 mg'")
    digits = found[1].replace(",", "")
    return Quantity(float(digits), (found[2] or "").strip(), len(digits.partition(".")[2]))


def in_unit(written: str, unit: str) -> float:
    """The number of a quantity that must have the unit.

    Raises:
        QuantityError: Naming the quantity and the unit wanted.
    """
    read = quantity(written)
    if read.unit != unit:
        raise QuantityError(f"{written!r} is wanted in {unit}")
    return read.number


def kilograms(written: str) -> float:
    """A weight in kg; grams and pounds are converted (1 lb = 0.45359237 kg).

    Raises:
        QuantityError: If it is none of them.
    """
    read = quantity(written)
    factors = {"kg": 1.0, "g": 0.001, "lb": 0.45359237, "pounds": 0.45359237}
    if read.unit not in factors:
        raise QuantityError(f"{written!r} is not a weight in kg, g or lb")
    return read.number * factors[read.unit]


def years(written: str) -> float:
    """An age in years, from days, weeks, months or years.

    Raises:
        QuantityError: If it is none of them.
    """
    read = quantity(written)
    unit = read.unit.split(" ")[0].removesuffix("s")
    if unit not in _DAYS:
        raise QuantityError(f"{written!r} is not an age in days, weeks, months or years")
    return read.number if unit == "year" else read.number * _DAYS[unit] / _DAYS["year"]


def hours(written: str) -> float:
    """A duration in hours.

    Raises:
        QuantityError: If it is neither minutes nor hours.
    """
    read = quantity(written)
    factors = {"hours": 1.0, "hour": 1.0, "h": 1.0, "minutes": 1 / 60, "min": 1 / 60}
    if read.unit not in factors:
        raise QuantityError(f"{written!r} is not a duration in minutes or hours")
    return read.number * factors[read.unit]


def times_daily(frequency: str) -> float | None:
    """Doses a day; None for a frequency that is not counted by the day (`as needed`, a patch).

    Once weekly counts as one: what is compared is the dose of its day.
    """
    words = frequency.lower()
    if re.search(r"\b(once|single|one)\b", words) or words in ("nightly", "daily", "at night"):
        return 1.0
    found = re.search(r"every (\d+)(?: to \d+)? hours", words)
    if found:
        return 24 / int(found[1])
    return next((n for named, n in _TIMES_A_DAY.items() if words.startswith(named)), None)


def milligrams_per(unit: str) -> float | None:
    """How many mg one of a mass unit is; None for another kind of unit."""
    return _IN_MILLIGRAMS.get(unit.removesuffix("s"))
