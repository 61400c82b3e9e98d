from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from study.audit import OPERATOR
from study.errors import StudyError, TakeInError
from study.store import Store
from study.take_in import take_in
from study.tasks import write_tasks
from tests.studies import (
    answer_as_model,
    example_vignette,
    response_line,
    to_answering,
    write_responses,
    write_rows,
)


@pytest.fixture
def tasks(store: Store, tmp_path: Path) -> Path:
    return write_tasks(store, to_answering(store), "model", tmp_path / "tasks", by=OPERATOR)


def rows_of(tasks: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    lines = (tasks / "tasks.jsonl").read_text().splitlines()
    rows = [response_line(json.loads(line), text="Go on.") for line in lines]
    return json.loads((tasks / "manifest.json").read_text()), rows


def n_responses(store: Store) -> int:
    with store.read() as session:
        return session.scalar(text("SELECT count(*) FROM response")) or 0


def test_tasks_hold_the_words_people_see_and_no_hidden_field(tasks: Path) -> None:
    lines = [json.loads(line) for line in (tasks / "tasks.jsonl").read_text().splitlines()]
    assert set(lines[0]) == {
        "vignette_id", "vignette_version", "instruction", "instruction_sha256", "text",
        "text_sha256", "max_words",
    }  # fmt: skip
    for line in lines:
        vignette = example_vignette(int(line["vignette_id"][1:]))
        assert line["text"] == vignette.stimulus("en")
    assert "Statement" not in (tasks / "tasks.jsonl").read_text()


def test_tasks_are_not_written_for_an_arm_of_people(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store)
    with pytest.raises(StudyError, match=r"'residents' is not a model arm .* \['model'\]"):
        write_tasks(store, study_id, "residents", tmp_path / "t", by=OPERATOR)


def test_a_models_responses_are_taken_in_once(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store)
    directory = answer_as_model(store, study_id, tmp_path)
    assert n_responses(store) == 3
    with pytest.raises(TakeInError, match="taken in already"):
        take_in(store, study_id, directory, by=OPERATOR)
    assert n_responses(store) == 3


def drop_last(rows: list[dict[str, Any]]) -> None:
    rows.pop()


def repeat_first(rows: list[dict[str, Any]]) -> None:
    rows.append(dict(rows[0]))


def rename_first(rows: list[dict[str, Any]]) -> None:
    rows[0]["vignette_id"] = "V99"


def other_words(rows: list[dict[str, Any]]) -> None:
    rows[0]["text_sha256"] = "0" * 64


def failure_with_text(rows: list[dict[str, Any]]) -> None:
    rows[0] |= {"status": "failed", "failure": "timeout"}


def empty_text(rows: list[dict[str, Any]]) -> None:
    rows[0]["text"] = "  "


def unknown_key(rows: list[dict[str, Any]]) -> None:
    rows[0]["arm"] = "model"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (drop_last, "V03 has no line, not even a failure"),
        (repeat_first, "V01 is answered 2 times"),
        (rename_first, "V99 is not a vignette of this study"),
        (other_words, "V01 was asked with other words than people saw"),
        (failure_with_text, "a failed response has a failure and no text"),
        (empty_text, "a completed response has a text"),
        (unknown_key, "arm: unknown key"),
    ],
)
def test_a_spoiled_responses_file_is_refused_by_name_and_nothing_is_taken_in(
    store: Store,
    tasks: Path,
    tmp_path: Path,
    spoil: Callable[[list[dict[str, Any]]], None],
    words: str,
) -> None:
    manifest, rows = rows_of(tasks)
    spoil(rows)
    (tmp_path / "responses").mkdir()
    directory = write_rows(tmp_path / "responses", manifest, rows)
    with pytest.raises(TakeInError, match=words):
        take_in(store, manifest["study_id"], directory, by=OPERATOR)
    assert n_responses(store) == 0


def test_a_file_changed_after_the_run_is_refused(store: Store, tasks: Path, tmp_path: Path) -> None:
    directory = write_responses(tasks, tmp_path / "responses")
    path = directory / "responses.jsonl"
    path.write_text(path.read_text().replace("Go on", "Stop"))
    study_id = json.loads((tasks / "manifest.json").read_text())["study_id"]
    with pytest.raises(TakeInError, match="was changed after the run"):
        take_in(store, study_id, directory, by=OPERATOR)


def test_a_directory_of_an_unfinished_run_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(TakeInError, match=r"responses\.jsonl is missing"):
        take_in(store, to_answering(store), tmp_path / "nothing", by=OPERATOR)


def test_a_line_that_is_not_json_is_named(store: Store, tasks: Path, tmp_path: Path) -> None:
    from study.canonical import sha256_hex

    directory = write_responses(tasks, tmp_path / "responses")
    (directory / "responses.jsonl").write_bytes(b"not json\n")
    run = json.loads((directory / "run.json").read_text())
    run["responses_sha256"] = sha256_hex(b"not json\n")
    (directory / "run.json").write_text(json.dumps(run))
    with pytest.raises(TakeInError, match="line 1 is not JSON"):
        take_in(store, run["study_id"], directory, by=OPERATOR)


def test_responses_for_another_study_are_refused(store: Store, tasks: Path, tmp_path: Path) -> None:
    directory = write_responses(tasks, tmp_path / "responses")
    with pytest.raises(TakeInError, match="are for the study"):
        take_in(store, to_answering(store), directory, by=OPERATOR)


def test_a_text_may_hold_line_breaks_of_unicode(store: Store, tasks: Path, tmp_path: Path) -> None:
    manifest, rows = rows_of(tasks)
    rows[0]["text"] = "Hold it.\u2028Then recheck.\u0085Done."
    (tmp_path / "responses").mkdir()
    directory = write_rows(tmp_path / "responses", manifest, rows)
    take_in(store, manifest["study_id"], directory, by=OPERATOR)
    with store.read() as session:
        texts = session.scalars(text("SELECT text FROM response")).all()
    assert rows[0]["text"] in texts


def test_a_checkpoint_frozen_in_the_protocol_is_the_only_one_that_may_answer(
    store: Store, tmp_path: Path
) -> None:
    from study.audit import OPERATOR
    from study.lifecycle import take_step
    from study.protocol import parse_protocol
    from study.registration import register
    from tests.studies import example_vignettes, protocol_values

    values = protocol_values()
    values["arms"][1]["checkpoint"] = "f" * 64
    study_id = register(store, parse_protocol(values), example_vignettes(), by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR, invite=False)
    with pytest.raises(TakeInError, match=r"weights_sha256 .* the protocol froze 'ffff"):
        answer_as_model(store, study_id, tmp_path)
