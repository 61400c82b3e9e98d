from __future__ import annotations

import csv
import json
from pathlib import Path

from app.cts_report import POINTS, cts_report
from model.cts.build import build
from tests.app.test_commands import safemed
from tests.model.cts.rows import ledger_of
from tests.model.cts.test_build import whole


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_report_shows_the_flow_and_the_agreement_and_writes_both(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    build(ledger, tmp_path / "dataset")
    run = safemed(
        "cts", "report", "--ledger", ledger.directory, "--dataset", tmp_path / "dataset",
        "--out", tmp_path / "report",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "        7  candidates" in run.stdout and "        3  kept\n" in run.stdout
    flow = {row["outcome"]: int(row["rows"]) for row in rows_of(tmp_path / "report" / "flow.csv")}
    assert flow.pop("candidates") == sum(flow.values()) == 7
    assert len(rows_of(tmp_path / "report" / "rows.csv")) == 7
    agreement = rows_of(tmp_path / "report" / "agreement.csv")
    # Thirteen reviews of seven rows, one row with one review; one specialty beside all of them.
    assert {(r["specialty"], r["n_reviews"], r["n_pairable"]) for r in agreement} == {
        ("all specialties", "13", "6"), ("general", "13", "6"),
    }  # fmt: skip
    assert len(agreement) == 5 * 2
    assert len(rows_of(tmp_path / "report" / "auditors.csv")) == 5 * 2
    written = json.loads((tmp_path / "report" / "report.json").read_text())
    assert written["schema"] == "safemed.cts-report/1" and written["differences"] == []
    again = safemed("cts", "report", "--ledger", ledger.directory, "--out", tmp_path / "report")
    assert again.returncode == 2 and "exists; name a new directory" in again.stderr


def test_the_auditors_of_a_pair_differ_by_equal_and_opposite_points(tmp_path: Path) -> None:
    found = cts_report(whole(tmp_path))
    # Odd reviews are A1's, even ones A0's. On correctness the pairs A1 - A0 are 4 - 5, 4 - 4,
    # 5 - 2, 4 - 4 (struck: 9 - 8), 5 - 1 (11 - 10) and 4 - 4 (13 - 12): 6 points over 6 pairs.
    by_auditor = {
        row.auditor: row.found for row in found.auditors if row.dimension == "medical_correctness"
    }
    assert by_auditor["A1"].own_minus_others == 1.0
    assert by_auditor["A0"].own_minus_others == -1.0
    assert by_auditor["A1"].n_pairs == 6


def test_a_dataset_that_does_not_reconcile_gives_status_1(tmp_path: Path) -> None:
    ledger = whole(tmp_path)
    build(ledger, tmp_path / "dataset")
    (tmp_path / "dataset" / "row_ids.txt").write_text("")
    run = safemed(
        "cts", "report", "--ledger", ledger.directory, "--dataset", tmp_path / "dataset"
    )  # fmt: skip
    assert run.returncode == 1
    assert "DIFFERS  3 rows are in" in run.stdout


def test_a_ledger_without_a_review_has_a_flow_and_no_agreement(tmp_path: Path) -> None:
    found = cts_report(ledger_of(tmp_path, 2))
    assert found.flow.steps[0].n_left_here == 2 and found.flow.n_kept == 0
    assert found.agreement == () and found.auditors == ()
    assert POINTS == (1.0, 2.0, 3.0, 4.0, 5.0)
