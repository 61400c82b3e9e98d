"""Checks across drug facts: orphans, contradictions, ranges, units and claims of checking."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from model.facts.library import CLASS_PREFIX, Library, PlacedFact, fact_id
from model.facts.schema import (
    DOSE_UNITS,
    Allergy,
    Hepatic,
    Interaction,
    Lactation,
    Paediatric,
    Pregnancy,
    Qt,
    Renal,
)

_DOSE = re.compile(r"\d[\d,.]*(?:\s*(?:to|/)\s*\d[\d,.]*)?\s*(%|[^\W\d]+)")
_KNOWN_UNITS = (
    *DOSE_UNITS, "microgram", "unit", "tablet", "drop", "puff", "hours", "hour", "h", "days", "day",
    "times", "weeks", "week", "minutes", "months", "years", "kg", "mEq", "doses", "dose", "capsule",
    "capsules", "of", "%", "sprays", "spray", "patch", "patches", "mcg",
)  # fmt: skip
PERIODS = {
    "any": ("first trimester", "second trimester", "third trimester"),
    "first trimester": ("first trimester",),
    "second trimester on": ("second trimester", "third trimester"),
    "third trimester": ("third trimester",),
}
LARGEST_PER_KG = {
    "mg": 300.0,
    "micrograms": 300.0,
    "units": 100_000.0,
    "g": 2.0,
    "mmol": 5.0,
    "mL": 50.0,
}
"""Beyond these nobody doses a child for each kg at once; a unit was mistaken."""


def faults_of(library: Library) -> list[str]:
    """What is wrong with the facts, in words; empty when nothing is."""
    orphans = list(_sources_are_known_and_used(library))
    return orphans or [fault for check in CHECKS for fault in check(library)]


def _drugs_stand_once(library: Library) -> Iterator[str]:
    seen: dict[str, str] = {}
    for class_, file in library.files.items():
        for name, drug in file.drugs.items():
            for every in {n.lower() for n in (name, *drug.national.values(), *drug.brands)}:
                if every in seen:
                    yield f"{class_}: {every!r} is also a name of {seen[every]}"
                seen[every] = f"{name} in {class_}"


def _names_are_known(library: Library) -> Iterator[str]:
    drugs = library.drugs
    for placed in library.facts():
        fact, place = placed.fact, placed.fact_id
        if fact.drug not in library.files[placed.class_].drugs:
            yield f"{place}: {fact.drug!r} is not among the drugs of {placed.class_}"
        named = [fact.other] if isinstance(fact, Interaction) else []
        for name in named:
            if name.startswith(CLASS_PREFIX):
                if name.removeprefix(CLASS_PREFIX) not in library.files:
                    yield f"{place}: there is no {name!r}; there are {', '.join(library.files)}"
            elif name not in drugs:
                yield f"{place}: {name!r} is no drug of any file"
        if isinstance(fact, Interaction) and fact.drug in library.members_or_none(fact.other):
            yield f"{place}: {fact.drug!r} with itself"


def _sources_are_known_and_used(library: Library) -> Iterator[str]:
    for class_, file in library.files.items():
        doses = [dose for drug in file.drugs.values() for dose in drug.doses]
        used = {item.source for item in (*doses, *file.facts)}
        for name in sorted(used - set(file.sources)):
            yield f"{class_}: source {name!r} is used but not listed"
        for name in sorted(set(file.sources) - used):
            yield f"{class_}: source {name!r} is listed but not used"
        for item in (*doses, *file.facts):
            source = file.sources.get(item.source)
            if source and source.checked != "not checked" and item.section == "unknown":
                yield f"{class_}: source {item.source!r} was checked: name the section"


def _facts_stand_once(library: Library) -> Iterator[str]:
    seen: set[str] = set()
    for class_, file in library.files.items():
        for fact in file.facts:
            name = fact_id(fact)
            if name in seen:
                yield f"{class_}: {name} stands twice: {fact.model_dump()}"
            seen.add(name)


def _pairs_stand_once(library: Library) -> Iterator[str]:
    seen: dict[frozenset[str], tuple[str, str]] = {}
    for placed in library.facts():
        fact = placed.fact
        if not isinstance(fact, Interaction):
            continue
        for other in library.members_or_none(fact.other):
            pair = frozenset((fact.drug, other))
            if pair in seen and len(pair) == 2:
                before, severity = seen[pair]
                word = "contradicts" if severity != fact.severity else "repeats"
                yield f"{placed.fact_id} ({fact.drug} with {other}) {word} {before}"
            seen[pair] = (placed.fact_id, fact.severity)


def _bands_do_not_overlap(library: Library) -> Iterator[str]:
    bands: dict[tuple[str, str], list[Renal]] = defaultdict(list)
    for placed in library.facts():
        if isinstance(placed.fact, Renal):
            bands[placed.fact.drug, placed.fact.measure].append(placed.fact)
    for (drug, measure), known in bands.items():
        known.sort(key=lambda band: band.at_least)
        for one, other in pairwise(known):
            if one.below is None or one.below > other.at_least:
                yield (
                    f"{drug}: bands of {measure} overlap: {one.decision} from {one.at_least:g} to "
                    f"{one.below}, {other.decision} from {other.at_least:g}"
                )


def _one_answer_for_one_question(library: Library) -> Iterator[str]:
    """Two facts of a drug whose circumstances overlap decide alike."""
    seen: dict[tuple[str, ...], tuple[str, str]] = {}
    for placed in library.facts():
        for circumstance, decision in _decisions(placed):
            before = seen.setdefault(circumstance, (placed.fact_id, decision))
            if before[1] != decision:
                about = " ".join(circumstance)
                yield f"{about}: {placed.fact_id} says {decision!r}, {before[0]} {before[1]!r}"


def _decisions(placed: PlacedFact) -> list[tuple[tuple[str, ...], str]]:
    """What a fact decides, by each circumstance that another fact could decide otherwise."""
    fact = placed.fact
    if isinstance(fact, Hepatic):
        return [((fact.drug, "Child-Pugh", letter), fact.decision) for letter in fact.child_pugh]
    if isinstance(fact, Allergy):
        every = ("immediate", "severe delayed", "mild delayed")
        reactions = every if fact.reaction == "any" else (fact.reaction,)
        return [((fact.drug, "after", fact.allergic_to, r), fact.decision) for r in reactions]
    if isinstance(fact, Pregnancy):
        return [((fact.drug, period), fact.decision) for period in PERIODS[fact.period]]
    if isinstance(fact, Lactation):
        return [((fact.drug, "lactation"), fact.decision)]
    return []


def _children_are_dosed_plausibly(library: Library) -> Iterator[str]:
    for placed in library.facts():
        fact = placed.fact
        if not isinstance(fact, Paediatric) or fact.per_kg is None or fact.unit is None:
            continue
        bare, _, per = fact.unit.partition("/")
        if bare not in DOSE_UNITS or not per.startswith("kg"):
            yield f"{placed.fact_id}: unit {fact.unit!r} is not a dose unit for each kg, as mg/kg"
        elif fact.per_kg[1] > LARGEST_PER_KG.get(bare, float("inf")):
            yield f"{placed.fact_id}: {fact.per_kg[1]:g} {fact.unit} is beyond any dose: check it"


def _doses_have_units(library: Library) -> Iterator[str]:
    for class_, file in library.files.items():
        worded = [
            (name, words)
            for name, drug in file.drugs.items()
            for dose in drug.doses
            for words in (dose.usual, dose.start)
            if words
        ]
        worded += [
            (f.drug, f.dose) for f in file.facts if isinstance(f, Renal | Hepatic) and f.dose
        ]
        worded += [
            (f.drug, f.max_single) for f in file.facts if isinstance(f, Paediatric) and f.max_single
        ]
        for name, dose in worded:
            if re.fullmatch(r"[\d.,/ ]+", dose):
                yield f"{class_}: the dose {dose!r} of {name} lacks a unit"
            for unit in _DOSE.findall(dose):
                if unit not in _KNOWN_UNITS:
                    yield f"{class_}: the dose {dose!r} of {name} has the unknown unit {unit!r}"


def _qt_has_one_risk(library: Library) -> Iterator[str]:
    seen: dict[str, str] = {}
    for placed in library.facts():
        if isinstance(placed.fact, Qt):
            if seen.get(placed.fact.drug, placed.fact.risk) != placed.fact.risk:
                yield f"{placed.fact_id}: {placed.fact.risk} contradicts {seen[placed.fact.drug]}"
            seen[placed.fact.drug] = placed.fact.risk


CHECKS: tuple[Callable[[Library], Iterator[str]], ...] = (
    _drugs_stand_once,
    _names_are_known,
    _facts_stand_once,
    _pairs_stand_once,
    _bands_do_not_overlap,
    _one_answer_for_one_question,
    _children_are_dosed_plausibly,
    _doses_have_units,
    _qt_has_one_risk,
)
