"""Ablations: the same recipe with something left out, several seeds each, asked the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from model.canonical import canonical, file_sha256, sha256_hex
from model.errors import ModelError, TrainingError
from model.reply import split_reasoning
from model.serve.engine import Engine
from model.serve.settings import Settings
from model.train.ablation_config import Ablation, Condition, read_ablation
from model.train.config import Corpus, RunConfig, read_run
from model.train.grpo import train_grpo
from model.train.grpo_config import read_grpo
from model.train.measure import decision_of
from model.train.rows import TrainingRow, read_rows
from model.train.sft import train_run

SCHEMA = "safemed.ablation/1"
_BATCH = 16
Progress = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class AblationRun:
    """One condition with one seed."""

    condition: str
    seed: int
    weights_sha256: str
    decided: tuple[tuple[str, str | None], ...]
    """For every row asked, in their order: the decision wanted, and the one stated if any."""


def ablate(
    toml: Path, *, out: Path, progress: Progress | None = None
) -> tuple[Ablation, tuple[AblationRun, ...]]:
    """Train and measure every condition with every seed; goes on where a killed call stopped.

    Args:
        toml: The ablation.
        out: A directory to make, or that of a killed ablation.
        progress: Is told what is trained, and how it goes.

    Raises:
        TrainingError: Naming the condition and seed, if one cannot be trained; or if `out` holds
            another ablation.
    """
    say = progress or (lambda line: None)
    ablation = read_ablation(toml)
    asked = [row for row in read_rows(ablation.measure) if row.decision]
    if not asked:
        raise TrainingError(f"{ablation.measure} holds no row that states a decision")
    _begin(ablation, out)
    runs = []
    for number, condition in enumerate(ablation.conditions, start=1):
        for seed in ablation.seeds:
            say(f"condition {condition.name!r}, seed {seed}")
            where = out / f"condition-{number}" / f"seed-{seed}"
            try:
                runs.append(_one(ablation, condition, seed, where, asked, say))
            except ModelError as error:
                raise TrainingError(f"condition {condition.name!r}, seed {seed}: {error}") from (
                    error
                )
    return ablation, tuple(runs)


def _begin(ablation: Ablation, out: Path) -> None:
    files = {
        "sft": ablation.sft, "measure": ablation.measure,
        "train": only_corpus(read_run(ablation.sft)).path, "grpo": ablation.grpo,
        **{f"train of {c.name}": c.train for c in ablation.conditions},
    }  # fmt: skip
    who = {
        "schema": SCHEMA, "ablation": ablation.as_written,
        "files": {name: file_sha256(path) for name, path in files.items() if path},
    }  # fmt: skip
    note = out / "ablation.json"
    if not note.exists():
        if out.exists() and any(out.iterdir()):
            raise TrainingError(f"{out} is not empty; name another directory")
        out.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(who, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    elif json.loads(note.read_text(encoding="utf-8")) != who:
        raise TrainingError(
            f"{out} holds another ablation, or its recipes or rows have changed; restore them, or "
            "name another directory"
        )


def _one(
    ablation: Ablation, condition: Condition, seed: int, where: Path,
    asked: Sequence[TrainingRow], say: Progress,
) -> AblationRun:  # fmt: skip
    done = where / "decided.json"
    if not done.exists():
        checkpoint = _trained(ablation, condition, seed, where, say)
        threads = read_run(ablation.sft).threads
        engine = Engine.load(checkpoint, threads=threads)
        run = AblationRun(
            condition.name, seed, engine.checkpoint.weights_sha256,
            decide(engine, asked, max_tokens=ablation.max_tokens),
        )  # fmt: skip
        beside = done.with_suffix(".part")
        beside.write_text(json.dumps(asdict(run), ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(done)
    read = json.loads(done.read_text(encoding="utf-8"))
    return AblationRun(**{**read, "decided": tuple((w, s) for w, s in read["decided"])})


def _trained(
    ablation: Ablation, condition: Condition, seed: int, where: Path, say: Progress
) -> Path:
    checkpoint = where / "sft" / "checkpoint"
    if not (where / "sft" / "manifest.json").exists():
        run = derived(read_run(ablation.sft), condition, seed, where)
        train_run(run, ablation.sft, out=where / "sft", progress=say)
    if not condition.grpo or ablation.grpo is None:
        return checkpoint
    after = where / "grpo" / "checkpoint"
    if not (where / "grpo" / "manifest.json").exists():
        read = read_grpo(ablation.grpo)
        written = {**read.as_written, "seed": seed, "condition": condition.name}
        run_after = replace(read, seed=seed, base=checkpoint, as_written=written)
        train_grpo(run_after, ablation.grpo, out=where / "grpo", progress=say)
    return after


def derived(run: RunConfig, condition: Condition, seed: int, where: Path) -> RunConfig:
    """The recipe with the condition's rows and the seed; its rows are written where they differ.

    Raises:
        TrainingError: If a kind that is to be left out is not among the rows, or nothing is left.
    """
    corpus = only_corpus(run)
    train = condition.train or corpus.path
    if condition.without:
        train = _without(train, condition.without, where / "rows.jsonl")
    written = {
        **run.as_written, "seed": seed, "condition": condition.name,
        "without": list(condition.without),
    }  # fmt: skip
    return replace(
        run,
        seed=seed,
        data=replace(run.data, corpora=(replace(corpus, path=train),)),
        as_written=written,
    )


def only_corpus(run: RunConfig) -> Corpus:
    """The one corpus of a run that may be ablated.

    Raises:
        TrainingError: If the run mixes several.
    """
    if len(run.data.corpora) > 1:
        raise TrainingError(
            f"{run.name} learns from a mixture; an ablation leaves rows out of one file: name it "
            "as [data] train"
        )
    return run.data.corpora[0]


def _without(train: Path, kinds: Sequence[str], out: Path) -> Path:
    there = {row.kind for row in read_rows(train)}
    missing = sorted(set(kinds) - {str(kind) for kind in there})
    if missing:
        raise TrainingError(
            f"{train.name} has no rows of kind {', '.join(missing)}; leaving them out would change "
            f"nothing. There are {', '.join(sorted(str(kind) for kind in there))}"
        )
    lines = [line for line in train.read_text(encoding="utf-8").split("\n") if line]
    kept = [line for line in lines if json.loads(line).get("kind") not in kinds]
    if not kept:
        raise TrainingError(f"without {', '.join(kinds)} no row of {train.name} is left")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    return out


def decide(
    engine: Engine, rows: Sequence[TrainingRow], *, max_tokens: int
) -> tuple[tuple[str, str | None], ...]:
    """Ask every row greedily: the decision wanted, and the one that the answer states."""
    by_length = sorted(range(len(rows)), key=lambda place: len(rows[place].prompt))
    found: dict[int, str | None] = {}
    for begun in range(0, len(rows), _BATCH):
        places = by_length[begun : begun + _BATCH]
        prompts = [engine.encode([{"role": "user", "content": rows[p].prompt}]) for p in places]
        answers = engine.generate(prompts, Settings(max_tokens=max_tokens))
        for place, (answer,) in zip(places, answers, strict=True):
            text, _, closed = split_reasoning(answer.text)
            ended = closed and answer.finish_reason == "stop"
            found[place] = decision_of(text) if ended else None
    return tuple((str(row.decision), found[place]) for place, row in enumerate(rows))


def results(ablation: Ablation, runs: Sequence[AblationRun]) -> dict[str, Any]:
    """The runs as plain values, with what they were measured on."""
    return {
        "schema": SCHEMA, "name": ablation.name,
        "ablation_sha256": sha256_hex(canonical(ablation.as_written)),
        "measure_sha256": file_sha256(ablation.measure), "runs": [asdict(run) for run in runs],
    }  # fmt: skip
