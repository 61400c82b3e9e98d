from __future__ import annotations

from pathlib import Path

from analysis.checklists import chart_items, checklists_md, tripod_facts
from analysis.dataset import open_export
from analysis.results import Results, compute
from tests.analysis.frozen import Frozen, example


def results(tmp_path: Path, frozen: Frozen | None = None) -> Results:
    return compute(open_export((frozen or example()).write(tmp_path)))


def test_charts_items_are_those_of_its_abstract_in_order(tmp_path: Path) -> None:
    assert [item.number for item in chart_items(results(tmp_path))] == [
        "1a", "1b", "2a, b", "3a, b", "4a to c", "5a, b", "6a to d", "7a, b", "8", "9a",
        "10a to c", "11a to c", "12a", "12b", "12c", "12d", "12e",
    ]  # fmt: skip


def test_what_the_record_knows_is_filled_in(tmp_path: Path) -> None:
    frozen = example()
    frozen.tables["respondents"] = [
        {"respondent_id": "M", "arm": "model", "model": "nano", "weights_sha256": "ab" * 32}
    ]
    frozen.protocol["instruction"] = "Review the plan."
    said = {item.name: item.said for item in chart_items(results(tmp_path, frozen))}
    assert said["Model identifiers"] == "nano (weights abababababab)"
    assert said["Prompt engineering"].endswith("Review the plan.")
    assert said["Ethics"] == "none"
    assert said["Protocol"].startswith("registered, SHA-256 ")


def test_what_the_record_lacks_is_a_gap_and_counted(tmp_path: Path) -> None:
    found = results(tmp_path)
    gaps = [item for item in chart_items(found) if item.is_gap]
    assert {"Abstract or summary", "Model identifiers", "Sample size"} <= {g.name for g in gaps}
    assert f"## CHART ({len(gaps)} gaps)" in checklists_md(found)
    assert any(item.name == "Potential harm" and item.is_gap for item in tripod_facts(found))


def test_a_simulated_study_says_so_in_its_checklists(tmp_path: Path) -> None:
    frozen = example()
    frozen.manifest |= {"simulated": True, "simulated_note": "SIMULATED."}
    assert "**SIMULATED.**" in checklists_md(results(tmp_path, frozen))
