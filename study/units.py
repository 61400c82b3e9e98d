"""Conversions between the two units in which a chart prints a result."""

from __future__ import annotations

import re

from study.quantities import quantity

UNITLESS = (
    "inr", "ph", "specific gravity", "ratio", "score", "viral load log", "child-pugh", "grade",
    "gcs", "phq", "epds", "edinburgh", "gad", "mmse", "moca", "apgar", "rass", "cam",
)  # fmt: skip
"""Names of results that have no unit."""

_SAME = ("Potassium", "Sodium", "Lithium", "Bicarbonate", "Chloride")
_CELLS = (
    "White cells", "Neutrophils", "Lymphocytes", "Platelets", "Eosinophils", "Neutrophil count",
    "White cell count", "Leukocytes",
)  # fmt: skip
_FACTORS: dict[tuple[str, str], dict[str, float]] = {
    # Second unit from first; molar masses in g/mol.
    ("micromol/L", "mg/dL"): {
        "Creatinine": 1 / 88.42,  # 113.12
        "Uric acid": 1 / 59.48,  # 168.11
        "Bilirubin": 1 / 17.10,  # 584.66
        "Total bilirubin": 1 / 17.10,
    },
    ("micromol/L", "microg/dL"): {"Ammonia": 1.703, "Iron": 5.585},  # 17.03; 55.85
    ("mmol/L", "mg/dL"): {
        "LDL cholesterol": 38.67,  # 386.65
        "Total cholesterol": 38.67,
        "HDL cholesterol": 38.67,
        "Glucose": 18.016,  # 180.16
        "Triglycerides": 88.57,  # 885.7, as usual for triolein
        "Calcium": 4.008,  # 40.08
        "Magnesium": 2.431,  # 24.305
        "Phosphate": 3.097,  # phosphorus, 30.97
        "Urea": 2.801,  # urea nitrogen, 28.01
        "Urea nitrogen": 2.801,
        "Ketones": 10.41,  # beta-hydroxybutyric acid, 104.1
        "Beta-hydroxybutyrate": 10.41,
        "Lactate": 9.008,  # 90.08
    },
    ("mmol/L", "mEq/L"): {**dict.fromkeys(_SAME, 1.0), "Magnesium": 2.0, "Calcium": 2.0},
    ("g/L", "g/dL"): {
        "Hemoglobin": 0.1,
        "Haemoglobin": 0.1,
        "Albumin": 0.1,
        "Total protein": 0.1,
    },
    ("mg/L", "mg/dL"): {"C-reactive protein": 0.1},
    ("mg/L", "microg/mL"): {},
    ("pmol/L", "pg/mL"): {"Vitamin B12": 1.355, "NT-proBNP": 8.457},  # 1355.4; 8457
    ("pmol/L", "ng/dL"): {"Free T4": 0.0777},  # 776.9
    ("nmol/L", "ng/mL"): {"Digoxin": 0.7809, "25-hydroxyvitamin D": 0.4006},  # 780.9; 400.6
    ("micromol/L", "mg/L"): {"Phenytoin": 0.2523, "Carbamazepine": 0.2363},  # 252.3; 236.3
    ("nmol/L", "microg/dL"): {"Cortisol": 0.03625},  # 362.5
    ("mg/mmol", "mg/g"): {"Urine albumin-creatinine ratio": 8.84},  # 1 mmol is 0.1131 g
    ("x 10^9/L", "x 10^3/microL"): dict.fromkeys(_CELLS, 1.0),
    ("x 10^6/L", "cells/microL"): {"CD4 count": 1.0},
}
_ALIKE = {
    ("mg/L", "microg/mL"), ("microg/L", "ng/mL"), ("ng/mL", "microg/L"), ("mg/L", "mcg/mL"),
    ("mIU/L", "microIU/mL"), ("kU/L", "U/mL"),
}  # fmt: skip
"""Pairs of units that are the same size whatever is measured."""


def second_from_first(name: str, value: str, second_unit: str) -> float | None:
    """What the second unit must say.

    Args:
        name: The result's name in the chart.
        value: The first value with its unit.
        second_unit: Unit of the second.

    Returns:
        The converted number, or None where no conversion is known.

    Raises:
        QuantityError: If `value` is no number with a unit.
    """
    first = quantity(value)
    if (name, first.unit, second_unit) == ("HbA1c", "%", "mmol/mol"):
        return (first.number - 2.152) / 0.09148  # IFCC from NGSP, Hoelzel 2004
    if (first.unit, second_unit) == ("°C", "°F"):
        return first.number * 9 / 5 + 32
    if (first.unit, second_unit) in _ALIKE:
        return first.number
    known = _FACTORS.get((first.unit, second_unit), {})
    plain = name[0].upper() + name[1:]
    factor = known.get(plain) or next(
        (f for analyte, f in known.items() if re.search(rf"\b{analyte}\b", name, re.I)), None
    )
    return None if factor is None else first.number * factor


def may_lack_a_unit(name: str) -> bool:
    """Whether a result of that name is a pure number."""
    return any(word in name.lower() for word in UNITLESS)
