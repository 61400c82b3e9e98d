"""The tasks a study wrote for a model, read strictly: all that a model ever gets to see."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from model.canonical import sha256_hex
from model.errors import TaskError
from model.strict import Fields

SCHEMA = "safemed.tasks/1"


@dataclass(frozen=True, slots=True)
class Task:
    """One vignette to answer."""

    vignette_id: str
    vignette_version: int
    instruction: str
    text: str
    """The whole stimulus, word for word what a resident sees."""
    text_sha256: str
    max_words: int | None

    @property
    def prompt(self) -> str:
        """The user message: instruction, blank line, text."""
        return f"{self.instruction}\n\n{self.text}"

    @property
    def prompt_sha256(self) -> str:
        """Digest of the user message's bytes."""
        return sha256_hex(self.prompt.encode())


@dataclass(frozen=True, slots=True)
class TaskSet:
    """The tasks of one model respondent in one study."""

    study_id: str
    respondent_id: str
    protocol_sha256: str
    language: str
    tasks_sha256: str
    tasks: tuple[Task, ...]


def read_tasks(directory: Path) -> TaskSet:
    """Read a tasks directory and check every digest in it.

    Args:
        directory: Holds `manifest.json` and `tasks.jsonl`, as `docs/contracts.md` defines them.

    Raises:
        TaskError: Naming the file, the line, the value and the remedy.
    """
    manifest = Fields(_read_json(directory / "manifest.json"), "manifest.json", TaskError)
    schema = manifest.take("schema", str)
    if schema != SCHEMA:
        raise TaskError(f"manifest.json: schema is {schema!r}; this version reads {SCHEMA!r}")
    study_id = manifest.take("study_id", str)
    respondent_id = manifest.take("respondent_id", str)
    protocol_sha256 = manifest.take("protocol_sha256", str)
    language = manifest.take("language", str)
    n_tasks = manifest.take("n_tasks", int)
    tasks_sha256 = manifest.take("tasks_sha256", str)
    manifest.finish()
    tasks = _read_lines(directory / "tasks.jsonl", tasks_sha256)
    if len(tasks) != n_tasks:
        raise TaskError(f"manifest.json counts {n_tasks} tasks; tasks.jsonl holds {len(tasks)}")
    return TaskSet(study_id, respondent_id, protocol_sha256, language, tasks_sha256, tasks)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TaskError(
            f"{path} cannot be read ({error.strerror}); name a directory that `safemed tasks` wrote"
        ) from error


def _read_json(path: Path) -> object:
    try:
        value: object = json.loads(_read_bytes(path).decode("utf-8"))
    except ValueError as error:
        raise TaskError(f"{path} is not JSON in UTF-8: {error}") from error
    return value


def _read_lines(path: Path, expected_sha256: str) -> tuple[Task, ...]:
    content = _read_bytes(path)
    if sha256_hex(content) != expected_sha256:
        raise TaskError(
            f"{path} was changed after it was written: its digest is {sha256_hex(content)}, the "
            f"manifest says {expected_sha256}. Run `safemed tasks` again"
        )
    tasks: dict[str, Task] = {}
    # Not splitlines(): a text may hold a Unicode line separator, which JSON leaves as it is.
    for number, line in enumerate(content.decode("utf-8").split("\n"), start=1):
        if not line:
            continue
        task = _read_task(line, f"tasks.jsonl line {number}")
        if task.vignette_id in tasks:
            raise TaskError(f"tasks.jsonl line {number}: {task.vignette_id} is there twice")
        tasks[task.vignette_id] = task
    return tuple(tasks.values())


def _read_task(line: str, where: str) -> Task:
    try:
        fields = Fields(json.loads(line), where, TaskError)
    except ValueError as error:
        raise TaskError(f"{where} is not JSON: {error}") from error
    task = Task(
        vignette_id=fields.take("vignette_id", str),
        vignette_version=fields.take("vignette_version", int),
        instruction=fields.take("instruction", str),
        text=fields.take("text", str),
        text_sha256=fields.take("text_sha256", str),
        max_words=fields.take("max_words", int, type(None)),
    )
    instruction_sha256 = fields.take("instruction_sha256", str)
    fields.finish()
    for name, text, digest in (
        ("text", task.text, task.text_sha256),
        ("instruction", task.instruction, instruction_sha256),
    ):
        if not text.strip():
            raise TaskError(f"{where}: {name!r} of {task.vignette_id} is empty")
        if sha256_hex(text.encode()) != digest:
            raise TaskError(
                f"{where}: {name!r} of {task.vignette_id} does not have the digest {digest}"
            )
    return task
