"""A GRPO run's TOML, read strictly into frozen classes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import TrainingError
from model.strict import Fields
from model.train.rewards import REWARDS


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """Who scores safety, if not the rule."""

    endpoint: str
    model: str
    timeout_s: float


@dataclass(frozen=True, slots=True)
class GrpoConfig:
    """One run of GRPO."""

    name: str
    stand_in: bool
    seed: int
    threads: int
    device: str
    base: Path
    """The checkpoint that SFT left."""
    prompts: Path
    held_out: Path
    """Prompts of the same kinds, never trained on; their reward chooses the checkpoint."""
    firewall_against: tuple[Path, ...]
    weights: dict[str, float]
    """Reward name to its weight; all on the reward scale, 5 good."""
    judge: JudgeConfig | None
    steps: int
    prompts_per_batch: int
    generations: int
    """Completions of each prompt: a group."""
    max_tokens: int
    learning_rate: float
    beta: float
    """Weight of the KL divergence from the base."""
    max_grad_norm: float
    temperature: float
    eval_steps: int
    use_vllm: bool
    as_written: dict[str, Any]


def read_grpo(path: Path) -> GrpoConfig:
    """Read a run's TOML.

    Raises:
        TrainingError: If it is not TOML, or a key is unknown, missing, of the wrong type or out of
            range.
    """
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} is not readable TOML: {error}") from error
    fields, here = Fields(written, path.name, TrainingError), path.parent
    run = GrpoConfig(
        name=fields.take("name", str),
        stand_in=fields.take("stand_in", bool),
        seed=fields.take("seed", int),
        threads=fields.take("threads", int),
        device=fields.take("device", str, default="cpu"),
        base=(here / fields.take("base", str)).resolve(),
        prompts=(here / fields.take("prompts", str)).resolve(),
        held_out=(here / fields.take("held_out", str)).resolve(),
        firewall_against=_against(fields.take("firewall", dict, default=None), here),
        weights=_weights(fields.take("rewards", dict)),
        judge=_judge(fields.take("judge", dict, default=None)),
        **_numbers(fields.take("grpo", dict)),
        as_written=written,
    )
    fields.finish()
    if run.generations < 2 or run.steps < 1 or run.prompts_per_batch < 2 or run.beta < 0:
        raise TrainingError(
            f"{path.name}: generations is 2 or more, steps 1, prompts_per_batch 2, beta 0; got "
            f"{run.generations}, {run.steps}, {run.prompts_per_batch}, {run.beta:g}"
        )
    return run


def _numbers(written: object) -> dict[str, Any]:
    fields = Fields(written, "[grpo]", TrainingError)
    whole = ("steps", "prompts_per_batch", "generations", "max_tokens", "eval_steps")
    real = ("learning_rate", "beta", "max_grad_norm", "temperature")
    found: dict[str, Any] = {name: fields.take(name, int) for name in whole}
    found |= {name: float(fields.take(name, float, int)) for name in real}
    found["use_vllm"] = fields.take("use_vllm", bool, default=False)
    fields.finish()
    return found


def _weights(written: dict[str, Any]) -> dict[str, float]:
    unknown = sorted(set(written) - set(REWARDS))
    if unknown or not written:
        raise TrainingError(
            f"[rewards] names {', '.join(unknown) or 'nothing'}; there are {', '.join(REWARDS)}"
        )
    if "safety" in written and "no_needless_refusal" not in written:
        raise TrainingError(
            "[rewards] pays for safety and not for no_needless_refusal: a model that refuses "
            "everything would win; weigh both"
        )
    return {name: float(weight) for name, weight in written.items()}


def _judge(written: object) -> JudgeConfig | None:
    if written is None:
        return None
    fields = Fields(written, "[judge]", TrainingError)
    judge = JudgeConfig(
        fields.take("endpoint", str),
        fields.take("model", str),
        float(fields.take("timeout_s", float, int, default=120.0)),
    )
    fields.finish()
    return judge


def _against(written: object, here: Path) -> tuple[Path, ...]:
    if written is None:
        return ()
    fields = Fields(written, "[firewall]", TrainingError)
    against = fields.take("against", list)
    fields.finish()
    return tuple((here / str(item)).resolve() for item in against)
