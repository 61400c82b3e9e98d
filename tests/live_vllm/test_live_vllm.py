"""Nano served by a real vLLM: every shipped vignette, several samples, seeds, a kill in the middle.

`make test-vllm` makes vLLM's environment and names its Python; without it nothing here is
collected.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from model.respond import Sampling, respond
from model.serve.ready import wait_until_ready
from study.vignette import load_vignettes
from tests.model.conftest import free_port
from tests.model.files import ROOT, task_line, write_tasks

SAMPLING = Sampling(temperature=0.8, top_p=1.0, max_tokens=512, seed=1, n_samples=5, pick="seeded")
READY_S = 600.0


@dataclass
class Serving:
    url: str
    process: subprocess.Popen[bytes]
    work: Path


@contextmanager
def serving(work: Path) -> Iterator[Serving]:
    """`safemed model serve --engine vllm` in a process of its own."""
    port = free_port()
    work.mkdir(exist_ok=True)
    command = [
        sys.executable, "-m", "app", "model", "serve", "--engine", "vllm", "--port", str(port),
        "--log", str(work / "vllm.log"),
    ]  # fmt: skip
    with (work / "said.txt").open("ab") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, timeout_s=READY_S, process=process)
        yield Serving(url, process, work)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("vllm")) as running:
        yield running


def tasks_of(directory: Path, n_vignettes: int = 30) -> Path:
    """Tasks of the first vignettes, as a study hands them out."""
    vignettes = sorted(load_vignettes(ROOT / "data" / "vignettes").items())[:n_vignettes]
    lines = [
        task_line(name, f"{v.texts['en'].text}\n\n{v.texts['en'].question}")
        for name, v in vignettes
    ]
    return write_tasks(directory, lines)


@pytest.fixture(scope="module")
def samples(server: Serving, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every vignette, five times."""
    place = tmp_path_factory.mktemp("study")
    return ask(server, tasks_of(place / "tasks"), place / "out")


def ask(server: Serving, tasks: Path, out: Path, **more: Any) -> list[dict[str, Any]]:
    respond(
        tasks, out, endpoint=f"{server.url}/v1", model="safemed-nano", sampling=SAMPLING,
        concurrency=16, timeout_s=300.0, **more,
    )  # fmt: skip
    content = (out / "samples.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in content.splitlines()]


def said(samples: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(s["vignette_id"], s["sample"], s["text"], s["reasoning"]) for s in samples]


def test_every_vignette_is_answered_five_times_with_its_reasoning_apart(
    samples: list[dict[str, Any]],
) -> None:
    assert len(samples) == 150
    completed = [s for s in samples if s["status"] == "completed"]
    assert len(completed) >= 140  # a sample may run into its limit, and is then a failure
    assert sum(bool(s["reasoning"]) for s in completed) >= 130  # at 0.8 nano may skip it
    for sample in completed:
        assert "think>" not in sample["text"] + (sample["reasoning"] or "")
    assert len({s["text"] for s in completed}) > 30  # samples differ, as the temperature asks


def test_the_same_seeds_give_the_same_answers(
    server: Serving, samples: list[dict[str, Any]], tmp_path: Path
) -> None:
    again = ask(server, tasks_of(tmp_path / "tasks", 6), tmp_path / "out")
    assert said(again) == said(samples)[:30]


def test_the_surface_is_the_same_as_of_the_other_engines(server: Serving) -> None:
    (model,) = httpx.get(f"{server.url}/v1/models").json()["data"]
    assert model["id"] == "safemed-nano" and len(model["weights_sha256"]) == 64
    body = {
        "model": "safemed-nano", "messages": [{"role": "user", "content": "May he take it?"}],
        "max_tokens": 40, "n": 3, "temperature": 1.0, "seed": 5,
    }  # fmt: skip
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=120).json()
    assert len(answer["choices"]) == 3
    with httpx.stream(
        "POST", f"{server.url}/v1/chat/completions", json={**body, "n": 1, "stream": True},
        timeout=120,
    ) as stream:  # fmt: skip
        events = [line for line in stream.iter_lines() if line.startswith("data: ")]
    assert len(events) > 2 and events[-1] == "data: [DONE]"
    assert "vllm" in httpx.get(f"{server.url}/metrics").text


def test_asker_and_server_killed_in_the_middle_the_run_goes_on_where_it_was(
    server: Serving, samples: list[dict[str, Any]], tmp_path: Path
) -> None:
    tasks = tasks_of(tmp_path / "tasks", 10)
    command = [
        sys.executable, "-m", "app", "model", "respond", str(tasks), "--out", str(tmp_path / "cut"),
        "--model", "safemed-nano", "--temperature", "0.8", "--seed", "1", "--samples", "5",
        "--pick", "seeded", "--concurrency", "4", "--endpoint",
    ]  # fmt: skip
    lines = tmp_path / "cut" / "unfinished.jsonl"
    with serving(tmp_path / "first") as first:
        asking = subprocess.Popen([*command, f"{first.url}/v1"], cwd=ROOT)
        _wait_for(lambda: lines.exists() and lines.read_bytes().count(b"\n") >= 10)
        asking.kill()  # who asks is killed, and then who serves; vLLM goes with it
        asking.wait()
        (vllm,) = _children(first.process.pid)
        os.killpg(first.process.pid, signal.SIGKILL)
        _wait_for(lambda: not Path(f"/proc/{vllm}").exists(), timeout_s=60)
    kept = [json.loads(line) for line in lines.read_bytes().splitlines(keepends=True)]
    assert 10 <= len(kept) < 50
    again = subprocess.run(
        [*command, f"{server.url}/v1"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert f"{len(kept)} answers of the killed run are kept" in again.stdout
    content = (tmp_path / "cut" / "samples.jsonl").read_text(encoding="utf-8")
    found = [json.loads(line) for line in content.splitlines()]
    assert len(found) == 50 and all(line in found for line in kept)
    assert said(found) == said(samples)[:50]  # the same seeds, from two servers


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def _wait_for(condition: Any, timeout_s: float = 300.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.2)
