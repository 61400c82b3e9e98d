"""The ledger at the size of SafeMed-R1's: import, take-in, build, verify and trace.

`python -m benchmarks.bench_cts [N ...]` for other sizes than 90,500, 181,000 and 362,000 rows.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from app.resources import shipped

SIZES = (90_500, 181_000, 362_000)
AUDITORS, SPECIALTIES = 160, 14
WORDS = """patient dose kidney liver week daily tablet level blood pressure plan stop reduce check
potassium sodium heart rhythm infection culture allergy rash fever cough pain sleep""".split()  # noqa: SIM905


def rows(n: int, path: Path) -> None:
    """Candidates of about a kilobyte."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(n):
            said = [" ".join(rng.choices(WORDS, k=k)) for k in (40, 60, 40)]
            file.write(json.dumps({
                "prompt": f"Case {number}: {said[0]}?", "reasoning": said[1],
                "answer": f"{said[2]} ({number}).", "specialty": f"S{number % SPECIALTIES:02d}",
            }) + "\n")  # fmt: skip


def reviews(ledger_path: Path, directory: Path) -> list[Path]:
    """Two reviews of every row, each with an edit, in one file a specialty."""
    from model.cts.ledger import Ledger
    from model.cts.tables import DIMENSIONS

    table = Ledger(ledger_path).read("candidates", ["row_id", "specialty", "answer"])
    rng = random.Random(2)
    files = [directory / f"reviews-{i:02d}.jsonl" for i in range(SPECIALTIES)]
    opened = [path.open("w", encoding="utf-8") for path in files]
    for number, row in enumerate(table.to_pylist()):
        answer = row["answer"]
        for which in (1, 2):
            word = answer.split(" ", 1)[0]
            edit = [{"field": "answer", "start": 0, "before": word, "after": f"{word}{which}"}]
            answer = f"{word}{which}" + answer[len(word) :]
            opened[int(row["specialty"][1:])].write(json.dumps({
                "review_id": f"v{number}-{which}", "row_id": row["row_id"],
                "auditor": f"A{rng.randrange(AUDITORS):03d}", "specialty": row["specialty"],
                "scores": {d: rng.choice((3, 4, 4, 5)) for d in DIMENSIONS}, "edit": edit,
                "comment": "", "reviewed_at": "2026-01-01T08:00:00Z",
            }) + "\n")  # fmt: skip
    for file in opened:
        file.close()
    return files


def agree(ledger_path: Path) -> None:
    """One agreeing re-answer a row, as a strong model gives to most."""
    import pyarrow as pa

    from model.cts.ledger import Ledger
    from model.cts.tables import TABLES

    ledger = Ledger(ledger_path)
    ids = ledger.read("candidates", ["row_id"]).column(0)
    n = len(ids)
    values = [ids, [1] * n, [True] * n, ["Yes."] * n, [None] * n, ["strong"] * n, ["2026"] * n]
    names = TABLES["reanswers"].names
    ledger.add("reanswers", pa.table(dict(zip(names, values, strict=True)),
                                     schema=TABLES["reanswers"]))  # fmt: skip


def timed(*words: object) -> tuple[float, float]:
    """Seconds and GiB at most of one command in a process of its own."""
    code = (
        "import resource, sys; from app.command import app; sys.argv = ['safemed', *sys.argv[1:]]\n"
        "try: app()\nexcept SystemExit as e: assert not e.code, e.code\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    began = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=True
    )
    return time.perf_counter() - began, int(run.stderr.split()[-1]) / 2**20


def bench(n: int) -> dict[str, float]:
    """One size."""
    work = Path(tempfile.mkdtemp(prefix="safemed-cts-"))
    ledger = work / "ledger"
    try:
        rows(n, work / "rows.jsonl")
        told = ("--source", "generated", "--licence", "CC0-1.0", "--ledger", ledger)
        found: dict[str, float] = {"candidates": n}
        found["import s"], found["import GiB"] = timed("cts", "import", work / "rows.jsonl", *told)
        agree(ledger)
        files = reviews(ledger, work)
        found["take-in s"], found["take-in GiB"] = timed(
            "cts", "take-in", *files, "--ledger", ledger
        )
        found["build s"], found["build GiB"] = timed(
            "cts", "build", "--out", work / "out", "--ledger", ledger,
            "--against", shipped("vignettes"),
        )  # fmt: skip
        found["verify s"], found["verify GiB"] = timed(
            "cts", "verify", work / "out", "--ledger", ledger
        )
        found |= traced(ledger)
        return found
    finally:
        shutil.rmtree(work)


def traced(ledger_path: Path) -> dict[str, float]:
    """Milliseconds to trace a row with the index open: median and longest of 200."""
    from model.cts.ledger import Ledger
    from model.cts.trace import Index, trace

    ledger = Ledger(ledger_path)
    began = time.perf_counter()
    index = Index(ledger)
    made = time.perf_counter() - began
    ids = ledger.read("candidates", ["row_id"]).column(0).to_pylist()
    took = []
    for row_id in random.Random(3).sample(ids, k=200):
        began = time.perf_counter()
        assert len(trace(index, row_id).reviews) == 2
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return {"index s": made, "trace ms": took[100], "trace longest ms": took[-1]}


def main() -> None:
    """Print one line a size."""
    for n in [int(word) for word in sys.argv[1:]] or SIZES:
        found = bench(n)
        print("  ".join(f"{name} {value:,.1f}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
