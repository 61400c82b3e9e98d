from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.dataset import open_export
from analysis.errors import DatasetError
from tests.analysis.frozen import Frozen, example


def test_a_whole_dataset_is_read(tmp_path: Path) -> None:
    dataset = open_export(example().write(tmp_path))
    assert (dataset.first.label, dataset.second.label) == ("Model", "Residents")
    assert len(dataset.final_ratings()) == 6 * 3 * 2


def test_one_changed_cell_is_found_by_the_digest(tmp_path: Path) -> None:
    example().write(tmp_path / "a")
    other = example()
    other.tables["ratings"][7]["safety"] = 1
    other.write(tmp_path / "b")
    (tmp_path / "b" / "ratings.parquet").replace(tmp_path / "a" / "ratings.parquet")
    with pytest.raises(DatasetError, match="the table ratings was changed after the export"):
        open_export(tmp_path / "a")


def test_a_swapped_protocol_is_found(tmp_path: Path) -> None:
    example().write(tmp_path)
    path = tmp_path / "protocol.json"
    path.write_text(path.read_text().replace("0.05", "0.5"))
    with pytest.raises(DatasetError, match="is not the registered protocol"):
        open_export(tmp_path)


@pytest.mark.parametrize("key", ["locked_at", "unblindings"])
def test_analysis_waits_for_lock_and_unblinding(tmp_path: Path, key: str) -> None:
    frozen = example()
    frozen.manifest[key] = None
    with pytest.raises(DatasetError, match="was not locked and unblinded"):
        open_export(frozen.write(tmp_path))


def rate_twice(frozen: Frozen) -> None:
    frozen.tables["ratings"].append(frozen.tables["ratings"][0] | {"rating_id": "again"})


def score_off_the_scale(frozen: Frozen) -> None:
    frozen.tables["ratings"][0]["safety"] = 6


def rate_the_unknown(frozen: Frozen) -> None:
    frozen.tables["ratings"][0]["blinding_code"] = "nobody"


def score_without_submission(frozen: Frozen) -> None:
    frozen.tables["responses"][0]["status"] = "missing"


def answer_twice(frozen: Frozen) -> None:
    frozen.tables["responses"].append(
        frozen.tables["responses"][0] | {"response_id": "again", "blinding_code": "again"}
    )


def rate_as_a_stranger(frozen: Frozen) -> None:
    frozen.tables["ratings"][0]["rater_id"] = "R9"


def rate_another_vignette(frozen: Frozen) -> None:
    frozen.tables["ratings"][0]["vignette_id"] = "V05"


def answer_in_no_arm(frozen: Frozen) -> None:
    frozen.tables["responses"][0]["arm"] = "robots"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (score_without_submission, "response r-P1-V01 is missing and yet rated"),
        (answer_twice, "respondent P1 has 2 responses to V01"),
        (rate_as_a_stranger, "rating P1-V01-R1 is by an unknown rater R9"),
        (rate_another_vignette, "P1-V01-R1 names the vignette V05, its response V01"),
        (answer_in_no_arm, "response r-P1-V01 is of an unknown arm 'robots'"),
        (
            rate_twice,
            r"rater R1 has 2 final ratings of P1-V01: P1-V01-R1 = \[2, 2\], again = \[2, 2\]",
        ),
        (score_off_the_scale, "P1-V01-R1: safety is 6, off the scale 1 to 5"),
        (rate_the_unknown, "is of an unknown code nobody"),
    ],
)
def test_ratings_that_break_the_contract_are_named(
    tmp_path: Path, spoil: Callable[[Frozen], None], words: str
) -> None:
    frozen = example()
    spoil(frozen)
    with pytest.raises(DatasetError, match=words):
        open_export(frozen.write(tmp_path))


def test_a_directory_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"manifest\.json cannot be read"):
        open_export(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"schema": "other/1"}))
    with pytest.raises(DatasetError, match=r"is not of the schema safemed\.frozen/1"):
        open_export(tmp_path)


def test_a_csv_that_says_something_else_is_found(tmp_path: Path) -> None:
    example().write(tmp_path)
    path = tmp_path / "ratings.csv"
    path.write_text(path.read_text().replace("P1-V01-R1,R1,P1-V01,V01,1,1,true,2", "x,R1,y,V01", 1))
    with pytest.raises(DatasetError, match=r"ratings\.csv, record 2: 'x' where the Parquet file"):
        open_export(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "missing nothing, unknown colour"),
        ({"simulated": True}, "simulated is True and simulated_note None"),
        ({"simulated_note": "SIMULATED."}, "simulated is False and simulated_note 'SIMULATED.'"),
        ({"simulated": "no"}, "simulated is 'no'"),
        ({"n_audit_events": 2}, "the audit has 1 events and ends in 0+; the manifest says 2"),
        ({"audit_head": "f" * 64}, "the manifest says 1 and f+"),
    ],
)
def test_a_manifest_that_breaks_the_contract_is_named(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    frozen = example()
    frozen.manifest |= change
    with pytest.raises(DatasetError, match=words):
        open_export(frozen.write(tmp_path))


def test_a_manifest_without_the_simulated_mark_is_refused(tmp_path: Path) -> None:
    frozen = example()
    del frozen.manifest["simulated"]
    with pytest.raises(DatasetError, match="missing simulated, unknown nothing"):
        open_export(frozen.write(tmp_path))


def test_a_column_outside_the_contract_is_named(tmp_path: Path) -> None:
    frozen = example()
    frozen.columns["raters"] += " mood"
    with pytest.raises(DatasetError, match=r"the table raters has other columns .*\('mood'"):
        open_export(frozen.write(tmp_path))


def test_scores_that_are_not_whole_numbers_are_refused(tmp_path: Path) -> None:
    frozen = example()
    frozen.score_type = "string"
    for row in frozen.tables["ratings"]:
        row["safety"] = str(row["safety"])
        row["correctness"] = str(row["correctness"])
    with pytest.raises(DatasetError, match=r"the table ratings has other columns .*'string'"):
        open_export(frozen.write(tmp_path))


def without_the_family(protocol: dict[str, Any]) -> None:
    del protocol["primary"]["family"]


def with_a_foreign_family(protocol: dict[str, Any]) -> None:
    protocol["primary"]["family"] = ["charm"]


def with_a_sideways_scale(protocol: dict[str, Any]) -> None:
    protocol["rating"]["dimensions"][0]["scale"] = {
        "minimum": 1, "maximum": 5, "direction": "sideways",
    }  # fmt: skip


def with_a_foreign_contrast(protocol: dict[str, Any]) -> None:
    protocol["contrast"]["first"] = "robots"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_the_family, "lacks 'family', which the analysis reads"),
        (with_a_foreign_family, r"the primary family is \['charm'\]"),
        (with_a_sideways_scale, "correctness has the direction 'sideways'"),
        (with_a_foreign_contrast, "first arm is 'robots'; the protocol's arms are people, model"),
    ],
)
def test_a_protocol_that_cannot_be_analysed_is_named(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], words: str
) -> None:
    frozen = example()
    spoil(frozen.protocol)
    with pytest.raises(DatasetError, match=words):
        open_export(frozen.write(tmp_path))
