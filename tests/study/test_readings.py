from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from study.errors import ReadingError
from study.reading_report import review, unsettled
from study.readings import (
    compare,
    key_sha256,
    load_reading,
    load_readings,
    write_marking_sheet,
    write_sheets,
)
from study.vignette import Vignette, load_vignettes
from tests.studies import example_vignettes

ROOT = Path(__file__).parents[2]

VIGNETTES = example_vignettes(2)


def fill(path: Path, **changes: Any) -> None:
    written = yaml.safe_load(path.read_text())
    written |= changes
    path.write_text(yaml.safe_dump(written))


def read_by(reader: str, directory: Path, vignettes: dict[str, Vignette] = VIGNETTES) -> Path:
    path = write_sheets(list(vignettes.values()), directory / reader, reader=reader)
    written = yaml.safe_load(path.read_text())
    for answer in written["answers"].values():
        answer["answer"] = "I would change the plan."
    fill(path, who="a scripted reader", read_on="2026-11-20", answers=written["answers"])
    return path


def marked(
    reader: str, directory: Path, *misses: str, vignettes: dict[str, Vignette] = VIGNETTES
) -> None:
    sheet = directory / f"marks_{reader}.yaml"
    write_marking_sheet(load_reading(directory / reader / "reading.yaml"), vignettes, sheet)
    written = yaml.safe_load(sheet.read_text())
    for each in written["marks"].values():
        each["met"] = {point: point not in (*misses, "K4") for point in each["met"]}
    fill(sheet, marked_by="a scripted marker", marked_on="2026-11-20", marks=written["marks"])


def both_read(directory: Path, *misses_of_b: str) -> None:
    for reader, misses in (("A", ()), ("B", misses_of_b)):
        read_by(reader, directory)
        marked(reader, directory, *misses)


def test_a_sheet_holds_the_stimulus_and_nothing_hidden(tmp_path: Path) -> None:
    write_sheets(list(VIGNETTES.values()), tmp_path / "a", reader="A")
    everything = "".join(path.read_text() for path in (tmp_path / "a").iterdir())
    assert VIGNETTES["V01"].stimulus("en") in everything
    assert "Statement" not in everything
    assert "must" not in everything


def test_sheets_are_never_written_over(tmp_path: Path) -> None:
    write_sheets(list(VIGNETTES.values()), tmp_path / "a", reader="A")
    with pytest.raises(ReadingError, match="is not empty"):
        write_sheets(list(VIGNETTES.values()), tmp_path / "a", reader="A")


def test_an_unanswered_sheet_is_no_reading(tmp_path: Path) -> None:
    path = write_sheets(list(VIGNETTES.values()), tmp_path / "a", reader="A")
    with pytest.raises(ReadingError, match=r"answers\.V01\.answer"):
        load_reading(path)


def test_two_readings_with_every_must_settle_a_vignette(tmp_path: Path) -> None:
    both_read(tmp_path)
    assert unsettled(VIGNETTES, load_readings(tmp_path)) == []


def test_a_must_on_which_readers_split_asks_for_a_new_text(tmp_path: Path) -> None:
    both_read(tmp_path, "K1")
    readings = load_readings(tmp_path)
    assert compare(VIGNETTES["V01"], readings).split_musts == ("K1",)
    assert unsettled(VIGNETTES, readings)[0] == ("V01: readers split on K1: rewrite, read again")


def test_a_should_that_one_reader_lacks_is_listed_but_settles(tmp_path: Path) -> None:
    both_read(tmp_path, "K2")
    readings = load_readings(tmp_path)
    assert unsettled(VIGNETTES, readings) == []
    assert "| V01 | K2 | should | Statement 2 of case 1 | B lacks it |" in review(
        VIGNETTES, readings
    )


def test_one_reading_is_not_enough(tmp_path: Path) -> None:
    read_by("A", tmp_path)
    marked("A", tmp_path)
    sentences = unsettled(VIGNETTES, load_readings(tmp_path))
    assert sentences[0] == "V01: 1 readings of this text and key, wanted two"


def rewritten(name: str, change: dict[str, Any]) -> dict[str, Vignette]:
    written = VIGNETTES[name].as_json() | change
    return VIGNETTES | {name: Vignette.from_json(written)}


def test_a_rewritten_text_asks_for_new_readings(tmp_path: Path) -> None:
    both_read(tmp_path)
    english = VIGNETTES["V01"].as_json()["texts"]["en"]
    texts = {"en": english | {"text": english["text"] + " soon"}}
    changed = rewritten("V01", {"texts": texts})
    comparison = compare(changed["V01"], load_readings(tmp_path))
    assert (comparison.readers, comparison.n_older) == ((), 2)
    with pytest.raises(ReadingError, match="the text of V01 changed since it was read"):
        write_marking_sheet(load_reading(tmp_path / "A" / "reading.yaml"), changed, tmp_path / "x")


def test_a_changed_key_asks_for_new_marks(tmp_path: Path) -> None:
    both_read(tmp_path)
    hidden = VIGNETTES["V01"].as_json()["hidden"]
    hidden["key_points"][0]["statement"] = "Another statement"
    changed = rewritten("V01", {"hidden": hidden})
    assert key_sha256(changed["V01"]) != key_sha256(VIGNETTES["V01"])
    assert compare(changed["V01"], load_readings(tmp_path)).readers == ()


def test_marks_without_their_answer_are_refused(tmp_path: Path) -> None:
    read_by("A", tmp_path)
    marked("A", tmp_path)
    (tmp_path / "A" / "reading.yaml").unlink()
    with pytest.raises(ReadingError, match="there is no answer of that reader"):
        load_readings(tmp_path)


def test_every_shipped_vignette_was_read_twice_and_split_on_no_must() -> None:
    shipped_vignettes = load_vignettes(ROOT / "data" / "vignettes")
    assert len(shipped_vignettes) == 30
    assert unsettled(shipped_vignettes, load_readings(ROOT / "data" / "readings")) == []
