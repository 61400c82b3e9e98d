"""Evaluations: how busy 32 connections keep an endpoint of one second, and scoring again.

Run with `python -m benchmarks.bench_evaluation`; the endpoint is this process's own.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from pathlib import Path

from model.endpoint import Sampling
from model.evaluation.asking import Asking
from model.evaluation.evaluate import Target
from model.evaluation.files import read_lines, read_manifest, write_evaluation
from model.exams.grading import evaluate_exam, rescore
from model.exams.layouts import read_exam
from tests.model.evaluation.scripted import endpoint

CONNECTIONS, LATENCY_S, N_ITEMS, N_STORED = 32, 1.0, 640, 100_000


class Busy:
    """Counts how many requests are under way, over time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now, self.most, self._since, self.seconds = 0, 0, 0.0, 0.0
        self.first = self.last = 0.0

    def change(self, by: int) -> None:
        """One request begins (1) or ends (-1)."""
        with self._lock:
            at = time.monotonic()
            self.first = self.first or at
            self.seconds += self._now * (at - (self._since or at))
            self._now, self._since, self.last = self._now + by, at, at
            self.most = max(self.most, self._now)


def items(path: Path) -> Path:
    rows = [
        {"question": f"Which is number {n}?", "options": [f"{n}", f"{n}!"], "answer": "A"}
        for n in range(N_ITEMS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def keep_busy(folder: Path) -> None:
    busy = Busy()

    def answer(asked: dict) -> str:
        busy.change(1)
        time.sleep(LATENCY_S)
        busy.change(-1)
        return "Answer: A"

    used = time.process_time()
    exam = read_exam(items(folder / "items.jsonl"), "jsonl")
    with endpoint(answer) as url:
        evaluate_exam(
            exam, Target("m", url, Sampling()), folder / "exam", asking=Asking(60, CONNECTIONS, 0)
        )
    took = busy.last - busy.first
    best = N_ITEMS * LATENCY_S / CONNECTIONS
    print(
        f"{N_ITEMS} calls of {LATENCY_S:g} s by {CONNECTIONS} connections: {took:.1f} s, at the "
        f"least {best:.1f} s, so {100 * best / took:.0f} % of the endpoint's maximum; "
        f"{busy.seconds / took:.1f} under way on average, {busy.most} at most; "
        f"{time.process_time() - used:.1f} s of the processor"
    )


def score_again(folder: Path) -> None:
    manifest = read_manifest(folder / "exam")
    sample = read_lines(folder / "exam", "samples.jsonl", manifest)[0]
    many = [sample | {"sample_id": f"{n}#0", "item_id": str(n)} for n in range(N_STORED)]
    (folder / "many").mkdir()
    write_evaluation(folder / "many", manifest, many, [])
    began, used = time.monotonic(), time.process_time()
    rescore(folder / "many", folder / "again")
    took, used = time.monotonic() - began, time.process_time() - used
    print(f"{N_STORED:,} answers scored again: {took:.1f} s, {used:.1f} s of the processor")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        keep_busy(Path(folder))
        score_again(Path(folder))


if __name__ == "__main__":
    main()
