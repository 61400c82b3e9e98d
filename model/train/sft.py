"""Supervised fine-tuning with TRL, from one TOML to one checkpoint with its manifest."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.canonical import file_sha256
from model.cts.firewall import check
from model.errors import TrainingError
from model.serve.checkpoint import weights_sha256
from model.serve.engine import Engine
from model.signing import Signer
from model.threads import torch_with_threads
from model.train.build import ModelAndTokenizer, build
from model.train.card import write_card
from model.train.checkpoints import save_checkpoint
from model.train.checks import check_datasets, check_memory, check_template
from model.train.config import RunConfig, read_run
from model.train.manifest import checkpoint_files, commit_of, run_identity, write_manifest
from model.train.measure import measure
from model.train.processes import are_several, first_alone, is_first, part
from model.train.rows import TrainingRow, read_rows

Progress = Callable[[str], object]
Corpora = Mapping[str, Sequence[TrainingRow]]
"""Rows by corpus, in the order of the recipe."""


def sft(
    run_toml: Path, *, out: Path, progress: Progress | None = None, signer: Signer | None = None
) -> Path:
    """Train as one TOML says and write `out/checkpoint` and `out/manifest.json`.

    A killed run goes on from its last saved step when the same call is made again.

    Args:
        run_toml: The recipe.
        out: A directory to make, or that of a killed run.
        progress: Is told the loss as it falls.
        signer: Who signs the manifest; None leaves the run unsigned.

    Returns:
        The directory of the checkpoint.

    Raises:
        TrainingError: If the recipe, its rows or `out` cannot be used.
        FirewallError: If a row holds text of what the recipe names under `[firewall]`.
    """
    return train_run(read_run(run_toml), run_toml, out=out, progress=progress, signer=signer)


def train_run(
    run: RunConfig, recipe: Path, *, out: Path, progress: Progress | None = None,
    signer: Signer | None = None,
) -> Path:  # fmt: skip
    """As `sft`, of a run that is read already; `recipe` is the file it came from."""
    say = progress if progress and is_first() else (lambda line: None)
    corpora = {corpus.name: read_rows(corpus.path) for corpus in run.data.corpora}
    rows = tuple(row for part in corpora.values() for row in part)
    held_out = read_rows(run.data.held_out) if run.data.held_out else ()
    if (out / "manifest.json").exists():
        raise TrainingError(f"{out} holds a finished run; it is never overwritten. Name another")
    both = [(row.prompt, row.completion) for row in (*rows, *held_out)]
    n_texts = check(both, run.firewall_against) if run.firewall_against else 0
    dataset = check_datasets([corpus.path for corpus in run.data.corpora])
    say(f"{len(rows)} rows to learn from; compared with {n_texts} texts, no overlap")
    with first_alone(run.device):
        resumes = _begin(out / "training", run)
    began, commit = time.monotonic(), commit_of(recipe.resolve())
    facts = _train(run, corpora, held_out, out, resumes, say)
    if is_first():
        facts |= _measured(out / "checkpoint", run, held_out, say)
    part(run.device)
    if not is_first():
        return out / "checkpoint"
    facts |= {
        "firewall": {"n_texts_compared": n_texts, "n_overlaps": 0},
        **commit,
        "elapsed_s": round(time.monotonic() - began, 1),
        "resumed": resumes,
    }
    if dataset:
        ids = dataset.pop("row_ids")
        (out / "rows.txt").write_text("".join(f"{i}\n" for i in ids), encoding="ascii")
        facts |= {**dataset, "rows_sha256": file_sha256(out / "rows.txt")}
    write_manifest(
        out / "manifest.json", run.name, run_identity(run), facts, stand_in=run.stand_in,
        signer=signer,
    )  # fmt: skip
    write_card(out)
    shutil.rmtree(out / "training")
    return out / "checkpoint"


def _begin(training: Path, run: RunConfig) -> bool:
    """Make the working directory; True if it holds saved steps of this very run."""
    identity = json.loads(json.dumps(run_identity(run)))
    note = training / "run.json"
    if not note.exists():
        if training.parent.exists() and any(training.parent.iterdir()):
            raise TrainingError(f"{training.parent} is not empty; name another directory")
        training.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(identity, indent=2), encoding="utf-8")
        return False
    if json.loads(note.read_text(encoding="utf-8")) != identity:
        raise TrainingError(
            f"{training.parent} holds an unfinished run with another recipe, other rows or other "
            "library versions; restore them, or name another directory"
        )
    return any(training.glob("checkpoint-*"))


def _train(
    run: RunConfig, corpora: Corpora, held_out: Sequence[TrainingRow],
    out: Path, resumes: bool, say: Progress,
) -> dict[str, Any]:  # fmt: skip
    rows = [row for part in corpora.values() for row in part]
    torch_with_threads(run.threads)
    from transformers import set_seed

    set_seed(run.seed)
    built = build(run, rows)
    check_memory(built.n_parameters, run.device)
    check_template(built.tokenizer, rows)
    longest = _longest(built, (*rows, *held_out), run.data.max_length)
    say(f"{built.n_parameters:,} parameters; the longest row has {longest} tokens")
    trainer = _trainer(run, built, corpora, held_out, out / "training", say)
    result = trainer.train(resume_from_checkpoint=resumes)
    losses = [(e["step"], round(e["loss"], 4)) for e in trainer.state.log_history if "loss" in e]
    evaluated = trainer.evaluate() if held_out else {}
    model = trainer.model.merge_and_unload() if run.lora else trainer.model
    if not is_first():
        return {}
    save_checkpoint(model, built.tokenizer, out / "checkpoint", run.name, stand_in=run.stand_in)
    return {
        "n_rows": len(rows),
        "processes": trainer.args.world_size,
        "mixture": {
            corpus.name: {"share": corpus.share, "n_rows": len(corpora[corpus.name])}
            for corpus in run.data.corpora
        },
        "longest_row_tokens": longest,
        "parameters": built.n_parameters,
        "vocabulary": len(built.tokenizer),
        "losses": losses,
        "mean_train_loss": round(float(result.training_loss), 4),
        "held_out_loss": round(evaluated["eval_loss"], 4) if evaluated else None,
        "weights_sha256": weights_sha256(out / "checkpoint"),
        "files": checkpoint_files(out / "checkpoint"),
    }


def _longest(built: ModelAndTokenizer, rows: Sequence[TrainingRow], limit: int) -> int:
    texts = [built.tokenizer.apply_chat_template(_turns(row), tokenize=False) for row in rows]
    lengths = [len(ids) for ids in built.tokenizer(texts)["input_ids"]]
    longest = max(lengths)
    if longest > limit:
        raise TrainingError(
            f"row {lengths.index(longest) + 1} has {longest} tokens, more than max_length = "
            f"{limit}; raise it or shorten the row. A row is never cut"
        )
    return longest


def _turns(row: TrainingRow) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": row.prompt},
        {"role": "assistant", "content": row.completion},
    ]


def _dataset(rows: Sequence[TrainingRow]) -> Any:
    from datasets import Dataset, disable_progress_bars

    disable_progress_bars()
    return Dataset.from_list(
        [{"prompt": _turns(row)[:1], "completion": _turns(row)[1:]} for row in rows]
    )


def mixed(run: RunConfig, corpora: Corpora) -> Any:
    """What is learned from: one corpus as it is, or rows drawn by the declared shares.

    Rows are drawn until every corpus has been seen whole, so that small ones come round again.
    """
    from datasets import interleave_datasets

    parts = [_dataset(rows) for rows in corpora.values()]
    if len(parts) == 1:
        return parts[0]
    shares = [corpus.share for corpus in run.data.corpora]
    return interleave_datasets(
        parts, probabilities=shares, seed=run.seed, stopping_strategy="all_exhausted"
    )


def _trainer(
    run: RunConfig, built: ModelAndTokenizer, corpora: Corpora,
    held_out: Sequence[TrainingRow], training: Path, say: Progress,
) -> Any:  # fmt: skip
    from transformers.trainer_callback import PrinterCallback, ProgressCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from model.train.progress import say_loss, write_metrics, write_tensorboard

    asked = run.optimizer
    arguments = SFTConfig(
        output_dir=str(training),
        max_steps=asked.steps,
        per_device_train_batch_size=asked.batch_size,
        per_device_eval_batch_size=asked.batch_size,
        gradient_accumulation_steps=asked.gradient_accumulation,
        learning_rate=asked.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=asked.warmup_steps,
        weight_decay=asked.weight_decay,
        bf16=asked.bf16,
        activation_checkpointing=asked.gradient_checkpointing,
        max_length=run.data.max_length,
        packing=run.data.packing,
        packing_strategy="bfd",
        eval_packing=False,
        completion_only_loss=True,
        # Not grouped by length: kinds of rows differ in length, and a small model then forgets
        # the short ones (refusals) while it learns the long ones.
        train_sampling_strategy="random",
        use_cpu=run.device == "cpu",
        ddp_backend="gloo" if run.device == "cpu" and are_several() else None,
        seed=run.seed,
        data_seed=run.seed,
        save_steps=asked.save_steps,
        save_total_limit=1,
        logging_steps=asked.log_steps,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = SFTTrainer(
        model=built.model,
        peft_config=_adapters(run),
        args=arguments,
        train_dataset=mixed(run, corpora),
        eval_dataset=_dataset(held_out) if held_out else None,
        processing_class=built.tokenizer,
        callbacks=[
            say_loss(say, asked.steps),
            write_metrics(training.parent / "metrics.jsonl", asked.steps, say),
            write_tensorboard(training.parent / "tensorboard"),
        ]
        if is_first()
        else [],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _adapters(run: RunConfig) -> Any:
    """The adapters that are trained instead of the weights; None for full fine-tuning."""
    if run.lora is None:
        return None
    from peft import LoraConfig as Adapters

    return Adapters(
        r=run.lora.rank, lora_alpha=run.lora.alpha, lora_dropout=run.lora.dropout,
        target_modules="all-linear", task_type="CAUSAL_LM",
    )  # fmt: skip


def _measured(
    checkpoint: Path, run: RunConfig, held_out: Sequence[TrainingRow], say: Progress
) -> dict[str, Any]:
    if not any(row.decision for row in held_out):
        return {}
    figures = measure(Engine.load(checkpoint, threads=run.threads), held_out)
    say(f"held out: {figures.n_right_decision} of {figures.n_rows} decisions right")
    return {"held_out": asdict(figures)}
