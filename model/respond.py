"""Asking a served model the tasks of a study, and writing what it answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.endpoint import Endpoint, Sampling, ServedModel
from model.errors import RespondError
from model.reply import Reply
from model.response_files import SCHEMA, ResponseFiles, begin_plan
from model.tasks import Task, TaskSet, read_tasks
from model.version import code_version

__all__ = ["RunSummary", "Sampling", "respond"]


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended."""

    directory: Path
    n_completed: int
    n_failed: int
    n_resumed: int
    """Answers found from a run that was killed; they were not asked again."""


@dataclass(frozen=True, slots=True)
class _Asked:
    task: Task
    sample: int
    reply: Reply
    at: str
    elapsed_s: float


def respond(
    tasks_dir: Path,
    out_dir: Path,
    *,
    endpoint: str,
    model: str,
    sampling: Sampling,
    concurrency: int = 4,
    timeout_s: float = 300.0,
    progress: Callable[[str], object] | None = None,
) -> RunSummary:
    """Ask one endpoint every task and write the responses directory.

    A failed generation is recorded under its name and never turned into text. A run that was
    killed goes on where it stopped when the same call is made again.

    Args:
        tasks_dir: What `safemed tasks` wrote; nothing else is read.
        out_dir: A directory to make, an empty one, or that of a killed run.
        endpoint: Address up to and including `/v1`.
        model: Name of the served model.
        sampling: How it is asked to write; one seed for all tasks, the next for a further sample.
            Which sample is the response follows from it alone, before anything is asked.
        concurrency: Requests under way at once.
        timeout_s: For one request, in seconds.
        progress: Is told one line a task.

    Raises:
        TaskError: If the tasks cannot be used.
        RespondError: If `out_dir` holds a finished run or another one, or the endpoint does not
            serve the model.
    """
    if concurrency < 1:
        raise RespondError(f"concurrency is {concurrency}; at least one request has to be asked")
    say = progress or (lambda line: None)
    task_set = read_tasks(tasks_dir)
    with Endpoint(endpoint, timeout_s=timeout_s) as client:
        served = _describe(client, endpoint, model, say)
        plan = begin_plan(
            task_set, model=model, weights_sha256=served.weights_sha256, engine=served.engine,
            sampling=sampling, at=_now(),
        )  # fmt: skip
        files = ResponseFiles(out_dir, task_set, plan)
        n_resumed = len(files.answered)
        if n_resumed:
            say(f"{n_resumed} answers of the killed run are kept")
        try:
            _ask_all(client, files, task_set, model, sampling, concurrency, say)
            return _finish(files, task_set, out_dir, n_resumed)
        finally:
            files.close()


def _describe(
    client: Endpoint, endpoint: str, model: str, say: Callable[[str], object]
) -> ServedModel:
    served = client.describe(model)
    if not served.reachable:
        say(f"{endpoint} does not answer; each task that stays unanswered is a recorded failure")
    if served.names and model not in served.names:
        raise RespondError(
            f"{endpoint} serves {', '.join(served.names)}, and no {model}; name one of them"
        )
    return served


def _ask_all(
    client: Endpoint, files: ResponseFiles, task_set: TaskSet, model: str,
    sampling: Sampling, concurrency: int, say: Callable[[str], object],
) -> None:  # fmt: skip
    waiting = [
        (task, sample)
        for task in task_set.tasks
        for sample in range(1, sampling.n_samples + 1)
        if (task.vignette_id, sample) not in files.answered
    ]
    pool = ThreadPoolExecutor(max_workers=concurrency)
    try:
        asked = [
            pool.submit(_ask, client, task, sample, model, sampling) for task, sample in waiting
        ]
        for future in as_completed(asked):
            done = future.result()
            files.add(
                done.task, done.sample, done.reply, seed=sampling.seed_of(done.sample), at=done.at,
                elapsed_s=done.elapsed_s,
            )  # fmt: skip
            n_asked = len(task_set.tasks) * sampling.n_samples
            which = f" sample {done.sample}" if sampling.n_samples > 1 else ""
            outcome = f"failed ({done.reply.failure})" if done.reply.failure else "answered"
            say(
                f"{len(files.answered)} of {n_asked}: {done.task.vignette_id}{which} {outcome} "
                f"in {done.elapsed_s:.1f} s"
            )
    finally:
        # After Ctrl-C nothing new is asked; what is under way ends at its deadline.
        pool.shutdown(wait=True, cancel_futures=True)


def _ask(client: Endpoint, task: Task, sample: int, model: str, sampling: Sampling) -> _Asked:
    at, began = _now(), time.monotonic()
    reply = client.ask(model, task.prompt, replace(sampling, seed=sampling.seed_of(sample)))
    return _Asked(task, sample, reply, at, time.monotonic() - began)


def _finish(files: ResponseFiles, task_set: TaskSet, out_dir: Path, n_resumed: int) -> RunSummary:
    n_failed = files.n_failed
    n_completed = len(task_set.tasks) - n_failed
    files.finish(_manifest(files, task_set, n_completed, n_failed))
    return RunSummary(out_dir, n_completed, n_failed, n_resumed)


def _manifest(
    files: ResponseFiles, task_set: TaskSet, n_completed: int, n_failed: int
) -> dict[str, Any]:
    plan, finished_at = files.plan, _now()
    elapsed = _parse(finished_at) - _parse(plan.started_at)
    return {
        "schema": SCHEMA,
        "study_id": task_set.study_id,
        "respondent_id": task_set.respondent_id,
        "tasks_sha256": plan.tasks_sha256,
        "responses_sha256": None,
        "model": plan.model,
        "weights_sha256": plan.weights_sha256,
        "engine": plan.engine,
        "sampling": plan.sampling,
        "code_version": code_version(),
        "started_at": plan.started_at,
        "finished_at": finished_at,
        "elapsed_s": round(elapsed.total_seconds(), 3),
        "n_completed": n_completed,
        "n_failed": n_failed,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse(at: str) -> datetime:
    return datetime.fromisoformat(at)
