"""A vignette: the one text shown to people and models, its structured chart, and the hidden key.

The text is lines; a line that starts with one of `HEADINGS` and a colon opens a section, and the
lines after it belong to that section. Screens set the headings; nobody changes the words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from study.canonical import canonical, sha256_hex
from study.errors import VignetteError
from study.faults import faults_in_words

HEADINGS = ("Setting", "Patient", "Problem", "Medicines", "Results", "Plan")
Category = Literal[
    "interaction", "renal", "hepatic", "allergy", "pregnancy", "lactation", "paediatric",
    "older adult", "high alert", "QT", "monitoring", "perioperative", "transition",
    "pharmacogenomics",
]  # fmt: skip
Words = Annotated[str, Field(min_length=1)]
VignetteId = Annotated[str, Field(pattern=r"^V\d{2}$")]
SECOND_HAND = re.compile(r"second-hand copy \(\S+, \d{4}-\d{2}-\d{2}\)")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Stimulus(_Strict):
    """What is shown, in one language."""

    text: Words
    question: Words


class Allergy(_Strict):
    """An allergy entry; each value stands verbatim in the text."""

    agent: Words
    reaction: Words | None = None
    date: Words | None = None
    severity: Words | None = None


class Medicine(_Strict):
    """A medicine; each value stands verbatim in the text."""

    name: Words
    dose: Words
    frequency: Words
    route: Words | None = None
    since: Words | None = None


class Result(_Strict):
    """A result; `value` and `second_value` carry their units and stand verbatim in the text."""

    name: Words
    value: Words
    second_value: Words | None = None
    flag: Literal["H", "L"] | None = None
    when: Words | None = None
    trend: Words | None = None


class Chart(_Strict):
    """The structured chart behind the text; every value stands verbatim in the text."""

    setting: Words
    age: Words
    sex: Words
    weight: Words
    height: Words
    pregnancy: Words | None = None
    lactation: Words | None = None
    allergies: list[Allergy]
    medicines: list[Medicine]
    planned: list[Medicine]
    """What the plan orders, each as a medicine."""
    results: list[Result]
    plan: Words


class Provenance(_Strict):
    """Where a key point comes from, and how far that was checked."""

    document: Words
    section: Words
    version_date: Words
    # Files and canonical JSON write a date as text, which strict reading would refuse.
    date_checked: Annotated[date | None, Field(strict=False)]
    checked: Words

    @field_validator("checked")
    @classmethod
    def _says_how(cls, value: str) -> str:
        known = ("source text read", "not checked")
        if value not in known and not SECOND_HAND.fullmatch(value):
            raise ValueError(
                "must be 'source text read', 'second-hand copy (address, date)' or 'not checked'"
            )
        return value


class KeyPoint(_Strict):
    """One atomic yes-or-no statement of the key."""

    id: Words
    kind: Literal["must", "should", "bonus", "critical_error"]
    statement: Words
    weight: Annotated[int, Field(ge=1)]
    equivalents: list[Words] = []
    """Each counts as the point itself: any one is enough, for a critical error too."""
    provenance: Annotated[list[Provenance], Field(min_length=1)]


class Derived(_Strict):
    """A number behind the key, recomputed from the chart by a formula of `study.formulas`."""

    quantity: Words
    formula: Words
    of: dict[str, Words]
    """The formula's inputs, each as the text writes it."""
    value: Words
    """Rounded as written, with its unit."""
    printed: bool
    """Whether the text shows it; what it does not show, it must not show by accident."""


class Compared(_Strict):
    """A quantity beside the threshold that decides the key."""

    quantity: Words
    """One of `derived`, or what the chart calls it."""
    value: Words
    threshold: Words
    close_because: Words | None = None
    """Why the value may lie within 20 % of the threshold."""


class Deciding(_Strict):
    """What decides the key."""

    explained: Words
    compared: list[Compared]
    """Empty where no number decides."""


class Hidden(_Strict):
    """What neither people nor models nor raters see before the second pass."""

    category: Category
    high_alert_class: Words | None
    ncc_merp_harm_if_missed: Literal["A", "B", "C", "D", "E", "F", "G", "H", "I"]
    difficulty: Literal["low", "medium", "high"]
    plan_appropriate: bool
    """A GO vignette: the plan proposed is right, so over-caution is measured too."""
    key_points: Annotated[list[KeyPoint], Field(min_length=4)]
    not_penalised: list[Words]
    decoys: list[Words]
    derived: list[Derived]
    deciding: Deciding
    dose_reasons: dict[str, Words]
    """Why a medicine's dose lies outside the drug facts' range, by its name in the chart."""
    forbidden_words: list[Words]
    """Derived values and hazard-naming words that the text must not hold."""


class Vignette(_Strict):
    """One vignette."""

    schema_: Literal["safemed.vignette/2"] = Field(alias="schema")
    vignette_id: VignetteId
    version: Annotated[int, Field(ge=1)]
    title: Words
    jurisdiction: Words
    texts: dict[str, Stimulus]
    chart: Chart
    hidden: Hidden
    declared_cues: list[VignetteId]
    """Vignettes, shipped or planned, that this one cues: they stand apart in every order."""

    def stimulus(self, language: str) -> str:
        """The whole text shown: the case, a blank line, the question."""
        words = self.texts[language]
        return f"{words.text.strip()}\n\n{words.question.strip()}"

    def text_sha256(self, language: str) -> str:
        """Digest of the stimulus."""
        return sha256_hex(self.stimulus(language).encode())

    def as_json(self) -> dict[str, Any]:
        """The vignette as plain values, keys as in the file."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def sha256(self) -> str:
        """Digest of the canonical bytes of the whole vignette."""
        return sha256_hex(canonical(self.as_json()))

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Vignette:
        """The vignette of plain values.

        Raises:
            VignetteError: Naming every fault.
        """
        try:
            return cls.model_validate(written)
        except ValidationError as error:
            raise VignetteError(f"vignette cannot be used:\n{faults_in_words(error)}") from error


def load_vignette(path: Path) -> Vignette:
    """Read one vignette file.

    Raises:
        VignetteError: With every fault at once, naming the file, the path within it and the value.
    """
    try:
        return Vignette.from_json(yaml.safe_load(path.read_text(encoding="utf-8")))
    except VignetteError as error:
        raise VignetteError(f"{path.name}: {error}") from error
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise VignetteError(f"{path} is not readable YAML: {error}") from error


def load_vignettes(directory: Path) -> dict[str, Vignette]:
    """Every vignette of a directory by id, sorted.

    Raises:
        VignetteError: If there is none, two share an id, or a file cannot be used; all files'
            faults at once.
    """
    found: dict[str, Vignette] = {}
    faults: list[str] = []
    for path in sorted(directory.glob("*.yaml")):
        try:
            vignette = load_vignette(path)
        except VignetteError as error:
            faults.append(str(error))
            continue
        if vignette.vignette_id in found:
            faults.append(f"{path.name}: {vignette.vignette_id} is used by another file already")
        found[vignette.vignette_id] = vignette
    if faults:
        raise VignetteError("\n".join(faults))
    if not found:
        raise VignetteError(f"{directory} holds no vignette (*.yaml); name a directory that does")
    return dict(sorted(found.items()))
