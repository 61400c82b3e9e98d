from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from analysis.attempts import NotComputed
from analysis.dataset import Dataset, open_export
from analysis.differences import Differences, vignette_differences
from analysis.errors import AnalysisError
from analysis.flow import flow
from analysis.results import compute
from analysis.run import analyze
from analysis.scores import scores_of
from analysis.wording import finding
from tests.analysis.frozen import Frozen, example


def differences(dataset: Dataset, place: int) -> Differences:
    scores = scores_of(dataset, dataset.dimensions[place])
    return vignette_differences(dataset, scores, dataset.contrasts[0])


def test_residents_are_averaged_within_before_between(tmp_path: Path) -> None:
    frozen = Frozen(n_vignettes=1)
    frozen.respond("P1", "people", "V01", [[1, 1], [3, 3]])
    frozen.respond("P2", "people", "V01", [[5, 5], [None, None]])
    frozen.respond("M", "model", "V01", [[4, 4], [5, 5]])
    dataset = open_export(frozen.write(tmp_path))
    d = differences(dataset, 0)
    # Residents: mean of (1+3)/2 = 2 and 5 is 3.5, not the pooled (1+3+5)/3 = 3. Model: 4.5.
    assert d.values.tolist() == [1.0]
    assert (d.first_mean, d.second_mean) == (4.5, 3.5)


def test_a_scale_where_lower_is_better_is_turned(tmp_path: Path) -> None:
    plain = open_export(example().write(tmp_path / "a"))
    turned = open_export(example(direction="lower_is_better").write(tmp_path / "b"))
    one, other = differences(plain, 1).values, differences(turned, 1).values
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
    dataset = open_export(frozen.write(tmp_path))
    excluded = differences(dataset, 0).excluded
    assert [(gone.vignette, gone.reason) for gone in excluded] == [
        ("V02", "no scored response of Model (1 failed)")
    ]
    model = next(f for f in flow(dataset) if f.arm == "model")
    assert (model.n_planned, model.n_submitted, model.n_failed) == (6, 5, 1)
    assert model.failures == (("timeout", 1),)


def test_all_zero_differences_are_named_and_nothing_is_adjusted(tmp_path: Path) -> None:
    results = compute(open_export(example().write(tmp_path)))
    correctness = results.dimensions[0]
    assert isinstance(correctness.test, NotComputed)
    assert "all 6 differences are zero" in correctness.test.reason
    assert all(result.p_adjusted is None for result in results.dimensions)


def test_three_vignettes_print_the_attainable_confidence_and_do_not_crash(tmp_path: Path) -> None:
    export = example(n_vignettes=3).write(tmp_path / "export")
    run = analyze(export, tmp_path / "out")
    assert "95 % is not attainable with 3 pairs; attainable: 75 %" in run.report.read_text()


def test_no_sentence_claims_that_arms_match(tmp_path: Path) -> None:
    dataset = open_export(example().write(tmp_path))
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
    dataset = open_export(frozen.write(tmp_path))
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
    assert [n for n in different if not n.endswith((".png", ".svg"))] == ["run.json"]


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
    assert json.loads((out / "summary.json").read_text())["simulated"] is True


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


def test_images_that_did_not_come_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    analyze(example().write(tmp_path / "export"), tmp_path / "out")
    said = json.loads((tmp_path / "out" / "run.json").read_text())["images"]
    assert said == "no static images: there is no Chromium on this machine"
    assert not list((tmp_path / "out").rglob("*.png"))


def test_every_vignette_left_out_is_named_with_its_reason(tmp_path: Path) -> None:
    frozen = Frozen(n_vignettes=3)
    for vignette in ("V01", "V02"):
        frozen.respond("P1", "people", vignette, [[3, 3], [3, 3]])
        frozen.respond("M", "model", vignette, [[4, 4], [4, None]])
    frozen.respond("P1", "people", "V03", [[3, None], [3, None]])
    frozen.respond("M", "model", "V03", None)
    page = analyze(frozen.write(tmp_path / "export"), tmp_path / "out").report.read_text()
    assert (
        "Analysed: 2 of 3 vignettes, those scored in both arms; 1 left out, by the reason:" in page
    )
    assert "<li>V03: no scored response of Model (1 failed) in Correctness</li>" in page
    assert (
        "<li>V03: no scored response of Model (1 failed); no scored response of Residents "
        "(1 submitted but not scored) in Safety</li>"
    ) in page


def test_a_protocol_with_only_what_the_contract_names_is_analysed(tmp_path: Path) -> None:
    frozen = example()
    for key in ("jurisdiction", "conditions", "identifiers", "vignettes"):
        del frozen.protocol[key]
    page = analyze(frozen.write(tmp_path / "export"), tmp_path / "out").report.read_text()
    assert "registry: not stated; ethics: not stated" in page


def test_results_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the directory should be")
    with pytest.raises(AnalysisError, match="results could not be written to"):
        analyze(example().write(tmp_path / "export"), tmp_path / "out")
