"""Drug facts as written: one YAML file a class of medicines (`safemed.drug-facts/1`).

A fact is one statement about one medicine, with a document, a section and how far that was
checked. `docs/drug_facts.md` describes every field. A file is read strictly: an unknown key, a
missing one or a value of the wrong type is refused.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Words = Annotated[str, Field(min_length=1)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]
Atc = Annotated[str, Field(pattern=r"^[A-Z]\d{2}[A-Z]{2}\d{2}$")]
Decision = Literal["avoid", "reduce", "caution", "no change"]
Exposure = Literal["avoid", "caution", "may use"]
SECOND_HAND = re.compile(r"second-hand copy \(\S+, \d{4}-\d{2}-\d{2}\)")

DOSE_UNITS = ("g", "mg", "micrograms", "units", "mmol", "mL", "drops", "puffs", "tablets")
"""Of one dose; each also per kg of body weight (`mg/kg`), per hour (`micrograms/h`) or both."""
ROUTES = (
    "by mouth", "intravenous", "subcutaneous", "intramuscular", "inhaled", "transdermal",
    "sublingual", "rectal", "eye", "topical", "nasal", "buccal", "vaginal",
)  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(_Strict):
    """A document, and how far it was read for this project."""

    document: Words
    version_date: Words
    """`unknown` where it is not known; never guessed."""
    date_checked: Annotated[date | None, Field(strict=False)] = None
    checked: Words = "not checked"

    @model_validator(mode="after")
    def _says_how_and_when(self) -> Source:
        known = ("source text read", "not checked")
        if self.checked not in known and not SECOND_HAND.fullmatch(self.checked):
            raise ValueError(
                "checked must be 'source text read', 'second-hand copy (address, date)' or "
                "'not checked'"
            )
        if (self.checked == "not checked") != (self.date_checked is None):
            raise ValueError("date_checked stands if and only if the source was checked")
        return self


class DoseRange(_Strict):
    """The range of one dose by one route in one population; beyond it a reason is asked."""

    population: Literal["adult", "child", "neonate"] = "adult"
    route: Words
    dose: Annotated[list[Positive], Field(min_length=2, max_length=2)]
    """Lowest and highest single dose, in `unit`."""
    unit: Words
    daily: Positive
    """Highest dose a day, in `unit`; for a weekly medicine, the dose of its day."""
    usual: Words
    """As a chart shows it, for the first thing the medicine is used for: `5 mg once daily`."""
    start: Words | None = None
    """The first prescription, where nobody begins with the usual dose."""
    indication: Words | None = None
    source: Key
    section: Words

    @field_validator("unit")
    @classmethod
    def _unit_is_known(cls, unit: str) -> str:
        bare = unit.removesuffix("/h").removesuffix("/kg")
        if bare not in DOSE_UNITS:
            raise ValueError(f"unit must be one of {', '.join(DOSE_UNITS)}, or one of them /kg, /h")
        return unit

    @field_validator("route")
    @classmethod
    def _route_is_known(cls, route: str) -> str:
        if route not in ROUTES:
            raise ValueError(f"route must be one of {', '.join(ROUTES)}")
        return route

    @model_validator(mode="after")
    def _is_a_range(self) -> DoseRange:
        low, high = self.dose
        if not low <= high <= self.daily:
            raise ValueError(f"wanted lowest {low} <= highest {high} <= daily {self.daily}")
        return self


class Drug(_Strict):
    """A medicine, by its international nonproprietary name."""

    atc: Annotated[list[Atc], Field(min_length=1)]
    national: dict[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], Words] = {}
    """National nonproprietary names where they differ, by ISO 3166 code: `US: acetaminophen`."""
    brands: list[Words] = []
    used_for: Annotated[list[Words], Field(min_length=1)]
    doses: Annotated[list[DoseRange], Field(min_length=1)]


class _Fact(_Strict):
    """What every fact holds."""

    drug: Words
    source: Key
    section: Words
    """`unknown` only when the source is `not checked`."""
    monitor: Words | None = None
    """What to watch, as words that follow `Monitor`."""


class Interaction(_Fact):
    """Two medicines together, whichever was there first."""

    kind: Literal["interaction"]
    other: Words
    """A medicine, or a class as `class: nsaids`."""
    severity: Literal["contraindicated", "major", "moderate", "none"]
    """`none`: a pair often feared that needs no change."""
    mechanism: Words
    action: Words


class _KidneyOrLiver(_Fact):
    decision: Decision
    dose: Words | None = None
    """The dose that then holds, in words with units; wanted where the decision is `reduce`."""
    why: Words

    @model_validator(mode="after")
    def _reduced_to_what(self) -> _KidneyOrLiver:
        if self.decision == "reduce" and self.dose is None:
            raise ValueError("a reduced dose says to what: add `dose`")
        return self


class Renal(_KidneyOrLiver):
    """What holds in a band of kidney function, lower end included; without ends, in any."""

    kind: Literal["renal"]
    measure: Literal["creatinine clearance", "eGFR"]
    """In mL/min; in mL/min/1.73 m2."""
    at_least: Annotated[float, Field(ge=0)] = 0
    below: Positive | None = None

    @model_validator(mode="after")
    def _is_a_band(self) -> Renal:
        if self.below is not None and self.below <= self.at_least:
            raise ValueError(f"below {self.below} is not above at_least {self.at_least}")
        return self


class Hepatic(_KidneyOrLiver):
    """What holds in a Child-Pugh class."""

    kind: Literal["hepatic"]
    child_pugh: Annotated[list[Literal["A", "B", "C"]], Field(min_length=1)]


class Allergy(_Fact):
    """Whether a medicine may be given after a reaction to another."""

    kind: Literal["allergy"]
    allergic_to: Words
    reaction: Literal["immediate", "angioedema", "severe delayed", "mild delayed", "any"]
    decision: Literal["avoid", "may use"]
    why: Words
    instead: Words | None = None


class Pregnancy(_Fact):
    """What holds in pregnancy."""

    kind: Literal["pregnancy"]
    period: Literal["any", "first trimester", "second trimester on", "third trimester"]
    decision: Exposure
    why: Words
    action: Words


class Lactation(_Fact):
    """What holds while breastfeeding."""

    kind: Literal["lactation"]
    decision: Exposure
    why: Words
    action: Words


class OlderAdult(_Fact):
    """What holds from 65 years on, with a condition or in anybody."""

    kind: Literal["older_adult"]
    condition: Words
    """`any`, or what the patient has: `falls`."""
    decision: Literal["avoid", "caution"]
    why: Words
    action: Words


class Paediatric(_Fact):
    """A weight-based range in children, or an age below which the medicine is avoided."""

    kind: Literal["paediatric"]
    from_months: Annotated[float, Field(ge=0)]
    to_months: Positive
    decision: Literal["avoid", "dose"]
    indication: Words
    route: Words | None = None
    per_kg: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    """Lowest and highest single dose, in `unit`."""
    unit: Words | None = None
    times_daily: Annotated[int, Field(ge=1)] | None = None
    """The most often in a day."""
    max_single: Words | None = None
    why: Words

    @model_validator(mode="after")
    def _is_whole(self) -> Paediatric:
        numbers = (self.per_kg, self.unit, self.times_daily, self.route)
        if self.decision == "dose" and None in numbers:
            raise ValueError("a dose needs route, per_kg, unit and times_daily")
        if self.decision == "avoid" and any(number is not None for number in numbers[:3]):
            raise ValueError("a medicine to avoid has no per_kg, unit or times_daily")
        if self.from_months >= self.to_months:
            raise ValueError(f"from_months {self.from_months} is not below {self.to_months}")
        if self.per_kg is not None and self.per_kg[0] > self.per_kg[1]:
            raise ValueError(f"per_kg {self.per_kg} is not lowest, highest")
        return self


class Qt(_Fact):
    """How far a medicine prolongs the QT interval."""

    kind: Literal["qt"]
    risk: Literal["known", "possible", "conditional", "not listed"]
    """CredibleMeds' categories."""
    why: Words
    action: Words


class HighAlert(_Fact):
    """A rule for a medicine with which slips kill."""

    kind: Literal["high_alert"]
    wrong_plan: Words
    """An order that breaks the rule, as a chart would show it."""
    right_plan: Words
    """The nearest order that keeps it."""
    rule: Words
    why: Words


Fact = Annotated[
    Interaction | Renal | Hepatic | Allergy | Pregnancy | Lactation | OlderAdult | Paediatric
    | Qt | HighAlert,
    Field(discriminator="kind"),
]  # fmt: skip


class ClassFile(_Strict):
    """One file."""

    schema_: Literal["safemed.drug-facts/1"] = Field(alias="schema")
    class_: Key = Field(alias="class")
    title: Words
    sources: dict[Key, Source]
    drugs: dict[Words, Drug]
    facts: list[Fact]
