from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.analysis.frozen import example
from tests.app.test_commands import safemed


def ratings(path: Path, n_vignettes: int = 8) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "group", "judge", "points"])
        for v in range(n_vignettes):
            for arm in ("model", "people", "other"):
                for judge in ("R1", "R2"):
                    points = 1 + (v + len(arm) + len(judge) * v + int(judge[1])) % 5
                    writer.writerow([f"V{v}", arm, judge, points])
    return path


COLUMNS = ("--columns", "vignette=case,arm=group,rater=judge,score=points")
ARMS = ("--model-arm", "model", "--human-arm", "people")


def test_a_frozen_dataset_is_analysed(tmp_path: Path) -> None:
    export = example().write(tmp_path / "export")
    run = safemed("analyze", export, "--out", tmp_path / "out", "--json")
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert Path(said["report"]).exists()
    assert json.loads(Path(said["summary"]).read_text())["schema"] == "safemed.summary/1"


def test_a_table_of_ratings_is_analysed_with_names_arms_pairs_and_a_margin(tmp_path: Path) -> None:
    protocol = tmp_path / "rules.yaml"
    protocol.write_text("margin: {points: 1, reason: one anchor}\nanalysis: {n_resamples: 200}\n")
    run = safemed(
        "analyze", ratings(tmp_path / "r.csv"), "--out", tmp_path / "out", *COLUMNS, *ARMS,
        "--contrast", "model:other", "--protocol", protocol, "--seed", "7",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["contrasts"] == [
        {"first": "model", "second": "people"}, {"first": "model", "second": "other"},
    ]  # fmt: skip
    assert summary["margin"] == {"points": 1.0, "reason": "one anchor"}
    assert summary["rules"]["seed"] == 7
    assert summary["audit_head"] is None
    assert {d["lineage"]["n_rows"] for d in summary["dimensions"]} == {32}
    report = (tmp_path / "out" / "report.html").read_text()
    assert "Ratings from elsewhere: no registration, custody or lock is recorded." in report


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "has no column 'vignette'; its columns are case, group, judge, points"),
        (COLUMNS, "say which is taken from which, with --model-arm and --human-arm"),
        ((*COLUMNS, *ARMS, "--scale", "0-10"), "--scale holds '0-10'; write 1..5"),
        ((*COLUMNS, *ARMS, "--scale", "1..3"), "is off the scale 1 to 3 by 1"),
        (("--columns", "score"), "--columns holds 'score'; write meaning=name"),
        ((*COLUMNS, *ARMS, "--contrast", "model"), "--contrast holds 'model'; write first:second"),
        ((*COLUMNS, *ARMS, "--protocol", "missing.yaml"), "missing.yaml cannot be read"),
    ],
)
def test_what_cannot_be_analysed_is_refused_in_one_sentence(
    tmp_path: Path, options: tuple[Any, ...], words: str
) -> None:
    run = safemed("analyze", ratings(tmp_path / "r.csv"), "--out", tmp_path / "out", *options)
    assert run.returncode == 2
    assert words in run.stderr
    assert not (tmp_path / "out").exists()


def test_a_frozen_dataset_takes_no_other_protocol(tmp_path: Path) -> None:
    export = example().write(tmp_path / "export")
    run = safemed("analyze", export, "--out", tmp_path / "out", "--seed", "3")
    assert run.returncode == 2
    assert "--seed: a frozen dataset is analysed by its registered protocol" in run.stderr


def test_power_plans_a_study_and_draws_it(tmp_path: Path) -> None:
    run = safemed(
        "power", "--margin", "0.5", "--vignettes", "20,40", "--residents", "5", "--studies", "300",
        "--out", tmp_path / "plan", "--json",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    sizes = json.loads(run.stdout)["sizes"]
    assert [s["n_vignettes"] for s in sizes] == [20, 40]
    assert sizes[0]["superiority"] < sizes[1]["superiority"]
    assert (tmp_path / "plan" / "power.html").exists()
    with (tmp_path / "plan" / "power.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_power_without_a_margin_or_with_words_for_numbers_is_refused() -> None:
    assert safemed("power").returncode == 2
    run = safemed("power", "--margin", "0.5", "--vignettes", "many")
    assert "--vignettes holds 'many'" in run.stderr
    run = safemed("power", "--margin", "0")
    assert "the margin is 0" in run.stderr


def test_verify_names_each_check_and_fails_on_a_changed_bundle(tmp_path: Path) -> None:
    from study.signing import signer_at
    from tests.analysis.frozen import panel

    # A dataset written without the study package: its audit is no chain, and verify says so.
    bundle = panel(n_vignettes=3).write(tmp_path / "export")
    signed = signer_at(tmp_path / "key").sign((bundle / "manifest.json").read_bytes())
    (bundle / "signature.json").write_text(json.dumps(signed))
    run = safemed("verify", bundle)
    assert run.returncode == 1
    assert "FAULT  audit: audit event 1 (export) was changed or moved" in run.stdout
    assert "open   receipts: unanchored" in run.stdout
    assert safemed("verify", tmp_path).returncode == 2
    assert "is no receipt" in safemed("verify", bundle, "--receipt", "5").stderr
