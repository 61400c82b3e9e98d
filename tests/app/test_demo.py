from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.demo.run import MARKER, DemoError, run_demo

SAFEMED = [sys.executable, "-m", "app"]
KEYS = [
    "n_vignettes", "n_respondents", "n_responses", "n_failed_generations", "n_ratings", "export",
    "report",
]  # fmt: skip


def demo(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [*SAFEMED, "demo", "--out", str(out), "--no-serve", "--seed", "7", "--json", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """The demonstration run twice with one seed, each in a process of its own."""
    outs = tuple(tmp_path_factory.mktemp("demo") / name for name in ("one", "two"))
    for out in outs:
        finished = demo(out)
        assert finished.returncode == 0, finished.stderr
        (out.parent / f"{out.name}.json").write_text(finished.stdout)
    return outs


def test_the_demonstration_prints_one_json_object_that_adds_up(two_runs: tuple[Path, ...]) -> None:
    out = two_runs[0]
    printed = json.loads((out.parent / "one.json").read_text())
    assert list(printed) == KEYS
    # Five residents answer every vignette; the model's failures are recorded, not rated.
    n_planned = printed["n_vignettes"] * printed["n_respondents"]
    assert printed["n_respondents"] == 6
    assert printed["n_responses"] + printed["n_failed_generations"] == n_planned
    assert printed["n_ratings"] == 3 * printed["n_responses"]
    assert Path(printed["report"]).is_file()


def test_one_seed_gives_identical_digests_of_every_table(two_runs: tuple[Path, ...]) -> None:
    manifests = [json.loads((out / "export" / "manifest.json").read_text()) for out in two_runs]
    for table, entry in manifests[0]["tables"].items():
        assert entry["sha256"] == manifests[1]["tables"][table]["sha256"], table
    assert manifests[0] == manifests[1]


def test_the_report_is_the_same_too(two_runs: tuple[Path, ...]) -> None:
    one, two = (out / "report" / "report.html" for out in two_runs)
    assert one.read_bytes() == two.read_bytes()


def test_the_model_really_answered_through_its_endpoint(two_runs: tuple[Path, ...]) -> None:
    run = json.loads((two_runs[0] / "model-run" / "responses" / "run.json").read_text())
    nano = json.loads(_nano_manifest().read_text())
    assert run["model"] == "safemed-nano"
    assert len(run["weights_sha256"]) == 64
    assert run["weights_sha256"] in json.dumps(nano)
    assert run["n_completed"] + run["n_failed"] == 6


def _nano_manifest() -> Path:
    from app.resources import shipped

    return shipped("nano", "manifest.json")


def test_everything_says_that_it_is_simulated(two_runs: tuple[Path, ...]) -> None:
    manifest = json.loads((two_runs[0] / "export" / "manifest.json").read_text())
    assert manifest["simulated"] is True
    page = (two_runs[0] / "report" / "report.html").read_text()
    assert page.count(manifest["simulated_note"]) >= 5


def test_a_finished_demonstration_is_gone_on_from(two_runs: tuple[Path, ...]) -> None:
    before = (two_runs[0] / "export" / "manifest.json").stat().st_mtime_ns
    again = demo(two_runs[0])
    assert again.returncode == 0
    assert (two_runs[0] / "export" / "manifest.json").stat().st_mtime_ns == before


def test_another_seed_in_the_same_directory_is_refused(two_runs: tuple[Path, ...]) -> None:
    with pytest.raises(DemoError, match="holds a demonstration with seed 7"):
        run_demo(two_runs[0], seed=8, progress=print)


def test_a_foreign_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = demo(tmp_path)
    assert refused.returncode == 2
    assert "holds something that is not a demonstration" in refused.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_ctrl_c_ends_cleanly_and_the_next_run_starts_afresh(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    command = [*SAFEMED, "demo", "--out", str(out), "--no-serve", "--seed", "7"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        # Whoever starts the tests in the background makes children ignore what Ctrl-C sends.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    log = out / "model-run" / "endpoint.log"
    deadline = time.monotonic() + 300
    while not log.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert log.exists()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped. Nothing was damaged" in errors
    assert "Traceback" not in errors
    assert json.loads((out / MARKER).read_text())["finished"] is None
    assert demo(out).returncode == 0
