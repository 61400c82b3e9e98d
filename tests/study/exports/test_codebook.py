from __future__ import annotations

import csv
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from study.errors import StudyError
from study.exports.codebook import codebook, codebook_html, write_codebook
from study.exports.codings import coding_of
from study.exports.frozen import Frozen, read_frozen
from study.exports.meanings import DIMENSION, MEANINGS, MISSING, NEVER, ROWS, UNITS
from study.store import Store
from tests.analysis.frozen import example
from tests.studies import DIMENSIONS, HARM, SECOND_PASS
from tests.study.exports.walks import frozen_of, walked

DICTIONARY = Path(__file__).parents[3] / "docs" / "data_dictionary.md"


@pytest.fixture
def frozen(store: Store, tmp_path: Path) -> Frozen:
    study_id = walked(store, tmp_path / "work", leave_out=("V02",), failing=("V03",))
    return frozen_of(store, study_id, tmp_path / "export")


def test_every_column_of_the_data_dictionary_has_the_same_words_in_the_codebook() -> None:
    page = DICTIONARY.read_text(encoding="utf-8")
    sections = re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", page)
    assert len(sections) > 20
    assert [name for name, _ in sections] == list(MEANINGS) == list(ROWS)
    for name, section in sections:
        documented = re.findall(r"(?m)^\| (\(?[\w ]+\)?) \| (.*) \|$", section)
        assert dict(documented[1:]) == MEANINGS[name], name
    described = {f"{table}.{column}" for table in MEANINGS for column in MEANINGS[table]}
    assert set(MISSING) | set(UNITS) <= described


def test_every_column_of_the_bundle_is_described_and_counted(
    frozen: Frozen, tmp_path: Path
) -> None:
    entries = {(e.table, e.column): e for e in codebook(frozen)}
    assert list(entries) == [
        (name, column) for name, table in frozen.tables.items() for column, _ in table.columns
    ]
    for (table, column), entry in entries.items():
        meant = DIMENSION if column in DIMENSIONS else column
        assert entry.meaning == MEANINGS[table][meant]
        # Parquet counts its nulls itself.
        stored = pq.read_table(tmp_path / "export" / f"{table}.parquet", columns=[column])
        assert (entry.n_rows, entry.n_missing) == (stored.num_rows, stored[column].null_count)
    # V02 unanswered by one resident, V03 failed by the model: two texts are missing of nine.
    assert (entries["responses", "text"].n_rows, entries["responses", "text"].n_missing) == (9, 2)


def test_what_a_missing_value_means_is_said_wherever_one_is(frozen: Frozen) -> None:
    for entry in codebook(frozen):
        assert entry.missing_means != "not described", (entry.table, entry.column)
        if entry.n_missing:
            assert entry.missing_means != NEVER, (entry.table, entry.column)


def test_a_score_has_its_scale_its_direction_and_each_point_in_words(frozen: Frozen) -> None:
    (entry,) = [e for e in codebook(frozen) if (e.table, e.column) == ("ratings", DIMENSIONS[0])]
    assert entry.unit == "rubric points, 1 to 5, higher is better"
    assert entry.coding == [(str(i), f"{DIMENSIONS[0]} point {i}") for i in range(1, 6)]
    # Scores of the walk run 1 + (place + number + i) % 5 over seven responses: every point occurs.
    assert (entry.smallest, entry.largest, entry.n_distinct) == ("1", "5", 5)


def test_a_scale_that_runs_down_says_so(tmp_path: Path) -> None:
    made = example(direction="lower_is_better")
    entries = codebook(read_frozen(made.write(tmp_path / "f")))
    (entry,) = [e for e in entries if (e.table, e.column) == ("ratings", "safety")]
    assert entry.unit.endswith("lower is better")


def test_the_csv_and_the_page_hold_the_same_columns_and_two_runs_the_same_bytes(
    frozen: Frozen, tmp_path: Path
) -> None:
    first, second = (write_codebook(frozen, tmp_path / name) for name in ("one", "two"))
    for name in ("codebook.csv", "codebook.html"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    with (first / "codebook.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    page = (first / "codebook.html").read_text(encoding="utf-8")
    assert re.findall(r'<th scope="row">(\w+)</th>', page) == [row["column"] for row in rows]
    assert "residents = Residents; model = Nano" in {row["coding"] for row in rows}


def test_the_page_fetches_nothing_and_shows_markup_as_it_stands(tmp_path: Path) -> None:
    made = example()
    made.manifest["title"] = "<script>alert(1)</script> & more"
    made.manifest |= {"simulated": True, "simulated_note": "SIMULATED, all of it."}
    frozen = read_frozen(made.write(tmp_path / "f"))
    page = codebook_html(frozen, codebook(frozen))
    assert "<script" not in page and "http" not in page and "src=" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in page
    assert '<p class="alert">SIMULATED, all of it.</p>' in page


def test_a_directory_that_holds_something_is_not_overwritten(tmp_path: Path) -> None:
    frozen = read_frozen(example().write(tmp_path / "f"))
    write_codebook(frozen, tmp_path / "out")
    with pytest.raises(StudyError, match="holds something already"):
        write_codebook(frozen, tmp_path / "out")


def test_marks_harm_and_guesses_have_the_protocol_s_own_codes(tmp_path: Path) -> None:
    made = example()
    made.protocol["rating"] |= {"harm": HARM, "second_pass": SECOND_PASS}
    frozen = read_frozen(made.write(tmp_path / "f"))
    assert coding_of(frozen, "harms", "severity") == [
        ("none", "No"), ("mild", "Mild"), ("severe", "Severe"),
    ]  # fmt: skip
    assert coding_of(frozen, "harms", "likelihood")[0] == ("unlikely", "Unlikely")
    assert [code for code, _ in coding_of(frozen, "marks", "kind")] == [
        "harm_any", "harm_severe", "must_met", "should_met", "bonus_met", "critical_error",
        "omission", "over_caution", "hallucination",
    ]  # fmt: skip
    assert coding_of(frozen, "guesses", "guess") == [("people", "Residents"), ("model", "Model")]
    assert coding_of(frozen, "ratings", "comment") == []


def test_the_page_says_of_no_column_the_same_thing_twice(frozen: Frozen) -> None:
    for entry in codebook(frozen):
        assert all(words != code for code, words in entry.coding), entry.column
