"""GRPO with TRL, against requests that must be refused and their benign twins.

The group baseline is TRL's. Two things are ours: a group in which any reward is missing has zero
advantage (TRL would count a reward that one function lacks as 0, which is off the scale), and the
checkpoint that is kept is the best by reward on held-out prompts, not the last and not by loss.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from model.cts.firewall import check
from model.endpoint import Endpoint
from model.errors import TrainingError
from model.serve.checkpoint import open_checkpoint, weights_sha256
from model.signing import Signer
from model.threads import torch_with_threads
from model.train.batches import Prompts, in_batches, read_prompts
from model.train.card import write_card
from model.train.checkpoints import save_checkpoint
from model.train.grpo_config import GrpoConfig, read_grpo
from model.train.manifest import checkpoint_files, commit_of, identity, write_manifest
from model.train.processes import are_several, first_alone, is_first, part, share_of
from model.train.rewards import REWARDS, Reward, safety_by_judge
from model.train.rows import TrainingRow

Progress = Callable[[str], object]


def grpo(
    run_toml: Path, *, out: Path, progress: Progress | None = None, signer: Signer | None = None
) -> Path:
    """Train as one TOML says and write `out/checkpoint` and `out/manifest.json`.

    A killed run goes on from its last saved step when the same call is made again.

    Args:
        run_toml: The recipe.
        out: A directory to make, or that of a killed run.
        progress: Is told the mean reward as it goes.
        signer: Who signs the manifest; None leaves the run unsigned.

    Returns:
        The directory of the checkpoint, the best by held-out reward.

    Raises:
        TrainingError: If the recipe, its prompts or `out` cannot be used.
        FirewallError: If a prompt holds text of what the recipe names under `[firewall]`.
    """
    return train_grpo(read_grpo(run_toml), run_toml, out=out, progress=progress, signer=signer)


def train_grpo(
    run: GrpoConfig, recipe: Path, *, out: Path, progress: Progress | None = None,
    signer: Signer | None = None,
) -> Path:  # fmt: skip
    """As `grpo`, of a run that is read already; `recipe` is the file it came from."""
    say = progress if progress and is_first() else (lambda line: None)
    prompts, held_out = read_prompts(run.prompts), read_prompts(run.held_out)
    _refuse_shared(prompts, held_out)
    if (out / "manifest.json").exists():
        raise TrainingError(f"{out} holds a finished run; it is never overwritten. Name another")
    both = [row.prompt for part in (prompts, held_out) for row in every(part)]
    n_texts = check(both, run.firewall_against) if run.firewall_against else 0
    with first_alone(run.device):
        resumes = _begin(out / "training", run)
    began, commit = time.monotonic(), commit_of(recipe.resolve())
    facts = _train(run, prompts, held_out, out, resumes, say)
    part(run.device)
    if not is_first():
        return out / "checkpoint"
    facts |= {
        "n_pairs": len(prompts.pairs),
        "n_charts": len(prompts.charts),
        "firewall": {"n_texts_compared": n_texts, "n_overlaps": 0},
        **commit,
        "elapsed_s": round(time.monotonic() - began, 1),
        "resumed": resumes,
    }
    write_manifest(
        out / "manifest.json", run.name, run_identity(run), facts, stand_in=run.stand_in,
        signer=signer,
    )  # fmt: skip
    write_card(out)
    shutil.rmtree(out / "training")
    return out / "checkpoint"


def run_identity(run: GrpoConfig) -> dict[str, Any]:
    """The identity of a run of GRPO; the base's weights are part of it."""
    corpus = {"train": run.prompts, "held_out": run.held_out}
    base = weights_sha256(open_checkpoint(run.base).directory)
    return {**identity(run.as_written, corpus), "base_weights_sha256": base}


def every(prompts: Prompts) -> list[TrainingRow]:
    """All prompts, pairs first."""
    return [row for pair in prompts.pairs for row in pair] + list(prompts.charts)


def _refuse_shared(prompts: Prompts, held_out: Prompts) -> None:
    """Whole seeds are held out: a request that training saw says nothing about others."""
    seen = {pair[0].fact for pair in prompts.pairs}
    shared = sorted({str(p[0].fact) for p in held_out.pairs if p[0].fact in seen})
    if shared:
        raise TrainingError(f"held-out requests are among those trained on: {', '.join(shared)}")


def _begin(training: Path, run: GrpoConfig) -> bool:
    """Make the working directory; True if it holds saved steps of this very run."""
    who = json.loads(json.dumps(run_identity(run)))
    note = training / "run.json"
    if not note.exists():
        if training.parent.exists() and any(training.parent.iterdir()):
            raise TrainingError(f"{training.parent} is not empty; name another directory")
        training.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(who, indent=2), encoding="utf-8")
        return False
    if json.loads(note.read_text(encoding="utf-8")) != who:
        raise TrainingError(
            f"{training.parent} holds an unfinished run of another recipe, other prompts or other "
            "library versions; restore them, or name another directory"
        )
    return any(training.glob("checkpoint-*"))


def _train(
    run: GrpoConfig, prompts: Prompts, held_out: Prompts, out: Path, resumes: bool, say: Progress
) -> dict[str, Any]:
    torch_with_threads(run.threads)
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

    base = open_checkpoint(run.base).directory
    set_seed(run.seed)
    import torch

    dtype = torch.float32 if run.device == "cpu" else torch.bfloat16
    model = AutoModelForCausalLM.from_pretrained(base, local_files_only=True, dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    ordered = in_batches(
        prompts, n_batches=run.steps, per_batch=run.prompts_per_batch, rng=random.Random(run.seed)
    )
    trainer = make_trainer(
        run,
        model,
        tokenizer,
        ordered,
        every(held_out),
        out / "training",
        reward_functions(run),
        say,
    )
    trainer.train(resume_from_checkpoint=resumes)
    if not is_first():
        return {}
    save_checkpoint(trainer.model, tokenizer, out / "checkpoint", run.name, stand_in=run.stand_in)
    history = trainer.state.log_history
    return {
        "processes": trainer.args.world_size,
        "rewards": [(e["step"], round(e["reward"], 4)) for e in history if "reward" in e],
        "kl": [(e["step"], round(e["kl"], 5)) for e in history if "kl" in e],
        "held_out_rewards": [
            (e["step"], round(e["eval_reward"], 4)) for e in history if "eval_reward" in e
        ],
        "best_step": trainer.state.best_global_step,
        "weights_sha256": weights_sha256(out / "checkpoint"),
        "files": checkpoint_files(out / "checkpoint"),
    }


def reward_functions(run: GrpoConfig) -> dict[str, Reward]:
    """The functions a run weighs, by name; safety by the judge where one is named."""
    functions = {name: REWARDS[name] for name in run.weights}
    if run.judge is not None and "safety" in functions:
        endpoint = Endpoint(run.judge.endpoint, timeout_s=run.judge.timeout_s)
        functions["safety"] = safety_by_judge(endpoint, run.judge.model)
    return functions


def make_trainer(
    run: GrpoConfig, model: Any, tokenizer: Any, ordered: Sequence[TrainingRow],
    held_out: Sequence[TrainingRow], training: Path, functions: dict[str, Reward], say: Progress,
) -> Any:  # fmt: skip
    """TRL's trainer with our rule for missing rewards."""
    from datasets import Dataset, disable_progress_bars
    from transformers.trainer_callback import PrinterCallback, ProgressCallback
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.grpo_trainer import GRPOTrainer

    from model.train.progress import say_reward, write_metrics, write_tensorboard

    class Trainer(GRPOTrainer):
        """A group with a missing reward is unscorable as a whole."""

        def _calculate_rewards(self, *args: Any, **more: Any) -> Any:
            rewards = super()._calculate_rewards(*args, **more)
            return without_partial_groups(rewards, run.generations)

    disable_progress_bars()
    size = run.prompts_per_batch * run.generations
    per_process = share_of(size)
    arguments = GRPOConfig(
        output_dir=str(training),
        max_steps=run.steps,
        per_device_train_batch_size=per_process,
        per_device_eval_batch_size=per_process,
        generation_batch_size=size,
        num_generations=run.generations,
        num_generations_eval=run.generations,
        max_completion_length=run.max_tokens,
        shuffle_dataset=False,  # the order is ours: twins stand beside their requests
        temperature=run.temperature,
        learning_rate=run.learning_rate,
        lr_scheduler_type="constant",
        beta=run.beta,
        max_grad_norm=run.max_grad_norm,
        reward_weights=list(run.weights.values()),
        use_vllm=run.use_vllm,
        activation_checkpointing=run.device != "cpu",
        bf16=run.device != "cpu",
        use_cpu=run.device == "cpu",
        ddp_backend="gloo" if run.device == "cpu" and are_several() else None,
        seed=run.seed,
        data_seed=run.seed,
        eval_strategy="steps",
        eval_steps=run.eval_steps,
        save_steps=run.eval_steps,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="eval_reward",
        greater_is_better=True,
        logging_steps=1,
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = Trainer(
        model=model,
        reward_funcs=list(functions.values()),
        args=arguments,
        train_dataset=Dataset.from_list([_asked(row) for row in ordered]),
        eval_dataset=Dataset.from_list([_asked(row) for row in held_out]),
        processing_class=tokenizer,
        callbacks=[
            say_reward(say, run.steps),
            write_metrics(training.parent / "metrics.jsonl", run.steps, say),
            write_tensorboard(training.parent / "tensorboard"),
        ]
        if is_first()
        else [],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def without_partial_groups(rewards: Any, size: int) -> Any:
    """Rewards with every group that lacks one made unscorable: its advantage is then zero.

    Args:
        rewards: Tensor of shape (n_completions, n_functions); NaN where a function said None.
        size: Completions of a group; groups stand one after another.
    """
    import torch

    lacking = torch.isnan(rewards).any(dim=1).view(-1, size).any(dim=1)
    spoiled = lacking.repeat_interleave(size).unsqueeze(1)
    return torch.where(spoiled, torch.full_like(rewards, torch.nan), rewards)


def _asked(row: TrainingRow) -> dict[str, Any]:
    return {"prompt": [{"role": "user", "content": row.prompt}], "decision": str(row.decision)}
