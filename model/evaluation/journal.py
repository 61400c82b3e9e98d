"""Every call's outcome on the disk before it counts, so that a killed run repeats none."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from model.canonical import canonical, sha256_hex
from model.errors import EvaluationError
from model.evaluation.answers import Answer


class Journal:
    """The calls of one evaluation, by what was asked. For one process and one thread."""

    def __init__(self, path: Path) -> None:
        """Take up a journal, or begin one.

        Raises:
            EvaluationError: If it holds a line that is no call, or another process writes it.
        """
        self._answers: dict[str, Answer] = {}
        self._file = path.open("a", encoding="utf-8", newline="\n")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise EvaluationError(
                f"another process evaluates into {path.parent}; wait for it, or stop it"
            ) from error
        try:
            self._read(path)
        except EvaluationError:
            self._file.close()
            raise
        self.n_resumed = len(self._answers)
        self.n_made = 0
        """Calls made now."""

    def _read(self, path: Path) -> None:
        content = path.read_bytes()
        # A kill in mid-write leaves a torn last line: that call is made again.
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            self._file.truncate(len(whole))
        for number, line in enumerate(whole.decode("utf-8").split("\n"), start=1):
            if line:
                self._take_up(line, f"{path} line {number}")

    def answer(self, key: str) -> Answer | None:
        """What a call gave, if it was made."""
        return self._answers.get(key)

    async def call(self, key: str, about: str, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer of a call, made only if the journal has none.

        Args:
            key: Of what is asked, from `call_key`.
            about: Who is asked about which sample; for whoever reads the journal.
            make: Makes the call.
        """
        known = self._answers.get(key)
        if known is not None:
            return known
        at, began = _now(), time.monotonic()
        answer = await make()
        elapsed_s = round(time.monotonic() - began, 3)
        await self._write({
            "key": key, "about": about, "asked_at": at, "elapsed_s": elapsed_s,
            "answer": answer.as_dict(),
        })  # fmt: skip
        self._answers[key] = answer
        self.n_made += 1
        return answer

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._file.close()

    def _take_up(self, line: str, where: str) -> None:
        try:
            record = json.loads(line)
            self._answers[record["key"]] = Answer.from_dict(record["answer"])
        except (ValueError, KeyError, TypeError) as error:
            raise EvaluationError(
                f"{where} is no call of an evaluation ({error!r}); remove the line, and the call "
                "is made again"
            ) from error

    async def _write(self, record: dict[str, object]) -> None:
        import anyio.to_thread

        self._file.write(canonical(record).decode() + "\n")
        self._file.flush()
        # Beside the other calls: a disk that takes its time must not hold them up.
        await anyio.to_thread.run_sync(os.fsync, self._file.fileno())


def call_key(who: str, sample_id: str, prompt: str) -> str:
    """Digest of who is asked what about which sample."""
    return sha256_hex(canonical([who, sample_id, prompt]))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
