"""One run shared by two processes, as `torchrun` starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from safetensors.torch import load_file

from model.train.sft import sft
from tests.model.conftest import free_port
from tests.model.files import ROOT
from tests.model.test_sft import TOML, recipe


def in_two_processes(run, out, key):
    words = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
        "--master-addr", "127.0.0.1", "--master-port", str(free_port()),
        "--module", "app", "model", "sft", str(run), "--out", str(out), "--signing-key", str(key),
    ]  # fmt: skip
    return subprocess.run(
        words, cwd=ROOT, env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"}, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip


def test_two_processes_learn_what_one_learns_from_the_same_rows_a_step(tmp_path):
    sft(recipe(tmp_path / "one"), out=tmp_path / "alone")
    halved = recipe(tmp_path / "two", TOML.replace("batch_size = 2", "batch_size = 1"))
    sft(halved, out=tmp_path / "half")
    done = in_two_processes(halved, tmp_path / "shared", tmp_path / "key")
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
