"""One run shared by two processes, as `torchrun` starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from safetensors.torch import load_file

from model.errors import TrainingError
from model.train.processes import share_of
from model.train.sft import sft
from tests.model.conftest import free_port
from tests.model.files import ROOT
from tests.model.test_grpo import recipe as grpo_recipe
from tests.model.test_sft import TOML, recipe


def in_two_processes(stage, run, out, key):
    words = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
        "--master-addr", "127.0.0.1", "--master-port", str(free_port()),
        "--module", "app", "model", stage, str(run), "--out", str(out), "--signing-key", str(key),
    ]  # fmt: skip
    return subprocess.run(
        words, cwd=ROOT, env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip


def test_two_processes_learn_what_one_learns_from_the_same_rows_a_step(tmp_path):
    sft(recipe(tmp_path / "one"), out=tmp_path / "alone")
    halved = recipe(tmp_path / "two", TOML.replace("batch_size = 2", "batch_size = 1"))
    sft(halved, out=tmp_path / "half")
    done = in_two_processes("sft", halved, tmp_path / "shared", tmp_path / "key")
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("Checkpoint: ") == 1
    assert done.stdout.count("step 1 of 3") == 1
    alone, shared = (
        json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("alone", "shared")
    )
    assert (alone["processes"], shared["processes"]) == (1, 2)
    one, two, half = (
        load_file(tmp_path / name / "checkpoint" / "model.safetensors")
        for name in ("alone", "shared", "half")
    )
    assert furthest(one, two) < 0.1 * furthest(one, half)
    left = [{p.name for p in (tmp_path / name).iterdir()} for name in ("alone", "shared")]
    assert left[1] - left[0] == {"signature.json"}


def furthest(one, other):
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def test_two_processes_share_a_run_of_grpo(tmp_path):
    base = sft(recipe(tmp_path / "base"), out=tmp_path / "base" / "out")
    run = grpo_recipe(tmp_path / "r", base)
    done = in_two_processes("grpo", run, tmp_path / "out", tmp_path / "key")
    assert done.returncode == 0, done.stderr[-3000:]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["processes"] == 2
    assert [step for step, _ in manifest["rewards"]] == [1, 2, 3, 4]
    assert [step for step, _ in manifest["held_out_rewards"]] == [2, 4]
    assert manifest["best_step"] in (2, 4)
    assert load_file(tmp_path / "out" / "checkpoint" / "model.safetensors")


def test_a_batch_that_the_processes_cannot_share_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert share_of(6) == 2
    with pytest.raises(TrainingError, match="a batch of 4 cannot be shared by 3 processes"):
        share_of(4)
