from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.canonical import canonical, sha256_hex
from analysis.dataset import open_export
from analysis.errors import AnalysisError
from analysis.methods import methods_md
from analysis.page_one import (
    agreement_sentences,
    blinding_sentences,
    deviation_sentence,
    harm_sentences,
)
from analysis.results import Results, compute
from analysis.run import analyze
from analysis.summary import check_summary, summary, summary_json
from tests.analysis.frozen import Frozen, example, panel


def asked(n_vignettes: int = 8) -> Frozen:
    """A panel whose raters also marked harm and guessed the source: right on the model only."""
    frozen = panel(n_vignettes=n_vignettes)
    frozen.ask()
    for response in frozen.tables["responses"]:
        is_model = response["arm"] == "model"
        for rater in ("R1", "R2", "R3"):
            code = response["blinding_code"]
            frozen.tables["guesses"].append(
                {"rater_id": rater, "blinding_code": code, "guess": "model" if is_model else None}
            )
            for kind, marked in (("harm_any", not is_model), ("harm_severe", False)):
                frozen.tables["marks"].append(
                    {"rater_id": rater, "blinding_code": code, "kind": kind, "marked": marked}
                )
    frozen.tables["marks"][3]["marked"] = True
    return frozen


def results(frozen: Frozen, tmp_path: Path) -> Results:
    return compute(open_export(frozen.write(tmp_path)))


def test_every_block_can_be_followed_to_its_rows(tmp_path: Path) -> None:
    frozen = panel(n_vignettes=6)
    made = summary(results(frozen, tmp_path))
    block = made["dimensions"][0]
    name = block["dimension"]["id"]
    rows = sorted([r["rating_id"], r[name]] for r in frozen.tables["ratings"])
    assert block["lineage"]["n_rows"] == len(rows) == 108
    assert block["lineage"]["rows_sha256"] == sha256_hex(canonical(rows))
    assert block["lineage"]["audit_head"] == "0" * 64
    assert "analysis.paired.signed_rank" in block["lineage"]["functions"]


def test_a_changed_score_changes_the_lineage_of_its_dimension_only(tmp_path: Path) -> None:
    frozen = panel(n_vignettes=6)
    one = summary(results(frozen, tmp_path / "a"))
    rating = frozen.tables["ratings"][0]
    rating["medication_safety"] = 6 - rating["medication_safety"]
    other = summary(results(frozen, tmp_path / "b"))
    changed = [
        a["dimension"]["id"]
        for a, b in zip(one["dimensions"], other["dimensions"], strict=True)
        if a["lineage"]["rows_sha256"] != b["lineage"]["rows_sha256"]
    ]
    assert changed == ["medication_safety"]


def test_the_functions_named_in_a_lineage_exist(tmp_path: Path) -> None:
    import importlib

    made = summary(results(asked(), tmp_path))
    names = {
        name
        for block in (*made["dimensions"], *made["agreement"], made["harm"])
        for name in block["lineage"]["functions"]
    }
    for name in names:
        module, _, function = name.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


def test_a_summary_of_another_shape_is_refused(tmp_path: Path) -> None:
    made = summary(results(example(), tmp_path))
    with pytest.raises(AnalysisError, match=r"other keys than documented: \['extra'\]"):
        check_summary({**made, "extra": 1})
    with pytest.raises(AnalysisError, match=r"holds nan at margin\.points"):
        check_summary({**made, "margin": {"points": float("nan")}})
    spoilt = [{**made["dimensions"][0], "lineage": {"functions": [], "rows_sha256": ""}}]
    with pytest.raises(AnalysisError, match="no lineage"):
        check_summary({**made, "dimensions": spoilt})


def test_the_summary_is_plain_json_without_nan(tmp_path: Path) -> None:
    made = json.loads(summary_json(results(example(), tmp_path)))
    assert made["dimensions"][0]["test"]["not_computed"].startswith("undefined: all 6")


def test_harm_guesses_and_a_classifier_reach_page_one(tmp_path: Path) -> None:
    found = results(asked(), tmp_path)
    harm, blinding = harm_sentences(found), blinding_sentences(found)
    assert harm[0] == (
        "Any potential harm: 0.0 % of the responses of Model, 100.0 % of those of Residents."
    )
    assert "Called severe by at least one rater: Residents on V01 (1 of 3 raters)." in harm
    assert "Guesses on Model: Bang's index 1.00" in blinding[0]
    assert blinding[-1].startswith("A text classifier told the masked arms apart") or (
        "Text classifier" in blinding[-1]
    )
    assert agreement_sentences(found)[0].startswith("Agreement between raters. Medical correctness")


def test_what_was_not_asked_is_said(tmp_path: Path) -> None:
    found = results(panel(), tmp_path)
    assert harm_sentences(found) == ["Potential harm: not recorded; raters were not asked."]
    assert "whether blinding held is open" in blinding_sentences(found)[0]
    assert deviation_sentence(found) == "Deviations: none is recorded."


def test_deviations_are_listed(tmp_path: Path) -> None:
    frozen = panel()
    frozen.tables["deviations"] = [{
        "deviation_id": "d1", "kind": "late rating", "subject": None,
        "description": "a rater was ill", "reported_by": "p_1", "reported_at": "2026-01-02T08:00Z",
    }]  # fmt: skip
    frozen.tables["amendments"] = [{
        "number": 1, "version": 2, "protocol_sha256": "0" * 64, "changed": '["margin.points"]',
        "reason": "a wider margin", "amended_by": "p_1", "amended_at": "2026-01-01T08:00Z",
    }]  # fmt: skip
    assert deviation_sentence(results(frozen, tmp_path)) == (
        "Deviations: 1 recorded. 2026-01-02, late rating: a rater was ill. "
        "Amendment 1 (2026-01-01): a wider margin."
    )


def test_the_methods_hold_the_numbers_and_the_versions(tmp_path: Path) -> None:
    frozen = panel(n_vignettes=8)
    frozen.protocol["margin"] = {"points": 0.5, "reason": "half a step"}
    words = methods_md(results(frozen, tmp_path))
    assert "8 vignettes were answered in 2 arms" in words
    assert "A margin of 0.5 points was declared beforehand (half a step)." in words
    assert "300 resamples of vignettes, seed 1" in words
    assert "scipy 1." in words
    assert "NaN" not in words and "nan" not in words.split()


def test_without_a_margin_no_word_of_similarity_is_written(tmp_path: Path) -> None:
    found = results(panel(n_vignettes=8), tmp_path / "export")
    assert all(result.claims is None for result in found.dimensions)
    words = methods_md(found)
    assert "No margin was declared, so nothing is claimed about similarity" in words
    assert "equivalent within" not in words and "non-inferior" not in words


def test_asked_studies_have_tables_of_harm_and_blinding(tmp_path: Path) -> None:
    run = analyze(asked().write(tmp_path / "export"), tmp_path / "out")
    for name in ("harm", "blinding", "robustness"):
        for kind in ("csv", "html", "tex"):
            assert (tmp_path / "out" / "tables" / f"{name}.{kind}").exists()
    report = run.report.read_text()
    assert "Any potential harm: 0.0 %" in report
