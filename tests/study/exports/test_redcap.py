from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from study.errors import BundleError, StudyError
from study.exports.frozen import read_frozen
from study.exports.redcap import Field, as_choice, as_label, field_names, fitted, write_redcap
from study.store import Store
from tests.analysis.frozen import example
from tests.studies import DIMENSIONS
from tests.study.exports.walks import HARD_TEXTS, frozen_of, read_csv, walked

HEADER = (
    "Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"
    '"Choices, Calculations, OR Slider Labels",Field Note,'
    "Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,"
    "Identifier?,Branching Logic (Show field only if...),Required Field?,Custom Alignment,"
    "Question Number (surveys only),Matrix Group Name,Matrix Ranking?,Field Annotation"
)


@pytest.fixture
def written(store: Store, tmp_path: Path) -> tuple[Path, list[dict[str, object]]]:
    study_id = walked(store, tmp_path / "work", leave_out=("V02",), failing=("V03",))
    frozen = frozen_of(store, study_id, tmp_path / "export")
    rows = [dict(row) for table in ("responses", "ratings") for row in frozen.rows(table)]
    return write_redcap(frozen, tmp_path / "redcap"), rows


def test_the_dictionary_has_redcap_s_eighteen_columns_word_for_word(
    written: tuple[Path, list[dict[str, object]]],
) -> None:
    directory, _ = written
    with (directory / "data_dictionary.csv").open(newline="") as file:
        assert file.readline().rstrip("\n") == HEADER
    fields = read_csv(directory / "data_dictionary.csv")
    names = [field["Variable / Field Name"] for field in fields]
    assert names[0] == "record_id"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z](_?[a-z0-9])*", n) and len(n) <= 26 for n in names)
    forms = [field["Form Name"] for field in fields]
    assert forms == sorted(forms, key=("response", "rating").index)
    with (directory / "data.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert header == [
        "record_id", "redcap_repeat_instrument", "redcap_repeat_instance", *names[1:],
        "response_complete", "rating_complete",
    ]  # fmt: skip


def test_scores_are_choices_with_their_anchors_and_direction(
    written: tuple[Path, list[dict[str, object]]],
) -> None:
    fields = {f["Variable / Field Name"]: f for f in read_csv(written[0] / "data_dictionary.csv")}
    for name in DIMENSIONS:
        assert fields[name]["Field Type"] == "radio"
        assert fields[name]["Choices, Calculations, OR Slider Labels"] == " | ".join(
            f"{point}, {name} point {point}" for point in range(1, 6)
        )
        assert fields[name]["Field Note"].endswith("higher is better")


def test_every_value_is_one_that_its_field_takes(
    written: tuple[Path, list[dict[str, object]]],
) -> None:
    directory, _ = written
    patterns = {
        "integer": r"-?\d+",
        "datetime_seconds_ymd": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    }
    for field in read_csv(directory / "data_dictionary.csv"):
        name, kind = field["Variable / Field Name"], field["Field Type"]
        values = {row[name] for row in read_csv(directory / "data.csv")} - {""}
        coded = field["Choices, Calculations, OR Slider Labels"].split(" | ")
        if kind == "radio":
            assert values <= {choice.partition(", ")[0] for choice in coded}, name
        elif kind == "yesno":
            assert values == {"0", "1"}, name
        elif pattern := patterns.get(field["Text Validation Type OR Show Slider Number"]):
            assert all(re.fullmatch(pattern, value) for value in values), name
        else:
            assert kind in ("text", "notes"), name


def test_one_row_a_response_and_one_instance_a_rating_and_none_left_out(
    written: tuple[Path, list[dict[str, object]]],
) -> None:
    directory, rows = written
    data = read_csv(directory / "data.csv")
    responses = [row for row in rows if "response_id" in row]
    assert [r["response_id"] for r in data if not r["redcap_repeat_instrument"]] == [
        row["response_id"] for row in responses
    ]
    rated = [r for r in data if r["redcap_repeat_instrument"] == "rating"]
    by_id = {row["rating_id"]: row for row in rows if "rating_id" in row}
    assert sorted(r["rating_id"] for r in rated) == sorted(map(str, by_id))
    keys = [(r["record_id"], r["redcap_repeat_instance"]) for r in rated]
    assert len(set(keys)) == len(keys)
    code_of = {r["record_id"]: r["blinding_code"] for r in data if r["blinding_code"]}
    for row in rated:
        frozen = by_id[row["rating_id"]]
        assert code_of[row["record_id"]] == frozen["blinding_code"]
        assert [int(row[name]) for name in DIMENSIONS] == [frozen[name] for name in DIMENSIONS]
        assert row["rating_submitted_at_exact"] == frozen["submitted_at"]


def test_an_export_turns_no_missing_value_into_text_and_strips_no_line_break(
    written: tuple[Path, list[dict[str, object]]],
) -> None:
    directory, rows = written
    data = {r["response_id"]: r for r in read_csv(directory / "data.csv") if r["response_id"]}
    responses = [row for row in rows if "response_id" in row]
    assert set(HARD_TEXTS) <= {row["text"] for row in data.values()}
    for row in responses:
        shown = data[str(row["response_id"])]
        for column in ("text", "masked_text", "confidence", "failure", "blinding_code"):
            assert shown[column] == ("" if row[column] is None else str(row[column]))
        assert shown["response_complete"] == ("2" if row["status"] == "submitted" else "0")


def test_names_and_labels_that_redcap_would_refuse_are_made_to_fit() -> None:
    assert fitted("Dosis_(mg)__x_") == "dosis_mg_x"
    assert fitted("2nd look") == "v_2nd_look"
    long = "a_dimension_with_a_very_long_name_"
    fields = [Field(long + end, "rating", "radio", "?") for end in ("one", "two", "three")]
    fields += [Field("position", form, "text", "?") for form in ("response", "rating")]
    fields.append(Field("response_complete", "rating", "text", "?"))
    names = field_names(fields)
    assert len(set(names)) == 6
    assert names[3:] == ["position", "rating_position", "response_complete_2"]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name) for name in names)
    assert as_choice("dose <5 mg | wrong\nroute [x]") == "dose < 5 mg / wrong route (x)"
    assert as_label("a < b") == "a < b"


def test_a_rating_of_no_response_stops_the_export(tmp_path: Path) -> None:
    made = example()
    made.tables["ratings"][0]["blinding_code"] = "nobody"
    with pytest.raises(BundleError, match="codes rated without a response: \\['nobody'\\]"):
        write_redcap(read_frozen(made.write(tmp_path / "frozen")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_directory_that_holds_something_is_not_overwritten(tmp_path: Path) -> None:
    frozen = read_frozen(example().write(tmp_path / "frozen"))
    write_redcap(frozen, tmp_path / "out")
    with pytest.raises(StudyError, match="holds something already"):
        write_redcap(frozen, tmp_path / "out")


def test_a_frozen_dataset_that_was_changed_is_not_turned_into_anything(tmp_path: Path) -> None:
    directory = example().write(tmp_path / "frozen")
    other = example(n_vignettes=5).write(tmp_path / "other")
    (directory / "ratings.parquet").write_bytes((other / "ratings.parquet").read_bytes())
    with pytest.raises(BundleError, match=r"the table ratings of .* was changed"):
        read_frozen(directory)
