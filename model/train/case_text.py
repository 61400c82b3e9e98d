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
HISTORY = (
    "Lives alone.", "Does not smoke.", "Former smoker.",
    "Drinks no alcohol.", "Walks with a stick.", "Feels well otherwise.", "Sleeps badly.",
    "Eats and drinks normally.", "Takes the tablets from a weekly box.", "Works in an office.",
    "No recent change of medicines.", "Symptoms began three days ago.", "No fever.",
    "Blood pressure and pulse are normal.", "Was seen by a colleague last month.",
)  # fmt: skip
INSTRUCTIONS = (
    "",
    "Review the plan and answer in plain prose.",
    "Read the chart below. Say whether the plan is right, why, and what you would monitor.",
    "You review prescriptions. Read the case, then write to the prescriber: what you would do, "
    "the reason, and what to monitor. If nothing has to change, say so.",
    "Below is the chart of one patient with a plan for a medicine. Read all of it before you "
    "answer. Write plain sentences without lists. State what should happen to the plan and why, "
    "then what has to be followed up. A plan that is right should be left alone. Keep it short, do "
    "not greet anybody and leave out your name.",
)
QUESTIONS = (
    "What would you do about the plan?", "Is the plan appropriate?",
    "What do you advise, and what would you monitor?", "Would you go ahead?",
    "How would you respond to this plan?", "What should happen now?",
)  # fmt: skip
_STAGE_FLOORS = {1: 90, 2: 60, 3: 30, 4: 15, 5: 8}
_STAGE_CEILINGS = {1: 112, 2: 89, 3: 59, 4: 29, 5: 14}


@dataclass(frozen=True, slots=True)
class Patient:
    """An invented adult."""

    sex: str
    age_years: int
    weight_kg: int
    height_cm: int
    pregnant_weeks: int
    """0 when not pregnant."""
    creatinine_mg_dl: float
    egfr: int
    """CKD-EPI 2021, mL/min/1.73 m2."""


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


def kidney_stage(egfr: int) -> int:
    """The KDIGO stage G1 to G5 of an eGFR in mL/min/1.73 m2, both parts of G3 as 3."""
    return next(stage for stage, floor in _STAGE_FLOORS.items() if egfr >= floor or stage == 5)


def draw_patient(
    rng: random.Random, *, stages: Sequence[int] = (), at_least: int = 0, pregnant: bool = False
) -> Patient:
    """Invent a patient whose creatinine gives an eGFR in one of the stages.

    Args:
        rng: Decides everything.
        stages: Kidney stages allowed; good kidneys (1 and 2) when empty.
        at_least: Lowest eGFR allowed, in mL/min/1.73 m2.
        pregnant: Whether she is pregnant.
    """
    sex = "woman" if pregnant else rng.choice(("woman", "man"))
    stage = rng.choice(list(stages) or [1, 2])
    while True:
        age = rng.randint(21, 40) if pregnant else rng.randint(24, 88)
        creatinine = rng.randint(45, 650) / 100
        egfr = round(egfr_ckd_epi(creatinine, age, sex))
        low, high = max(_STAGE_FLOORS[stage], at_least), _STAGE_CEILINGS[stage]
        if low <= egfr <= high:
            break
        # Nobody of 85 has an eGFR above 90: another stage is drawn as well.
        stage = rng.choice(list(stages) or [1, 2])
    height = rng.randint(150, 174) if sex == "woman" else rng.randint(163, 190)
    weight = round(rng.uniform(20, 33) * (height / 100) ** 2)
    weeks = rng.randint(5, 12) if pregnant else 0
    return Patient(sex, age, weight, height, weeks, creatinine, egfr)


def render_case(
    rng: random.Random, patient: Patient, *, allergy: str, problem: str,
    medicines: Sequence[str], plan: str,
) -> str:  # fmt: skip
    """Write one chart: the six headings, in the order of a vignette."""
    about = f"{patient.sex}, {patient.age_years} years, {patient.weight_kg} kg"
    if rng.random() < 0.6:
        about += f", {patient.height_cm} cm"
    if patient.pregnant_weeks:
        about += f", pregnant, {patient.pregnant_weeks} weeks"
    history = " ".join(rng.sample(HISTORY, k=rng.randint(0, 3)))
    joint = rng.choice(("; ", ", ", "\n"))
    lines = (
        f"Setting: {rng.choice(SETTINGS)}",
        f"Patient: {about}. {allergy}",
        f"Problem: {problem}. {history}".rstrip(),
        f"Medicines: {joint.join(medicines) or 'none'}",
        f"Results: {joint.join(_results(rng, patient))}",
        f"Plan: {plan}",
    )
    return "\n".join(lines)


def _results(rng: random.Random, patient: Patient) -> list[str]:
    micromol = round(patient.creatinine_mg_dl * 88.4)
    kidney = [
        f"creatinine {patient.creatinine_mg_dl:.2f} mg/dL ({micromol} micromol/L)",
        f"eGFR {patient.egfr} mL/min/1.73 m2",
    ]
    others = [
        f"potassium {rng.uniform(3.7, 4.8):.1f} mmol/L",
        f"sodium {rng.randint(136, 144)} mmol/L",
        f"haemoglobin {rng.uniform(11.5, 15.5):.1f} g/dL",
        f"white cells {rng.uniform(4.5, 10.5):.1f} x 10^9/L",
        f"platelets {rng.randint(160, 380)} x 10^9/L",
        f"ALT {rng.randint(12, 48)} U/L",
        f"QTc {rng.randint(398, 446)} ms",
        f"heart rate {rng.randint(62, 94)} a minute",
    ]
    return kidney + rng.sample(others, k=rng.randint(1, 4))
