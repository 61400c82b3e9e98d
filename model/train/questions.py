"""Rows that quote the fact in the prompt, and short questions without a chart."""

from __future__ import annotations

from model.facts.schema import (
    Allergy,
    Fact,
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
from model.train.case_text import QUESTIONS, Patient
from model.train.render import Writer
from model.train.rows import TrainingRow
from model.train.scene import draw_scene
from model.train.subject import Subject


def with_reference(writer: Writer, subject: Subject) -> TrainingRow:
    """A row whose prompt quotes what is to be applied."""
    scene = draw_scene(writer.rng, writer.library, subject)
    quoted = " ".join(in_words(placed.fact) for placed in subject.facts)
    case = f"Reference: {quoted}\n\n{writer.case(scene, subject)}"
    return writer.row(case, scene, subject, reference=True)


def short_question(writer: Writer, subject: Subject) -> TrainingRow:
    """A row that asks in two or three sentences what a chart would ask in twenty."""
    scene = draw_scene(writer.rng, writer.library, subject)
    parts = [f"{_who(scene.patient)}.", scene.allergy, *scene.history]
    if subject.kind == "renal" and not scene.results:
        parts.append(f"eGFR {scene.patient.egfr} mL/min/1.73 m2.")
    parts += [f"{result}." for result in scene.results]
    parts += [f"Takes {writer.listed(name)}." for name in scene.taken]
    parts += [f"Plan: {scene.plan or scene.planned}.", writer.rng.choice(QUESTIONS)]
    return writer.row(" ".join(part for part in parts if part), scene, subject)


def _who(patient: Patient) -> str:
    age = patient.age or f"{patient.age_years} years"
    about = f"{patient.sex[0].upper()}{patient.sex[1:]}, {age}, {patient.weight_kg} kg"
    weeks = patient.pregnant_weeks
    return f"{about}, pregnant, {weeks} weeks" if weeks else about


def usual_dose(writer: Writer, drug: str) -> TrainingRow:
    """A question about a medicine's usual dose, answered with the range that charts keep to."""
    dose = writer.library.drugs[drug].doses[0]
    asked = writer.rng.choice(
        (f"What is a usual adult dose of {drug}?", f"How is {drug} usually dosed in an adult?")
    )
    usual = f"{drug[0].upper() + drug[1:]}: {dose.usual}, {dose.route}."
    return TrainingRow(asked, f"{usual} Check the label and the patient's kidneys.", None, "dose")


def in_words(fact: Fact) -> str:
    """A fact as a reference would state it, in one sentence."""
    return f"{_capital(_stated(fact))}."


def _stated(fact: Fact) -> str:
    match fact:
        case Interaction():
            return f"{fact.drug} with {fact.other.removeprefix('class: ')}: {fact.severity}; " + (
                f"{fact.mechanism}; {fact.action}"
            )
        case Renal():
            dose = f", {fact.dose}" if fact.dose else ""
            return f"{fact.drug}, {fact.measure} {_band(fact)}: {fact.decision}{dose}; {fact.why}"
        case Hepatic():
            dose = f", {fact.dose}" if fact.dose else ""
            classes = " or ".join(fact.child_pugh)
            return f"{fact.drug}, Child-Pugh {classes}: {fact.decision}{dose}; {fact.why}"
        case Allergy():
            return (
                f"{fact.drug} after a reaction ({fact.reaction}) to {fact.allergic_to}: "
                f"{fact.decision}; {fact.why}"
            )
        case Pregnancy():
            return f"{fact.drug} in pregnancy ({fact.period}): {fact.decision}; {fact.why}"
        case Lactation():
            return f"{fact.drug} while breastfeeding: {fact.decision}; {fact.why}"
        case OlderAdult():
            return f"{fact.drug} in older adults ({fact.condition}): {fact.decision}; {fact.why}"
        case Paediatric():
            return _child(fact)
        case Qt():
            return f"{fact.drug} and a long QT interval: {fact.risk}; {fact.why}"
        case HighAlert():
            return f"{fact.drug}: {fact.rule}; {fact.why}"


def _band(fact: Renal) -> str:
    ends = [f"at least {fact.at_least:g}"] if fact.at_least else []
    ends += [f"below {fact.below:g}"] if fact.below is not None else []
    return " but ".join(ends)


def _child(fact: Paediatric) -> str:
    ages = f"from {fact.from_months:g} to {fact.to_months:g} months"
    if fact.per_kg is None:
        return f"{fact.drug} {ages}: avoid; {fact.why}"
    low, high = fact.per_kg
    return (
        f"{fact.drug} {ages}: {low:g} to {high:g} {fact.unit} {fact.route}, at most "
        f"{fact.times_daily} times daily; {fact.why}"
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
