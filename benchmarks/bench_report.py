"""Time `safemed analyze` on the demonstration's frozen dataset, as a whole process.

python benchmarks/bench_report.py [--runs 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAFEMED = [sys.executable, "-m", "app"]


def main(arguments: list[str] | None = None) -> None:
    """Make the demonstration once, analyse it several times, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "demo"
        began = time.perf_counter()
        _run("demo", "--out", out, "--no-serve", "--json")
        print(f"demonstration, whole study to report    {time.perf_counter() - began:6.1f} s")
        times = []
        for number in range(options.runs):
            began = time.perf_counter()
            _run("analyze", out / "export", "--out", Path(directory) / f"report-{number}")
            times.append(time.perf_counter() - began)
    print(
        f"report of the demonstration, {options.runs} runs     "
        f"median {statistics.median(times):.1f} s, most {max(times):.1f} s"
    )


def _run(*words: object) -> None:
    command = [*SAFEMED, *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
