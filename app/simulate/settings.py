"""The declared assumptions of a simulation, read from one strict YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SimulationError(Exception):
    """The simulation's settings cannot be used."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Spread = Annotated[float, Field(ge=0)]


class Declared(_Strict):
    """What the planted scores of one dimension amount to, over many studies of 30 vignettes."""

    mean_difference: float
    """Model minus residents, in rubric points; 0 is no effect."""
    r: float
    """Signed-rank Z over the root of the number of pairs; 0 is no effect."""


class DimensionSettings(_Strict):
    """How the scores of one dimension are drawn; all in rubric points before rounding."""

    declared: Declared
    centre: float
    """Latent mean of the residents' responses."""
    shift: float
    """Added to the model's latent scores."""


class Spreads(_Strict):
    """Standard deviations of the latent parts."""

    vignette: Spread
    """How hard a vignette is, for both arms."""
    vignette_by_arm: Spread
    """How differently a vignette falls out for the two arms."""
    respondent: Spread
    """Skill of a resident."""
    response: Spread
    """One answer, beyond its vignette and respondent."""
    rater: Spread
    """Leniency of a rater."""
    noise: Spread
    """One score."""


class SimulationSettings(_Strict):
    """A declared simulation."""

    schema_: Literal["safemed.simulation/1"] = Field(alias="schema")
    statement: str
    """What is planted, in words; printed wherever the scores are used."""
    spreads: Spreads
    dimensions: dict[str, DimensionSettings]


def load_settings(path: Path) -> SimulationSettings:
    """Read the settings.

    Raises:
        SimulationError: Naming the file and every fault.
    """
    try:
        return SimulationSettings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise SimulationError(f"{path} cannot be used as simulation settings: {error}") from error
