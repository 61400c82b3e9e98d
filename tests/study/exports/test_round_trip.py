"""Export, import into a fresh study, export again.

What is compared, cell by cell as in the Parquet files: of `responses` every column but
`response_id` and `blinding_code`, which are drawn anew, `respondent_id` after mapping each
respondent to the one made by the import, and `submitted_at` of the model, whose answers go by the
responses directory and come in when they are taken in; of `ratings` every column but `rating_id`,
`rater_id` and `blinding_code` mapped, and `position`, which is the fresh allocation's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from study.audit import OPERATOR
from study.exports.answers_in import import_responses
from study.exports.frozen import Frozen
from study.exports.plain import write_plain
from study.exports.ratings_in import import_ratings
from study.overview import study_progress
from study.store import Store
from tests.study.exports.walks import HARD_TEXTS, again, frozen_of, walked


def compared(frozen: Frozen, ids: Mapping[Any, Any], table: str) -> list[str]:
    left_out = {"response_id", "rating_id"}
    if table == "responses":
        left_out |= {"blinding_code"}
    else:
        left_out |= {"position"}
    rows = []
    for row in frozen.rows(table):
        cells = {name: cell for name, cell in row.items() if name not in left_out}
        for name in ("respondent_id", "rater_id", "blinding_code"):
            if name in cells:
                cells[name] = ids.get(cells[name], cells[name])
        if row.get("arm") == "model":
            del cells["submitted_at"]
        rows.append(json.dumps(cells, ensure_ascii=False, sort_keys=True))
    return sorted(rows)


def test_export_import_export_gives_identical_responses_and_ratings(
    store: Store, tmp_path: Path
) -> None:
    study_id = walked(store, tmp_path / "first", leave_out=("V02",), failing=("V03",))
    first = frozen_of(store, study_id, tmp_path / "export")
    (tmp_path / "second").mkdir()
    study_id, ids = again(
        store, first, write_plain(first, tmp_path / "plain"), tmp_path / "second",
        bring_answers=lambda study_id, path: import_responses(
            store, study_id, path, by=OPERATOR, enrol=True
        ).enrolled,
        bring_ratings=lambda study_id, path: import_ratings(store, study_id, path, by=OPERATOR),
    )  # fmt: skip
    second = frozen_of(store, study_id, tmp_path / "again")
    for table in ("responses", "ratings"):
        assert compared(second, {}, table) == compared(first, ids, table)
    texts = [row["text"] for row in second.rows("responses")]
    assert set(HARD_TEXTS) <= set(texts)
    assert texts.count(None) == 2
    assert {row["comment"] for row in second.rows("ratings")} == {None, "why:\nso", "NA"}


def test_exporting_twice_writes_the_same_plain_bytes(store: Store, tmp_path: Path) -> None:
    study_id = walked(store, tmp_path / "work")
    plain = [
        write_plain(frozen_of(store, study_id, tmp_path / f"e{n}"), tmp_path / f"p{n}")
        for n in (1, 2)
    ]
    for name in ("responses.csv", "ratings.csv"):
        assert (plain[0] / name).read_bytes() == (plain[1] / name).read_bytes()


def test_ratings_on_the_screen_are_those_of_the_export_and_its_hidden_repeats(
    store: Store, tmp_path: Path
) -> None:
    """Counts differ between screen and export (JATOS)."""
    repeats = {"repeats": {"per_rater": 1, "min_distance": 2}}
    study_id = walked(store, tmp_path / "work", rating=repeats)
    frozen = frozen_of(store, study_id, tmp_path / "export")
    with store.read() as session:
        screen = study_progress(session, study_id, store)
    final = [row for row in frozen.rows("ratings") if row["final"]]
    # Nine responses by two raters, and one seen again by each.
    assert (len(final), len(frozen.rows("repeat_ratings"))) == (18, 2)
    assert screen.n_ratings == screen.n_ratings_due == 20
