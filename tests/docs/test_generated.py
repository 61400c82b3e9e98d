"""Generated parts of the documentation are what their command writes today."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.decisions import decision_table
from app.generated import GeneratedPartError, generated, replace_generated
from app.resources import shipped
from study.calibration import load_calibration, rubric_tables
from study.coverage import coverage
from study.protocol import load_protocol
from study.reading_report import awaiting_clinician, review
from study.readings import load_readings
from study.vignette import load_vignettes

ROOT = Path(__file__).resolve().parents[2]
VIGNETTES = load_vignettes(shipped("vignettes"))


def test_the_coverage_of_the_thirty_is_current() -> None:
    wanted = coverage(list(VIGNETTES.values()))
    assert generated(ROOT / "docs" / "vignettes.md", "coverage") == wanted.strip()


def test_what_awaits_a_clinician_is_current() -> None:
    wanted = awaiting_clinician(VIGNETTES)
    assert generated(ROOT / "docs" / "awaiting_clinician.md", "awaiting") == wanted.strip()


def test_the_review_of_the_thirty_is_current() -> None:
    wanted = review(VIGNETTES, load_readings(shipped("readings")))
    assert generated(ROOT / "docs" / "vignette_review.md", "review") == wanted.strip()


def test_the_rubric_with_its_examples_is_current() -> None:
    protocol = load_protocol(shipped("protocols", "demonstration.yaml"))
    calibration, _ = load_calibration(shipped("calibration"), protocol)
    wanted = rubric_tables(calibration, protocol)
    assert generated(ROOT / "docs" / "guides" / "rubric.md", "rubric") == wanted.strip()


def test_the_decisions_in_nano_s_card_are_those_measured() -> None:
    measured = [shipped("nano", f"{name}.json") for name in ("held_out", "other_patients")]
    wanted = decision_table(measured)
    assert generated(shipped("nano", "README.md"), "decisions") == wanted.strip()


def test_a_file_without_marks_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("words\n")
    with pytest.raises(GeneratedPartError, match="has no part to generate; add the lines"):
        replace_generated(path, "coverage", "tables")
    assert path.read_text() == "words\n"


def test_only_what_stands_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("before\n<!-- generated: a -->\nold\n<!-- end: a -->\nafter\n")
    replace_generated(path, "a", "new\n")
    assert path.read_text() == "before\n<!-- generated: a -->\nnew\n<!-- end: a -->\nafter\n"
