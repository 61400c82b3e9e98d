from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.errors import DrugFactsError
from model.facts.library import fact_id, load_library
from model.facts.schema import Interaction
from tests.model.files import ROOT

SHIPPED = ROOT / "data" / "drug_facts"
LIBRARY = load_library(SHIPPED)


def test_at_least_150_drugs_and_600_facts_ship() -> None:
    assert len(LIBRARY.drugs) >= 150
    assert len(list(LIBRARY.facts())) >= 600


def test_every_kind_of_fact_ships() -> None:
    kinds = Counter(placed.fact.kind for placed in LIBRARY.facts())
    assert set(kinds) == {
        "interaction", "renal", "hepatic", "allergy", "pregnancy", "lactation", "older_adult",
        "paediatric", "qt", "high_alert",
    }  # fmt: skip
    assert min(kinds.values()) >= 30


def test_every_fact_has_an_id_of_its_own() -> None:
    ids = [placed.fact_id for placed in LIBRARY.facts()]
    assert len(set(ids)) == len(ids)


def test_an_id_stays_when_the_words_are_improved() -> None:
    fact = next(p.fact for p in LIBRARY.facts() if isinstance(p.fact, Interaction))
    assert fact_id(fact) == fact_id(fact.model_copy(update={"mechanism": "in other words"}))
    assert fact_id(fact) != fact_id(fact.model_copy(update={"other": "another drug"}))


def test_nothing_claims_to_be_source_text_read_or_reviewed() -> None:
    for path in SHIPPED.glob("*.yaml"):
        text = path.read_text(encoding="utf-8").lower()
        assert "reviewed" not in text
        assert "source text read" not in text


def test_warfarin_with_cotrimoxazole_is_in_one_file_only() -> None:
    pairs = [
        {p.fact.drug, p.fact.other} for p in LIBRARY.facts() if isinstance(p.fact, Interaction)
    ]
    # Written as a pair with either first; the validator refuses both.
    assert all(pairs.count(pair) == 1 for pair in pairs)


def spoiled(tmp_path: Path, change: Any) -> Path:
    directory = tmp_path / "facts"
    directory.mkdir()
    for path in SHIPPED.glob("*.yaml"):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        if written["class"] == "anticoagulants":
            change(written)
        (directory / path.name).write_text(yaml.safe_dump(written), encoding="utf-8")
    return directory


def renal(**changes: Any) -> dict[str, Any]:
    fact = {
        "kind": "renal", "drug": "enoxaparin", "measure": "creatinine clearance", "below": 40,
        "decision": "avoid", "why": "a reason", "source": "enoxaparin_label", "section": "unknown",
    }  # fmt: skip
    return fact | changes


def add_overlap(written: dict[str, Any]) -> None:
    written["facts"].append(renal())


def orphan_drug(written: dict[str, Any]) -> None:
    written["facts"].append(renal(drug="novaparin"))


def orphan_other(written: dict[str, Any]) -> None:
    written["facts"][0]["other"] = "novamycin"


def orphan_source(written: dict[str, Any]) -> None:
    written["facts"].append(renal(measure="eGFR", source="nowhere"))


def unused_source(written: dict[str, Any]) -> None:
    written["sources"]["spare"] = {"document": "Spare", "version_date": "unknown"}


def checked_without_section(written: dict[str, Any]) -> None:
    next(f for f in written["facts"] if f["source"] == "enoxc")["section"] = "unknown"


def checked_without_date(written: dict[str, Any]) -> None:
    written["sources"]["enoxc"]["date_checked"] = None


def reversed_range(written: dict[str, Any]) -> None:
    written["drugs"]["warfarin"]["doses"][0]["dose"] = [15, 0.5]


def odd_unit(written: dict[str, Any]) -> None:
    written["drugs"]["warfarin"]["doses"][0]["unit"] = "miligrams"


def unitless_dose(written: dict[str, Any]) -> None:
    written["facts"].append(renal(measure="eGFR", decision="reduce", dose="30"))


def reduced_to_nothing(written: dict[str, Any]) -> None:
    written["facts"].append(renal(measure="eGFR", decision="reduce"))


def contradiction(written: dict[str, Any]) -> None:
    fact = next(f for f in written["facts"] if f["kind"] == "lactation")
    written["facts"].append(fact | {"decision": "avoid"})


def contradicting_pair(written: dict[str, Any]) -> None:
    fact = next(f for f in written["facts"] if f.get("severity") == "none")
    written["facts"].append(fact | {"drug": fact["other"], "other": fact["drug"]})


def misspelt_key(written: dict[str, Any]) -> None:
    written["facts"][0]["mechanisme"] = "x"


def wrong_atc(written: dict[str, Any]) -> None:
    written["drugs"]["warfarin"]["atc"] = ["B01A"]


def name_twice(written: dict[str, Any]) -> None:
    written["drugs"]["warfarin"]["brands"] = ["Zocor"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (add_overlap, "enoxaparin: bands of creatinine clearance overlap"),
        (orphan_drug, "'novaparin' is not among the drugs of anticoagulants"),
        (orphan_other, "'novamycin' is no drug of any file"),
        (orphan_source, "source 'nowhere' is used but not listed"),
        (unused_source, "source 'spare' is listed but not used"),
        (checked_without_section, "source 'enoxc' was checked: name the section"),
        (checked_without_date, "date_checked stands if and only if the source was checked"),
        (reversed_range, "wanted lowest 15.0 <= highest 0.5 <= daily 15.0"),
        (odd_unit, "unit must be one of g, mg, micrograms"),
        (unitless_dose, "the dose '30' of enoxaparin lacks a unit"),
        (reduced_to_nothing, "a reduced dose says to what: add `dose`"),
        (contradiction, "warfarin lactation: .* says 'avoid', .* 'may use'"),
        (contradicting_pair, "is not among the drugs of anticoagulants"),
        (misspelt_key, r"mechanisme: Extra inputs are not permitted \(found 'x'\)"),
        (wrong_atc, "String should match pattern"),
        (name_twice, "'zocor' is also a name of"),
    ],
)
def test_spoiled_facts_are_refused_by_name(tmp_path: Path, change: Any, words: str) -> None:
    with pytest.raises(DrugFactsError, match=words):
        load_library(spoiled(tmp_path, change))


def test_a_pair_that_two_files_judge_differently_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "facts"
    directory.mkdir()
    for path in SHIPPED.glob("*.yaml"):
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        if written["class"] == "opioids":
            pair = next(f for f in written["facts"] if f.get("severity") == "none")
            written["facts"].append(pair | {"other": "warfarin", "drug": "morphine"})
        if written["class"] == "anticoagulants":
            pair = next(f for f in written["facts"] if f.get("other") == "ibuprofen")
            written["facts"].append(pair | {"other": "morphine"})
        (directory / path.name).write_text(yaml.safe_dump(written), encoding="utf-8")
    with pytest.raises(DrugFactsError, match=r"morphine with warfarin\) contradicts warfarin"):
        load_library(directory)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DrugFactsError, match="holds no drug facts"):
        load_library(tmp_path)
