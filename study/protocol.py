"""The study protocol: one strict YAML file read into frozen classes; unknown keys are errors."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from study.canonical import canonical, sha256_hex
from study.errors import ProtocolError
from study.faults import faults_in_words
from study.protocol_trial import (
    AdjudicationRule,
    CalibrationRule,
    Consent,
    Harm,
    Name,
    Repeats,
    SecondPass,
    Strict,
    Words,
)


class Arm(Strict):
    """A group being compared."""

    id: Name
    kind: Literal["clinicians", "model"]
    label: Words
    n_respondents: Annotated[int, Field(ge=1)]
    strata: list[Words] = Field(default_factory=list)
    checkpoint: Words | None = None
    """Of a model: what identifies it, frozen before it sees a vignette; responses of another are
    refused."""

    @model_validator(mode="after")
    def _one_checkpoint_is_one_respondent(self) -> Arm:
        if self.kind == "model" and self.n_respondents != 1:
            raise ValueError("a model arm has one respondent: give each checkpoint its own arm")
        return self


class Contrast(Strict):
    """Every difference is the first arm minus the second."""

    first: Name
    second: Name


class Margin(Strict):
    """A difference too small to matter; without one nothing can be called similar."""

    points: Annotated[float, Field(gt=0)]
    """Rubric points."""
    reason: Words


class Conditions(Strict):
    """What both arms are held to."""

    references_allowed: bool
    ai_assistance_allowed: bool
    max_words: Annotated[int, Field(ge=20)] | None
    time_limit_minutes: Annotated[int, Field(ge=1)] | None
    one_sitting: bool
    attestation: bool = False
    """Whether clinicians confirm, at each sitting, that the conditions were kept."""
    record_conduct: bool = False
    """Whether pastes and looks away are counted, with consent; raters never see the counts."""


class Answering(Strict):
    """How vignettes are answered."""

    order: Literal["random", "declared", "williams"]
    """From a sealed seed an own random order for each clinician, or rows of a Williams square;
    or the order of `vignettes`."""
    confidence: bool
    """Whether clinicians say how sure they are, 1 to 5."""
    vignettes_each: Annotated[int, Field(ge=1)] | None = None
    """How many each clinician answers; None for all of them."""


class Masking(Strict):
    """Which masking rules run; each change is recorded, no clinical word is changed."""

    rules: list[Literal["layout", "typography", "salutation", "self_identification"]]


class Scale(Strict):
    """An ordinal scale in rubric points."""

    minimum: int
    maximum: int
    direction: Literal["higher_is_better", "lower_is_better"]

    @model_validator(mode="after")
    def _has_room(self) -> Scale:
        if self.minimum >= self.maximum:
            raise ValueError(f"minimum {self.minimum} is not below maximum {self.maximum}")
        return self


class Dimension(Strict):
    """One thing raters score, with every point of the scale in words."""

    id: Name
    label: Words
    question: Words
    scale: Scale
    anchors: dict[int, Words]

    @model_validator(mode="after")
    def _every_point_is_worded(self) -> Dimension:
        points = set(range(self.scale.minimum, self.scale.maximum + 1))
        if set(self.anchors) != points:
            raise ValueError(
                f"anchors must word each of {sorted(points)}; got {sorted(self.anchors)}"
            )
        return self


class RatingDesign(Strict):
    """Who rates what, on which dimensions."""

    n_raters: Annotated[int, Field(ge=1)]
    raters_per_response: Annotated[int, Field(ge=1)]
    dimensions: Annotated[list[Dimension], Field(min_length=1)]
    order: Literal["random", "williams"] = "random"
    exclude_own_site: bool = False
    """Whether nobody rates an answer from the own site; one's own answer nobody ever rates."""
    comment_at: list[int] = Field(default_factory=list)
    """Scores that need a comment."""
    repeats: Repeats | None = None
    calibration: CalibrationRule | None = None
    harm: Harm | None = None
    second_pass: SecondPass | None = None
    adjudication: AdjudicationRule | None = None

    @model_validator(mode="after")
    def _enough_raters(self) -> RatingDesign:
        if self.raters_per_response > self.n_raters:
            raise ValueError(
                f"{self.raters_per_response} ratings per response need as many raters; "
                f"n_raters is {self.n_raters}"
            )
        _each_once([dimension.id for dimension in self.dimensions], "dimension")
        return self


class Estimand(Strict):
    """What is estimated, and the rule for every intercurrent event (ICH E9(R1), A.3)."""

    population: Words
    contrast: Words
    endpoint: Words
    summary: Words
    intercurrent_events: dict[Name, Words]


class Primary(Strict):
    """The declared family of primary endpoints."""

    family: Annotated[list[Name], Field(min_length=1)]
    correction: Literal["holm"]


class AnalysisSettings(Strict):
    """What the analysis plan leaves to the protocol."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    zeros: Literal["pratt", "wilcoxon"]
    n_resamples: Annotated[int, Field(ge=100)]
    seed: Annotated[int, Field(ge=0)]
    """Of the bootstraps; the allocation's seeds are sealed and never here."""


class Identifiers(Strict):
    """Who answers for the study; each says `none` and why where there is none."""

    ethics: Words
    registry: Words
    sponsor: Words
    conflicts_of_interest: Words
    funding: Words | None = None
    retention: Words | None = None
    """How long records are kept, and where."""


class Protocol(Strict):
    """A whole protocol. Registering freezes its digest."""

    schema_: Literal["safemed.protocol/1"] = Field(alias="schema")
    protocol_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    version: Annotated[int, Field(ge=1)]
    title: Words
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    jurisdiction: Words
    banner: Words | None
    """One sentence shown, the same, on every page of the study; it names no arm."""
    arms: Annotated[list[Arm], Field(min_length=2)]
    contrast: Contrast
    contrasts: list[Contrast] = Field(default_factory=list)
    """Further declared pairs of arms; with the main one they make one family."""
    margin: Margin | None = None
    vignettes: Annotated[list[str], Field(min_length=1)]
    instruction: Words
    """The same words for people and for the model."""
    conditions: Conditions
    answering: Answering
    masking: Masking
    rating: RatingDesign
    estimand: Estimand
    primary: Primary
    analysis: AnalysisSettings
    identifiers: Identifiers
    sites: list[Name] = Field(default_factory=list)
    consent: Consent | None = None

    @model_validator(mode="after")
    def _names_meet(self) -> Protocol:
        arms = [arm.id for arm in self.arms]
        _each_once(arms, "arm")
        _each_once(self.vignettes, "vignette")
        _each_once(self.sites, "site")
        each = self.answering.vignettes_each
        if each is not None and each > len(self.vignettes):
            raise ValueError(
                f"answering.vignettes_each is {each}, but there are {len(self.vignettes)} vignettes"
            )
        if self.conditions.record_conduct and self.consent is None:
            raise ValueError(
                "conditions.record_conduct counts what clinicians do, which needs their consent; "
                "add `consent`, or set it false"
            )
        if self.rating.exclude_own_site and not self.sites:
            raise ValueError("rating.exclude_own_site needs `sites`; list them, or set it false")
        for contrast in (self.contrast, *self.contrasts):
            for side in (contrast.first, contrast.second):
                if side not in arms:
                    raise ValueError(f"contrast names the arm {side!r}; the arms are {arms}")
            if contrast.first == contrast.second:
                raise ValueError(f"contrast compares {contrast.first!r} with itself")
        _each_once(
            [f"{c.first} - {c.second}" for c in (self.contrast, *self.contrasts)], "contrast"
        )
        dimensions = [dimension.id for dimension in self.rating.dimensions]
        for name in self.primary.family:
            if name not in dimensions:
                raise ValueError(f"primary.family names {name!r}; the dimensions are {dimensions}")
        return self

    def arm(self, arm_id: str) -> Arm:
        """The arm of that id."""
        return next(arm for arm in self.arms if arm.id == arm_id)

    def as_json(self) -> dict[str, Any]:
        """The protocol as plain values, keys as in the file."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def sha256(self) -> str:
        """Digest of the canonical bytes; what registration freezes."""
        return sha256_hex(canonical(self.as_json()))


def load_protocol(path: Path, *, vignettes_present: set[str] | None = None) -> Protocol:
    """Read a protocol file.

    Args:
        path: A YAML file.
        vignettes_present: Ids of the vignettes at hand; those listed must be among them.

    Raises:
        ProtocolError: With every fault at once, each with its path, the value and the remedy.
    """
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProtocolError(f"there is no protocol file {path}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path} is not readable YAML: {error}") from error
    return parse_protocol(written, name=path.name, vignettes_present=vignettes_present)


def parse_protocol(
    written: object, *, name: str = "protocol", vignettes_present: set[str] | None = None
) -> Protocol:
    """Check plain values against the protocol's schema.

    Raises:
        ProtocolError: With every fault at once.
    """
    if not isinstance(written, dict):
        raise ProtocolError(f"{name}: a protocol is a mapping of keys to values; got {written!r}")
    try:
        # JSON turns the anchors' integer keys into text; they come back as integers.
        protocol = Protocol.model_validate(_integer_anchor_keys(written))
    except ValidationError as error:
        raise ProtocolError(f"{name} cannot be used:\n{faults_in_words(error)}") from error
    if vignettes_present is not None:
        missing = [v for v in protocol.vignettes if v not in vignettes_present]
        if missing:
            raise ProtocolError(
                f"{name} cannot be used:\n- vignettes: {', '.join(missing)} not found; there are "
                f"{', '.join(sorted(vignettes_present)) or 'none'}. Add the file or take it off "
                "the list"
            )
    return protocol


def _integer_anchor_keys(written: dict[str, Any]) -> dict[str, Any]:
    rating = written.get("rating")
    if not isinstance(rating, dict) or not isinstance(rating.get("dimensions"), list):
        return written
    dimensions = [
        {**d, "anchors": {_as_integer(k): v for k, v in d["anchors"].items()}}
        if isinstance(d, dict) and isinstance(d.get("anchors"), dict)
        else d
        for d in rating["dimensions"]
    ]
    return {**written, "rating": {**rating, "dimensions": dimensions}}


def _as_integer(key: object) -> object:
    return int(key) if isinstance(key, str) and key.lstrip("-").isdigit() else key


def _each_once(names: list[str], what: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{what} {', '.join(twice)} is listed more than once")
