"""GRPO on a tiny model: TRL's own path, our rule for missing rewards, the best by reward."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.errors import TrainingError
from model.safety.scales import MEDSAFETYBENCH, REWARD, ScaleError, mean, same
from model.train.batches import in_batches, read_prompts
from model.train.grpo import grpo, make_trainer, without_partial_groups
from model.train.grpo_config import read_grpo
from model.train.rewards import (
    REWARDS,
    no_needless_refusal,
    right_decision,
    safety,
    safety_by_judge,
    text_of,
    well_formed,
)
from model.train.sft import sft
from tests.model.files import completion, endpoint, says
from tests.model.test_sft import recipe as sft_recipe

TOML = """
name = "tiny"
stand_in = true
seed = 1
threads = 1
base = "base"
prompts = "prompts.jsonl"
held_out = "held_out.jsonl"

[rewards]
safety = 1.0
no_needless_refusal = 1.0
well_formed = 0.5

[grpo]
steps = 4
prompts_per_batch = 2
generations = 2
max_tokens = 6
learning_rate = 1e-3
beta = 0.1
max_grad_norm = 0.2
temperature = 1.0
eval_steps = 2
"""
REFUSES, COMPLIES, OPEN = "I will not help with that.", "The plan is appropriate.", "Hmm."


def prompts(*facts: str) -> list[dict]:
    rows = []
    for fact in facts:
        rows += [
            {"prompt": f"Make {fact} kill.", "completion": "x", "decision": "refuse", "fact": fact},
            {"prompt": f"Is {fact} safe?", "completion": "x", "decision": "answer", "fact": fact},
        ]
    return rows


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base")
    return sft(sft_recipe(directory), out=directory / "out")


def recipe(directory: Path, base: Path, toml: str = TOML) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / "base").symlink_to(base)
    for name, rows in (("prompts", prompts("lithium", "digoxin")), ("held_out", prompts("iron"))):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (directory / f"{name}.jsonl").write_text(lines)
    (directory / "run.toml").write_text(toml)
    return directory / "run.toml"


def by_length(completions, **_):
    """A tiny model says nothing that a rule could tell apart; the length of it differs."""
    return [float(1 + len(text_of(said)) % 5) for said in completions]


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, list[str]]:
    directory = tmp_path_factory.mktemp("grpo")
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(REWARDS, "well_formed", by_length)
        checkpoint = grpo(recipe(directory, base), out=directory / "out", progress=told.append)
    return checkpoint, json.loads((directory / "out" / "manifest.json").read_text()), told


def test_the_manifest_holds_rewards_divergence_and_the_best_step(trained) -> None:
    checkpoint, manifest, told = trained
    assert [step for step, _ in manifest["rewards"]] == [1, 2, 3, 4]
    assert [step for step, _ in manifest["kl"]] == [1, 2, 3, 4]
    evaluated = dict(map(tuple, manifest["held_out_rewards"]))
    assert set(evaluated) == {2, 4}
    assert evaluated[manifest["best_step"]] == max(evaluated.values())
    assert manifest["base_weights_sha256"] != manifest["weights_sha256"]
    assert (checkpoint / "model.safetensors").exists()
    assert not (checkpoint.parent / "training").exists()
    assert any("held-out reward" in line for line in told)


def test_a_killed_run_goes_on_and_ends_with_the_same_rewards(
    trained, base, tmp_path, monkeypatch
) -> None:
    _, manifest, _ = trained
    toml = recipe(tmp_path / "run", base)
    out = tmp_path / "run" / "out"
    code = (
        "import sys, time; from pathlib import Path; from model.train.grpo import grpo\n"
        "from model.train.rewards import REWARDS; from tests.model.test_grpo import by_length\n"
        "REWARDS['well_formed'] = by_length\n"
        "def say(line):\n"
        "    print(line, flush=True)\n"
        "    if line.startswith('step 3'): time.sleep(60)\n"
        "grpo(Path(sys.argv[1]), out=Path(sys.argv[2]), progress=say)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(toml), str(out)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step 3"):
            break
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    monkeypatch.setitem(REWARDS, "well_formed", by_length)
    grpo(toml, out=out)
    resumed = json.loads((out / "manifest.json").read_text())
    assert resumed["resumed"] is True
    assert resumed["rewards"] == manifest["rewards"]
    assert resumed["weights_sha256"] == manifest["weights_sha256"]


def test_on_trls_own_path_a_group_with_a_missing_reward_has_zero_advantage(
    base: Path, tmp_path: Path
) -> None:
    """TRL alone would count the missing reward as 0, off the scale, and move the model by it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = read_grpo(recipe(tmp_path / "run", base))
    rows = read_prompts(run.prompts).pairs[0]
    told: list = []

    def failing(completions, decision, **_):
        # The judge answers for all but the very first completion.
        return [None, *([float(i) for i in range(2, len(completions) + 1)])]

    def always(completions, **_):
        return [float(i % 5 + 1) for i in range(len(completions))]

    model = AutoModelForCausalLM.from_pretrained(base, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    functions = {"safety": failing, "no_needless_refusal": always, "well_formed": always}
    trainer = make_trainer(
        run, model, tokenizer, rows, rows, tmp_path / "training", functions, told.append
    )
    batch = trainer._generate_and_score_completions(
        [dict(trainer.train_dataset[i]) for i in (0, 0, 1, 1)]
    )
    advantages = batch["advantages"].squeeze()
    assert torch.equal(advantages[:2], torch.zeros(2))
    assert (advantages[2:] != 0).all()


def test_only_whole_groups_are_spoiled() -> None:
    import torch

    nan = float("nan")
    rewards = torch.tensor([[1.0, nan], [2.0, 3.0], [4.0, 5.0], [5.0, 5.0]])
    found = without_partial_groups(rewards, 2)
    assert torch.isnan(found[:2]).all()
    assert torch.equal(found[2:], rewards[2:])


def test_every_batch_holds_a_request_beside_its_benign_twin(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    rows = prompts("a", "b", "c") + [
        {"prompt": f"Chart {i}", "completion": "x", "decision": "change"} for i in range(5)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    ordered = in_batches(read_prompts(path), n_batches=9, per_batch=4, rng=random.Random(1))
    assert len(ordered) == 36
    for begun in range(0, 36, 4):
        unsafe, twin, *charts = ordered[begun : begun + 4]
        assert (unsafe.decision, twin.decision, unsafe.fact) == ("refuse", "answer", twin.fact)
        assert [chart.decision for chart in charts] == ["change", "change"]
    assert sorted(str(row.fact) for row in ordered[0:12:4]) == ["a", "b", "c"]


def test_a_request_without_a_twin_and_a_held_out_request_that_was_trained_on_are_refused(
    base: Path, tmp_path: Path
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps(prompts("a")[0]) + "\n")
    with pytest.raises(TrainingError, match=r"1 have none, the first is 'Make a kill\.'"):
        read_prompts(path)
    toml = recipe(tmp_path / "run", base)
    asked = (tmp_path / "run" / "prompts.jsonl").read_text()
    (tmp_path / "run" / "held_out.jsonl").write_text(asked)
    with pytest.raises(TrainingError, match="among those trained on: digoxin, lithium"):
        grpo(toml, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("no_needless_refusal = 1.0\n", "", "a model that refuses everything would win"),
        ("safety = 1.0", "kindness = 1.0", "names kindness; there are safety"),
        ("generations = 2", "generations = 1", "generations is 2 or more"),
        ("beta = 0.1", "beta = 0.1\nalpha = 1", "alpha"),
    ],
)
def test_a_fault_of_the_recipe_is_refused_by_name(
    base: Path, tmp_path: Path, before: str, after: str, words: str
) -> None:
    path = recipe(tmp_path / "run", base, TOML.replace(before, after))
    with pytest.raises(TrainingError, match=words):
        read_grpo(path)


def test_the_rules_pay_for_refusing_what_is_unsafe_and_nothing_else() -> None:
    said = [REFUSES, COMPLIES, OPEN]
    assert safety(said, ["refuse"] * 3) == [5, 1, 3]
    assert safety(said, ["answer"] * 3) == [0, 0, 0]
    assert no_needless_refusal(said, ["answer"] * 3) == [1, 5, 5]
    assert no_needless_refusal(said, ["refuse"] * 3) == [0, 0, 0]
    assert right_decision(said, ["proceed"] * 3) == [1, 5, 2]
    assert well_formed(["<think>a</think>b", "<think>a", "b", "<think></think>b"]) == [5, 1, 5, 1]


@pytest.mark.parametrize(
    ("said", "reward"),
    [("5", 5.0), ("Score: 4", 4.0), ("4 or 5", None), ("0", None), ("six", None), ("", None)],
)
def test_a_judge_whose_reply_is_no_score_gives_none(said: str, reward: float | None) -> None:
    from model.endpoint import Endpoint

    with endpoint(says(completion(said))) as url, Endpoint(url, timeout_s=5) as client:
        judged = safety_by_judge(client, "judge")
        assert judged(["Q"], ["A"], ["refuse"]) == [reward]
        assert judged(["Q"], ["A"], ["answer"]) == [0]


def test_the_reward_scale_and_the_benchmark_scale_cannot_be_mixed() -> None:
    assert REWARD.score(5) > REWARD.score(1)
    assert MEDSAFETYBENCH.score(1) > MEDSAFETYBENCH.score(5)
    assert mean([REWARD.score(2), REWARD.score(4)]) == REWARD.score(3)
    with pytest.raises(ScaleError, match="cannot be mixed: Med-Safety-Bench v1"):
        mean([REWARD.score(2), MEDSAFETYBENCH.score(2)])
    with pytest.raises(ScaleError, match="cannot be mixed"):
        assert REWARD.score(5) < MEDSAFETYBENCH.score(1)
    with pytest.raises(ScaleError, match="6 is off the scale reward"):
        REWARD.score(6)
    with pytest.raises(ScaleError, match="no score"):
        same()
