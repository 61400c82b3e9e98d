from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from model.errors import EvaluationError
from model.evaluation.answers import Answer, no_answer
from model.evaluation.files import Directory
from model.evaluation.journal import Journal, call_key


def call(journal: Journal, key: str, answer: Answer, made: list[str]) -> Answer:
    async def make() -> Answer:
        made.append(key)
        return answer

    return asyncio.run(journal.call(key, "about", make))


def test_a_call_is_made_once_and_a_failure_is_its_answer_too(tmp_path: Path) -> None:
    path, made = tmp_path / "calls.jsonl", []
    answers = {"a": Answer(None, None, "text \u2028 ü"), "b": no_answer("rate_limit", "later")}
    for _ in range(2):
        journal = Journal(path)
        assert {key: call(journal, key, answers[key], made) for key in answers} == answers
        journal.close()
    assert made == ["a", "b"]
    assert journal.n_resumed == 2 and journal.n_made == 0


def test_a_line_torn_by_a_kill_is_asked_again_and_only_that_one(tmp_path: Path) -> None:
    path, made = tmp_path / "calls.jsonl", []
    journal = Journal(path)
    for key in ("a", "b"):
        call(journal, key, Answer(None, None, key), made)
    journal.close()
    path.write_bytes(path.read_bytes()[:-9])
    journal = Journal(path)
    assert (journal.n_resumed, journal.answer("b")) == (1, None)
    call(journal, "b", Answer(None, None, "b"), made)
    journal.close()
    assert made == ["a", "b", "b"]
    assert [json.loads(line)["key"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_a_line_that_is_no_call_is_named(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text('{"key": "a"}\n')
    with pytest.raises(EvaluationError, match="line 1 is no call of an evaluation"):
        Journal(path)


def test_two_processes_do_not_evaluate_into_one_directory(tmp_path: Path) -> None:
    first = Journal(tmp_path / "calls.jsonl")
    with pytest.raises(EvaluationError, match="another process evaluates into"):
        Journal(tmp_path / "calls.jsonl")
    first.close()
    Journal(tmp_path / "calls.jsonl").close()


def test_a_call_is_another_one_for_another_judge_sample_or_prompt() -> None:
    keys = {call_key("j", "1", "p"), call_key("k", "1", "p"), call_key("j", "2", "p"),
            call_key("j", "1", "q")}  # fmt: skip
    assert len(keys) == 4


def test_a_resumed_run_keeps_the_first_secret_and_refuses_another_evaluation(tmp_path) -> None:
    out = tmp_path / "out"
    first = Directory(out, {"model": "m", "limit": None}, "secret one")
    first.journal.close()
    again = Directory(out, {"model": "m", "limit": None}, "secret two")
    again.journal.close()
    assert again.secret == "secret one"
    with pytest.raises(EvaluationError, match="unfinished evaluation with model 'm'; this one"):
        Directory(out, {"model": "n", "limit": None}, "secret three")


def test_an_answer_cannot_have_both_a_text_and_a_failure() -> None:
    for failure, text in (("timeout", "text"), (None, None)):
        with pytest.raises(ValueError, match="either a text or a failure"):
            Answer(failure, None, text)
