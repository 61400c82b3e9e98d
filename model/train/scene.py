"""One invented scene a kind of fact: who, what is planned, and how the reasoning goes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from model.facts.library import Library
from model.facts.schema import (
    Allergy,
    Hepatic,
    HighAlert,
    Interaction,
    Lactation,
    OlderAdult,
    Paediatric,
    Pregnancy,
    Qt,
    Renal,
)
from model.train.case_text import Patient, clearance, draw_child, draw_patient
from model.train.comparing import compare_in_words
from model.train.subject import Subject

WEEKS = {
    "any": (5, 36), "first trimester": (5, 12), "second trimester on": (15, 36),
    "third trimester": (29, 37),
}  # fmt: skip
REACTIONS = {
    "angioedema": ("swelling of lips and tongue", "swelling of the throat"),
    "immediate": ("anaphylaxis within minutes", "hives and wheeze within the hour"),
    "severe delayed": ("Stevens-Johnson syndrome", "rash with blisters, fever and hepatitis"),
    "mild delayed": ("mild rash after a week", "itchy rash on day six"),
    "any": ("hives within the hour", "Stevens-Johnson syndrome", "mild rash after a week"),
}
LONG_QTC, EDGE = 500, 3
LEAST_FUNCTION = 5
"""mL/min; below it nobody is drawn."""
CHILD_PUGH = "ABC"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a row tells, before it is put in words."""

    planned: str
    patient: Patient
    thought: str
    proceeds: bool
    subject: str
    """What the concern is, as a noun phrase."""
    why: str
    action: str = ""
    monitor: str | None = None
    taken: tuple[str, ...] = ()
    plan: str | None = None
    """The whole plan, where a name and a usual dose do not say it."""
    allergy: str = ""
    history: tuple[str, ...] = ()
    results: tuple[str, ...] = ()


def draw_scene(rng: random.Random, library: Library, subject: Subject) -> Scene:
    """Invent a scene in which the subject decides."""
    return SCENES[subject.kind](rng, library, subject)


def _interaction(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, Interaction)
    others = [name for name in library.members(fact.other) if name != fact.drug]
    planned, taken = rng.sample((fact.drug, rng.choice(others)), k=2)
    proceeds = fact.severity == "none"
    rank = "No interaction that matters" if proceeds else f"Severity: {fact.severity}"
    return Scene(
        planned, _adult(rng, planned, taken),
        f"Plan: {planned}. Takes: {taken}. Together: {fact.mechanism}. {rank}.",
        proceeds, f"{planned} with {taken}", fact.mechanism, fact.action, fact.monitor,
        taken=(taken,),
    )  # fmt: skip


def _sex(name: str) -> str:
    return "woman" if name.startswith("ethinylestradiol") else ""


def _adult(
    rng: random.Random, *names: str, stages: Sequence[int] = (), ages: tuple[int, int] = (24, 88)
) -> Patient:
    """An adult of an age and sex in which the medicines are taken."""
    if any(name.startswith(("ethinylestradiol", "levonorgestrel")) for name in names):
        return draw_patient(rng, stages=stages, ages=(max(19, ages[0] - 20), 44), sex="woman")
    if {"tamsulosin", "finasteride", "sildenafil"} & set(names):
        return draw_patient(rng, stages=stages, ages=(max(50, ages[0]), ages[1]), sex="man")
    return draw_patient(rng, stages=stages, ages=ages)


def _renal(rng: random.Random, library: Library, subject: Subject) -> Scene:
    bands = sorted(
        (p.fact for p in subject.facts if isinstance(p.fact, Renal)), key=lambda b: b.at_least
    )
    band = rng.choice(bands)
    patient, value = _in_band(rng, band)
    thought = f"Plan: {band.drug}. {_capital(band.measure)} {value}."
    for other in bands:
        if other.at_least and other is bands[0]:
            thought += f" {compare_in_words(value, ceil(other.at_least))}"
        if other.below is not None:
            thought += f" {compare_in_words(value, ceil(other.below))}"
        if other is band:
            break
    if band.at_least == 0 and band.below is None:
        thought += " No limit of kidney function."
    verdict = f"{band.decision}{': ' + band.dose if band.dose else ''}"
    unit = "mL/min" if band.measure == "creatinine clearance" else "mL/min/1.73 m2"
    return Scene(
        band.drug, patient, f"{thought} So: {verdict}, {band.why}.",
        band.decision == "no change", f"{band.drug} at a {band.measure} of {value} {unit}",
        band.why, _instead(band), band.monitor,
        results=(f"{band.measure} {value} {unit}",) if unit == "mL/min" else (),
    )  # fmt: skip


def _in_band(rng: random.Random, band: Renal) -> tuple[Patient, int]:
    """A patient with a value some way inside the band."""
    low = max(band.at_least, LEAST_FUNCTION)
    high = band.below if band.below is not None else max(low + 25, 110)
    edge = min(EDGE, (high - low) / 4)
    low, high = low + edge, high - edge
    while True:
        patient = _adult(rng, band.drug, stages=(1, 2, 3, 4, 5))
        is_egfr = band.measure == "eGFR"
        value = patient.egfr if is_egfr else round(clearance(patient))
        if low <= value <= high:
            return patient, value


def _instead(fact: Renal | Hepatic) -> str:
    if fact.decision == "reduce":
        return f"give {fact.dose}"
    if fact.decision == "avoid":
        return f"do not give {fact.drug}; choose another medicine"
    return f"{fact.dose or 'give it with care'}"


def _hepatic(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, Hepatic)
    letter = rng.choice(fact.child_pugh)
    return Scene(
        fact.drug, _adult(rng, fact.drug),
        f"Plan: {fact.drug}. Liver: Child-Pugh {letter}. {_capital(fact.decision)}: {fact.why}.",
        fact.decision == "no change", f"{fact.drug} in cirrhosis of Child-Pugh class {letter}",
        fact.why, _instead(fact), fact.monitor,
        history=(f"Cirrhosis, Child-Pugh class {letter}.",),
    )  # fmt: skip


def _allergy(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, Allergy)
    reaction = rng.choice(REACTIONS[fact.reaction])
    return Scene(
        fact.drug, _adult(rng, fact.drug),
        f"Plan: {fact.drug}. Allergy: {fact.allergic_to}, {reaction}. {_capital(fact.why)}.",
        fact.decision == "may use", f"{fact.drug} after {reaction} on {fact.allergic_to}",
        fact.why, f"give {fact.instead} instead" if fact.instead else f"do not give {fact.drug}",
        fact.monitor, allergy=f"Allergy: {fact.allergic_to}, {reaction}.",
    )  # fmt: skip


def _pregnancy(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, Pregnancy)
    patient = draw_patient(rng, weeks=WEEKS[fact.period])
    return Scene(
        fact.drug, patient,
        f"Plan: {fact.drug}. Pregnant, {patient.pregnant_weeks} weeks. {_capital(fact.why)}.",
        fact.decision == "may use", f"{fact.drug} in pregnancy", fact.why, fact.action,
        fact.monitor,
    )  # fmt: skip


def _lactation(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, Lactation)
    patient = draw_patient(rng, ages=(21, 40), sex="woman")
    age = rng.randint(2, 9)
    return Scene(
        fact.drug, patient, f"Plan: {fact.drug}. She breastfeeds. {_capital(fact.why)}.",
        fact.decision == "may use", f"{fact.drug} while breastfeeding", fact.why, fact.action,
        fact.monitor, history=(f"She breastfeeds an infant of {age} months.",),
    )  # fmt: skip


def _older_adult(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, OlderAdult)
    patient = draw_patient(rng, ages=(68, 92), stages=(2, 3), sex=_sex(fact.drug))
    has = "" if fact.condition == "any" else f" Has: {fact.condition}."
    history = () if fact.condition == "any" else (f"History: {fact.condition}.",)
    return Scene(
        fact.drug, patient,
        f"Plan: {fact.drug}. Age {patient.age_years}.{has} {_capital(fact.why)}.",
        False, f"{fact.drug} in an older adult", fact.why, fact.action, fact.monitor,
        history=history,
    )  # fmt: skip


def _paediatric(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = rng.choice([p.fact for p in subject.facts if isinstance(p.fact, Paediatric)])
    months = (ceil(fact.from_months), max(ceil(fact.from_months), int(fact.to_months) - 1))
    child = draw_child(rng, months=(months[0], min(months[1], 200)))
    about = f"Plan: {fact.drug}. Child of {child.age}, {child.weight_kg} kg."
    if fact.per_kg is None or fact.unit is None or fact.times_daily is None:
        return Scene(
            fact.drug, child, f"{about} {_capital(fact.why)}.", False,
            f"{fact.drug} in a child of {child.age}", fact.why,
            f"do not give {fact.drug} at this age", fact.monitor, plan=f"{fact.drug}",
        )  # fmt: skip
    low, high = fact.per_kg
    proceeds = rng.random() < 0.5
    factor = rng.uniform(low, high) if proceeds else high * rng.choice((2, 2.5, 3, 10))
    each = _rounded(factor)
    if proceeds:
        each = min(max(each, low), high)
    bare = fact.unit.partition("/")[0]
    times = ("once", "twice", "three times", "four times", "five times", "six times")
    often = f"{times[min(fact.times_daily, 6) - 1]} daily"
    order = f"{fact.drug} {each:g} {fact.unit} {fact.route} {often}"
    steps = compare_in_words(ceil(each * 10), ceil(high * 10))
    thought = f"{about} In tenths of {bare} a kg: {steps} "
    thought += "The order is within the range." if proceeds else "The order is above the range."
    limit = f"; at most {fact.max_single} a dose" if fact.max_single else ""
    return Scene(
        fact.drug, child, thought, proceeds, f"{each:g} {fact.unit} of {fact.drug}",
        fact.why if proceeds else f"the range is {low:g} to {high:g} {fact.unit}",
        f"give {low:g} to {high:g} {fact.unit}{limit}", fact.monitor, plan=order,
    )  # fmt: skip


def _rounded(number: float) -> float:
    return round(number) if number >= 10 else round(number, 1)


def _qt(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, Qt)
    proceeds = fact.risk == "not listed"
    qtc = rng.randint(LONG_QTC + EDGE, 560)
    risk = "It is on no list" if proceeds else f"Risk on the list: {fact.risk}"
    return Scene(
        fact.drug, _adult(rng, fact.drug),
        f"Plan: {fact.drug}. QTc {qtc}. {compare_in_words(qtc, LONG_QTC)} {risk}: {fact.why}.",
        proceeds, f"{fact.drug} at a QTc of {qtc} ms", fact.why, fact.action, fact.monitor,
        results=(f"QTc {qtc} ms",),
    )  # fmt: skip


def _high_alert(rng: random.Random, library: Library, subject: Subject) -> Scene:
    fact = subject.first
    assert isinstance(fact, HighAlert)
    proceeds = rng.random() < 0.5
    plan = fact.right_plan if proceeds else fact.wrong_plan
    return Scene(
        fact.drug, _adult(rng, fact.drug),
        f"Plan: {plan}. Rule: {fact.rule}. {_capital(fact.why)}.",
        proceeds, plan, f"it keeps the rule: {fact.rule}" if proceeds else fact.why, fact.rule,
        fact.monitor, plan=plan,
    )  # fmt: skip


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


SCENES: dict[str, Callable[[random.Random, Library, Subject], Scene]] = {
    "interaction": _interaction,
    "renal": _renal,
    "hepatic": _hepatic,
    "allergy": _allergy,
    "pregnancy": _pregnancy,
    "lactation": _lactation,
    "older_adult": _older_adult,
    "paediatric": _paediatric,
    "qt": _qt,
    "high_alert": _high_alert,
}
NUMERIC: Sequence[str] = ("renal", "paediatric", "qt")
"""Kinds in which numbers are compared."""
