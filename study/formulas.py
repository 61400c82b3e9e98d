"""Clinical formulas by which the numbers behind a key are recomputed from the chart.

Every formula takes the chart's own strings by name and returns a number in the unit stated.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from study.errors import QuantityError
from study.quantities import hours, in_unit, kilograms, quantity, times_daily, years

MG_DL_OF_CREATININE = 1 / 88.42
"""mg/dL in one micromol/L: molar mass 113.12 g/mol."""
MG_DL_OF_BILIRUBIN = 1 / 17.10
"""mg/dL in one micromol/L: molar mass 584.66 g/mol."""
MORPHINE_FACTORS = {
    "codeine": 0.15, "hydrocodone": 1.0, "hydromorphone": 5.0, "morphine": 1.0,
    "oxycodone": 1.5, "tramadol": 0.2,
}  # fmt: skip
"""Oral mg of morphine for one oral mg: Dowell 2022, MMWR Recomm. Rep. 71(3), 1, table."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A number with its unit."""

    number: float
    unit: str


def compute(formula: str, of: Mapping[str, str]) -> Computed:
    """Apply a formula by name.

    Args:
        formula: One of `FORMULAS`.
        of: Its inputs by name, each as the chart writes it.

    Raises:
        QuantityError: If the formula is unknown, or an input is missing, unwanted or unreadable.
    """
    function = FORMULAS.get(formula)
    if function is None:
        raise QuantityError(f"there is no formula {formula!r}; there are {', '.join(FORMULAS)}")
    wanted = set(inspect.signature(function).parameters)
    if wanted != set(of):
        raise QuantityError(f"{formula} takes {sorted(wanted)}; got {sorted(of)}")
    return function(**of)


def cockcroft_gault(age: str, sex: str, weight: str, creatinine: str) -> Computed:
    """Creatinine clearance, mL/min. Cockcroft and Gault 1976, doi 10.1159/000180580."""
    return _clearance(age, sex, kilograms(weight), creatinine)


def cockcroft_gault_ideal_weight(age: str, sex: str, height: str, creatinine: str) -> Computed:
    """Creatinine clearance by ideal body weight, mL/min."""
    return _clearance(age, sex, ideal_body_weight(sex, height).number, creatinine)


def ckd_epi_2021(age: str, sex: str, creatinine: str) -> Computed:
    """Estimated GFR, mL/min/1.73 m2. Inker 2021, doi 10.1056/NEJMoa2102953."""
    kappa, alpha, factor = (0.7, -0.241, 1.012) if _is_female(sex) else (0.9, -0.302, 1.0)
    ratio = _creatinine_mg_dl(creatinine) / kappa
    egfr = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938 ** years(age)
    return Computed(egfr * factor, "mL/min/1.73 m2")


def ckd_epi_2021_own_size(
    age: str, sex: str, creatinine: str, weight: str, height: str
) -> Computed:
    """Estimated GFR of the patient's own body size, mL/min. KDIGO 2024, chapter 4 (dosing)."""
    indexed = ckd_epi_2021(age, sex, creatinine).number
    return Computed(indexed * body_surface_area(weight, height).number / 1.73, "mL/min")


def body_mass_index(weight: str, height: str) -> Computed:
    """Weight over squared height, kg/m2."""
    return Computed(kilograms(weight) / (in_unit(height, "cm") / 100) ** 2, "kg/m2")


def ideal_body_weight(sex: str, height: str) -> Computed:
    """45.5 kg (woman) or 50 kg (man), and 2.3 kg for each inch above 60. Devine 1974."""
    base = 45.5 if _is_female(sex) else 50.0
    return Computed(base + 2.3 * (in_unit(height, "cm") / 2.54 - 60), "kg")


def body_surface_area(weight: str, height: str) -> Computed:
    """Square root of cm x kg / 3600, m2. Mosteller 1987, doi 10.1056/NEJM198710223171717."""
    return Computed(math.sqrt(kilograms(weight) * in_unit(height, "cm") / 3600), "m2")


def dose_per_weight(dose: str, weight: str) -> Computed:
    """One dose for each kg of body weight."""
    given = quantity(dose)
    return Computed(given.number / kilograms(weight), f"{given.unit}/kg")


def daily_dose(dose: str, frequency: str) -> Computed:
    """What is given in a day."""
    given = quantity(dose)
    return Computed(given.number * _times(frequency), f"{given.unit}/day")


def daily_dose_per_weight(dose: str, frequency: str, weight: str) -> Computed:
    """What is given in a day for each kg of body weight."""
    a_day = quantity(dose).number * _times(frequency)
    return Computed(a_day / kilograms(weight), f"{quantity(dose).unit}/kg/day")


def oral_morphine_equivalent(drug: str, dose: str, frequency: str) -> Computed:
    """Oral morphine a day that an oral opioid counts as, mg/day; see `MORPHINE_FACTORS`."""
    if drug not in MORPHINE_FACTORS:
        raise QuantityError(
            f"there is no factor for {drug!r}; there are {sorted(MORPHINE_FACTORS)}"
        )
    return Computed(in_unit(dose, "mg") * _times(frequency) * MORPHINE_FACTORS[drug], "mg/day")


def rate(amount: str, duration: str) -> Computed:
    """An amount over its duration, per hour."""
    given = quantity(amount)
    return Computed(given.number / hours(duration), f"{given.unit}/h")


def concentration(amount: str, volume: str) -> Computed:
    """An amount in a volume, per litre."""
    given = quantity(amount)
    return Computed(given.number / in_unit(volume, "mL") * 1000, f"{given.unit}/L")


def auc24_two_levels(
    first: str, second: str, infusion: str, after_infusion: str, between: str, frequency: str
) -> Computed:
    """Area under the curve over 24 h from two levels of one interval, mg*h/L.

    The decline between the two levels gives back the level at the end of the infusion, which is
    not drawn itself: the medicine still spreads then. Linear trapezoid over the infusion and
    exponential decline after it, for each interval.

    Args:
        first: A level after the medicine has spread, `27.7 mg/L`.
        second: The level before the next dose.
        infusion: How long a dose runs.
        after_infusion: From the end of the infusion to the first level.
        between: From the first level to the second.
        frequency: `every 12 hours`.

    References:
        Sawchuk and Zaske 1976, doi 10.1007/BF01063617; Rybak 2020, doi 10.1093/ajhp/zxaa036.
    """
    low = in_unit(second, "mg/L")
    elimination = math.log(in_unit(first, "mg/L") / low) / hours(between)
    high = in_unit(first, "mg/L") * math.exp(elimination * hours(after_infusion))
    one_interval = (high + low) / 2 * hours(infusion) + (high - low) / elimination
    return Computed(one_interval * _times(frequency), "mg*h/L")


def half_life_two_levels(first: str, second: str, between: str) -> Computed:
    """Half-life of an exponential decline between two levels, h."""
    decline = math.log(quantity(first).number / quantity(second).number)
    return Computed(math.log(2) * hours(between) / decline, "h")


def syringe_units(mark: str, strength: str) -> Computed:
    """Units held at a mark of a U-100 syringe, of which 100 marks are 1 mL.

    Args:
        mark: `100 units` as the syringe is marked.
        strength: `500 units/mL` of what was drawn up.
    """
    return Computed(in_unit(mark, "units") / 100 * in_unit(strength, "units/mL"), "units")


def pounds_to_kilograms(mass: str) -> Computed:
    """1 lb is 0.45359237 kg exactly."""
    number = quantity(mass).number
    return Computed(number * 0.45359237, "kg")


def ratio(one: str, other: str) -> Computed:
    """How many times the other the one is; both in one unit."""
    return Computed(quantity(one).number / in_unit(other, quantity(one).unit), "times")


def difference(one: str, other: str) -> Computed:
    """The one minus the other; both in one unit."""
    unit = quantity(one).unit
    return Computed(quantity(one).number - in_unit(other, unit), unit)


def sum(one: str, other: str) -> Computed:
    """Both together, in one unit."""
    unit = quantity(one).unit
    return Computed(quantity(one).number + in_unit(other, unit), unit)


def corrected_qt_fridericia(qt: str, rate: str) -> Computed:
    """QT over the cube root of the RR interval in s, ms. Fridericia 1920."""
    return Computed(in_unit(qt, "ms") / (60 / quantity(rate).number) ** (1 / 3), "ms")


def anion_gap(sodium: str, chloride: str, bicarbonate: str) -> Computed:
    """Sodium minus chloride and bicarbonate, mmol/L."""
    taken = in_unit(chloride, "mmol/L") + in_unit(bicarbonate, "mmol/L")
    return Computed(in_unit(sodium, "mmol/L") - taken, "mmol/L")


def child_pugh(
    bilirubin: str, albumin: str, inr: str, ascites: str, encephalopathy: str
) -> Computed:
    """Points 5 to 15: A to 6, B to 9, C from 10. Pugh 1973, doi 10.1002/bjs.1800600817.

    Args:
        bilirubin: In micromol/L or mg/dL; limits 2 and 3 mg/dL.
        albumin: In g/L; limits 35 and 28.
        inr: Limits 1.7 and 2.3.
        ascites: As the chart words it; `no` or `none` is one point, `mild` or `slight` two.
        encephalopathy: Likewise; `grade 1` or `grade 2` two.
    """
    read = quantity(bilirubin)
    mg_dl = read.number * (MG_DL_OF_BILIRUBIN if read.unit == "micromol/L" else 1)
    albumin_g_l = in_unit(albumin, "g/L")
    inr_number = quantity(inr).number
    points = 1 + (mg_dl >= 2) + (mg_dl > 3)
    points += 1 + (albumin_g_l <= 35) + (albumin_g_l < 28)
    points += 1 + (inr_number >= 1.7) + (inr_number > 2.3)
    points += _signs(ascites) + _signs(encephalopathy)
    return Computed(float(points), "points")


def _signs(words: str) -> int:
    if re.search(r"\b(no|none|never|without)\b", words.lower()):
        return 1
    return 2 if re.search(r"mild|slight|grade [12]\b", words.lower()) else 3


def _clearance(age: str, sex: str, weight_kg: float, creatinine: str) -> Computed:
    of_a_man = (140 - years(age)) * weight_kg / (72 * _creatinine_mg_dl(creatinine))
    return Computed(of_a_man * (0.85 if _is_female(sex) else 1.0), "mL/min")


def _creatinine_mg_dl(written: str) -> float:
    read = quantity(written)
    if read.unit == "mg/dL":
        return read.number
    return in_unit(written, "micromol/L") * MG_DL_OF_CREATININE


def _is_female(sex: str) -> bool:
    known = {"woman": True, "girl": True, "female": True, "man": False, "boy": False, "male": False}
    if sex.lower() not in known:
        raise QuantityError(f"{sex!r} is not one of Woman, Man, Girl, Boy")
    return known[sex.lower()]


def _times(frequency: str) -> float:
    times = times_daily(frequency)
    if times is None:
        raise QuantityError(f"{frequency!r} does not say how often a day")
    return times


FORMULAS: dict[str, Callable[..., Computed]] = {
    function.__name__: function
    for function in (
        cockcroft_gault, cockcroft_gault_ideal_weight, ckd_epi_2021, ckd_epi_2021_own_size,
        body_mass_index, ideal_body_weight, body_surface_area, dose_per_weight, daily_dose,
        daily_dose_per_weight,
        oral_morphine_equivalent, rate, concentration, auc24_two_levels, half_life_two_levels,
        syringe_units, pounds_to_kilograms, ratio, difference, sum, corrected_qt_fridericia,
        anion_gap, child_pugh,
    )
}  # fmt: skip
