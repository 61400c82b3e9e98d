"""The demonstration from an empty directory to the served app; running it again goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.demo.study_run import lay_ground, run_whole_study, shipped_protocol
from app.demo.waiting import Invitations, make_waiting_studies
from study.clock import SteppingClock
from study.randomness import SeededSource
from study.store import create_store, open_store

Progress = Callable[[str], None]
MARKER = ".safemed-demo.json"


class DemoError(Exception):
    """The demonstration cannot run there."""


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration made; the figures are read from the frozen dataset."""

    n_vignettes: int
    n_respondents: int
    n_responses: int
    """Submitted responses, failures and missing ones not counted."""
    n_failed_generations: int
    n_ratings: int
    export: str
    report: str

    def as_json(self) -> dict[str, object]:
        """Plain values."""
        return asdict(self)


def run_demo(out: Path, *, seed: int, progress: Progress) -> DemoResult:
    """Run the whole simulated study in a directory, or read what a finished run left there.

    An unfinished run is cleared and run afresh; no real person can have joined one.

    Args:
        out: A directory to make, an empty one, or one of an earlier demonstration.
        seed: Of everything that is random; the same seed gives the same tables.
        progress: Told what happens.

    Raises:
        DemoError: If the directory is not the demonstration's, or was run with another seed.
    """
    marker = _claim(out, seed)
    if not marker["finished"]:
        _clear(out)
        store = create_store(database(out), clock=SteppingClock(), source=SeededSource(seed))
        ground = lay_ground(store, out, seed=seed, progress=progress)
        study_id = run_whole_study(ground, shipped_protocol("demonstration", ground))
        store.close()
        _write_marker(out, {**marker, "finished": study_id})
    else:
        progress(f"this demonstration was run before; going on from {out}")
    return summary_of(out)


def prepare_waiting(out: Path, *, seed: int, progress: Progress) -> Invitations:
    """Make the studies that wait for real people, once, and give their links' tokens."""
    marker = _read_marker(out)
    if marker is None or not marker["finished"]:
        raise DemoError(f"{out} holds no finished demonstration; run `safemed demo` first")
    if marker["invitations"] is None:
        store = open_store(database(out))
        made = make_waiting_studies(
            lay_ground(store, out, seed=seed, progress=progress), str(marker["finished"])
        )
        store.close()
        marker = {**marker, "invitations": made.as_json()}
        _write_marker(out, marker)
    return Invitations(**marker["invitations"])


def database(out: Path) -> Path:
    """The demonstration's study database."""
    return out / "study.db"


def _claim(out: Path, seed: int) -> dict[str, Any]:
    marker = _read_marker(out)
    if marker is None:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise DemoError(
                f"{out} holds something that is not a demonstration; name another directory "
                "with --out"
            )
        out.mkdir(parents=True, exist_ok=True)
        marker = {"seed": seed, "finished": None, "invitations": None}
        _write_marker(out, marker)
    if marker["seed"] != seed:
        raise DemoError(
            f"{out} holds a demonstration with seed {marker['seed']}; use that seed, or name "
            "another directory with --out"
        )
    return marker


def _clear(out: Path) -> None:
    for path in out.iterdir():
        if path.name == MARKER:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _read_marker(out: Path) -> dict[str, Any] | None:
    try:
        written = json.loads((out / MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise DemoError(f"{out / MARKER} is damaged; remove {out} and run again") from error
    return dict(written)


def _write_marker(out: Path, marker: dict[str, Any]) -> None:
    beside = out / (MARKER + ".part")
    beside.write_text(json.dumps(marker) + "\n", encoding="utf-8")
    beside.replace(out / MARKER)


def summary_of(out: Path) -> DemoResult:
    """The counts of a finished run, read from its frozen dataset."""
    import pyarrow.parquet as pq

    export = out / "export"
    responses = pq.read_table(export / "responses.parquet", columns=["status", "failure"])
    statuses = responses.column("status").to_pylist()
    rows = {
        name: table["rows"]
        for name, table in json.loads((export / "manifest.json").read_text())["tables"].items()
    }
    return DemoResult(
        n_vignettes=rows["vignettes"],
        n_respondents=rows["respondents"],
        n_responses=statuses.count("submitted"),
        n_failed_generations=statuses.count("failed"),
        n_ratings=rows["ratings"],
        export=str(export),
        report=str(out / "report" / "report.html"),
    )
