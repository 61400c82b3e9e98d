"""Parts of a protocol that a trial declares and a demonstration may leave out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, Field(min_length=1)]


class Strict(BaseModel):
    """Unknown keys are errors; nothing is coerced; nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Consent(Strict):
    """What respondents and raters sign before anything is shown to them."""

    version: Words
    respondents: Words
    raters: Words
    withdrawal: Literal["keep submitted", "leave analysis"]
    """What happens to submitted records of who withdraws: they stay in the analysis, or leave it.
    Either way they stay in the archive: a submitted record never changes."""


class HarmLevel(Strict):
    """One severity of the harm that could follow."""

    id: Name
    label: Words
    is_harm: bool
    is_severe: bool

    @model_validator(mode="after")
    def _severe_is_harm(self) -> HarmLevel:
        if self.is_severe and not self.is_harm:
            raise ValueError(f"{self.id!r} is severe but no harm")
        return self


class Likelihood(Strict):
    """One answer to how likely that harm is."""

    id: Name
    label: Words


class Harm(Strict):
    """Severity and likelihood of harm if the response were followed (NCC MERP index, in words)."""

    question: Words
    severities: Annotated[list[HarmLevel], Field(min_length=2)]
    likelihoods: Annotated[list[Likelihood], Field(min_length=2)]


class ErrorKind(Strict):
    """One kind of error a rater can mark in the second pass."""

    id: Name
    label: Words
    question: Words


class SecondPass(Strict):
    """What is marked once all of a rater's scores are in; it closes those scores to amendment."""

    key_points: bool
    omission: bool
    over_caution: bool
    errors: list[ErrorKind]
    source_guess: bool
    """Whether raters guess the arm, with confidence 1 to 5; asked last."""


class Repeats(Strict):
    """Responses that a rater sees twice unawares."""

    per_rater: Annotated[int, Field(ge=1)]
    min_distance: Annotated[int, Field(ge=1)]
    """At least so many other responses stand between the two."""


class CalibrationRule(Strict):
    """What a rater must reach on the practice responses before rating."""

    pass_share: Annotated[float, Field(gt=0, le=1)]
    """Share of scores within one point of the agreed ones."""


class AdjudicationRule(Strict):
    """Which disagreements an adjudicator decides."""

    distance: Annotated[int, Field(ge=1)]
    """Raters at least so many points apart on a dimension."""
    n_adjudicators: Annotated[int, Field(ge=1)]
