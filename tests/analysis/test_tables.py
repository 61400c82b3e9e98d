from __future__ import annotations

import csv
from pathlib import Path

from analysis.dataset import open_export
from analysis.results import compute
from analysis.table import Table
from analysis.table_files import to_html, write_csv
from analysis.tables import all_tables
from tests.analysis.frozen import Frozen, example, panel


def made(frozen: Frozen, directory: Path) -> dict[str, Table]:
    tables = all_tables(compute(open_export(frozen.write(directory))))
    return {table.name: table for table in tables}


def test_every_row_is_as_wide_as_its_header(tmp_path: Path) -> None:
    for number, frozen in enumerate((panel(), panel(n_vignettes=2), example())):
        for table in made(frozen, tmp_path / str(number)).values():
            assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_flow_counts_failures_in_words(tmp_path: Path) -> None:
    frozen = Frozen(n_vignettes=2)
    frozen.respond("P1", "people", "V01", [[3, 3], [3, 3]])
    frozen.respond("M", "model", "V01", [[4, 4], [4, 4]])
    frozen.respond("P1", "people", "V02", [[3, 3], [3, 3]])
    frozen.respond("M", "model", "V02", None)
    frozen.tables["responses"][-1]["failure"] = "length_limit"
    flow = made(frozen, tmp_path)["flow"]
    # Respondents, planned, submitted, failed, unanswered, allocated, given, missing.
    assert flow.rows[1] == ("Model", "1", "2", "1", "1", "0", "2", "2", "0")
    assert flow.note == "Failed generations by kind: Model: 1 length limit."


def test_a_reason_stands_once_below_the_table(tmp_path: Path) -> None:
    page = to_html(made(panel(n_vignettes=2), tmp_path)["effects"])
    assert page.count("no interval: 95 % is not attainable with 2 pairs") == 1
    assert page.count("<sup>a</sup>") == 5  # four dimensions and the footnote itself


def test_a_csv_cell_without_a_value_holds_its_reason(tmp_path: Path) -> None:
    table = made(example(), tmp_path / "export")["primary"]
    write_csv(table, tmp_path / "primary.csv")
    with (tmp_path / "primary.csv").open(newline="") as file:
        correctness = next(csv.DictReader(file))
    assert correctness["p"] == "\u2013 [undefined: all 6 differences are zero]"


def test_every_table_says_when_and_why_it_was_unblinded(tmp_path: Path) -> None:
    said = "Computed after unblinding at 2026-01-06T08:00:00Z (the end)."
    for table in made(example(), tmp_path / "export").values():
        assert said in to_html(table)
        write_csv(table, tmp_path / "table.csv")
        with (tmp_path / "table.csv").open(newline="") as file:
            assert {row["unblinding"] for row in csv.DictReader(file)} == {said}


def test_the_name_of_the_method_is_the_one_used(tmp_path: Path) -> None:
    assert "p exact, two-sided; Holm over the declared family of 4" in (
        made(panel(), tmp_path)["primary"].note
    )


def test_a_scale_where_lower_is_better_is_explained_below_the_table(tmp_path: Path) -> None:
    note = made(example(direction="lower_is_better"), tmp_path)["primary"].note
    assert "On Correctness, Safety a lower score is better" in note
    assert "W+ favours Model" in note


def test_words_of_the_protocol_are_escaped(tmp_path: Path) -> None:
    frozen = example()
    frozen.protocol["arms"][0]["label"] = "<b>Residents</b>"
    assert "<b>Residents" not in to_html(made(frozen, tmp_path)["flow"])
