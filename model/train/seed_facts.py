"""The facts that nano's corpus is rendered from, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model.errors import TrainingError
from model.strict import Fields

SCHEMA = "safemed.seed-facts/1"


@dataclass(frozen=True, slots=True)
class Medicine:
    """A medicine as a chart shows it."""

    name: str
    chart: str
    """Dose and frequency of an ordinary adult; never advice."""
    used_for: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: what is planned, in whom it is wrong or right, and what follows."""

    kind: str
    planned: tuple[str, ...]
    why: str
    """The hazard; for an appropriate plan, the reason that it is."""
    monitoring: str
    document: str
    section: str
    action: str = ""
    taken: tuple[str, ...] = ()
    alongside: tuple[str, ...] = ()
    allergic_to: tuple[str, ...] = ()
    reactions: tuple[str, ...] = ()
    stages: tuple[int, ...] = ()
    """Kidney stages 1 to 5 (KDIGO G1 to G5) in which the fact holds; empty if any."""
    fine_in_stages: tuple[int, ...] = ()
    """Stages in which the same plan needs no change for the kidneys."""
    at_least: int = 0
    """Lowest eGFR in mL/min/1.73 m2 that is drawn."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that is refused, and the words of the refusal."""

    asked: str
    answer: str


@dataclass(frozen=True, slots=True)
class SeedFacts:
    """The whole file."""

    checked: str
    """How far the sources were read for this file."""
    medicines: dict[str, Medicine]
    bystanders: tuple[str, ...]
    """Medicines that change nothing, as a chart shows them."""
    common: tuple[str, ...]
    """Medicines that many people take; listed beside a plan that has to be changed anyway."""
    other_names: tuple[str, ...]
    """Names of medicines about which nothing is taught but how to read them."""
    vocabulary: tuple[str, ...]
    """Words of plain clinical English, strewn in so that no word of a chart is quite unknown."""
    history: tuple[str, ...]
    """Sentences that change nothing."""
    afterthoughts: tuple[str, ...]
    """What may stand after the plan."""
    facts: dict[str, tuple[Fact, ...]]
    refusals: tuple[Refusal, ...]


def read_seed_facts(path: Path, plain: Path) -> SeedFacts:
    """Read the seed facts.

    Args:
        path: The facts.
        plain: Plain clinical English, for its words.

    Raises:
        TrainingError: Naming the place and the value; an unknown medicine too.
    """
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        words = set(re.findall(r"[^\W\d_]{3,}", plain.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise TrainingError(f"{path} or {plain.name} cannot be read: {error}") from error
    fields = Fields(written, path.name, TrainingError)
    schema = fields.take("schema", str)
    if schema != SCHEMA:
        raise TrainingError(f"{path.name}: schema is {schema!r}; this version reads {SCHEMA!r}")
    checked = fields.take("checked", str)
    medicines = {
        name: _medicine(name, value) for name, value in fields.take("medicines", dict).items()
    }
    lists = {
        name: tuple(fields.take(name, list))
        for name in ("bystanders", "common", "other_names", "history", "afterthoughts")
    }
    kinds = ("interactions", "renal", "allergies", "pregnancy", "high_alert", "appropriate")
    facts = {
        kind: tuple(_fact(kind, value, i) for i, value in enumerate(fields.take(kind, list), 1))
        for kind in kinds
    }
    refusals = tuple(_refusal(value) for value in fields.take("refusals", list))
    fields.finish()
    named = {part for name in (*medicines, *lists["other_names"]) for part in name.split()}
    lists["vocabulary"] = tuple(sorted(words - named))
    _check_names(medicines, facts)
    return SeedFacts(checked, medicines, facts=facts, refusals=refusals, **lists)


def _medicine(name: str, value: Any) -> Medicine:
    fields = Fields(value, f"medicines.{name}", TrainingError)
    medicine = Medicine(name, fields.take("chart", str), fields.take("for", str))
    fields.finish()
    return medicine


def _refusal(value: Any) -> Refusal:
    fields = Fields(value, "refusals", TrainingError)
    refusal = Refusal(fields.take("asked", str), fields.take("answer", str))
    fields.finish()
    return refusal


def _fact(kind: str, value: Any, number: int) -> Fact:
    fields = Fields(value, f"{kind} {number}", TrainingError)
    source = Fields(fields.take("source", dict), f"{kind} {number}.source", TrainingError)

    def names(key: str) -> tuple[Any, ...]:
        return tuple(fields.take(key, list, default=[]))

    fact = Fact(
        kind=kind,
        planned=tuple(fields.take("plan" if kind == "high_alert" else "planned", list)),
        why=fields.take("reason" if kind == "appropriate" else "hazard", str),
        monitoring=fields.take("monitoring", str),
        document=source.take("document", str),
        section=source.take("section", str),
        action="" if kind == "appropriate" else fields.take("action", str),
        taken=names("taken"),
        alongside=names("alongside"),
        allergic_to=names("to"),
        reactions=names("reaction"),
        stages=names("stages"),
        fine_in_stages=names("fine_in_stages"),
        at_least=fields.take("at_least", int, default=0),
    )
    source.finish()
    fields.finish()
    return fact


def _check_names(medicines: dict[str, Medicine], facts: dict[str, tuple[Fact, ...]]) -> None:
    for kind, known in facts.items():
        for fact in known:
            planned = () if kind == "high_alert" else fact.planned
            for name in (*planned, *fact.taken, *fact.alongside):
                if name not in medicines:
                    raise TrainingError(f"{kind}: {name!r} is not among the medicines of the file")
