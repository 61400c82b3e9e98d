from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from analysis.dataset import read_frozen
from analysis.differences import vignette_differences
from analysis.flow import flow
from analysis.results import NotComputed, compute
from analysis.run import analyze
from analysis.wording import finding, number, p_in_words
from tests.analysis.frozen import Frozen, example


def test_residents_are_averaged_within_before_between(tmp_path: Path) -> None:
    frozen = Frozen(n_vignettes=1)
    frozen.respond("P1", "people", "V01", [[1, 1], [3, 3]])
    frozen.respond("P2", "people", "V01", [[5, 5], [None, None]])
    frozen.respond("M", "model", "V01", [[4, 4], [5, 5]])
    dataset = read_frozen(frozen.write(tmp_path))
    d = vignette_differences(dataset, dataset.dimensions[0])
    # Residents: mean of (1+3)/2 = 2 and 5 is 3.5, not the pooled (1+3+5)/3 = 3. Model: 4.5.
    assert d.values.tolist() == [1.0]
    assert (d.first_mean, d.second_mean) == (4.5, 3.5)


def test_a_scale_where_lower_is_better_is_turned(tmp_path: Path) -> None:
    plain = read_frozen(example().write(tmp_path / "a"))
    turned = read_frozen(example(direction="lower_is_better").write(tmp_path / "b"))
    one = vignette_differences(plain, plain.dimensions[1]).values
    other = vignette_differences(turned, turned.dimensions[1]).values
    assert one.tolist() == (-other).tolist()
    assert np.any(one)


def test_a_failed_generation_leaves_the_vignette_out_and_is_counted(tmp_path: Path) -> None:
    frozen = example()
    frozen.tables["responses"] = [
        r for r in frozen.tables["responses"] if r["response_id"] != "r-M-V02"
    ]
    frozen.tables["ratings"] = [
        r for r in frozen.tables["ratings"] if r["blinding_code"] != "M-V02"
    ]
    frozen.tables["assignments"] = [
        r for r in frozen.tables["assignments"] if r["blinding_code"] != "M-V02"
    ]
    frozen.respond("M", "model", "V02", None)
    dataset = read_frozen(frozen.write(tmp_path))
    excluded = vignette_differences(dataset, dataset.dimensions[0]).excluded
    assert [(gone.vignette, gone.reason) for gone in excluded] == [
        ("V02", "no scored response of Model (1 failed)")
    ]
    model = next(f for f in flow(dataset) if f.arm == "model")
    assert (model.n_planned, model.n_submitted, model.n_failed) == (6, 5, 1)
    assert model.failures == (("timeout", 1),)


def test_all_zero_differences_are_named_and_nothing_is_adjusted(tmp_path: Path) -> None:
    results = compute(read_frozen(example().write(tmp_path)))
    correctness = results.dimensions[0]
    assert isinstance(correctness.test, NotComputed)
    assert "all 6 differences are zero" in correctness.test.reason
    assert all(result.p_adjusted is None for result in results.dimensions)


def test_three_vignettes_print_the_attainable_confidence_and_do_not_crash(tmp_path: Path) -> None:
    export = example(n_vignettes=3).write(tmp_path / "export")
    run = analyze(export, tmp_path / "out")
    assert "95 % is not attainable with 3 pairs; attainable: 75 %" in run.report.read_text()


def test_no_sentence_claims_that_arms_match(tmp_path: Path) -> None:
    dataset = read_frozen(example().write(tmp_path))
    for result in compute(dataset).dimensions:
        words = finding(dataset, result).lower()
        assert "match" not in words
        assert "no significant difference" not in words
        assert "equivalent" not in words


def test_a_large_p_reads_as_what_the_interval_leaves_open(tmp_path: Path) -> None:
    frozen = Frozen()
    for vignette, scores in zip(frozen.vignettes, [1, 2, 3, 4, 5, 3], strict=True):
        frozen.respond("P1", "people", vignette, [[3, 3], [3, 3]])
        frozen.respond("M", "model", vignette, [[scores, 3], [scores, 4]])
    dataset = read_frozen(frozen.write(tmp_path))
    words = finding(dataset, compute(dataset).dimensions[0])
    assert "The direction stays open: anything from \u22122.00 to +2.00 points" in words


def test_two_runs_on_one_dataset_differ_only_in_the_run_manifest(tmp_path: Path) -> None:
    export = example().write(tmp_path / "export")
    for name in ("one", "two"):
        analyze(export, tmp_path / name)
    names = sorted(
        str(p.relative_to(tmp_path / "one")) for p in (tmp_path / "one").rglob("*") if p.is_file()
    )
    different = [
        n
        for n in names
        if (tmp_path / "one" / n).read_bytes() != (tmp_path / "two" / n).read_bytes()
    ]
    assert "report.html" in names
    assert [n for n in different if not n.endswith(".png")] == ["run.json"]


def test_every_output_of_a_simulated_study_carries_the_note(tmp_path: Path) -> None:
    frozen = example()
    note = "SIMULATED. Planted scores."
    frozen.manifest |= {"simulated": True, "simulated_note": note}
    out = tmp_path / "out"
    analyze(frozen.write(tmp_path / "export"), out)
    for table in (out / "tables").glob("*.csv"):
        with table.open(newline="") as file:
            assert all(row["simulated"] == note for row in csv.DictReader(file))
    for table in (out / "tables").glob("*.html"):
        assert note in table.read_text()
    for figure in (out / "figures").glob("*.html"):
        assert "SIMULATED" in figure.read_text()
    assert (out / "report.html").read_text().count(note) >= 5
    assert json.loads((out / "results.json").read_text())["simulated"] is True


def test_the_report_asks_nothing_of_the_network(tmp_path: Path) -> None:
    run = analyze(example().write(tmp_path / "export"), tmp_path / "out")
    page = run.report.read_text()
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert page.count("plotly.js v") == 1


def test_text_of_the_protocol_is_escaped_in_the_report(tmp_path: Path) -> None:
    frozen = example()
    frozen.manifest["title"] = "<script>alert(1)</script>"
    run = analyze(frozen.write(tmp_path / "export"), tmp_path / "out")
    assert "<script>alert(1)" not in run.report.read_text()


@pytest.mark.parametrize(
    ("value", "words"), [(-0.004, "0.00"), (-0.5, "\u22120.50"), (1.005, "1.00")]
)
def test_numbers_have_a_real_minus_and_no_negative_zero(value: float, words: str) -> None:
    assert number(value) == words


def test_p_values_are_printed_as_journals_do() -> None:
    assert (p_in_words(0.0004), p_in_words(0.031)) == ("p < .001", "p = .031")
    assert p_in_words(1.0) == "p = 1.000"
