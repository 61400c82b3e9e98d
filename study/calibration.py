"""What raters practise on: an example for each anchor, and responses with scores and reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from study.errors import CalibrationError, ProtocolError
from study.faults import faults_in_words
from study.protocol import Dimension, Protocol
from study.protocol_trial import Name, Strict
from study.vignette import Vignette, VignetteId, load_vignettes

Words = Annotated[str, Field(min_length=1)]


class ScoredResponse(Strict):
    """A response with a score and a reason on every dimension."""

    vignette_id: VignetteId
    response: Words
    scores: dict[Name, int]
    """Rubric points."""
    reasons: dict[Name, Words]
    agreed_by: Words | None
    """Which experts agreed on the scores; None while nobody has."""
    agreed_on: Annotated[date | None, Field(strict=False)]


class Calibration(Strict):
    """The whole file."""

    schema_: Literal["safemed.calibration/1"] = Field(alias="schema")
    examples_from: VignetteId
    examples: dict[Name, dict[int, Words]]
    """By dimension and score, what a response to that vignette might say."""
    responses: Annotated[list[ScoredResponse], Field(min_length=1)]


def load_calibration(
    directory: Path, protocol: Protocol
) -> tuple[Calibration, dict[str, Vignette]]:
    """Read `calibration.yaml` and the vignettes beside it.

    Args:
        directory: Holds `calibration.yaml` and `vignettes/`.
        protocol: Whose dimensions are practised.

    Raises:
        CalibrationError: With every fault at once.
        VignetteError: If a vignette cannot be used.
    """
    path = directory / "calibration.yaml"
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        calibration = Calibration.model_validate(written)
    except ValidationError as error:
        raise CalibrationError(f"{path.name}:\n{faults_in_words(error)}") from error
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise CalibrationError(f"{path} is not readable YAML: {error}") from error
    vignettes = load_vignettes(directory / "vignettes")
    faults = _faults(calibration, vignettes, protocol)
    if faults:
        raise CalibrationError(f"{path.name} cannot be used:\n- " + "\n- ".join(faults))
    return calibration, vignettes


def _faults(
    calibration: Calibration, vignettes: Mapping[str, Vignette], protocol: Protocol
) -> list[str]:
    faults = []
    used = [calibration.examples_from, *(r.vignette_id for r in calibration.responses)]
    faults += [f"there is no vignette {name} beside it" for name in used if name not in vignettes]
    faults += [
        f"{name} is among the vignettes of {protocol.protocol_id}: calibrate on others"
        for name in used
        if name in protocol.vignettes
    ]
    for dimension in protocol.rating.dimensions:
        examples = calibration.examples.get(dimension.id, {})
        missing = sorted(set(_points(dimension)) - set(examples))
        if missing:
            faults.append(f"examples.{dimension.id}: no example for {missing}")
        for response in calibration.responses:
            score = response.scores.get(dimension.id)
            if score not in _points(dimension) or dimension.id not in response.reasons:
                faults.append(
                    f"the response to {response.vignette_id} has no score within the scale, or "
                    f"no reason, for {dimension.id} (score {score!r})"
                )
    return faults


def practice_of(
    calibration: Calibration, vignettes: Mapping[str, Vignette], protocol: Protocol
) -> dict[str, Any]:
    """What a registration freezes of it: by item, the words shown, agreed scores and reasons.

    Key points of the practice vignettes stay out: nobody is shown them.
    """
    dimensions = [dimension.id for dimension in protocol.rating.dimensions]
    items = {}
    for number, response in enumerate(calibration.responses, start=1):
        words = vignettes[response.vignette_id].texts[protocol.language]
        items[f"P{number:02d}"] = {
            "vignette_id": response.vignette_id,
            "text": words.text,
            "question": words.question,
            "response": response.response.strip(),
            "scores": {name: response.scores[name] for name in dimensions},
            "reasons": {name: response.reasons[name] for name in dimensions},
            "agreed_by": response.agreed_by,
            "agreed_on": response.agreed_on.isoformat() if response.agreed_on else None,
        }
    return items


def check_practice(protocol: Protocol, practice: Mapping[str, Any] | None) -> None:
    """Refuse a protocol that asks for calibration on dimensions that nothing registered practises.

    Raises:
        ProtocolError: Naming what is missing.
    """
    if protocol.rating.calibration is None:
        return
    if not practice:
        raise ProtocolError(
            "rating.calibration asks raters to practise, and nothing to practise on is registered "
            "with the study; name its directory with --calibration when registering"
        )
    dimensions = {dimension.id for dimension in protocol.rating.dimensions}
    for item, shown in practice.items():
        missing = dimensions - set(shown["scores"])
        if missing:
            raise ProtocolError(
                f"rating.calibration: practice response {item} has no agreed score for "
                f"{', '.join(sorted(missing))}"
            )


def rubric_tables(calibration: Calibration, protocol: Protocol) -> str:
    """The rubric with an example for every point, then the scored responses, as Markdown."""
    parts = [
        f"### {d.label}\n\n{d.question}\n\n" + _anchors(d, calibration.examples[d.id])
        for d in protocol.rating.dimensions
    ]
    parts += [_scored(response, protocol) for response in calibration.responses]
    return "\n".join(parts)


def _anchors(dimension: Dimension, examples: Mapping[int, str]) -> str:
    rows = "".join(
        f"| {point} | {dimension.anchors[point]} | {examples[point]} |\n"
        for point in _points(dimension)
    )
    return f"| score | anchor | a response that would get it |\n| --- | --- | --- |\n{rows}"


def _scored(response: ScoredResponse, protocol: Protocol) -> str:
    rows = "".join(
        f"| {d.label} | {response.scores[d.id]} | {response.reasons[d.id]} |\n"
        for d in protocol.rating.dimensions
    )
    agreed = (
        f"Agreed by {response.agreed_by} on {response.agreed_on}."
        if response.agreed_by
        else "No clinician has agreed on these scores yet."
    )
    return (
        f"### A response to {response.vignette_id}\n\n> {response.response.strip()}\n\n"
        f"| dimension | score | why |\n| --- | --- | --- |\n{rows}\n{agreed}\n"
    )


def _points(dimension: Dimension) -> range:
    return range(dimension.scale.minimum, dimension.scale.maximum + 1)
