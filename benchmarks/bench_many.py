"""Time the reruns of fifty raters at once, each with some seconds of thought between ratings.

Raw websocket clients stand for the browsers, the server is a process of its own, as in a study.
Each rater keeps a draft, submits the rating and gets the next response; what is timed is the rerun,
from the browser's message to the end of the script, the write of the rating included.

    python -m benchmarks.bench_many [--raters 50] [--think 5] [--steps 10] [--postgres]
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from study.store import create_store
from tests.campaign.client import Form, Tab, save_draft, scores_of
from tests.whole.serving import served
from tests.whole.studies import to_rating

N_VIGNETTES, N_RESPONDENTS = 30, 3


def main(arguments: list[str] | None = None) -> None:
    """Set a study up, serve it, let all raters work, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raters", type=int, default=50)
    parser.add_argument("--think", type=float, default=5.0, help="mean seconds between ratings")
    parser.add_argument("--steps", type=int, default=10, help="ratings of each rater")
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory, _database(options, directory) as url:
        tokens = _rater_tokens(url, Path(directory), options)
        with served(url, Path(directory)) as server, ThreadPoolExecutor(len(tokens)) as at_once:
            began_s = _processor_s(server.process.pid)
            found = list(
                at_once.map(
                    lambda token: _works(server.base, token, options.think, options.steps), tokens
                )
            )
            used_s = _processor_s(server.process.pid) - began_s
    _print([t for times in found for t in times], used_s, options)


def _processor_s(pid: int) -> float:
    """Processor seconds of the server so far, which other work on the machine hardly changes."""
    try:
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return float("nan")  # not Linux
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _database(options: argparse.Namespace, directory: str) -> Iterator[str]:
    if not options.postgres:
        yield str(Path(directory) / "study.db")
        return
    from tests.postgres import cluster

    with cluster() as address:
        yield f"{address}/postgres"


def _rater_tokens(url: str, work: Path, options: argparse.Namespace) -> list[str]:
    """Sign-ins of the raters of a study in which each has enough to rate."""
    n_needed = options.raters * (options.steps + 1)
    store = create_store(url)
    study = to_rating(
        store, work / "work", n_vignettes=N_VIGNETTES, n_raters=options.raters,
        raters_per_response=-(-n_needed // (N_VIGNETTES * N_RESPONDENTS)),
    )  # fmt: skip
    store.close()
    return [entry.session_token for entry in study.raters]


def _works(base: str, token: str, think_s: float, steps: int) -> list[float]:
    """Milliseconds of each rerun of one rater, who thinks between half and one and a half times."""
    chance, times_ms = random.Random(token), []
    time.sleep(think_s * chance.random())  # nobody comes at the very same moment
    with Tab(base, token) as tab:
        form = tab.load().form
        for _ in range(steps):
            time.sleep(think_s * chance.uniform(0.5, 1.5))
            assert form is not None, "a rater has run out of responses; ask for fewer steps"
            given = _kept(base, token, form, chance)
            began = time.perf_counter()
            after = tab.submit(form, given).form
            times_ms.append(1000 * (time.perf_counter() - began))
            assert after is None or after.item != form.item, "the rating was not taken"
            form = after
    return times_ms


def _kept(base: str, token: str, form: Form, chance: random.Random) -> dict[str, object]:
    given = {"scores": scores_of(form, chance.randint(1, 5)), "comment": "A comment"}
    assert save_draft(base, token, form, given, form.revision).status == 200
    return given


def _print(times_ms: list[float], used_s: float, options: argparse.Namespace) -> None:
    cuts = statistics.quantiles(times_ms, n=100)
    print(
        f"{options.raters} raters at once, {options.think:g} s of thought, "
        f"{'PostgreSQL' if options.postgres else 'SQLite'}, {len(times_ms)} reruns that save a "
        f"rating, {os.cpu_count()} cores: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, "
        f"largest {max(times_ms):.1f} ms; the server's processor time for a draft and a rating "
        f"{1000 * used_s / len(times_ms):.0f} ms, the pages they come in by included"
    )


if __name__ == "__main__":
    main()
