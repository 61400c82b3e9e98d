"""Every derived number behind the shipped keys, recomputed from the chart a second time.

The formulas here are written anew, apart from `study.formulas`, which the validator uses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from study.units import second_from_first
from study.vignette import Derived, Result, Vignette, load_vignettes

DATA = Path(str(files("data")))
VIGNETTES = load_vignettes(DATA / "vignettes") | load_vignettes(DATA / "calibration" / "vignettes")
DERIVED = [
    pytest.param(derived, id=f"{vignette.vignette_id} {derived.quantity}")
    for vignette in VIGNETTES.values()
    for derived in vignette.hidden.derived
]
PAIRS = [
    pytest.param(result, id=f"{vignette.vignette_id} {result.name}")
    for vignette in VIGNETTES.values()
    for result in vignette.chart.results
    if result.second_value
]
PER_DAY = {
    "every 12 hours": 2, "every 8 hours": 3, "three times daily": 3, "four times daily": 4,
    "twice daily": 2,
}  # fmt: skip


def n(written: str) -> float:
    found = re.match(r"[\d.,]+", written)
    assert found, written
    return float(found[0].replace(",", ""))


def mg_dl(written: str) -> float:
    """Creatinine; 1 mg/dL is 88.42 micromol/L."""
    return n(written) / 88.42


def gault(age: str, sex: str, kg: float, creatinine: str) -> float:
    return (140 - n(age)) * kg / mg_dl(creatinine) / 72 * (0.85 if sex == "Woman" else 1)


def devine(sex: str, height: str) -> float:
    return {"Woman": 45.5, "Man": 50.0}[sex] + 2.3 * (n(height) / 2.54 - 60)


def egfr(age: str, sex: str, creatinine: str) -> float:
    k, a, f = {"Woman": (0.7, -0.241, 1.012), "Man": (0.9, -0.302, 1.0)}[sex]
    x = mg_dl(creatinine) / k
    return 142 * (x**a if x < 1 else x**-1.2) * 0.9938 ** n(age) * f


def auc(
    first: str, second: str, infusion: str, after_infusion: str, between: str, frequency: str
) -> float:
    k = (math.log(n(first)) - math.log(n(second))) / n(between)
    end = n(second) * math.exp(k * (n(after_infusion) + n(between)))
    return PER_DAY[frequency] * (n(infusion) * (end + n(second)) / 2 + (end - n(second)) / k)


def own_size(age: str, sex: str, creatinine: str, weight: str, height: str) -> float:
    square_metres = (n(weight) * n(height) / 3600) ** 0.5
    return egfr(age, sex, creatinine) * square_metres / 1.73


SECOND: dict[str, Callable[..., float]] = {
    "cockcroft_gault": lambda age, sex, weight, creatinine: gault(age, sex, n(weight), creatinine),
    "cockcroft_gault_ideal_weight": lambda age, sex, height, creatinine: gault(
        age, sex, devine(sex, height), creatinine
    ),
    "ckd_epi_2021": egfr,
    "ckd_epi_2021_own_size": own_size,
    "body_mass_index": lambda weight, height: n(weight) * 10_000 / n(height) ** 2,
    "dose_per_weight": lambda dose, weight: n(dose) / n(weight),
    "daily_dose_per_weight": lambda dose, frequency, weight: (
        n(dose) * PER_DAY[frequency] / n(weight)
    ),
    "daily_dose": lambda dose, frequency: n(dose) * PER_DAY[frequency],
    "oral_morphine_equivalent": lambda drug, dose, frequency: (
        {"oxycodone": 1.5}[drug] * n(dose) * PER_DAY[frequency]
    ),
    "rate": lambda amount, duration: n(amount) / n(duration),
    "concentration": lambda amount, volume: n(amount) / (n(volume) / 1000),
    "auc24_two_levels": auc,
    "half_life_two_levels": lambda first, second, between: (
        n(between) / math.log2(n(first) / n(second))
    ),
    "syringe_units": lambda mark, strength: n(mark) * n(strength) / 100,
    "ratio": lambda one, other: n(one) / n(other),
    # All five at their best: one point each.
    "child_pugh": lambda bilirubin, albumin, inr, ascites, encephalopathy: (
        5.0 if n(bilirubin) < 34 and n(albumin) > 35 and n(inr) < 1.7 else math.nan
    ),
}


@pytest.mark.parametrize("derived", DERIVED)
def test_a_derived_number_follows_from_the_chart(derived: Derived) -> None:
    computed = SECOND[derived.formula](**derived.of)
    decimals = len(derived.value.split()[0].partition(".")[2])
    assert computed == pytest.approx(n(derived.value), abs=0.5 * 10**-decimals + 1e-9)


def test_the_thirty_hold_more_than_thirty_derived_numbers() -> None:
    assert len(DERIVED) > 30


@pytest.mark.parametrize("result", PAIRS)
def test_both_units_of_a_result_have_a_known_conversion(result: Result) -> None:
    # Whether they agree is the validator's to say; here no pair may be passed over.
    assert result.second_value is not None
    second_unit = result.second_value.split(" ", 1)[1]
    assert second_from_first(result.name, result.value, second_unit) is not None


def test_the_dose_for_zoster_is_that_of_its_band_by_either_weight() -> None:
    # Label: 10 to 29 mL/min, 1 g every 24 hours; the eGFR would say 30 to 49.
    chart = VIGNETTES["V08"].chart
    creatinine = next(r.value for r in chart.results if r.name == "Creatinine")
    for kg in (n(chart.weight), devine("Woman", chart.height)):
        assert 12 <= gault(chart.age, "Woman", kg, creatinine) <= 24
    assert egfr(chart.age, "Woman", creatinine) > 30


def test_the_vancomycin_exposure_is_20_percent_from_either_end_of_its_target() -> None:
    (derived,) = (d for d in VIGNETTES["V27"].hidden.derived if "auc" in d.formula)
    assert n(derived.value) == 400 * 1.2 == 600 * 0.8


def test_the_toddler_would_get_more_than_twice_the_usual_morphine() -> None:
    # 0.1 mg/kg of 10.7 kg is 1.07 mg; 2.4 mg is 2.24 times that.
    planned = VIGNETTES["V17"].chart.planned[0]
    assert n(planned.dose) / (0.1 * 10.7) == pytest.approx(2.24, abs=0.01)


def test_the_printed_tramadol_and_ceftriaxone_doses_are_what_their_weights_give() -> None:
    # 25 mg / 26 kg and 145 mg / 2.9 kg.
    for name, wanted in (("V18", 0.96), ("V16", 50.0)):
        chart = VIGNETTES[name].chart
        assert n(chart.planned[0].dose) / n(chart.weight) == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize("vignette", VIGNETTES.values(), ids=list(VIGNETTES))
def test_temperatures_agree_in_both_scales(vignette: Vignette) -> None:
    text = vignette.stimulus("en")
    found = re.findall(r"([\d.]+) °C \(([\d.]+) °F\)", text)
    assert len(found) == text.count("°C")
    for celsius, fahrenheit in found:
        assert float(fahrenheit) == pytest.approx(float(celsius) * 9 / 5 + 32, abs=0.05 + 1e-9)
