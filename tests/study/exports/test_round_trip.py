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
from study.lifecycle import take_step
from study.store import Store
from study.take_in import take_in
from study.tasks import write_tasks
from tests.studies import join, lock_and_unblind, response_line, to_answering, write_rows
from tests.study.exports.walks import HARD_TEXTS, frozen_of, read_csv, walked
from tests.study.exports.walks import write_rows as write_plain_rows


def replay_model(store: Store, study_id: str, frozen: Frozen, work: Path) -> None:
    """The model's responses again, by the contract's directory."""
    tasks = write_tasks(store, study_id, "model", work / "tasks", by=OPERATOR)
    given = {r["vignette_id"]: r for r in frozen.rows("responses") if r["arm"] == "model"}
    lines = []
    for task in map(json.loads, (tasks / "tasks.jsonl").read_text().splitlines()):
        row = given[task["vignette_id"]]
        line = response_line(task, text="", fails=row["status"] == "failed")
        line |= {name: row[name] for name in ("text", "failure", "completion_tokens")}
        lines.append(line | {"prompt_tokens": row["prompt_tokens"]})
    (work / "responses").mkdir()
    manifest = json.loads((tasks / "manifest.json").read_text())
    take_in(store, study_id, write_rows(work / "responses", manifest, lines), by=OPERATOR)


def again(store: Store, first: Frozen, work: Path) -> tuple[Frozen, Mapping[Any, Any]]:
    """A fresh study from the plain tables of the first, exported, and the map of all ids."""
    plain = write_plain(first, work / "plain")
    study_id = to_answering(store)
    made = import_responses(store, study_id, plain / "responses.csv", by=OPERATOR, enrol=True)
    replay_model(store, study_id, first, work)
    take_step(store, study_id, "close", by=OPERATOR, reason="the time is over", force=True)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    raters = [join(store, study_id, "rater") for _ in range(2)]
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR, reason="ruled on outside", force=True)
    ids: dict[Any, Any] = dict(made.enrolled)
    with store.read() as session:
        from study.export_tables import all_tables
        from study.registration import load_study

        tables = all_tables(session, load_study(session, study_id))
    blinded = Frozen({}, first.protocol, tables)
    for row in first.rows("respondents"):
        if row["kind"] == "model":
            (model,) = [r for r in blinded.rows("respondents") if r["kind"] == "model"]
            ids[row["respondent_id"]] = model["respondent_id"]
    codes = {
        (r["respondent_id"], r["vignette_id"]): r["blinding_code"]
        for r in blinded.rows("responses")
    }
    for row in first.rows("responses"):
        if row["blinding_code"]:
            ids[row["blinding_code"]] = codes[ids[row["respondent_id"]], row["vignette_id"]]
    for row, rater in zip(first.rows("raters"), raters, strict=True):
        ids[row["rater_id"]] = rater.person_id
    rows = read_csv(plain / "ratings.csv")
    mapped = [r | {"rater": ids[r["rater"]], "response": ids[r["response"]]} for r in rows]
    path = write_plain_rows(work / "ratings.csv", mapped)
    assert import_ratings(store, study_id, path, by=OPERATOR) == len(rows)
    lock_and_unblind(store, study_id)
    return frozen_of(store, study_id, work / "again"), ids


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
    second, ids = again(store, first, tmp_path / "second")
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
