"""An ablation's TOML: one recipe, conditions that each take something away, several seeds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import TrainingError
from model.strict import Fields


@dataclass(frozen=True, slots=True)
class Condition:
    """One way to train."""

    name: str
    without: tuple[str, ...]
    """Kinds of rows that are left out of SFT."""
    train: Path | None
    """Other rows for SFT, such as those before CTS filtering; the recipe's own if None."""
    grpo: bool
    """Whether GRPO follows."""


@dataclass(frozen=True, slots=True)
class Ablation:
    """Every condition is trained with every seed, and asked the same rows."""

    name: str
    sft: Path
    grpo: Path | None
    measure: Path
    """Rows that state a decision and were trained on by no condition."""
    seeds: tuple[int, ...]
    max_tokens: int
    """Of an answer when measuring."""
    conditions: tuple[Condition, ...]
    """The others are compared with the first."""
    as_written: dict[str, Any]


def read_ablation(path: Path) -> Ablation:
    """Read an ablation's TOML.

    Raises:
        TrainingError: If it is not TOML, a key is unknown, missing or of the wrong type, or the
            conditions cannot be compared.
    """
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} is not readable TOML: {error}") from error
    fields, here = Fields(written, path.name, TrainingError), path.parent
    grpo = fields.take("grpo", str, default=None)
    ablation = Ablation(
        name=fields.take("name", str),
        sft=(here / fields.take("sft", str)).resolve(),
        grpo=(here / grpo).resolve() if grpo else None,
        measure=(here / fields.take("measure", str)).resolve(),
        seeds=tuple(fields.take("seeds", list)),
        max_tokens=fields.take("max_tokens", int, default=320),
        conditions=tuple(
            _condition(one, here, bool(grpo)) for one in fields.take("condition", list)
        ),
        as_written=written,
    )
    fields.finish()
    _check(ablation, path.name)
    return ablation


def _condition(written: object, here: Path, has_grpo: bool) -> Condition:
    fields = Fields(written, "[[condition]]", TrainingError)
    train = fields.take("train", str, default=None)
    condition = Condition(
        fields.take("name", str),
        tuple(fields.take("without", list, default=[])),
        (here / train).resolve() if train else None,
        fields.take("grpo", bool, default=has_grpo),
    )
    fields.finish()
    if condition.grpo and not has_grpo:
        raise TrainingError(f"condition {condition.name!r} asks for GRPO, and no `grpo` is named")
    return condition


def _check(ablation: Ablation, where: str) -> None:
    names = [condition.name for condition in ablation.conditions]
    if len(names) < 2 or len(set(names)) < len(names):
        raise TrainingError(f"{where}: conditions are two or more, each named once; got {names}")
    seeds = ablation.seeds
    whole = all(isinstance(seed, int) and not isinstance(seed, bool) for seed in seeds)
    if not whole or len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise TrainingError(
            f"{where}: seeds are two or more whole numbers, each once; got {list(seeds)}. One run "
            "says nothing about how far runs differ"
        )
