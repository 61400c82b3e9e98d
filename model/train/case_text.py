"""Invented charts for training rows: the headings of a vignette, and none of its words."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

SETTINGS = (
    "primary care clinic", "general medical ward", "emergency department", "outpatient clinic",
    "telephone visit", "nursing home round", "surgical ward", "discharge from hospital",
    "community pharmacy query", "walk-in clinic", "rheumatology clinic", "heart failure clinic",
    "kidney clinic", "rehabilitation unit", "day surgery", "home visit",
)  # fmt: skip
ENDINGS = (
    "",
    ".",
    ", in the afternoon.",
    ", Monday morning.",
    ", at the weekend.",
    ", first visit.",
)
MONTHS = ("January", "March", "April", "May", "July", "August", "October", "December")
QUESTIONS = (
    "What would you do about the plan?", "Is the plan appropriate?",
    "What do you advise, and what would you monitor?", "Would you go ahead?",
    "How would you respond to this plan?", "What should happen now?",
)  # fmt: skip
_STAGE_FLOORS = {1: 90, 2: 60, 3: 30, 4: 15, 5: 8}
_STAGE_CEILINGS = {1: 112, 2: 89, 3: 59, 4: 29, 5: 14}


_INSTRUCTION_PARTS = (
    (
        "You review prescriptions.", "As a second reader you are shown one chart.",
        "Below stands the chart of one patient.", "A colleague asks for your view of a plan.",
        "Please check the following plan.", "Here is a case from practice.",
        "Act as the doctor on call.", "This is a request for advice on a medicine.",
    ),
    (
        "Read the case from the first line to the last.", "Go through all of it, then reply.",
        "Anything in it may matter.", "Some of it may not matter.", "Mind all results.",
        "Look at the medicines, the kidneys and the allergies.",
    ),
    (
        "Say whether the plan is right and why.", "Write to the colleague what should happen.",
        "State what you would do and for what reason.", "Tell whether you keep or alter the plan.",
        "Decide about the plan and give the grounds.", "Name the problem, if there is one.",
    ),
    (
        "Add what has to be followed up.", "Name the tests that should follow.",
        "Say what to watch.", "Mention which checks come next.", "Include the monitoring.",
    ),
    (
        "A plan that is right should be left alone.", "If nothing has to change, say so.",
        "A good plan deserves to be called good.", "Do not change what is right.",
    ),
    (
        "Use plain sentences without lists.", "Write in ordinary prose.", "Stay brief.",
        "Stay below two hundred words.", "No greeting and no signature.", "Leave out your name.",
        "Do not greet anybody.",
    ),
)  # fmt: skip


def draw_instruction(rng: random.Random) -> str:
    """Invent an instruction of none to some eighty words; none is that of a protocol."""
    share = rng.choice((0.0, 0.0, 0.3, 0.6, 1.0))
    chosen = [rng.choice(part) for part in _INSTRUCTION_PARTS if rng.random() < share]
    if share == 1.0:
        chosen += rng.sample(_INSTRUCTION_PARTS[-1], k=rng.randint(0, 3))
    return " ".join(chosen)


@dataclass(frozen=True, slots=True)
class Patient:
    """An invented patient."""

    sex: str
    age_years: int
    weight_kg: int
    height_cm: int
    pregnant_weeks: int
    """0 when not pregnant."""
    creatinine_mg_dl: float
    egfr: int
    """CKD-EPI 2021, mL/min/1.73 m2; 0 in a child, for whom the equation does not hold."""
    age: str = ""
    """As the chart writes it, where that is not in years."""


def egfr_ckd_epi(creatinine_mg_dl: float, age_years: int, sex: str) -> float:
    """Estimated GFR by the 2021 CKD-EPI creatinine equation, in mL/min/1.73 m2.

    References:
        Inker 2021, N. Engl. J. Med. 385, 1737.
    """
    female = sex == "woman"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine_mg_dl / kappa
    egfr = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age_years
    return float(egfr * 1.012 if female else egfr)


def clearance(patient: Patient) -> float:
    """Creatinine clearance in mL/min.

    References:
        Cockcroft and Gault 1976, Nephron 16, 31, with actual weight.
    """
    of_a_man = (140 - patient.age_years) * patient.weight_kg / (72 * patient.creatinine_mg_dl)
    return of_a_man * (0.85 if patient.sex == "woman" else 1)


def kidney_stage(egfr: int) -> int:
    """The KDIGO stage G1 to G5 of an eGFR in mL/min/1.73 m2, both parts of G3 as 3."""
    return next(stage for stage, floor in _STAGE_FLOORS.items() if egfr >= floor or stage == 5)


def draw_patient(
    rng: random.Random,
    *,
    stages: Sequence[int] = (),
    at_least: int = 0,
    weeks: tuple[int, int] | None = None,
    ages: tuple[int, int] = (24, 88),
    sex: str = "",
) -> Patient:
    """Invent a patient whose creatinine gives an eGFR in one of the stages.

    Args:
        rng: Decides everything.
        stages: Kidney stages allowed; good kidneys (1 and 2) when empty.
        at_least: Lowest eGFR allowed, in mL/min/1.73 m2.
        weeks: Lowest and highest week of a pregnancy; a woman of 40 at most.
        ages: Lowest and highest age in years.
        sex: `woman` or `man`; drawn when empty.
    """
    sex = "woman" if weeks else sex or rng.choice(("woman", "man"))
    ages = (21, 40) if weeks else ages
    stage = rng.choice(list(stages) or [1, 2])
    while True:
        age = rng.randint(*ages)
        creatinine = rng.randint(45, 650) / 100
        egfr = round(egfr_ckd_epi(creatinine, age, sex))
        low, high = max(_STAGE_FLOORS[stage], at_least), _STAGE_CEILINGS[stage]
        if low <= egfr <= high:
            break
        # Nobody of 85 has an eGFR above 90: another stage is drawn as well.
        stage = rng.choice(list(stages) or [1, 2])
    height = rng.randint(150, 174) if sex == "woman" else rng.randint(163, 190)
    weight = round(rng.uniform(20, 33) * (height / 100) ** 2)
    week = rng.randint(*weeks) if weeks else 0
    return Patient(sex, age, weight, height, week, creatinine, egfr)


def draw_child(rng: random.Random, *, months: tuple[int, int]) -> Patient:
    """Invent a child of an age in months, with a weight that fits it.

    References:
        Weights: 3.5 kg + 0.7 kg a month to 9 months, then 2 x (years + 4), as APLS taught.
    """
    age = rng.randint(*months)
    weight = 3.5 + 0.7 * age if age < 10 else 2 * (age / 12 + 4) if age < 120 else 3 * age / 12
    weight = max(3, round(weight * rng.uniform(0.9, 1.1)))
    words = f"{age} months" if age < 24 else f"{age // 12} years"
    height = round(50 + 2 * age if age < 12 else 75 + 6 * age / 12)
    return Patient(rng.choice(("girl", "boy")), age // 12, weight, height, 0, 0.0, 0, words)


@dataclass(frozen=True, slots=True)
class Chart:
    """What stands under the headings, apart from the patient's own data."""

    allergy: str
    problem: str
    history: tuple[str, ...]
    medicines: tuple[str, ...]
    plan: str
    results: tuple[str, ...] = ()
    """Results that matter, beside the kidneys and those that change nothing."""


def render_case(rng: random.Random, patient: Patient, chart: Chart) -> str:
    """Write one chart: the six headings, in the order of a vignette."""
    joint = rng.choice(("; ", ", ", "\n", "\n- ", "\n- "))
    start = "\n- " if joint == "\n- " else " "
    age = patient.age or f"{patient.age_years} years"
    about = f"{patient.sex}, {age}, {patient.weight_kg} kg"
    if rng.random() < 0.7:
        about += f", {patient.height_cm} cm"
    results = _results(rng, patient, chart.results)
    if patient.pregnant_weeks:
        about += f", pregnant, {patient.pregnant_weeks} weeks"
    capital = rng.random() < 0.6
    lines = (
        f"Setting: {_raised(rng.choice(SETTINGS), capital)}{rng.choice(ENDINGS)}",
        f"Patient: {_raised(about, capital)}. {chart.allergy}",
        " ".join((f"Problem: {_raised(chart.problem, capital)}.", *chart.history)),
        f"Medicines:{start}{joint.join(_dated(rng, chart.medicines)) or 'none'}",
        f"Results:{start}{joint.join(_raised(result, capital) for result in results)}",
        f"Plan: {chart.plan}",
    )
    return "\n".join(lines)


def _raised(words: str, capital: bool) -> str:
    keeps = words.startswith(("eGFR", "pH"))
    return words[0].upper() + words[1:] if capital and not keeps else words


def _dated(rng: random.Random, medicines: Sequence[str]) -> list[str]:
    """The medicines with or without the time at which each began."""
    if rng.random() < 0.5:
        return list(medicines)
    # With the month: `since 2014` between two common lines gets equal to a vignette by chance.
    return [f"{m} (since {rng.choice(MONTHS)} {rng.randint(2009, 2025)})" for m in medicines]


def _results(rng: random.Random, patient: Patient, mattering: Sequence[str]) -> list[str]:
    named = {result.split(" ")[0] for result in mattering}
    others = [r for r in _other_results(rng) if r.split(" ")[0] not in named]
    chosen = [*mattering, *rng.sample(others, k=rng.choice((1, 1, 2, 2, 3, 5, 7)))]
    if patient.egfr:
        chosen += _kidneys(rng, patient)
    rng.shuffle(chosen)
    return chosen


def _kidneys(rng: random.Random, patient: Patient) -> list[str]:
    micromol = round(patient.creatinine_mg_dl * 88.4)
    conventional = f"{patient.creatinine_mg_dl:.2f} mg/dL"
    first = rng.choice(
        (f"{conventional} ({micromol} micromol/L)", f"{micromol} micromol/L ({conventional})")
    )
    steady = rng.choice(("", "", ", steady since last summer", ", as at the last visit"))
    return [f"eGFR {patient.egfr} mL/min/1.73 m2", f"creatinine {first}{steady}"]


def _other_results(rng: random.Random) -> list[str]:
    """Results that change nothing, some of them a little high or low."""
    potassium, sodium = rng.uniform(3.7, 4.8), rng.randint(136, 144)
    haemoglobin, glucose = rng.uniform(11.5, 15.5), rng.uniform(4.6, 8.4)
    return [
        f"potassium {potassium:.1f} mmol/L ({potassium:.1f} mEq/L)",
        f"sodium {sodium} mmol/L",
        f"haemoglobin {haemoglobin:.1f} g/dL ({round(haemoglobin * 10)} g/L)",
        f"glucose {glucose:.1f} mmol/L ({round(glucose * 18)} mg/dL){' H' if glucose > 7 else ''}",
        f"white cells {rng.uniform(4.5, 10.5):.1f} x 10^9/L",
        f"platelets {rng.randint(160, 380)} x 10^9/L",
        f"ALT {rng.randint(12, 39)} U/L",
        f"QTc {rng.randint(398, 446)} ms",
        f"C-reactive protein {rng.randint(1, 30)} mg/L",
        f"LDL cholesterol {rng.uniform(1.6, 3.4):.1f} mmol/L",
        f"vitamin D {rng.randint(32, 49)} nmol/L L",
        f"albumin {rng.randint(36, 45)} g/L",
        f"magnesium {rng.uniform(0.75, 0.95):.2f} mmol/L",
        f"mean cell volume {rng.randint(84, 97)} fL",
        f"uric acid {rng.randint(260, 410)} micromol/L",
        f"bicarbonate {rng.randint(23, 28)} mmol/L, same as in spring",
        f"ferritin {rng.randint(40, 210)} microgram/L",
        f"TSH {rng.uniform(0.8, 3.6):.1f} mIU/L (last winter)",
        f"HbA1c {rng.uniform(5.2, 6.4):.1f} %",
        "urine culture: growth of one organism, susceptible to what was tested",
        "blood cultures negative after two days",
        "chest radiograph without change",
        "ECG: sinus rhythm, no new change",
    ]
