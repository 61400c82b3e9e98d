"""A strong model answers each candidate again, up to five times, until an answer agrees.

Each reply is on disk before the next question of its row is asked; after a kill the same command
goes on, and no reply that was written is asked for again. A failed call is neither hit nor miss.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from model.canonical import canonical
from model.cts.ledger import Ledger
from model.cts.tables import STRIKES
from model.endpoint import Endpoint, Sampling
from model.errors import LedgerError

LOG = "reanswers.jsonl"
_LETTER = re.compile(
    r"(?:answer|option)?\s*(?:is)?\s*:?\s*\(?([A-H])\)?(?:[.):\s]|$)", re.IGNORECASE
)
_SAME = (
    "Two answers to one clinical question follow. Do they advise the same? Reply with one word, "
    "yes or no.\n\nQuestion:\n{prompt}\n\nFirst answer:\n{one}\n\nSecond answer:\n{other}"
)
Agree = Callable[[str, str, str], bool | None]
"""Prompt, the row's answer and the new one to whether they agree; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Reanswered:
    """How a run went."""

    n_calls: int
    n_rows: int
    n_agreed: int
    n_docketed: int
    """Rows whose five re-answers all missed."""


def same_by_rule(prompt: str, one: str, other: str) -> bool | None:
    """Whether two answers choose the same option, or say the same but for case and spacing."""
    letters = [
        m[1].upper() if (m := _LETTER.match(text.strip())) else None for text in (one, other)
    ]
    if None not in letters:
        return letters[0] == letters[1]
    return " ".join(one.casefold().split()) == " ".join(other.casefold().split())


def same_by_judge(endpoint: Endpoint, model: str) -> Agree:
    """Ask a judge; a reply that is neither yes nor no leaves the question open."""

    def agree(prompt: str, one: str, other: str) -> bool | None:
        asked = _SAME.format(prompt=prompt, one=one, other=other)
        reply = endpoint.ask(model, asked, Sampling(max_tokens=2048))
        word = (reply.text or "").strip().strip(".").casefold()
        return {"yes": True, "no": False}.get(word)

    return agree


def reanswer(
    ledger: Ledger, endpoint: Endpoint, model: str, *, agree: Agree = same_by_rule,
    sampling: Sampling | None = None, concurrency: int = 8, n_rows: int | None = None,
) -> Reanswered:  # fmt: skip
    """Ask for every row that has no agreeing re-answer yet and fewer than five misses.

    Args:
        ledger: Whose candidates.
        endpoint: Of the strong model.
        model: Its name.
        agree: Decides whether a new answer agrees.
        sampling: Its seed grows by one with each try.
        concurrency: Rows asked about at once.
        n_rows: At most so many rows; all if None.

    Raises:
        LedgerError: If a reply cannot be written; those written stay.
    """
    log = _Log(ledger.directory / LOG)
    done = _tries(ledger, log.lines)
    waiting = [row for row in _candidates(ledger) if not _is_settled(done.get(row["row_id"], []))]
    waiting = waiting[:n_rows]
    base = sampling or Sampling(temperature=0.7, max_tokens=2048, seed=1)

    def ask_row(row: Mapping[str, str]) -> list[bool | None]:
        tries = list(done.get(row["row_id"], []))
        while not _is_settled(tries):
            number = len(tries) + 1
            told = Sampling(
                base.temperature, base.top_p, base.max_tokens, (base.seed or 0) + number
            )
            reply = endpoint.ask(model, row["prompt"], told)
            agrees = agree(row["prompt"], row["answer"], reply.text) if reply.text else None
            log.write({
                "row_id": row["row_id"], "number": number, "agrees": agrees,
                "answer": reply.text, "failure": reply.failure, "model": model,
                "asked_at": datetime.now(UTC).isoformat(timespec="seconds"),
            })  # fmt: skip
            tries.append(agrees)
            if agrees is None:
                break  # a failed call is tried again by the next run, not at once
        return tries

    with ThreadPoolExecutor(concurrency) as pool:
        tried = [job.result() for job in as_completed([pool.submit(ask_row, r) for r in waiting])]
    n_calls = log.n_written
    log.close()
    _move_into(ledger, log.path)
    return Reanswered(
        n_calls, len(waiting), sum(True in tries for tries in tried),
        sum(tries.count(False) >= STRIKES for tries in tried),
    )  # fmt: skip


def _is_settled(tries: list[bool | None]) -> bool:
    return True in tries or tries.count(False) >= STRIKES


def _tries(ledger: Ledger, lines: list[dict[str, Any]]) -> dict[str, list[bool | None]]:
    tries: dict[str, list[bool | None]] = {}
    for line in (*ledger.read("reanswers", ["row_id", "agrees"]).to_pylist(), *lines):
        tries.setdefault(line["row_id"], []).append(line["agrees"])
    return tries


def _candidates(ledger: Ledger) -> Iterator[dict[str, str]]:
    for path in ledger.paths("candidates"):
        yield from pq.read_table(path, columns=["row_id", "prompt", "answer"]).to_pylist()


def _move_into(ledger: Ledger, path: Path) -> None:
    """The log becomes a shard; after a kill, lines that the shard holds are passed over."""
    lines = _Log(path)
    lines.close()
    there = {
        (row["row_id"], row["number"])
        for row in ledger.read("reanswers", ["row_id", "number"]).to_pylist()
    }
    fresh = [line for line in lines.lines if (line["row_id"], line["number"]) not in there]
    if fresh:
        ledger.add_rows("reanswers", fresh)
    path.unlink()


class _Log:
    """Replies of an unfinished run, one fsynced line each; half a last line is dropped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_written = 0
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        self.lines = [json.loads(line) for line in whole.split(b"\n")[:-1]]
        self._lock = threading.Lock()
        self._file = path.open("r+b" if content else "wb")
        self._file.truncate(len(whole))
        self._file.seek(len(whole))

    def write(self, line: Mapping[str, Any]) -> None:
        with self._lock:
            try:
                self._file.write(canonical(dict(line)) + b"\n")
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise LedgerError(
                    f"a reply could not be written to {self.path.name}: {error.strerror}; free "
                    "space and run the same command again. Replies written are kept"
                ) from error
            self.n_written += 1

    def close(self) -> None:
        self._file.close()
