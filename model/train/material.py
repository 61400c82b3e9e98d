"""What nano's rows hold beside the drug facts: bystanders, histories, requests; read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from model.errors import TrainingError
from model.strict import Fields

SCHEMA = "safemed.corpus-material/1"


@dataclass(frozen=True, slots=True)
class Request:
    """A request without a chart, and the answer to it."""

    asked: str
    answer: str


@dataclass(frozen=True, slots=True)
class Material:
    """The whole file."""

    bystanders: tuple[str, ...]
    """Medicines that change nothing, as a chart shows them."""
    history: tuple[str, ...]
    """Sentences that change nothing."""
    afterthoughts: tuple[str, ...]
    """What may stand after the plan."""
    refusals: tuple[Request, ...]
    """Requests that would harm or deceive."""
    look_alikes: tuple[Request, ...]
    """Requests that sound like those, and deserve an answer."""
    vocabulary: tuple[str, ...]
    """Words of plain clinical English, strewn in so that no word of a chart is quite unknown."""


def read_material(path: Path, plain: Path) -> Material:
    """Read the material.

    Args:
        path: The file.
        plain: Plain clinical English, for its words.

    Raises:
        TrainingError: Naming the place and the value.
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
    bystanders, history, afterthoughts = (
        tuple(fields.take(name, list)) for name in ("bystanders", "history", "afterthoughts")
    )
    refusals, look_alikes = (
        tuple(_request(name, value) for value in fields.take(name, list))
        for name in ("refusals", "look_alikes")
    )
    fields.finish()
    return Material(bystanders, history, afterthoughts, refusals, look_alikes, tuple(sorted(words)))


def _request(where: str, value: Any) -> Request:
    fields = Fields(value, where, TrainingError)
    request = Request(fields.take("asked", str), fields.take("answer", str))
    fields.finish()
    return request
