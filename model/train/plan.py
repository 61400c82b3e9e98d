"""What a run will need, before anyone rents a machine: memory a GPU, tokens, hours.

Memory: weights and gradients in bf16, Adam's two moments and the master weights in fp32, all
sharded over the GPUs (ZeRO-3, Rajbhandari 2020, arXiv 1910.02054, section 3), plus activations with
checkpointing (one hidden state a layer and token, and one layer in full: Korthikanti 2022, arXiv
2205.05198, section 4). Time: six operations a parameter and token, eight with checkpointing, and
attention's share (Kaplan 2020, arXiv 2001.08361, section 2.1), at a stated utilisation. These are
estimates; nothing here was measured on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import TrainingError
from model.train.config import ArchitectureConfig, RunConfig, read_run
from model.train.rows import read_rows

GIB = 2**30
CHARACTERS_A_TOKEN = 4.0
"""Of English under the tokenizers in use; where the rows are at hand and no tokenizer is."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What memory and time depend on."""

    n_parameters: int
    hidden: int
    n_layers: int
    ffn: int
    vocabulary: int
    sides: int
    """Inputs and outputs of every linear layer but the last, summed: what adapters grow with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run needs."""

    n_parameters: int
    n_trained: int
    """Parameters that move: all of them, or the adapters'."""
    gib_per_gpu: float
    parts_gib: dict[str, float]
    """What the memory of a GPU is for."""
    gpu_gib: float
    fits: bool
    tokens: int
    hours: float
    utilisation: float
    launch: str
    """The command that starts it on that hardware."""


def plan(run_toml: Path) -> Plan:
    """Plan a run of SFT from its TOML.

    Raises:
        TrainingError: If the recipe has no `[hardware]`, or its base says nothing of its shape.
    """
    run = read_run(run_toml)
    if run.hardware is None:
        raise TrainingError(f"{run_toml.name}: a plan needs [hardware]; see the recipes that ship")
    shape = shape_of(run)
    trained = run.lora.rank * shape.sides if run.lora else shape.n_parameters
    length = run.data.max_length
    tokens_a_step = run.optimizer.batch_size * run.optimizer.gradient_accumulation * length
    tokens = min(tokens_a_step * run.optimizer.steps * run.hardware.gpus, _all_tokens(run) or 2**62)
    parts = _memory(run, shape, trained)
    needed = sum(parts.values())
    operations = (8 if run.optimizer.gradient_checkpointing else 6) * shape.n_parameters
    operations += 12 * shape.n_layers * shape.hidden * length
    rate = run.hardware.gpus * run.hardware.peak_tflops * 1e12 * run.hardware.utilisation
    return Plan(
        shape.n_parameters, trained, needed, parts, run.hardware.gpu_gib,
        needed <= run.hardware.gpu_gib, tokens, operations * tokens / rate / 3600,
        run.hardware.utilisation, _launch(run, run_toml),
    )  # fmt: skip


def shape_of(run: RunConfig) -> Shape:
    """The shape of a recipe's model, built on the meta device: no weight is made or read."""
    import torch

    if run.architecture is not None and run.tokenizer is not None:
        config = _scratch(run.architecture, run.tokenizer.vocab_size)
    elif run.base is not None and (run.base / "config.json").is_file():
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(run.base, local_files_only=True)
    else:
        raise TrainingError(
            f"{run.base} holds no config.json; fetch the base model, or its config.json alone: a "
            "plan needs no weights"
        )
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        make: Any = AutoModelForCausalLM.from_config
        model = make(config)
    layers = (m for n, m in model.named_modules() if n != "lm_head")
    sides = sum(m.in_features + m.out_features for m in layers if isinstance(m, torch.nn.Linear))
    return Shape(
        int(model.num_parameters()), config.hidden_size, config.num_hidden_layers,
        config.intermediate_size, config.vocab_size, sides,
    )  # fmt: skip


def _scratch(asked: ArchitectureConfig, vocabulary: int) -> Any:
    from transformers import Qwen3Config

    return Qwen3Config(
        vocab_size=vocabulary, hidden_size=asked.hidden_size, intermediate_size=asked.ffn_size,
        num_hidden_layers=asked.n_layers, num_attention_heads=asked.n_heads,
        num_key_value_heads=asked.n_kv_heads, head_dim=asked.head_dim, tie_word_embeddings=True,
    )  # fmt: skip


def _memory(run: RunConfig, shape: Shape, trained: int) -> dict[str, float]:
    """GiB a GPU by what they are for."""
    assert run.hardware is not None
    gpus = run.hardware.gpus
    tokens = run.optimizer.batch_size * run.data.max_length
    whole_layer = tokens * (16 * shape.hidden + 4 * shape.ffn) * 2
    kept = tokens * shape.hidden * 2 * shape.n_layers
    activations = kept + whole_layer if run.optimizer.gradient_checkpointing else (
        whole_layer * shape.n_layers
    )  # fmt: skip
    bytes_of = {
        "weights": 2 * shape.n_parameters / gpus,
        "gradients": 2 * trained / gpus,
        "optimizer": 12 * trained / gpus,
        "activations": activations,
        "logits": tokens * shape.vocabulary * 4,
    }
    return {name: size / GIB for name, size in bytes_of.items()}


def _all_tokens(run: RunConfig) -> int | None:
    """Tokens of one pass over the rows, where they are at hand; by their characters."""
    if not all(corpus.path.exists() for corpus in run.data.corpora):
        return None
    rows = [row for corpus in run.data.corpora for row in read_rows(corpus.path)]
    characters = sum(len(row.prompt) + len(row.completion) for row in rows)
    steps = run.optimizer.steps * run.optimizer.batch_size * run.optimizer.gradient_accumulation
    gpus = run.hardware.gpus if run.hardware else 1
    return round(characters / CHARACTERS_A_TOKEN * steps * gpus / len(rows))


def _launch(run: RunConfig, run_toml: Path) -> str:
    assert run.hardware is not None
    command = f"safemed model sft {run_toml.name} --out OUT"
    if run.hardware.gpus == 1:
        return command
    configured = run_toml.with_name("accelerate.yaml")
    named = f" --config_file {configured.name}" if configured.exists() else ""
    return (
        f"accelerate launch{named} --num_processes {run.hardware.gpus} --module app {command[8:]}"
    )


def as_text(found: Plan) -> list[str]:
    """The plan in lines."""
    parts = ", ".join(f"{name} {gib:.1f}" for name, gib in found.parts_gib.items())
    return [
        f"{found.n_parameters / 1e9:.2f} billion parameters, {found.n_trained / 1e9:.3f} trained",
        f"{found.gib_per_gpu:.1f} GiB a GPU of {found.gpu_gib:g} ({parts})"
        + ("" if found.fits else ": DOES NOT FIT"),
        f"{found.tokens / 1e6:,.1f} million tokens, {found.hours:.1f} hours at "
        f"{found.utilisation:.0%} of the peak (an estimate)",
        f"Start: {found.launch}",
    ]
