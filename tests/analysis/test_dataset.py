from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.dataset import read_frozen
from analysis.errors import DatasetError
from tests.analysis.frozen import Frozen, example


def test_a_whole_dataset_is_read(tmp_path: Path) -> None:
    dataset = read_frozen(example().write(tmp_path))
    assert (dataset.first.label, dataset.second.label) == ("Model", "Residents")
    assert len(dataset.final_ratings()) == 6 * 3 * 2


def test_one_changed_cell_is_found_by_the_digest(tmp_path: Path) -> None:
    example().write(tmp_path / "a")
    other = example()
    other.tables["ratings"][7]["safety"] = 1
    other.write(tmp_path / "b")
    (tmp_path / "b" / "ratings.parquet").replace(tmp_path / "a" / "ratings.parquet")
    with pytest.raises(DatasetError, match="the table ratings was changed after the export"):
        read_frozen(tmp_path / "a")


def test_a_swapped_protocol_is_found(tmp_path: Path) -> None:
    example().write(tmp_path)
    path = tmp_path / "protocol.json"
    path.write_text(path.read_text().replace("0.05", "0.5"))
    with pytest.raises(DatasetError, match="is not the registered protocol"):
        read_frozen(tmp_path)


@pytest.mark.parametrize("key", ["locked_at", "unblindings"])
def test_analysis_waits_for_lock_and_unblinding(tmp_path: Path, key: str) -> None:
    frozen = example()
    frozen.manifest[key] = None
    with pytest.raises(DatasetError, match="was not locked and unblinded"):
        read_frozen(frozen.write(tmp_path))


def rate_twice(frozen: Frozen) -> None:
    frozen.tables["ratings"].append(frozen.tables["ratings"][0] | {"rating_id": "again"})


def score_off_the_scale(frozen: Frozen) -> None:
    frozen.tables["ratings"][0]["safety"] = 6


def rate_the_unknown(frozen: Frozen) -> None:
    frozen.tables["ratings"][0]["blinding_code"] = "nobody"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (rate_twice, "rater R1 has 2 final ratings of P1-V01"),
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
        read_frozen(frozen.write(tmp_path))


def test_a_directory_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"manifest\.json cannot be read"):
        read_frozen(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"schema": "other/1"}))
    with pytest.raises(DatasetError, match=r"is not of the schema safemed\.frozen/1"):
        read_frozen(tmp_path)
