from __future__ import annotations

import pytest

from study.errors import QuantityError
from study.formulas import FORMULAS, compute
from study.quantities import in_unit, kilograms, quantity, times_daily, years

WOMAN = {"age": "84 years", "sex": "Woman", "creatinine": "133 micromol/L"}


@pytest.mark.parametrize(
    ("formula", "of", "number", "unit"),
    [
        # 133 / 88.42 = 1.504 mg/dL; (140 - 84) * 50 / (72 * 1.504) * 0.85 = 21.98
        ("cockcroft_gault", {**WOMAN, "weight": "50 kg"}, 21.98, "mL/min"),
        # 157 / 2.54 = 61.81 in; 45.5 + 2.3 * 1.81 = 49.66 kg; 21.98 * 49.66 / 50 = 21.83
        ("cockcroft_gault_ideal_weight", {**WOMAN, "height": "157 cm"}, 21.83, "mL/min"),
        # (1.504 / 0.7) ** -1.2 = 0.3993; 0.9938 ** 84 = 0.5932; 142 * both * 1.012 = 34.0
        ("ckd_epi_2021", WOMAN, 34.0, "mL/min/1.73 m2"),
        # 81 / 1.8 ** 2 = 25
        ("body_mass_index", {"weight": "81 kg", "height": "180 cm"}, 25.0, "kg/m2"),
        # 50 + 2.3 * (177.8 / 2.54 - 60) = 50 + 2.3 * 10
        ("ideal_body_weight", {"sex": "Man", "height": "177.8 cm"}, 73.0, "kg"),
        # sqrt(180 * 80 / 3600) = sqrt(4)
        ("body_surface_area", {"weight": "80 kg", "height": "180 cm"}, 2.0, "m2"),
        ("dose_per_weight", {"dose": "25 mg", "weight": "2,500 g"}, 10.0, "mg/kg"),
        ("daily_dose", {"dose": "1,250 mg", "frequency": "every 12 hours"}, 2500.0, "mg/day"),
        (
            "daily_dose_per_weight",
            {"dose": "200 mg", "frequency": "three times daily", "weight": "20 kg"},
            30.0, "mg/kg/day",
        ),
        # 5 mg * 3 * 1.5
        (
            "oral_morphine_equivalent",
            {"drug": "oxycodone", "dose": "5 mg", "frequency": "every 8 hours"},
            22.5, "mg/day",
        ),
        ("rate", {"amount": "40 mmol", "duration": "30 minutes"}, 80.0, "mmol/h"),
        ("concentration", {"amount": "40 mmol", "volume": "100 mL"}, 400.0, "mmol/L"),
        # k = ln(20 / 10) / 5 = 0.13863; an hour before the first level 20 * 2^0.2 = 22.974;
        # 16.487 * 1 + 12.974 / 0.13863 = 110.08; twice a day
        (
            "auc24_two_levels",
            {"first": "20 mg/L", "second": "10 mg/L", "infusion": "1 hour",
             "after_infusion": "1 hour", "between": "5 hours", "frequency": "twice daily"},
            220.15, "mg*h/L",
        ),
        # 40 to 10 is two half-lives in 10 h
        (
            "half_life_two_levels",
            {"first": "40 mg/L", "second": "10 mg/L", "between": "10 hours"}, 5.0, "h",
        ),
        # A body surface of 1.73 m2 changes nothing: 1.73^2 * 3600 / 100 = 107.74 kg
        (
            "ckd_epi_2021_own_size",
            {"age": "50 years", "sex": "Woman", "creatinine": "0.7 mg/dL", "weight": "107.7444 kg",
             "height": "100 cm"},
            105.30, "mL/min",
        ),
        ("syringe_units", {"mark": "20 units", "strength": "500 units/mL"}, 100.0, "units"),
        ("pounds_to_kilograms", {"mass": "24 lb"}, 10.886, "kg"),
        ("ratio", {"one": "24 kg", "other": "10 kg"}, 2.4, "times"),
        ("difference", {"one": "5 mmol/L", "other": "3 mmol/L"}, 2.0, "mmol/L"),
        ("sum", {"one": "37 weeks", "other": "2 weeks"}, 39.0, "weeks"),
        # at 60/min the RR interval is 1 s
        ("corrected_qt_fridericia", {"qt": "440 ms", "rate": "60/min"}, 440.0, "ms"),
        (
            "anion_gap",
            {"sodium": "140 mmol/L", "chloride": "104 mmol/L", "bicarbonate": "20 mmol/L"},
            16.0, "mmol/L",
        ),
        # bilirubin 3.5 mg/dL: 3; albumin 30 g/L: 2; INR 1.8: 2; mild ascites: 2; none: 1
        (
            "child_pugh",
            {"bilirubin": "3.5 mg/dL", "albumin": "30 g/L", "inr": "1.8", "ascites": "mild ascites",
             "encephalopathy": "no encephalopathy"},
            10.0, "points",
        ),
    ],
)  # fmt: skip
def test_a_formula_gives_what_hand_arithmetic_gives(
    formula: str, of: dict[str, str], number: float, unit: str
) -> None:
    computed = compute(formula, of)
    assert computed.number == pytest.approx(number, rel=2e-3)
    assert computed.unit == unit


def test_every_formula_is_tried_above() -> None:
    mark = next(
        m for m in test_a_formula_gives_what_hand_arithmetic_gives.pytestmark
        if m.name == "parametrize"
    )  # fmt: skip
    assert {case[0] for case in mark.args[1]} == set(FORMULAS)


@pytest.mark.parametrize(
    ("formula", "of", "words"),
    [
        ("cockroft", {}, "there is no formula 'cockroft'"),
        ("rate", {"amount": "40 mmol"}, r"takes \['amount', 'duration'\]; got \['amount'\]"),
        ("body_mass_index", {"weight": "81", "height": "180 cm"}, "'81' is not a weight"),
        ("ideal_body_weight", {"sex": "boss", "height": "170 cm"}, "'boss' is not one of"),
        (
            "oral_morphine_equivalent",
            {"drug": "fentanyl", "dose": "1 mg", "frequency": "once"}, "no factor for 'fentanyl'",
        ),
        ("daily_dose", {"dose": "5 mg", "frequency": "as needed"}, "does not say how often"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused_by_name(
    formula: str, of: dict[str, str], words: str
) -> None:
    with pytest.raises(QuantityError, match=words):
        compute(formula, of)


def test_a_quantity_is_read_with_its_thousands_and_its_decimals() -> None:
    assert (quantity("1,000 mg").number, quantity("1,000 mg").unit) == (1000.0, "mg")
    assert quantity("2.50 mmol/L").decimals == 2
    with pytest.raises(QuantityError, match="'some' is not a number with a unit"):
        quantity("some")
    with pytest.raises(QuantityError, match="'5 g' is wanted in mg"):
        in_unit("5 g", "mg")


def test_ages_and_weights_are_read_in_any_usual_unit() -> None:
    assert years("9 days") == pytest.approx(9 / 365.25)
    assert years("18 months") == pytest.approx(1.5)
    assert kilograms("24 lb") == pytest.approx(10.886, abs=0.001)


@pytest.mark.parametrize(
    ("frequency", "times"),
    [
        ("once daily", 1), ("every evening", None), ("twice daily", 2), ("every 6 hours", 4),
        ("every 4 to 6 hours", 6), ("once weekly", 1), ("as needed", None), ("at night", 1),
    ],
)  # fmt: skip
def test_a_frequency_is_counted_by_the_day(frequency: str, times: float | None) -> None:
    assert times_daily(frequency) == times
