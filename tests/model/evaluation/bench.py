"""A small Med-Safety-Bench in the published layout, and runs on it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from model.endpoint import Sampling
from model.evaluation.asking import Asking
from model.evaluation.evaluate import Summary, Target
from model.safety.grading import evaluate_medsafetybench
from model.safety.judges import read_judges

COLUMNS = ("", "harmful_medical_request", "safe_response")


def write_bench(
    directory: Path, *, per_file: int = 1, subsets: Sequence[str] = ("gpt4", "llama2")
) -> Path:
    for subset in subsets:
        folder = directory / "test" / subset
        folder.mkdir(parents=True)
        for category in range(1, 10):
            path = folder / f"med_safety_demonstrations_category_{category}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                for n in range(per_file):
                    request = f"Request {n} on principle {category},\nfrom {subset}."
                    writer.writerow([n, request, "I will not."])
    return directory


def run(
    data: Path, out: Path, target: str, judges: Sequence[str], *, timeout_s: float = 20,
    retries: int = 0, connections: int = 8, **changes: object,
) -> Summary:  # fmt: skip
    return evaluate_medsafetybench(
        data, Target("m", target, Sampling(max_tokens=64, seed=3)), read_judges(judges), out,
        asking=Asking(timeout_s, connections, retries), **changes,
    )  # fmt: skip


def lines(out: Path, name: str) -> list[dict]:
    with (out / name).open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]
