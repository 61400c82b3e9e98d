"""SFT on one GPU: tokens a second and the share of the bf16 peak, TRL's defaults beside ours.

    python -m benchmarks.bench_gpu [--size 1.7b] [--steps 30] [--peak-tflops 989]

The weights are random and the rows are made of random words: what is measured is speed alone.
Operations: six a parameter and token, and for attention, which is causal, six a layer, head
dimension and mean length (Chowdhery 2022, arXiv 2204.02311, appendix B). `--size tiny` runs it all
on a processor, to see that it runs; its figures mean nothing.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.train.build import ModelAndTokenizer
from model.train.config import read_run
from model.train.rows import TrainingRow

SIZES = {
    # hidden, layers, heads, kv heads, head dimension, feed-forward, vocabulary: Qwen3's own shapes
    "tiny": (64, 2, 4, 2, 16, 128, 2_000),
    "1.7b": (2048, 28, 16, 8, 128, 6144, 151_936),
    "4b": (2560, 36, 32, 8, 128, 9728, 151_936),
    "8b": (4096, 36, 32, 8, 128, 12_288, 151_936),
}
RECIPE = """
name = "bench"
stand_in = true
seed = 1
threads = 2
device = "{device}"
base = "random"

[data]
train = "rows.jsonl"
max_length = {length}
packing = true

[optimizer]
steps = {steps}
batch_size = {batch}
learning_rate = 1e-5
warmup_steps = 0
weight_decay = 0.0
bf16 = {bf16}
gradient_checkpointing = {checkpointing}
save_steps = 1_000_000
log_steps = {steps}
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """What one way of training reached."""

    tokens_per_s: float
    share_of_peak: float
    gib: float
    """Most memory of the GPU."""


def main() -> None:
    """Print both, side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="1.7b")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--length", type=int, default=4096, help="tokens of a packed sequence")
    parser.add_argument("--batch", type=int, default=4, help="packed sequences a step")
    parser.add_argument("--checkpointing", action="store_true", help="ours too recomputes")
    parser.add_argument("--peak-tflops", type=float, default=989.0, help="dense bf16 of the GPU")
    options = parser.parse_args()
    rows = random_rows(options.steps * options.batch * options.length // 300)
    ways: dict[str, Callable[[ModelAndTokenizer, Path], Any]] = {
        "TRL's defaults": lambda built, where: plain(options, built, rows, where),
        "ours": lambda built, where: ours(options, built, rows, where),
    }
    for name, make in ways.items():
        with tempfile.TemporaryDirectory() as directory:
            found = measured(options, make(random_model(options.size), Path(directory)))
        print(
            f"{options.size}, {name}: {found.tokens_per_s:,.0f} tokens a second, "
            f"{found.share_of_peak:.1%} of {options.peak_tflops:g} TFLOPS, {found.gib:.0f} GiB",
            flush=True,
        )


def random_rows(n: int) -> list[TrainingRow]:
    """Rows of 50 to 550 words, as long as a case with reasoning and answer."""
    chance = random.Random(1)
    words = [f"word{i}" for i in range(500)]
    return [
        TrainingRow(
            prompt=" ".join(chance.choices(words, k=chance.randint(20, 200))),
            completion=" ".join(chance.choices(words, k=chance.randint(30, 350))),
            decision=None,
        )
        for _ in range(max(n, 64))
    ]


def random_model(size: str) -> ModelAndTokenizer:
    """A model of Qwen3's shape with random weights, and nano's tokenizer."""
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    from app.resources import shipped

    tokenizer = AutoTokenizer.from_pretrained(
        shipped("nano", "checkpoint"), local_files_only=True
    )  # fmt: skip
    hidden, layers, heads, kv_heads, head_dim, ffn, vocabulary = SIZES[size]
    config = Qwen3Config(
        vocab_size=max(vocabulary, len(tokenizer)), hidden_size=hidden, intermediate_size=ffn,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads,
        head_dim=head_dim, max_position_embeddings=32_768, tie_word_embeddings=size != "8b",
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(1)
    on_gpu = torch.cuda.is_available()
    with torch.device("cuda" if on_gpu else "cpu"):
        model = Qwen3ForCausalLM(config)
    return ModelAndTokenizer(model.to(torch.bfloat16) if on_gpu else model, tokenizer)


def ours(
    options: argparse.Namespace, built: ModelAndTokenizer, rows: Sequence[TrainingRow], where: Path
) -> Any:
    """The trainer that `safemed model sft` makes of a recipe."""
    import torch

    from model.train.sft import _trainer

    on_gpu = torch.cuda.is_available()
    recipe = where / "run.toml"
    recipe.write_text(
        RECIPE.format(
            device="auto" if on_gpu else "cpu", length=options.length, steps=options.steps,
            batch=options.batch, bf16=str(on_gpu).lower(),
            checkpointing=str(options.checkpointing).lower(),
        )
    )  # fmt: skip
    return _trainer(read_run(recipe), built, {"train": rows}, (), where / "out", print)


def plain(
    options: argparse.Namespace, built: ModelAndTokenizer, rows: Sequence[TrainingRow], where: Path
) -> Any:
    """TRL as it comes, told only what to learn from and when to stop."""
    import torch
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from model.train.sft import _dataset

    arguments = SFTConfig(
        output_dir=str(where), max_steps=options.steps, report_to=[], disable_tqdm=True,
        save_strategy="no", use_cpu=not torch.cuda.is_available(),
        bf16=torch.cuda.is_available(),
    )  # fmt: skip
    return SFTTrainer(
        model=built.model, args=arguments, train_dataset=_dataset(rows),
        processing_class=built.tokenizer,
    )  # fmt: skip


def measured(options: argparse.Namespace, trainer: Any) -> Speed:
    """Train, and count tokens that are no padding from the third step on."""
    import torch
    from transformers import TrainerCallback

    marks: list[tuple[float, int]] = []

    class Mark(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            """Note time and tokens so far."""
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            marks.append((time.perf_counter(), int(state.num_input_tokens_seen)))

    trainer.args.include_num_input_tokens_seen = "non_padding"
    trainer.add_callback(Mark())
    trainer.train()
    (began, before), (ended, after) = marks[min(2, len(marks) - 2)], marks[-1]
    rate = (after - before) / (ended - began)
    config, n = trainer.model.config, trainer.model.num_parameters()
    lengths = [len(row["input_ids"]) for row in trainer.train_dataset.select(range(32))]
    attention = 6 * config.num_hidden_layers * config.num_attention_heads * config.head_dim
    a_token = 6 * n + attention * sum(lengths) / len(lengths)
    on_gpu = torch.cuda.is_available()
    return Speed(
        tokens_per_s=rate,
        share_of_peak=rate * a_token / (options.peak_tflops * 1e12),
        gib=torch.cuda.max_memory_allocated() / 2**30 if on_gpu else 0.0,
    )


if __name__ == "__main__":
    main()
