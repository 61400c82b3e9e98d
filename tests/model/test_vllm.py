"""Starting, watching and explaining vLLM, with a scripted program in its place: it is not here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from model.canonical import file_sha256
from model.errors import CheckpointError, EndpointError
from model.respond import Sampling, respond
from model.serve.known import KNOWN, SAFEMED_R1
from model.serve.listening import Place
from model.serve.ready import wait_until_ready
from model.serve.vllm import python_with_vllm, vllm_plan
from model.serve.vllm_log import explain
from model.serve.vllm_server import VllmOptions, serve_vllm
from tests.model.conftest import free_port
from tests.model.files import NANO, ROOT, three_tasks

WEIGHTS = file_sha256(NANO / "checkpoint" / "model.safetensors")


def stand_in(directory: Path) -> Path:
    """An executable that takes a Python's words and runs the scripted vLLM with them."""
    path = directory / "python"
    script = ROOT / "tests" / "model" / "scripted_vllm.py"
    path.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} {script} "$@"\n')
    path.chmod(0o755)
    return path


@dataclass
class Running:
    url: str
    process: subprocess.Popen[bytes]
    work: Path

    def notes(self) -> Mapping[str, object]:
        return json.loads((self.work / "notes.json").read_text())


def command(work: Path, port: int, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "app", "model", "serve", "--engine", "vllm", "--port", str(port),
        "--vllm-python", str(stand_in(work)), "--log", str(work / "vllm.log"), *more,
    ]  # fmt: skip


def environment(work: Path, act: str) -> dict[str, str]:
    notes = str(work / "notes.json")
    return {**os.environ, "SCRIPTED_VLLM": act, "SCRIPTED_VLLM_NOTES": notes}


@contextmanager
def serving(work: Path, act: str = "serve", *more: str) -> Iterator[Running]:
    port = free_port()
    with (work / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            command(work, port, *more), env=environment(work, act), cwd=ROOT, stdout=said,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", timeout_s=60, process=process)
            yield Running(f"http://127.0.0.1:{port}", process, work)
        finally:
            process.terminate()
            process.wait(timeout=40)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_surface_over_vllm_states_weights_engine_and_both_sets_of_counts(tmp_path) -> None:
    with serving(tmp_path) as running:
        (entry,) = httpx.get(f"{running.url}/v1/models").json()["data"]
        assert entry["owned_by"] == "vLLM 0.32.0"
        assert (entry["id"], entry["weights_sha256"]) == ("safemed-nano", WEIGHTS)
        tasks = three_tasks(tmp_path / "tasks")
        respond(
            tasks, tmp_path / "out", endpoint=f"{running.url}/v1", model="safemed-nano",
            sampling=Sampling(seed=1),
        )  # fmt: skip
        run = json.loads((tmp_path / "out" / "run.json").read_text())
        assert (run["weights_sha256"], run["n_completed"]) == (WEIGHTS, 3)
        counts = httpx.get(f"{running.url}/metrics").text
        assert 'safemed_tokens_total{kind="completion"} 6.0' in counts
        assert "vllm:num_requests_running 0.0" in counts
        body = {"model": "safemed-nano", "messages": [], "stream": True}
        streamed = httpx.post(f"{running.url}/v1/chat/completions", json=body)
        assert streamed.headers["content-type"].startswith("text/event-stream")
        assert streamed.text.endswith("data: [DONE]\n\n")
        pid = running.notes()["pid"]
        assert is_alive(pid)
    assert not is_alive(pid)  # SIGTERM to ours ended it too


def test_without_gpus_it_gets_the_flags_that_were_found_by_trying(tmp_path) -> None:
    with serving(tmp_path, "serve", "--threads", "1") as running:
        told = running.notes()
    words = told["words"]
    assert "--enforce-eager" in words and "--no-enable-chunked-prefill" in words
    pairs = dict(pairwise(words))
    assert pairs["--dtype"] == "float32"
    assert (pairs["--max-num-batched-tokens"], pairs["--max-num-seqs"]) == ("8192", "160")
    assert (pairs["--max-model-len"], pairs["--served-model-name"]) == ("4096", "safemed-nano")
    assert told["environment"] == {
        "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1",
    }  # fmt: skip


def test_with_gpus_it_is_spread_over_them_in_bf16(tmp_path) -> None:
    plan = vllm_plan("py", tmp_path, "n", port=1, context=4096, n_gpus=4, tensor_parallel=4)
    pairs = dict(pairwise(plan.command))
    assert (pairs["--dtype"], pairs["--tensor-parallel-size"]) == ("bfloat16", "4")
    assert "--enforce-eager" not in plan.command
    assert plan.environment == {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}


def test_a_failure_to_start_is_explained_with_its_remedy_and_the_log(tmp_path) -> None:
    act = "fail:RuntimeError: operator torchvision::nms does not exist"
    run = subprocess.run(
        command(tmp_path, free_port()), env=environment(tmp_path, act), cwd=ROOT,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert "uninstall all three from vLLM's environment" in run.stderr
    assert str(tmp_path / "vllm.log") in run.stderr and "Traceback" not in run.stderr
    assert "torchvision::nms" in (tmp_path / "vllm.log").read_text()


def test_an_engine_that_dies_while_serving_ends_the_server_with_the_reason(tmp_path) -> None:
    with serving(tmp_path, "die") as running:
        body = {"model": "safemed-nano", "messages": []}
        reply = httpx.post(f"{running.url}/v1/chat/completions", json=body, timeout=30)
        assert reply.status_code == 502
        assert reply.json()["error"]["code"] == "engine_unreachable"
        running.process.wait(timeout=30)
        assert running.process.returncode == 2
    said = (tmp_path / "said.txt").read_text()
    assert "vLLM did not stay up: its engine died" in said


def test_a_python_that_is_not_there_and_one_without_vllm_are_named(tmp_path) -> None:
    options = VllmOptions(python=str(tmp_path / "nowhere"), log=tmp_path / "vllm.log")
    with pytest.raises(EndpointError, match="nowhere: No such file"):
        serve_vllm(str(NANO), Place(port=free_port()), options)
    with pytest.raises(EndpointError, match="name its Python with --vllm-python"):
        python_with_vllm(None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/v/bin/python: No module named vllm", "this Python has no vLLM"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried", "too little GPU memory"),
        ("ValueError: No available memory for the cache blocks.", "attention's cache"),
        ("ValueError: World size (4) is larger than the number of available GPUs (1)",
         "--tensor-parallel does not suit"),
        ("OSError: [Errno 98] Address already in use", "taken by another program"),
        ("PackageNotFoundError: No package metadata was found for vllm", "a distribution named"),
    ],
)  # fmt: skip
def test_known_lines_of_its_log_are_explained(line: str, words: str) -> None:
    assert words in explain(["INFO up", line, "INFO down"], 1)


def test_an_unknown_end_shows_the_lines_that_speak_of_trouble() -> None:
    lines = ["INFO one", "ValueError: something new", "INFO two"]
    assert explain(lines, 1) == "it ended with status 1: ValueError: something new"
    assert "memory runs out" in explain(lines, -signal.SIGKILL)
    assert explain([], 3) == "it ended with status 3: it said nothing"


def test_the_published_model_says_what_it_needs() -> None:
    # 32.8e9 parameters x 2 bytes / 2**30 = 61.09 GiB; a third more is 81.5 GiB.
    assert round(SAFEMED_R1.weights_gib) == 61 and round(SAFEMED_R1.needed_gib) == 81
    for engine, words in (("embedded", "Run it on such a machine"), ("vllm", "This machine has")):
        run = subprocess.run(
            [sys.executable, "-m", "app", "model", "serve", SAFEMED_R1.name, "--engine", engine],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert run.returncode == 2
        assert "61 GiB of weights" in run.stderr and words in run.stderr


def test_the_published_model_is_started_where_there_are_gpus(tmp_path, monkeypatch) -> None:
    from model.serve import vllm_server

    monkeypatch.setattr(vllm_server, "gpu_memories_gib", lambda: (80.0, 80.0, 80.0))
    monkeypatch.setattr(vllm_server, "local_copy", lambda known: NANO)
    monkeypatch.setenv("SCRIPTED_VLLM", "fail:INFO no more")
    monkeypatch.setenv("SCRIPTED_VLLM_NOTES", str(tmp_path / "notes.json"))
    options = VllmOptions(python=str(stand_in(tmp_path)), log=tmp_path / "vllm.log")
    with pytest.raises(EndpointError, match="it ended with status 1"):
        serve_vllm(SAFEMED_R1.name, Place(port=free_port()), options)
    words = json.loads((tmp_path / "notes.json").read_text())["words"]
    pairs = dict(pairwise(words))
    assert (pairs["--served-model-name"], pairs["--max-model-len"]) == ("safemed-r1", "4096")
    assert pairs["--tensor-parallel-size"] == "2"  # of three GPUs two divide its heads evenly


def test_weights_that_were_never_fetched_are_named_with_the_command(tmp_path, monkeypatch) -> None:
    from huggingface_hub import constants

    from model.serve.known import local_copy

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match="hf download OpenMedZoo/SafeMed-R1"):
        local_copy(KNOWN["OpenMedZoo/SafeMed-R1"])


def test_a_server_that_is_slow_to_come_up_is_told_apart_from_one_that_ended(tmp_path) -> None:
    from model.serve.vllm import started

    plan = vllm_plan("sleep", tmp_path, "n", port=1, context=1, n_gpus=0)
    slow = type(plan)(("sleep", "30"), {})
    began = time.monotonic()
    with (
        started(slow, port=free_port(), log=tmp_path / "log") as vllm,
        pytest.raises(EndpointError, match=r"not ready within 0\.3 s; its log is"),
    ):
        vllm.wait_until_ready(0.3)
    assert time.monotonic() - began < 10
