from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.calibration import load_calibration, practice_of, rubric_tables
from study.dose_ranges import load_dose_ranges
from study.errors import CalibrationError
from study.protocol import load_protocol
from study.vignette_checks import faults_of

DATA = Path(str(files("data")))
PROTOCOL = load_protocol(DATA / "protocols" / "demonstration.yaml")


def test_every_point_of_every_dimension_has_its_anchor_and_an_example() -> None:
    calibration, _ = load_calibration(DATA / "calibration", PROTOCOL)
    tables = rubric_tables(calibration, PROTOCOL)
    for dimension in PROTOCOL.rating.dimensions:
        for point, anchor in dimension.anchors.items():
            assert f"| {point} | {anchor} | {calibration.examples[dimension.id][point]} |" in tables


def test_three_responses_carry_scores_with_reasons_and_claim_no_clinician() -> None:
    calibration, _ = load_calibration(DATA / "calibration", PROTOCOL)
    assert len(calibration.responses) == 3
    assert rubric_tables(calibration, PROTOCOL).count("No clinician has agreed") == 3


def test_the_calibration_vignettes_pass_the_validator_and_are_not_among_the_thirty() -> None:
    _, vignettes = load_calibration(DATA / "calibration", PROTOCOL)
    ranges = load_dose_ranges(DATA / "drug_facts")
    assert [fault for v in vignettes.values() for fault in faults_of(v, ranges)] == []
    assert not set(vignettes) & {path.stem.upper() for path in (DATA / "vignettes").iterdir()}


def miss_an_example(written: dict[str, Any]) -> None:
    del written["examples"]["medication_safety"][3]


def score_beyond(written: dict[str, Any]) -> None:
    written["responses"][0]["scores"]["medication_safety"] = 6


def forget_a_reason(written: dict[str, Any]) -> None:
    del written["responses"][1]["reasons"]["clinical_usefulness"]


def name_nobody(written: dict[str, Any]) -> None:
    written["responses"][2]["vignette_id"] = "V99"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (miss_an_example, r"examples\.medication_safety: no example for \[3\]"),
        (score_beyond, "no score within the scale.*medication_safety"),
        (forget_a_reason, "no reason, for clinical_usefulness"),
        (name_nobody, "there is no vignette V99 beside it"),
    ],
)
def test_a_spoiled_calibration_is_refused_by_name(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    shutil.copytree(DATA / "calibration", tmp_path / "c")
    path = tmp_path / "c" / "calibration.yaml"
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(written)
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    with pytest.raises(CalibrationError, match=words):
        load_calibration(tmp_path / "c", PROTOCOL)


def test_what_is_frozen_for_practice_has_every_score_and_reason_and_no_key_point() -> None:
    protocol = load_protocol(DATA / "protocols" / "thirty.yaml")
    calibration, vignettes = load_calibration(DATA / "calibration", protocol)
    practice = practice_of(calibration, vignettes, protocol)
    assert list(practice) == ["P01", "P02", "P03"]
    dimensions = {dimension.id for dimension in protocol.rating.dimensions}
    for shown in practice.values():
        assert set(shown["scores"]) == set(shown["reasons"]) == dimensions
    frozen = str(practice)
    points = [p.statement for v in vignettes.values() for p in v.hidden.key_points]
    assert points and not any(statement in frozen for statement in points)
