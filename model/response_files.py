"""The responses directory: each answer is written as it comes, and the manifest last."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.canonical import sha256_hex
from model.endpoint import Sampling
from model.errors import RespondError
from model.reply import Reply
from model.tasks import Task, TaskSet
from model.whole_files import write_whole

SCHEMA = "safemed.responses/1"
_PLAN = "unfinished.json"
_LINES = "unfinished.jsonl"


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run was started with; a resumed run has to be the same one."""

    tasks_sha256: str
    model: str
    weights_sha256: str
    engine: str
    sampling: dict[str, Any]
    started_at: str


class ResponseFiles:
    """Writes one run's files. Not safe to share between threads."""

    def __init__(self, directory: Path, task_set: TaskSet, plan: RunPlan) -> None:
        """Begin a run, or take up one that was killed.

        Raises:
            RespondError: If the directory holds a finished run, another run, or anything else.
        """
        self._directory = directory
        self._task_set = task_set
        self._lines: dict[tuple[str, int], str] = {}
        self._sampling = Sampling(**plan.sampling)
        if (directory / "run.json").exists():
            raise RespondError(
                f"{directory} holds a finished run; it is never overwritten. Name another directory"
            )
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / _PLAN).exists():
            self.plan = self._resume(plan)
        else:
            if any(directory.iterdir()):
                raise RespondError(f"{directory} is not empty; name another directory")
            self.plan = plan
            write_whole(directory / _PLAN, json.dumps(asdict(plan), indent=2) + "\n")
        self._file = (directory / _LINES).open("a", encoding="utf-8", newline="\n")

    @property
    def answered(self) -> frozenset[tuple[str, int]]:
        """Vignette ids and samples that have a line already; they are not asked again."""
        return frozenset(self._lines)

    @property
    def n_failed(self) -> int:
        """Responses that record a failure."""
        return sum(record["status"] == "failed" for record in self._picked())

    def add(
        self, task: Task, sample: int, reply: Reply, *, seed: int | None, at: str,
        elapsed_s: float,
    ) -> None:  # fmt: skip
        """Write one sample; it is on the disk when this returns."""
        line = _one_line({"sample": sample, **_record(task, reply, seed, at, elapsed_s)})
        self._file.write(line + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._lines[task.vignette_id, sample] = line

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the responses in the tasks' order, all samples beside them, then `run.json`."""
        content = "".join(_one_line(record) + "\n" for record in self._picked())
        write_whole(self._directory / "responses.jsonl", content)
        manifest["responses_sha256"] = sha256_hex(content.encode())
        if self._sampling.n_samples > 1:
            place = {task.vignette_id: n for n, task in enumerate(self._task_set.tasks)}
            ordered = sorted(self._lines, key=lambda key: (place[key[0]], key[1]))
            samples = "".join(self._lines[key] + "\n" for key in ordered)
            write_whole(self._directory / "samples.jsonl", samples)
            manifest["samples_sha256"] = sha256_hex(samples.encode())
        write_whole(self._directory / "run.json", json.dumps(manifest, indent=2) + "\n")
        self.close()
        (self._directory / _LINES).unlink()
        (self._directory / _PLAN).unlink()

    def _picked(self) -> Iterator[dict[str, Any]]:
        """The sample of each task that is its response, as `responses.jsonl` holds it."""
        for task in self._task_set.tasks:
            key = task.vignette_id, self._sampling.picked(task.vignette_id)
            record = json.loads(self._lines[key])
            del record["sample"]
            yield record

    def close(self) -> None:
        """Close the file that is open; what was written stays for a later run."""
        self._file.close()

    def _resume(self, plan: RunPlan) -> RunPlan:
        begun = RunPlan(**json.loads((self._directory / _PLAN).read_text(encoding="utf-8")))
        for name in ("tasks_sha256", "model", "weights_sha256", "engine", "sampling"):
            before, now = getattr(begun, name), getattr(plan, name)
            if before != now:
                raise RespondError(
                    f"{self._directory} holds an unfinished run with {name} {before}; this one has "
                    f"{now}. Repeat the same command, or name another directory"
                )
        path = self._directory / _LINES
        content = path.read_bytes() if path.exists() else b""
        # A kill in mid-write leaves a torn last line: that answer is asked again.
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            path.write_bytes(whole)
        for line in whole.decode("utf-8").split("\n"):
            if line:
                record = json.loads(line)
                self._lines[record["vignette_id"], record["sample"]] = line
        return begun


def begin_plan(
    task_set: TaskSet, *, model: str, weights_sha256: str, engine: str,
    sampling: Sampling, at: str,
) -> RunPlan:  # fmt: skip
    """What a run is started with."""
    return RunPlan(task_set.tasks_sha256, model, weights_sha256, engine, asdict(sampling), at)


def _record(
    task: Task, reply: Reply, seed: int | None, at: str, elapsed_s: float
) -> dict[str, Any]:
    return {
        "vignette_id": task.vignette_id,
        "text_sha256": task.text_sha256,
        "prompt_sha256": task.prompt_sha256,
        "status": "failed" if reply.failure else "completed",
        "failure": reply.failure,
        "detail": reply.detail,
        "text": reply.text,
        "reasoning": reply.reasoning,
        "finish_reason": reply.finish_reason,
        "seed": seed,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "asked_at": at,
        "elapsed_s": round(elapsed_s, 3),
    }


def _one_line(record: dict[str, Any]) -> str:
    line = json.dumps(record, ensure_ascii=False)
    # Line breaks to Unicode but not to JSON: a reader that splits lines must not split these.
    for break_ in ("\u0085", "\u2028", "\u2029"):
        line = line.replace(break_, f"\\u{ord(break_):04x}")
    return line
