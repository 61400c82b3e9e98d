"""A training run's TOML, read strictly into frozen classes."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import TrainingError
from model.strict import Fields


@dataclass(frozen=True, slots=True)
class Corpus:
    """One of the corpora that a run learns from."""

    name: str
    path: Path
    """JSON lines with `prompt` and `completion`."""
    share: float
    """Of the rows that are drawn; all shares add up to 1."""


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Rows and texts; paths are made absolute against the TOML's directory."""

    corpora: tuple[Corpus, ...]
    """One, or a declared mixture."""
    held_out: Path | None
    """Rows of the same kind, never trained on."""
    max_length: int
    """Tokens of prompt and completion together; a longer row is an error, not cut."""
    packing: bool
    """Whether short rows share one sequence of `max_length`; none sees another's tokens."""


@dataclass(frozen=True, slots=True)
class TokenizerConfig:
    """A byte-level BPE tokenizer, learned from the rows and from plain text."""

    vocab_size: int
    plain_text: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class ArchitectureConfig:
    """A Qwen3 model built from scratch; embeddings are tied."""

    hidden_size: int
    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    ffn_size: int
    context: int
    """Longest prompt and answer together, in tokens."""


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """How the weights are moved."""

    steps: int
    batch_size: int
    gradient_accumulation: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    bf16: bool
    """Autocast to bfloat16 while training."""
    gradient_checkpointing: bool
    """Needed for large models, slower for small ones."""
    save_steps: int
    """A killed run goes on from the last multiple of these."""
    log_steps: int


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """Low-rank adapters (Hu 2021, arXiv 2106.09685) on every linear layer; merged when saved."""

    rank: int
    alpha: int
    dropout: float


@dataclass(frozen=True, slots=True)
class HardwareConfig:
    """What a run is planned for; `safemed model plan` computes with it, nothing else reads it."""

    gpus: int
    gpu_gib: float
    """Memory of one."""
    peak_tflops: float
    """Of one, dense bf16, as its data sheet says."""
    utilisation: float
    """Share of the peak that is reached; stated, not measured."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One run."""

    name: str
    """Name under which the checkpoint is served."""
    stand_in: bool
    """True for a model that is no medical model and only lets the system run."""
    seed: int
    threads: int
    device: str
    """`cpu`, or `auto` for whatever accelerate finds."""
    data: DataConfig
    firewall_against: tuple[Path, ...]
    """Files or directories whose text must not be in the rows."""
    base: Path | None
    """A checkpoint to go on from; None to build from scratch."""
    tokenizer: TokenizerConfig | None
    architecture: ArchitectureConfig | None
    optimizer: OptimizerConfig
    lora: LoraConfig | None
    """None for full fine-tuning."""
    hardware: HardwareConfig | None
    as_written: dict[str, Any]
    """The TOML's own values, for the manifest: relative paths stay relative."""


def read_run(path: Path) -> RunConfig:
    """Read a run's TOML.

    Raises:
        TrainingError: If it is not TOML, a key is unknown, missing or of the wrong type, or it
            names both a base and a model from scratch.
    """
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} is not readable TOML: {error}") from error
    fields = Fields(written, path.name, TrainingError)
    base = fields.take("base", str, default=None)
    run = RunConfig(
        name=fields.take("name", str),
        stand_in=fields.take("stand_in", bool),
        seed=fields.take("seed", int),
        threads=fields.take("threads", int),
        device=fields.take("device", str, default="cpu"),
        data=_data(fields.take("data", dict), path.parent),
        firewall_against=_firewall(fields.take("firewall", dict, default=None), path.parent),
        base=(path.parent / base).resolve() if base else None,
        tokenizer=_tokenizer(fields.take("tokenizer", dict, default=None), path.parent),
        architecture=_architecture(fields.take("architecture", dict, default=None)),
        optimizer=_optimizer(fields.take("optimizer", dict)),
        lora=_lora(fields.take("lora", dict, default=None)),
        hardware=hardware(fields.take("hardware", dict, default=None)),
        as_written=written,
    )
    fields.finish()
    _check(run, path.name)
    return run


def _check(run: RunConfig, name: str) -> None:
    scratch = run.tokenizer is not None and run.architecture is not None
    half = (run.tokenizer is None) != (run.architecture is None)
    if half or scratch == (run.base is not None):
        raise TrainingError(
            f"{name}: name either `base`, or both [tokenizer] and [architecture] to start from "
            "scratch"
        )
    if run.device not in ("cpu", "auto"):
        raise TrainingError(f"{name}: device is {run.device!r}; it is 'cpu' or 'auto'")
    if run.threads < 1 or run.optimizer.steps < 1 or run.optimizer.batch_size < 1:
        raise TrainingError(f"{name}: threads, steps and batch_size are 1 or more")


def _paths(written: list[Any], where: str, directory: Path) -> tuple[Path, ...]:
    if not all(isinstance(item, str) for item in written):
        raise TrainingError(f"{where} is a list of paths, got {written!r:.80}")
    return tuple((directory / item).resolve() for item in written)


def _data(written: object, directory: Path) -> DataConfig:
    fields = Fields(written, "[data]", TrainingError)
    held_out = fields.take("held_out", str, default=None)
    data = DataConfig(
        corpora=_corpora(
            fields.take("train", str, default=None), fields.take("mixture", list, default=None),
            directory,
        ),
        held_out=(directory / held_out).resolve() if held_out else None,
        max_length=fields.take("max_length", int),
        packing=fields.take("packing", bool, default=False),
    )  # fmt: skip
    fields.finish()
    return data


def _corpora(train: str | None, mixture: list[Any] | None, directory: Path) -> tuple[Corpus, ...]:
    if (train is None) == (mixture is None):
        raise TrainingError("[data]: name either `train`, or two or more [[data.mixture]]")
    if train is not None:
        return (Corpus("train", (directory / train).resolve(), 1.0),)
    corpora = tuple(_corpus(written, directory) for written in mixture or ())
    names = [corpus.name for corpus in corpora]
    total = sum(corpus.share for corpus in corpora)
    if len(set(names)) < max(2, len(names)):
        raise TrainingError(
            f"[[data.mixture]] needs two or more corpora of different names: {names}"
        )
    if any(corpus.share <= 0 for corpus in corpora) or abs(total - 1) > 1e-6:
        raise TrainingError(
            f"[[data.mixture]]: shares are above 0 and add up to 1, not to {total:g}"
        )
    return corpora


def _corpus(written: object, directory: Path) -> Corpus:
    fields = Fields(written, "[[data.mixture]]", TrainingError)
    corpus = Corpus(
        fields.take("name", str),
        (directory / fields.take("path", str)).resolve(),
        fields.take("share", float),
    )
    fields.finish()
    return corpus


def _firewall(written: object, directory: Path) -> tuple[Path, ...]:
    if written is None:
        return ()
    fields = Fields(written, "[firewall]", TrainingError)
    against = _paths(fields.take("against", list), "[firewall] against", directory)
    fields.finish()
    return against


def _tokenizer(written: object, directory: Path) -> TokenizerConfig | None:
    if written is None:
        return None
    fields = Fields(written, "[tokenizer]", TrainingError)
    plain = _paths(fields.take("plain_text", list), "[tokenizer] plain_text", directory)
    config = TokenizerConfig(fields.take("vocab_size", int), plain)
    fields.finish()
    return config


def _architecture(written: object) -> ArchitectureConfig | None:
    if written is None:
        return None
    fields = Fields(written, "[architecture]", TrainingError)
    names = (
        "hidden_size", "n_layers", "n_heads", "n_kv_heads", "head_dim", "ffn_size", "context",
    )  # fmt: skip
    config = ArchitectureConfig(**{name: fields.take(name, int) for name in names})
    fields.finish()
    return config


def _lora(written: object) -> LoraConfig | None:
    if written is None:
        return None
    fields = Fields(written, "[lora]", TrainingError)
    config = LoraConfig(
        fields.take("rank", int), fields.take("alpha", int), fields.take("dropout", float)
    )
    fields.finish()
    if config.rank < 1 or not 0 <= config.dropout < 1:
        raise TrainingError(f"[lora]: rank {config.rank} is 1 or more, dropout from 0 to below 1")
    return config


def hardware(written: object) -> HardwareConfig | None:
    """The `[hardware]` of a recipe, if there is one.

    Raises:
        TrainingError: If a value is missing or out of range.
    """
    if written is None:
        return None
    fields = Fields(written, "[hardware]", TrainingError)
    config = HardwareConfig(
        fields.take("gpus", int),
        *(fields.take(name, float) for name in ("gpu_gib", "peak_tflops", "utilisation")),
    )
    fields.finish()
    if config.gpus < 1 or config.gpu_gib <= 0 or not 0 < config.utilisation <= 1:
        raise TrainingError(
            f"[hardware]: {config.gpus} GPUs of {config.gpu_gib:g} GiB at {config.utilisation:g} "
            "cannot be; gpus is 1 or more, gpu_gib above 0, utilisation above 0 to 1"
        )
    return config


def _optimizer(written: object) -> OptimizerConfig:
    fields = Fields(written, "[optimizer]", TrainingError)
    config = OptimizerConfig(
        steps=fields.take("steps", int),
        batch_size=fields.take("batch_size", int),
        gradient_accumulation=fields.take("gradient_accumulation", int, default=1),
        learning_rate=fields.take("learning_rate", float),
        warmup_steps=fields.take("warmup_steps", int),
        weight_decay=fields.take("weight_decay", float),
        bf16=fields.take("bf16", bool),
        gradient_checkpointing=fields.take("gradient_checkpointing", bool),
        save_steps=fields.take("save_steps", int),
        log_steps=fields.take("log_steps", int),
    )
    fields.finish()
    return config
