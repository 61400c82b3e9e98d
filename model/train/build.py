"""The model and tokenizer that a run starts with: from scratch, or from a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import TrainingError
from model.serve.checkpoint import open_checkpoint
from model.train.config import ArchitectureConfig, RunConfig, TokenizerConfig
from model.train.rows import TrainingRow


@dataclass(frozen=True, slots=True)
class ModelAndTokenizer:
    """A transformers model and its tokenizer."""

    model: Any
    tokenizer: Any

    @property
    def n_parameters(self) -> int:
        """Parameters, the embeddings among them; tied ones count once."""
        return int(self.model.num_parameters())


def build(run: RunConfig, rows: Sequence[TrainingRow]) -> ModelAndTokenizer:
    """Build what the run starts with. Seed the generators before.

    Raises:
        TrainingError: If a plain text cannot be read.
        CheckpointError: If the base is no checkpoint.
    """
    if run.base is not None:
        return _from_base(run.base, run.device)
    if run.tokenizer is None or run.architecture is None:
        raise TrainingError(f"{run.name}: neither a base nor a model from scratch is named")
    tokenizer = _tokenizer(run.tokenizer, run.architecture, rows)
    return ModelAndTokenizer(_qwen3(run.architecture, tokenizer), tokenizer)


def _from_base(directory: Path, device: str) -> ModelAndTokenizer:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = open_checkpoint(directory).directory
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(base, local_files_only=True, dtype=dtype)
    return ModelAndTokenizer(model, AutoTokenizer.from_pretrained(base, local_files_only=True))


def _tokenizer(
    asked: TokenizerConfig, architecture: ArchitectureConfig, rows: Sequence[TrainingRow]
) -> Any:
    from model.train.tokenizer import train_tokenizer

    try:
        plain = [path.read_text(encoding="utf-8") for path in asked.plain_text]
    except OSError as error:
        raise TrainingError(f"the plain text {error.filename} cannot be read") from error
    return train_tokenizer(
        (f"{row.prompt}\n{row.completion}" for row in rows),
        plain,
        vocab_size=asked.vocab_size,
        context=architecture.context,
    )


def _qwen3(asked: ArchitectureConfig, tokenizer: Any) -> Any:
    from transformers import GenerationConfig, Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=asked.hidden_size,
        intermediate_size=asked.ffn_size,
        num_hidden_layers=asked.n_layers,
        num_attention_heads=asked.n_heads,
        num_key_value_heads=asked.n_kv_heads,
        head_dim=asked.head_dim,
        max_position_embeddings=asked.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        use_cache=True,
    )
    model: Any = Qwen3ForCausalLM(config)
    make: Any = GenerationConfig
    model.generation_config = make(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    return model
