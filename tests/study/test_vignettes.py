from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.dose_ranges import load_dose_ranges
from study.errors import VignetteError
from study.vignette import Vignette, load_vignette, load_vignettes
from study.vignette_checks import chart_values, check_vignettes, faults_of

SHIPPED = Path(str(files("data"))) / "vignettes"
RANGES = load_dose_ranges(Path(str(files("data"))) / "drug_facts")
VIGNETTES = load_vignettes(SHIPPED)


def spoiled(change: Callable[[dict[str, Any]], None]) -> Vignette:
    written = VIGNETTES["V01"].as_json()
    change(written)
    return Vignette.from_json(written)


@pytest.mark.parametrize("vignette", VIGNETTES.values(), ids=list(VIGNETTES))
def test_a_shipped_vignette_has_no_fault(vignette: Vignette) -> None:
    assert faults_of(vignette, RANGES) == []


@pytest.mark.parametrize("vignette", VIGNETTES.values(), ids=list(VIGNETTES))
def test_every_structured_value_stands_verbatim_in_the_text(vignette: Vignette) -> None:
    values = list(chart_values(vignette))
    # Chart minimum: setting, age, sex, weight, height, plan, and the medicines and results.
    assert len(values) > 15
    for _, value in values:
        assert value in vignette.texts["en"].text


def test_thirty_ship_and_in_six_of_them_the_plan_is_appropriate() -> None:
    assert list(VIGNETTES) == [f"V{i:02d}" for i in range(1, 31)]
    go = [v.vignette_id for v in VIGNETTES.values() if v.hidden.plan_appropriate]
    assert go == ["V03", "V06", "V09", "V10", "V15", "V27"]


@pytest.mark.parametrize("vignette", VIGNETTES.values(), ids=list(VIGNETTES))
def test_each_has_two_decoys_or_more_and_asks_the_same_open_question(vignette: Vignette) -> None:
    assert len(vignette.hidden.decoys) >= 2
    assert vignette.texts["en"].question == "What would you do about the plan, and why?"


def test_the_pairs_known_to_cue_each_other_are_declared_on_both_sides() -> None:
    for one, other in (("V10", "V11"), ("V07", "V29"), ("V20", "V23"), ("V05", "V14")):
        assert other in VIGNETTES[one].declared_cues
        assert one in VIGNETTES[other].declared_cues


@pytest.mark.parametrize("vignette", VIGNETTES.values(), ids=list(VIGNETTES))
def test_four_to_six_points_earn_and_one_to_three_errors_are_critical(vignette: Vignette) -> None:
    kinds = [point.kind for point in vignette.hidden.key_points]
    n_critical = kinds.count("critical_error")
    assert 4 <= len(kinds) - n_critical <= 6
    assert 1 <= kinds.count("must") <= 3
    assert 1 <= n_critical <= 3


def test_nothing_claims_a_clinicians_review() -> None:
    for path in SHIPPED.glob("*.yaml"):
        assert "clinician reviewed" not in path.read_text().lower()


def change_weight(written: dict[str, Any]) -> None:
    written["chart"]["weight"] = "4 kg"


def say_the_hazard(written: dict[str, Any]) -> None:
    written["texts"]["en"]["text"] += " Mind the interaction."


def title_the_hazard(written: dict[str, Any]) -> None:
    written["title"] = "An interaction"


def join_points(written: dict[str, Any]) -> None:
    written["hidden"]["key_points"][0]["statement"] = "Stop warfarin and check the INR"


def drop_a_heading(written: dict[str, Any]) -> None:
    written["texts"]["en"]["text"] = written["texts"]["en"]["text"].replace("Plan:", "So:")


def say_too_much(written: dict[str, Any]) -> None:
    written["texts"]["en"]["text"] += " word" * 100


def check_without_section(written: dict[str, Any]) -> None:
    written["hidden"]["key_points"][0]["provenance"][0]["section"] = "unknown"


def date_without_check(written: dict[str, Any]) -> None:
    source = written["hidden"]["key_points"][0]["provenance"][0]
    source["checked"] = "not checked"


def drop_a_unit(written: dict[str, Any]) -> None:
    written["chart"]["results"][2]["value"] = "4.3"


def drop_a_dose_unit(written: dict[str, Any]) -> None:
    written["chart"]["medicines"][0]["dose"] = "5"


def overdose(written: dict[str, Any]) -> None:
    stimulus = written["texts"]["en"]
    stimulus["text"] = stimulus["text"].replace("warfarin 5 mg", "warfarin 50 mg")
    written["chart"]["medicines"][0]["dose"] = "50 mg"


def prescribe_the_unknown(written: dict[str, Any]) -> None:
    stimulus = written["texts"]["en"]
    stimulus["text"] = stimulus["text"].replace("warfarin 5 mg", "novawarfin 5 mg")
    written["chart"]["medicines"][0]["name"] = "novawarfin"


def give_a_reason_for_nobody(written: dict[str, Any]) -> None:
    written["hidden"]["dose_reasons"] = {"heparin": "because"}


def print_the_derived_value(written: dict[str, Any]) -> None:
    stimulus = written["texts"]["en"]
    stimulus["text"] = stimulus["text"].replace("unchanged for two years", "86 mL/min", 1)


def miscalculate(written: dict[str, Any]) -> None:
    written["hidden"]["derived"][0]["value"] = "96 mL/min"


def derive_from_elsewhere(written: dict[str, Any]) -> None:
    written["hidden"]["derived"][0]["of"]["weight"] = "65 kg"


def come_close(written: dict[str, Any]) -> None:
    written["hidden"]["deciding"]["compared"][1]["threshold"] = "65 mL/min"


def compare_apples(written: dict[str, Any]) -> None:
    written["hidden"]["deciding"]["compared"][1]["threshold"] = "60 mL/h"


def misconvert(written: dict[str, Any]) -> None:
    stimulus = written["texts"]["en"]
    stimulus["text"] = stimulus["text"].replace("0.7 mg/dL", "7.0 mg/dL")
    written["chart"]["results"][1]["second_value"] = "7.0 mg/dL"


def forget_fahrenheit(written: dict[str, Any]) -> None:
    written["texts"]["en"]["text"] += " Temperature 37.0 °C."


def title_the_drug(written: dict[str, Any]) -> None:
    written["title"] = "A woman on warfarin"


def hint(written: dict[str, Any]) -> None:
    written["texts"]["en"]["text"] += " This is an adverse drug event."


def translate_wrongly(written: dict[str, Any]) -> None:
    english = written["texts"]["en"]
    changed = english["text"].replace("64 kg", "46 kg")
    written["texts"]["de"] = {"text": changed, "question": english["question"]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_a_unit, "the result Potassium, '4.3', lacks a unit"),
        (drop_a_dose_unit, "the dose of warfarin, '5', lacks a unit"),
        (overdose, "warfarin 50 mg once daily is outside 0.5 to 15 mg, 15 a day"),
        (prescribe_the_unknown, "novawarfin is not among the drug facts"),
        (give_a_reason_for_nobody, "dose_reasons names 'heparin', which is no medicine"),
        (print_the_derived_value, "'86 mL/min' stands in the text"),
        (miscalculate, "cockcroft_gault gives 86.2 mL/min, not 96 mL/min"),
        (derive_from_elsewhere, "weight '65 kg' does not stand verbatim"),
        (come_close, "74 mL/min is 14% from 65 mL/min; move it 20% away"),
        (compare_apples, "'74 mL/min' and '60 mL/h' differ in unit"),
        (misconvert, "Creatinine 62 micromol/L is 0.701, not 7.0 mg/dL"),
        (forget_fahrenheit, "a temperature lacks its second scale"),
        (title_the_drug, "the title 'A woman on warfarin' leaks: it holds 'warfarin'"),
        (hint, "holds 'adverse drug', which gives the key away"),
        (translate_wrongly, "the de text does not hold the numbers of the en text"),
        (change_weight, "chart.weight: '4 kg' does not stand verbatim"),
        (say_the_hazard, "holds 'interaction', which gives the key away"),
        (title_the_hazard, "holds 'interaction', which gives the key away"),
        (join_points, "key point K1 joins two by 'and'"),
        (drop_a_heading, "the en text has the headings"),
        (say_too_much, "the text has 291 words, wanted 120 to 220"),
        (check_without_section, "is checked but lacks section or date"),
        (date_without_check, "is not checked but has the date 2026-11-20"),
    ],
)
def test_a_spoiled_vignette_is_refused_by_name(
    change: Callable[[dict[str, Any]], None], words: str
) -> None:
    with pytest.raises(VignetteError, match=words):
        check_vignettes([spoiled(change)], RANGES)


def test_a_close_threshold_or_an_odd_dose_passes_with_its_reason() -> None:
    def change(written: dict[str, Any]) -> None:
        come_close(written)
        written["hidden"]["deciding"]["compared"][1]["close_because"] = "narrow bands"
        overdose(written)
        written["hidden"]["dose_reasons"] = {"warfarin": "the hazard of the case"}

    assert faults_of(spoiled(change), RANGES) == []


@pytest.mark.parametrize(
    "checked",
    ["second-hand copy (somewhere)", "second-hand copy (https://a.b)", "clinician reviewed"],
)
def test_how_a_source_was_checked_is_one_of_three_forms(checked: str) -> None:
    def change(written: dict[str, Any]) -> None:
        written["hidden"]["key_points"][0]["provenance"][0]["checked"] = checked

    with pytest.raises(VignetteError, match=r"provenance\.0\.checked: must be 'source text read'"):
        spoiled(change)


def test_a_weight_written_as_text_is_refused_rather_than_converted() -> None:
    def change(written: dict[str, Any]) -> None:
        written["hidden"]["key_points"][0]["weight"] = "2"

    with pytest.raises(VignetteError, match=r"key_points\.0\.weight.*found '2'"):
        spoiled(change)


def test_all_faults_of_a_file_come_at_once() -> None:
    def change(written: dict[str, Any]) -> None:
        written["version"] = 0
        written["hidden"]["difficulty"] = "easy"
        del written["chart"]["plan"]

    with pytest.raises(VignetteError) as error:
        spoiled(change)
    for path in ("version", "hidden.difficulty", "chart.plan"):
        assert f"- {path}: " in str(error.value)


def test_an_unknown_key_in_a_file_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "v01.yaml"
    path.write_text(yaml.safe_dump(VIGNETTES["V01"].as_json() | {"colour": "red"}))
    with pytest.raises(VignetteError, match=r"(?s)v01\.yaml.*colour: unknown key"):
        load_vignette(path)


def test_two_files_with_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(VIGNETTES["V01"].as_json()))
    with pytest.raises(VignetteError, match=r"b\.yaml: V01 is used by another file already"):
        load_vignettes(tmp_path)


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VignetteError, match="holds no vignette"):
        load_vignettes(tmp_path)


def test_the_digest_changes_with_any_word() -> None:
    def change(written: dict[str, Any]) -> None:
        written["hidden"]["decoys"][0] = "other"

    assert spoiled(change).sha256 != VIGNETTES["V01"].sha256
    assert spoiled(lambda _: None).sha256 == VIGNETTES["V01"].sha256
