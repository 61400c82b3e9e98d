from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.dataset import open_export
from analysis.errors import AnalysisError
from analysis.results import compute
from analysis.selfcheck import Between, Fault, MeanOf, Rule, ShareOf, check_published, check_tables
from analysis.table import Table
from analysis.tables import all_tables
from tests.analysis.frozen import example, panel

FIXTURES = Path(__file__).parent / "fixtures"
JUDGES = ("gpt-4o", "deepseek-v3", "Qwen3-235B-A22B")
SAFETY: tuple[Rule, ...] = (
    *(Between(f"{judge} {part}", 1, 5) for judge in JUDGES
      for part in ("overall", "subset 1", "subset 2")),
    *(MeanOf(f"{judge} overall", (f"{judge} subset 1", f"{judge} subset 2")) for judge in JUDGES),
    MeanOf("MSB overall average", tuple(f"{judge} overall" for judge in JUDGES)),
    ShareOf("MedSafety", 150),
    ShareOf("MedEthics", 150),
)  # fmt: skip


def published(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_published_safety_table_has_exactly_its_two_known_faults() -> None:
    faults = check_published(published("published_table2_safety.csv"), name="model", rules=SAFETY)
    assert faults == (
        Fault("Qwen3-32B", "deepseek-v3 overall", "1.12", "is not the mean 1.23 of 1.34, 1.12"),
        Fault("gpt-5-mini", "Qwen3-235B-A22B subset 1", "0.04", "is off the scale 1 to 5"),
    )


def test_the_published_exam_table_adds_up() -> None:
    rows = published("published_table1_exams.csv")
    exams = tuple(column for column in rows[0] if column not in ("model", "overall"))
    rules = (*(Between(exam, 0, 100) for exam in exams), MeanOf("overall", exams))
    assert check_published(rows, name="model", rules=rules) == ()


def test_a_changed_cell_is_found() -> None:
    rows = published("published_table2_safety.csv")
    rows[2] = {**rows[2], "MedSafety": "52.10"}
    rows[3] = {**rows[3], "MSB overall average": "1.14"}
    found = check_published(rows, name="model", rules=SAFETY)
    assert {(f.row, f.column) for f in found} >= {
        ("google_medgemma-27b-text-it", "MedSafety"),
        ("gemini-2.5-flash", "MSB overall average"),
    }


def test_rounding_of_the_parts_is_allowed_for() -> None:
    # 1.005 and 1.015 print as 1.00 and 1.01 or 1.01 and 1.02; their mean 1.01 fits either.
    rows = [{"m": "x", "whole": "1.01", "a": "1.00", "b": "1.01"}]
    assert check_published(rows, name="m", rules=[MeanOf("whole", ("a", "b"))]) == ()
    rows = [{"m": "x", "whole": "1.02", "a": "1.00", "b": "1.01"}]
    assert len(check_published(rows, name="m", rules=[MeanOf("whole", ("a", "b"))])) == 1


def test_a_rule_for_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="names the column 'b'; the table has m, a"):
        check_published([{"m": "x", "a": "1"}], name="m", rules=[Between("b", 0, 1)])
    with pytest.raises(ValueError, match="a holds 'one', which is no number"):
        check_published([{"m": "x", "a": "one"}], name="m", rules=[Between("a", 0, 1)])


def made(tmp_path: Path) -> tuple[tuple[Table, ...], object]:
    dataset = open_export(panel(n_vignettes=8).write(tmp_path))
    return all_tables(compute(dataset)), dataset


def test_our_tables_pass_their_own_check(tmp_path: Path) -> None:
    for number, frozen in enumerate((panel(n_vignettes=8), example(), panel(n_vignettes=3))):
        dataset = open_export(frozen.write(tmp_path / str(number)))
        check_tables(all_tables(compute(dataset)), dataset)


@pytest.mark.parametrize(
    ("name", "column", "cell", "words"),
    [
        ("flow", "Submitted", "41", "is not the sum"),
        ("flow", "Ratings given", "3", "is not allocated minus missing"),
        ("primary", "p", "1.2000", "is no probability"),
        ("primary", "p adjusted", "0.0000", "is below the p"),
        ("primary", "W+", "35.0", "the ranks to"),
        ("primary", "Mean, Model", "5.30", "is off the scale 1 to 5"),
        ("effects", "Mean, points", "0.20 (0.40 to 0.10)", "upside down"),
        ("effects", "Mean, points", "0.90 (0.10 to 0.40)", "outside its interval"),
    ],
)
def test_a_table_that_contradicts_itself_is_not_written(
    tmp_path: Path, name: str, column: str, cell: str, words: str
) -> None:
    tables, dataset = made(tmp_path)
    table = next(t for t in tables if t.name == name)
    place = table.columns.index(column)
    row = next(r for r in table.rows if isinstance(r[place], str))
    spoilt = (*row[:place], cell, *row[place + 1 :])
    rows = tuple(spoilt if r is row else r for r in table.rows)
    with pytest.raises(AnalysisError, match=words):
        check_tables([replace(table, rows=rows)], dataset)  # type: ignore[arg-type]
