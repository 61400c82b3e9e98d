from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from study.allocation import Coded, blinding_codes
from study.audit import OPERATOR
from study.canonical import canonical, sha256_hex, table_sha256
from study.errors import StillBlindedError, StudyError
from study.export import export
from study.rater_orders import Deal, assign_raters
from study.store import Store
from study.vignette_order import VignettePlan
from tests.studies import (
    answer_as_model,
    answer_everything,
    join,
    lock_and_unblind,
    rate_everything,
    to_answering,
    to_rating,
    to_unblinded,
)


def exported(store: Store, tmp_path: Path, **changes: int) -> Path:
    study_id = to_unblinded(store, tmp_path / "work", **changes)
    return export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")


def rows(directory: Path, table: str) -> list[dict[str, object]]:
    return pq.read_table(directory / f"{table}.parquet").to_pylist()


def test_arms_are_not_exported_before_unblinding(store: Store, tmp_path: Path) -> None:
    study_id, _ = to_rating(store, tmp_path / "work")
    with pytest.raises(StillBlindedError, match="the study is 'rating'"):
        export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    assert not (tmp_path / "export").exists()


def test_every_digest_of_the_manifest_is_over_all_columns_of_its_table(
    store: Store, tmp_path: Path
) -> None:
    directory = exported(store, tmp_path)
    manifest = json.loads((directory / "manifest.json").read_text())
    for name, table in manifest["tables"].items():
        columns = [tuple(column) for column in table["columns"]]
        content = [[row[c] for c, _ in columns] for row in rows(directory, name)]
        assert table_sha256(columns, content) == table["sha256"]
        assert len(content) == table["rows"]
        with (directory / f"{name}.csv").open(newline="") as file:
            assert next(csv.reader(file)) == [c for c, _ in columns]
    protocol = json.loads((directory / "protocol.json").read_text())
    assert sha256_hex(canonical(protocol)) == manifest["protocol_sha256"]


def test_the_revealed_seeds_replay_orders_codes_and_allocation(
    store: Store, tmp_path: Path
) -> None:
    directory = exported(store, tmp_path)
    manifest = json.loads((directory / "manifest.json").read_text())
    seeds = {s["purpose"]: bytes.fromhex(s["seed"]) for s in manifest["seeds"]}
    responses = [r for r in rows(directory, "responses") if r["blinding_code"]]
    responses.sort(key=lambda r: (r["vignette_id"], sha256_hex(str(r["masked_text"]).encode())))
    codes = [str(r["blinding_code"]) for r in responses]
    assert tuple(codes) == blinding_codes(len(codes), seed=seeds["blinding codes"])
    raters = tuple(sorted(str(r["rater_id"]) for r in rows(directory, "raters")))
    coded = [
        Coded(*(str(r[name]) for name in ("blinding_code", "vignette_id", "respondent_id", "arm")))
        for r in responses
    ]
    deal = Deal("rater allocation", 2, raters)
    replayed = assign_raters(coded, deal, seed=seeds["rater allocation"])
    stored = rows(directory, "assignments")
    assert {(a.rater, a.position, a.code) for a in replayed} == {
        (a["rater_id"], a["position"], a["blinding_code"]) for a in stored
    }
    plan = VignettePlan(("V01", "V02", "V03"), "random", None, frozenset())
    for person in rows(directory, "respondents"):
        if person["kind"] == "clinician":
            own = [r for r in responses if r["respondent_id"] == person["respondent_id"]]
            own.sort(key=lambda r: int(str(r["position"])))
            order = plan.order(str(person["respondent_id"]), 0, seeds["vignette order"])
            assert [r["vignette_id"] for r in own] == order


def test_missing_answers_and_failures_are_rows_with_a_status_and_no_text(
    store: Store, tmp_path: Path
) -> None:
    from study.answering import AnsweringService
    from study.lifecycle import take_step

    study_id = to_answering(store, n_residents=1, n_raters=1, raters_per_response=1)
    resident = join(store, study_id, "resident", arm="residents")
    service = AnsweringService(store)
    task = service.next_task(resident)
    assert task is not None
    service.submit(resident, task.item, 'Wait.\nThen "recheck", NA.', 2)
    answer_as_model(store, study_id, tmp_path / "work", failing=("V02",))
    take_step(store, study_id, "close", by=OPERATOR, reason="left", force=True)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    rater = join(store, study_id, "rater")
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR)
    rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    responses = rows(directory, "responses")
    by_status = {s: [r for r in responses if r["status"] == s] for s in
                 ("submitted", "failed", "missing")}  # fmt: skip
    assert {s: len(r) for s, r in by_status.items()} == {"submitted": 3, "failed": 1, "missing": 2}
    for row in by_status["failed"] + by_status["missing"]:
        assert row["text"] is None
        assert row["masked_text"] is None
        assert row["blinding_code"] is None
    assert by_status["failed"][0]["failure"] == "timeout"
    kept = next(r["text"] for r in by_status["submitted"] if r["arm"] == "residents")
    assert kept == 'Wait.\nThen "recheck", NA.'
    with (directory / "responses.csv").open(newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert texts.count("NA") == 3
    assert kept in texts


def test_one_seed_gives_one_set_of_digests(tmp_path: Path) -> None:
    from study.clock import SteppingClock
    from study.randomness import SeededSource
    from study.store import create_store

    digests = []
    for run in ("one", "two"):
        store = create_store(tmp_path / run / "s.db", clock=SteppingClock(), source=SeededSource(7))
        directory = exported(store, tmp_path / run)
        store.close()
        tables = json.loads((directory / "manifest.json").read_text())["tables"]
        digests.append({name: table["sha256"] for name, table in tables.items()})
    assert digests[0] == digests[1]


def test_a_foreign_directory_is_not_overwritten(store: Store, tmp_path: Path) -> None:
    study_id = to_unblinded(store, tmp_path / "work")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(StudyError, match="holds something that is not an export"):
        export(store, study_id, tmp_path / "thesis", by=OPERATOR, code_version="test")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_an_export_can_be_written_again(store: Store, tmp_path: Path) -> None:
    study_id = to_unblinded(store, tmp_path / "work")
    for _ in range(2):
        directory = export(store, study_id, tmp_path / "e", by=OPERATOR, code_version="test")
    assert len(rows(directory, "ratings")) == 18


def test_the_simulated_mark_is_in_the_manifest(seeded_store: Store, tmp_path: Path) -> None:
    directory = exported(seeded_store, tmp_path)
    manifest = json.loads((directory / "manifest.json").read_text())
    assert manifest["simulated"] is True
    assert manifest["simulated_note"].startswith("SIMULATED.")


def test_answers_of_everybody_are_in_the_export(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store, n_residents=2)
    for _ in range(2):
        answer_everything(store, join(store, study_id, "resident", arm="residents"))
    with store.read() as session:
        from study.answering import n_answers

        assert n_answers(session, study_id) == 6
