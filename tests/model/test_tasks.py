from __future__ import annotations

import json

import pytest

from model.canonical import sha256_hex
from model.errors import TaskError
from model.tasks import read_tasks
from tests.model.files import task_line, three_tasks, write_tasks


def test_tasks_are_read_in_their_order(tmp_path):
    task_set = read_tasks(three_tasks(tmp_path / "tasks"))
    assert [task.vignette_id for task in task_set.tasks] == ["V01", "V02", "V03"]
    assert task_set.study_id == "study-1"


def test_the_prompt_is_instruction_blank_line_text(tmp_path):
    task = read_tasks(three_tasks(tmp_path / "tasks")).tasks[0]
    assert task.prompt == "Read the case and answer.\n\nCase 1\n\nWhat now?"
    assert task.prompt_sha256 == sha256_hex(task.prompt.encode())


def test_a_text_may_hold_a_unicode_line_separator(tmp_path):
    directory = write_tasks(tmp_path / "tasks", [task_line("V01", "one\u2028two\u0085three")])
    assert read_tasks(directory).tasks[0].text == "one\u2028two\u0085three"


def test_a_missing_directory_is_named_with_the_remedy(tmp_path):
    with pytest.raises(TaskError, match=r"manifest\.json cannot be read.*safemed tasks"):
        read_tasks(tmp_path / "nowhere")


def test_an_unknown_key_of_a_task_is_refused_by_name(tmp_path):
    line = {**task_line("V01", "Case"), "key_points": ["leaked"]}
    with pytest.raises(TaskError, match=r"line 1: unknown key 'key_points'"):
        read_tasks(write_tasks(tmp_path / "tasks", [line]))


def test_an_unknown_key_of_the_manifest_is_refused_by_name(tmp_path):
    with pytest.raises(TaskError, match=r"manifest\.json: unknown key 'seed'"):
        read_tasks(write_tasks(tmp_path / "tasks", [task_line("V01", "Case")], seed=1))


def test_another_schema_is_refused(tmp_path):
    with pytest.raises(TaskError, match=r"safemed\.tasks/2"):
        read_tasks(
            write_tasks(tmp_path / "t", [task_line("V01", "Case")], schema="safemed.tasks/2")
        )


def test_a_file_changed_after_it_was_written_is_refused(tmp_path):
    directory = three_tasks(tmp_path / "tasks")
    path = directory / "tasks.jsonl"
    path.write_text(path.read_text().replace("Case 1", "Case 9"))
    with pytest.raises(TaskError, match="was changed after it was written"):
        read_tasks(directory)


def test_a_text_without_its_digest_is_refused(tmp_path):
    line = {**task_line("V01", "Case"), "text_sha256": "0" * 64}
    with pytest.raises(TaskError, match="'text' of V01 does not have the digest"):
        read_tasks(write_tasks(tmp_path / "tasks", [line]))


def test_a_vignette_named_twice_is_refused(tmp_path):
    lines = [task_line("V01", "Case"), task_line("V01", "Case")]
    with pytest.raises(TaskError, match="V01 is there twice"):
        read_tasks(write_tasks(tmp_path / "tasks", lines))


def test_a_count_that_does_not_hold_is_refused(tmp_path):
    with pytest.raises(TaskError, match=r"counts 4 tasks; tasks\.jsonl holds 1"):
        read_tasks(write_tasks(tmp_path / "tasks", [task_line("V01", "Case")], n_tasks=4))


def test_a_number_written_as_text_is_refused(tmp_path):
    line = {**task_line("V01", "Case"), "vignette_version": "1"}
    with pytest.raises(TaskError, match="'vignette_version' is '1'; expected int"):
        read_tasks(write_tasks(tmp_path / "tasks", [line]))


def test_a_manifest_that_is_not_json_is_refused(tmp_path):
    directory = three_tasks(tmp_path / "tasks")
    (directory / "manifest.json").write_text(json.dumps({})[:-1])
    with pytest.raises(TaskError, match="is not JSON"):
        read_tasks(directory)
