"""Every derived number behind the first six keys, recomputed from the chart."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from study.vignette import Result, Vignette, load_vignettes

VIGNETTES = load_vignettes(Path(str(files("data"))) / "vignettes")

# Second unit from first, as value * factor; molar masses in g/mol in the comments.
FACTORS = {
    ("micromol/L", "mg/dL"): {"Creatinine": 1 / 88.42, "Uric acid": 1 / 59.48},  # 113.12; 168.11
    ("mmol/L", "mg/dL"): {
        "LDL cholesterol": 38.67,  # 386.65
        "Glucose": 18.016,  # 180.16
        "Triglycerides": 88.57,  # 885.7, as usual for triolein
        "Calcium": 4.008,  # 40.08
    },
    ("mmol/L", "mEq/L"): {n: 1.0 for n in ("Potassium", "Sodium", "Lithium", "Bicarbonate")},
    ("g/L", "g/dL"): {"Hemoglobin": 0.1},
    ("mg/L", "mg/dL"): {"C-reactive protein": 0.1},
    ("pmol/L", "pg/mL"): {"Vitamin B12": 1.355},  # 1355.4
    ("mg/mmol", "mg/g"): {"Urine albumin-creatinine ratio": 8.84},  # 1 mmol creatinine = 0.1131 g
    ("x 10^9/L", "x 10^3/microL"): {
        n: 1.0 for n in ("White cells", "Neutrophils", "Lymphocytes", "Platelets")
    },
}
PAIRS = [
    pytest.param(result, id=f"{vignette.vignette_id} {result.name}")
    for vignette in VIGNETTES.values()
    for result in vignette.chart.results
    if result.second_value
]


def number_and_unit(written: str) -> tuple[float, str]:
    found = re.fullmatch(r"([\d.]+) (.+)", written)
    assert found, written
    return float(found[1]), found[2]


def number(written: str) -> float:
    return number_and_unit(written)[0]


def value_of(vignette: Vignette, name: str) -> float:
    return number(next(r for r in vignette.chart.results if r.name == name).value)


def half_of_last_place(written: str) -> float:
    decimals = len(written.split()[0].partition(".")[2])
    return 0.5 * 10.0**-decimals


@pytest.mark.parametrize("result", PAIRS)
def test_both_units_of_a_result_say_the_same(result: Result) -> None:
    assert result.second_value is not None
    first, first_unit = number_and_unit(result.value)
    second, second_unit = number_and_unit(result.second_value)
    if result.name == "HbA1c":
        # IFCC from NGSP: NGSP = 0.09148 IFCC + 2.152.
        converted = (first - 2.152) / 0.09148
    else:
        name = result.name[0].upper() + result.name[1:]
        converted = first * FACTORS[first_unit, second_unit][name]
    assert second == pytest.approx(converted, abs=half_of_last_place(result.second_value) + 1e-9)


@pytest.mark.parametrize("vignette", VIGNETTES.values(), ids=list(VIGNETTES))
def test_temperatures_agree_in_both_scales(vignette: Vignette) -> None:
    text = vignette.stimulus("en")
    found = re.findall(r"([\d.]+) °C \(([\d.]+) °F\)", text)
    assert len(found) == text.count("°C")
    for celsius, fahrenheit in found:
        assert float(fahrenheit) == pytest.approx(float(celsius) * 9 / 5 + 32, abs=0.05 + 1e-9)


def cockcroft_gault_of_a_woman(age: float, weight_kg: float, creatinine_mg_dl: float) -> float:
    """mL/min. Cockcroft and Gault 1976, doi 10.1159/000180580."""
    return 0.85 * (140 - age) * weight_kg / (72 * creatinine_mg_dl)


def egfr_of_a_man(age: float, creatinine_mg_dl: float) -> float:
    """mL/min/1.73 m2. CKD-EPI 2021, Inker 2021, doi 10.1056/NEJMoa2102953."""
    ratio = creatinine_mg_dl / 0.9
    return float(142 * min(ratio, 1) ** -0.302 * max(ratio, 1) ** -1.2 * 0.9938**age)


def test_nitrofurantoin_is_usable_in_the_first_vignette_by_any_weight() -> None:
    chart = VIGNETTES["V01"].chart
    creatinine = value_of(VIGNETTES["V01"], "Creatinine") / 88.42
    # Devine 1974, a woman: 45.5 kg + 2.3 kg per inch above 60; 163 cm are 64.2 in: 55.1 kg.
    ideal = 45.5 + 2.3 * (number(chart.height) / 2.54 - 60)
    clearances = [
        cockcroft_gault_of_a_woman(number(chart.age), weight, creatinine)
        for weight in (number(chart.weight), ideal)
    ]
    assert [round(c) for c in clearances] == [86, 74]
    # The label asks for 60 mL/min; 20 % above is 72.
    assert min(clearances) > 72


def test_simvastatin_in_the_second_vignette_is_four_times_the_cap_with_diltiazem() -> None:
    simvastatin = VIGNETTES["V02"].chart.medicines[0]
    assert (simvastatin.name, number(simvastatin.dose) / 10) == ("simvastatin", 4)


def test_at_most_the_age_could_ask_for_less_apixaban_in_the_third_vignette() -> None:
    chart = VIGNETTES["V03"].chart
    # Two of three are needed: 80 years or more, 60 kg or less, 133 micromol/L or more.
    assert number(chart.age) < 80
    assert number(chart.weight) >= 60 * 1.2
    assert value_of(VIGNETTES["V03"], "Creatinine") <= 133 * 0.8


def test_azathioprine_in_the_fourth_vignette_is_a_full_dose() -> None:
    chart = VIGNETTES["V04"].chart
    # 175 mg / 79 kg = 2.2 mg/kg; full is 2 to 2.5 mg/kg a day.
    assert round(number(chart.medicines[0].dose) / number(chart.weight), 1) == 2.2


def test_lithium_in_the_fifth_vignette_is_well_above_both_limits() -> None:
    # Upper limit 1.2 mmol/L; unwanted effects from 1.5. 1.2 * 1.2 = 1.44; 1.5 * 1.2 = 1.8.
    assert value_of(VIGNETTES["V05"], "Lithium") >= 1.8


def test_the_estimated_filtration_in_the_sixth_vignette_follows_from_its_creatinine() -> None:
    vignette = VIGNETTES["V06"]
    printed = value_of(vignette, "eGFR")
    creatinine = value_of(vignette, "Creatinine") / 88.42
    # (1.346 / 0.9) ** -1.2 = 0.617; 0.9938 ** 66 = 0.663; 142 * 0.617 * 0.663 = 58.1.
    assert round(egfr_of_a_man(number(vignette.chart.age), creatinine)) == printed
    # Metformin is reassessed below 45; 20 % above is 54.
    assert printed > 54
