"""Exports and imports through the commands, as the study team runs them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from study.audit import events_of
from study.csv_files import write_csv
from study.exports.frozen import read_frozen
from study.exports.odm_names import NAMESPACE
from study.overview import study_progress
from study.store import Store, create_store
from tests.app.test_commands import safemed
from tests.studies import join, to_answering, to_rating
from tests.study.exports.walks import HARD_TEXTS, again, read_csv, walked, write_rows

SHAPES = ("plain", "redcap", "odm", "codebook", "public")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "study.db"


def opened(path: Path) -> Store:
    return create_store(path)


def done(*words: object) -> dict[str, Any]:
    """What a command that succeeds says."""
    run = safemed(*words, "--json")
    assert run.returncode == 0, run.stderr
    said: dict[str, Any] = json.loads(run.stdout)
    return said


def exported(database: Path, out: Path, shape: str = "frozen", *more: object) -> Path:
    done("export", "--out", out, "--format", shape, "--store", database, *more)
    return out


def with_names(path: Path, ids: Mapping[Any, Any], columns: Sequence[str], out: Path) -> bytes:
    """A plain table as it must look under other names, ordered by them."""
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    places = [header.index(column) for column in columns]
    rows = [
        [ids.get(cell, cell) if place in places else cell for place, cell in enumerate(row)]
        for row in rows
    ]
    last = header.index("position" if "position" in header else "revision")
    rows.sort(key=lambda row: (*(row[place] for place in places), int(row[last] or 0)))
    write_csv(out, header, rows)
    return out.read_bytes()


def test_export_import_export_through_the_commands_is_the_same_byte_for_byte(
    tmp_path: Path,
) -> None:
    first_db, second_db = tmp_path / "first.db", tmp_path / "second.db"
    store = opened(first_db)
    walked(store, tmp_path / "walk", leave_out=("V02",), failing=("V03",))
    store.close()
    frozen = exported(first_db, tmp_path / "frozen")
    plain = exported(first_db, tmp_path / "plain", "plain")
    (tmp_path / "work").mkdir()
    store = opened(second_db)
    _, ids = again(
        store, read_frozen(frozen), plain, tmp_path / "work",
        bring_answers=lambda study_id, path: done(
            "import", "answers", path, study_id, "--enrol", "--store", second_db
        )["enrolled"],
        bring_ratings=lambda study_id, path: done(
            "import", "ratings", path, study_id, "--store", second_db
        )["n_ratings"],
    )  # fmt: skip
    store.close()
    once_more = exported(second_db, tmp_path / "once_more", "plain")
    for name, columns in (("responses", ["respondent"]), ("ratings", ["rater", "response"])):
        wanted = with_names(plain / f"{name}.csv", ids, columns, tmp_path / f"{name}.csv")
        assert (once_more / f"{name}.csv").read_bytes() == wanted
    texts = {row["text"] for row in read_csv(once_more / "responses.csv")}
    assert set(HARD_TEXTS) <= texts
    again_frozen = exported(second_db, tmp_path / "again")
    outcomes = {c["name"]: c["outcome"] for c in done("verify", again_frozen)["checks"]}
    assert (outcomes["files"], outcomes["audit"], outcomes["allocation"]) == ("holds",) * 3


def test_an_export_keeps_a_missing_value_missing_and_every_line_break(
    database: Path, tmp_path: Path
) -> None:
    """An export turns a missing value into an empty string and strips line breaks (oTree)."""
    store = opened(database)
    walked(store, tmp_path / "walk", leave_out=("V02",), failing=("V03",))
    store.close()
    frozen = exported(database, tmp_path / "frozen")
    for shape in SHAPES:
        exported(database, tmp_path / shape, shape)
    with (frozen / "responses.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # Of nine responses two are missing: V02 unanswered, V03 failed. One answer is the word NA.
    assert sum(row["text"] == "NA" for row in rows) == 3
    assert "" not in {cell for row in rows for cell in row.values()}
    texts = [row["text"] for row in read_frozen(frozen).rows("responses")]
    assert (texts.count(None), texts.count(""), texts.count("NA")) == (2, 0, 1)
    plain = read_csv(tmp_path / "plain" / "responses.csv")
    assert [r["status"] for r in plain if not r["text"]] == ["missing"]
    redcap = [r for r in read_csv(tmp_path / "redcap" / "data.csv") if r["response_id"]]
    assert sorted(r["status"] for r in redcap if not r["text"]) == ["failed", "missing"]
    root = etree.parse(str(tmp_path / "odm" / "odm.xml"))
    items = root.findall(f".//{{{NAMESPACE}}}ItemData[@ItemOID='I.RESPONSE.text']")
    assert [i.get("Value") for i in items if i.get("IsNull")] == [None, None]
    for found in (
        {r["text"] for r in rows}, {r["text"] for r in plain}, {r["text"] for r in redcap},
        {i.get("Value") for i in items},
    ):  # fmt: skip
        assert set(HARD_TEXTS) <= found
    public = read_frozen(tmp_path / "public", public_too=True).rows("responses")
    shown = {row["masked_text"] for row in read_frozen(frozen).rows("responses")}
    assert {row["masked_text"] for row in public} == shown
    assert any("\n" in str(text) for text in shown)


def test_counts_on_the_screen_are_those_of_every_export_and_an_empty_run_stays(
    database: Path, tmp_path: Path
) -> None:
    """Counts differ between screen and export, and empty runs are dropped (JATOS)."""
    store = opened(database)
    study_id = walked(store, tmp_path / "walk", leave_out=("V01", "V02", "V03"))
    with store.read() as session:
        screen = study_progress(session, study_id, store)
    store.close()
    frozen = read_frozen(exported(database, tmp_path / "frozen"))
    answered = [r for r in frozen.rows("responses") if r["status"] != "missing"]
    assert (screen.n_answers, screen.n_answers_due) == (len(answered), 9) == (6, 9)
    rated = [r for r in frozen.rows("ratings") if r["final"]]
    assert (screen.n_ratings, screen.n_ratings_due) == (len(rated), 12) == (12, 12)
    # The first resident joined and answered nothing: three rows of nine.
    done_by = {p.done for p in screen.residents}
    assert done_by == {0, 3} and len(frozen.rows("respondents")) == 3
    assert len(frozen.rows("responses")) == 9
    plain = read_csv(exported(database, tmp_path / "plain", "plain") / "responses.csv")
    redcap = read_csv(exported(database, tmp_path / "redcap", "redcap") / "data.csv")
    book = read_csv(exported(database, tmp_path / "codebook", "codebook") / "codebook.csv")
    public = read_frozen(exported(database, tmp_path / "public", "public"), public_too=True)
    assert (len(plain), sum(r["status"] == "missing" for r in plain)) == (6, 3)
    assert sum(bool(r["response_id"]) for r in redcap) == 9
    counted = {r["table"]: int(r["n_rows"]) for r in book}
    assert (counted["responses"], counted["ratings"]) == (9, len(frozen.rows("ratings")))
    assert len(public.rows("responses")) == 9
    assert len(public.rows("ratings")) == len(frozen.rows("ratings"))


def test_responses_of_an_unknown_respondent_are_refused_not_dropped(
    database: Path, tmp_path: Path
) -> None:
    """Responses of an unknown user are dropped on import (Argilla)."""
    store = opened(database)
    study_id = to_answering(store)
    known = join(store, study_id, "resident", arm="residents")
    rows = [
        {"respondent": name, "vignette_id": f"V0{n}", "text": f"Wait {n}.", "confidence": n}
        for name in (known.pseudonym, "paper-2")
        for n in (1, 2, 3)
    ]
    path = write_rows(tmp_path / "answers.csv", rows)
    refused = safemed("import", "answers", path, "--store", database)
    assert refused.returncode == 2
    assert "row 5, column respondent: 'paper-2' is nobody who is enrolled" in refused.stderr
    assert "import with --enrol" in refused.stderr
    with store.read() as session:
        assert study_progress(session, study_id, store).n_answers == 0
    run = safemed("import", "answers", path, "--enrol", "--store", database)
    assert run.returncode == 0, run.stderr
    assert "Imported 6 answers." in run.stdout
    assert "  paper-2 is p_" in run.stdout
    with store.read() as session:
        assert study_progress(session, study_id, store).n_answers == 6
    store.close()


def test_every_fault_of_a_file_is_named_at_once_and_nothing_of_it_is_kept(
    database: Path, tmp_path: Path
) -> None:
    store = opened(database)
    study_id, (first, _) = to_rating(store, tmp_path / "work", n_vignettes=1)
    good = {"medical_correctness": 3, "medication_safety": 4}
    rows = [
        {"rater": first.pseudonym, "response": "ABC-DEF", **good},
        {"rater": "nobody", "response": "ABC-DEF", **good, "medication_safety": 9},
    ]
    path = write_rows(tmp_path / "ratings.csv", rows)
    run = safemed("import", "ratings", path, "--store", database)
    assert run.returncode == 2
    for words in (
        "ratings.csv: nothing was imported",
        "row 2, column response: 'ABC-DEF' is not allocated to this rater",
        "row 3, column medication_safety: 9 is off the scale 1 to 5",
        "row 3, column rater: 'nobody' is no rater who has joined",
    ):
        assert words in run.stderr
    assert "Traceback" not in run.stderr
    with store.read() as session:
        assert study_progress(session, study_id, store).n_ratings == 0
        assert "import" not in str([event.action for event in events_of(session, study_id)])
    store.close()


def test_a_shape_made_of_a_directory_is_that_made_of_the_database(
    database: Path, tmp_path: Path
) -> None:
    store = opened(database)
    study_id = walked(store, tmp_path / "walk")
    frozen = exported(database, tmp_path / "frozen")
    for shape in ("plain", "redcap"):
        one = exported(database, tmp_path / f"{shape}_of_database", shape)
        other = tmp_path / f"{shape}_of_directory"
        done("export", "--from", frozen, "--format", shape, "--out", other)
        assert {p.name: p.read_bytes() for p in one.iterdir()} == {
            p.name: p.read_bytes() for p in other.iterdir()
        }
    with store.read() as session:
        said = [e.subject for e in events_of(session, study_id) if e.action == "export"]
    # Once as the record and once in either shape; a directory is nobody's database.
    assert said == ["frozen dataset", "plain", "redcap"]
    store.close()


def test_no_shape_of_a_blinded_study_is_written(database: Path, tmp_path: Path) -> None:
    store = opened(database)
    to_rating(store, tmp_path / "work", n_vignettes=1)
    store.close()
    for shape in ("frozen", *SHAPES):
        out = tmp_path / shape
        run = safemed("export", "--out", out, "--format", shape, "--store", database)
        assert run.returncode == 2
        assert "its arms can be exported after it is unblinded" in run.stderr
        assert not out.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "frozen"], "is the frozen dataset; name another --format"),
        (["--format", "plain", "study_A"], "says which study; leave study_A out"),
        (["--format", "odm", "--with-comments"], "are for --format public"),
        (["--format", "odm"], "cannot be read as a frozen dataset"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_by_name(
    tmp_path: Path, options: list[str], words: str
) -> None:
    run = safemed("export", "--out", tmp_path / "out", "--from", tmp_path / "nowhere", *options)
    assert run.returncode == 2
    assert words in run.stderr
    assert not (tmp_path / "out").exists()


def analysed(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The summary; without a browser on the path no static images are drawn."""
    with monkeypatch.context() as patched:
        patched.setenv("PATH", os.devnull)
        done("analyze", source, "--out", out)
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary


def close_to(value: object) -> Any:
    """The same numbers whatever the order in which rows were added up."""
    if isinstance(value, dict):
        return {key: close_to(item) for key, item in value.items() if key != "lineage"}
    if isinstance(value, list):
        return [close_to(item) for item in value]
    return pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value


def without_lineage(value: object) -> Any:
    if isinstance(value, dict):
        return {key: without_lineage(v) for key, v in value.items() if key != "lineage"}
    return [without_lineage(v) for v in value] if isinstance(value, list) else value


def test_the_public_bundle_gives_the_primary_numbers_of_the_frozen_dataset(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(database)
    walked(store, tmp_path / "walk", leave_out=("V02",), failing=("V03",), n_vignettes=8)
    store.close()
    frozen = exported(database, tmp_path / "frozen")
    public = exported(database, tmp_path / "public", "public")
    signed = {c["name"]: c["outcome"] for c in done("verify", public)["checks"]}
    assert (signed["files"], signed["audit"]) == ("holds", "open")
    source, bundle = (
        analysed(directory, tmp_path / f"of_{directory.name}", monkeypatch)
        for directory in (frozen, public)
    )
    assert bundle["flow"] == source["flow"]
    assert bundle["protocol_sha256"] == source["protocol_sha256"]
    assert (source["audit_head"] is None, bundle["audit_head"]) == (False, None)
    primary = ("differences", "test", "p_adjusted", "hodges_lehmann", "mean", "rank_biserial",
               "r", "superiority", "dz", "claims")  # fmt: skip
    for ours, theirs in zip(bundle["dimensions"], source["dimensions"], strict=True):
        assert ours["test"]["p_value"] is not None
        for name in primary:
            assert without_lineage(ours[name]) == close_to(theirs[name]), name
    report = (tmp_path / "of_public" / "report.html").read_text()
    assert "From the de-identified public bundle." in report


def test_a_public_bundle_gives_a_codebook_and_no_other_shape(
    database: Path, tmp_path: Path
) -> None:
    store = opened(database)
    walked(store, tmp_path / "walk")
    store.close()
    public = exported(database, tmp_path / "public", "public", "--without-texts")
    bundle = read_frozen(public, public_too=True)
    assert {row["masked_text"] for row in bundle.rows("responses")} == {None}
    assert {row["comment"] for row in bundle.rows("ratings")} == {None}
    for shape in SHAPES:
        run = safemed(
            "export", "--from", public, "--format", shape, "--out", tmp_path / f"of_{shape}"
        )
        if shape == "codebook":
            assert run.returncode == 0, run.stderr
        else:
            assert run.returncode == 2
            assert "is a public bundle, which lacks texts and audit" in run.stderr
