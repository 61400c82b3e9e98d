from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from model.canonical import canonical
from model.endpoint import Sampling
from model.errors import EvaluationError
from model.evaluation.asking import Asking
from model.evaluation.evaluate import Summary, Target
from model.evaluation.files import write_evaluation
from model.exams.grading import evaluate_exam, rescore
from model.exams.layouts import read_exam
from tests.model.evaluation.bench import lines
from tests.model.evaluation.scripted import Behaviour, endpoint, prompt_of
from tests.model.exams import layouts


def run(tmp_path: Path, behave: Behaviour, *, out: str = "out", **changes: int) -> Summary:
    exam = read_exam(layouts.plain(tmp_path / "mine.jsonl"), "jsonl")
    with endpoint(behave) as url:
        return evaluate_exam(
            exam, Target("m", url, Sampling(seed=1)), tmp_path / out, asking=Asking(20, 2, 0),
            **changes,
        )  # fmt: skip


def knows(asked: dict) -> str:
    """Answers rightly whatever the order."""
    right = {"Furosemide", "Morphine", "Fentanyl"}
    shown = re.findall(r"(?m)^([A-J])\. (.+)$", prompt_of(asked))
    return f"Answer: {''.join(letter for letter, text in shown if text in right)}"


def always_first(asked: dict) -> str:
    return "Answer: A"


def test_choices_are_kept_by_the_options_own_letters_in_every_order(tmp_path: Path) -> None:
    summary = run(tmp_path, knows, n_orders=3, seed=5)
    assert (summary.n_samples, summary.n_scored) == (6, 6)
    verdicts = lines(tmp_path / "out", "verdicts.jsonl")
    assert [v["choice"] for v in verdicts] == [["B"]] * 3 + [["A", "C"]] * 3
    assert {v["score"] for v in verdicts} == {1}


def test_always_the_first_letter_is_another_option_in_another_order(tmp_path: Path) -> None:
    run(tmp_path, always_first, n_orders=3, seed=5)
    samples, verdicts = (
        lines(tmp_path / "out", "samples.jsonl"),
        lines(tmp_path / "out", "verdicts.jsonl"),
    )
    assert [v["choice"] for v in verdicts] == [[s["shown"][0]] for s in samples]


def test_an_answer_without_a_choice_and_a_call_that_failed_have_no_score(tmp_path: Path) -> None:
    def behave(asked: dict) -> object:
        return (500, {}) if "opioids" in prompt_of(asked) else "I would not say."

    summary = run(tmp_path, behave)
    verdicts = lines(tmp_path / "out", "verdicts.jsonl")
    assert [(v["status"], v["score"], v["choice"]) for v in verdicts] == [
        ("no_choice", None, None), ("target_failed", None, None),
    ]  # fmt: skip
    assert (summary.n_answered, summary.n_scored) == (1, 0)


def test_the_identity_changes_with_all_that_could_change_the_result(tmp_path: Path) -> None:
    identities = []
    for n, (behave, changes) in enumerate(
        [(knows, {}), (always_first, {}), (knows, {"n_orders": 2}), (knows, {"limit": 1})]
    ):
        run(tmp_path, behave, out=str(n), **changes)
        manifest = json.loads((tmp_path / str(n) / "evaluation.json").read_text())
        assert {
            "data_sha256", "prompt_sha256", "prompts_sha256", "extractor", "weights_sha256",
            "sampling", "order_seed", "n_orders",
        } <= manifest["identity"].keys()  # fmt: skip
        identities.append(manifest["identity_sha256"])
    assert identities[0] == identities[1]  # one question, two answers
    assert len(set(identities)) == 3


def test_scoring_stored_answers_again_gives_the_same_bytes(tmp_path: Path) -> None:
    run(tmp_path, knows, n_orders=2)
    rescore(tmp_path / "out", tmp_path / "again")
    for name in ("samples.jsonl", "verdicts.jsonl"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    before, after = (
        json.loads((tmp_path / n / "evaluation.json").read_text()) for n in ("out", "again")
    )
    assert before["identity_sha256"] == after["identity_sha256"]


def test_stored_answers_that_were_changed_are_not_scored(tmp_path: Path) -> None:
    run(tmp_path, knows)
    path = tmp_path / "out" / "samples.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Answer: B", b"Answer: C"))
    with pytest.raises(EvaluationError, match="was changed after it was written"):
        rescore(tmp_path / "out", tmp_path / "again")
    with pytest.raises(EvaluationError, match="holds no finished evaluation"):
        rescore(tmp_path / "nowhere", tmp_path / "again")


def test_a_hundred_thousand_stored_answers_are_scored_within_a_minute(tmp_path: Path) -> None:
    run(tmp_path, knows, limit=1)
    sample = lines(tmp_path / "out", "samples.jsonl")[0]
    manifest = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    manifest.pop("schema")
    (tmp_path / "many").mkdir()
    many = [sample | {"sample_id": f"{n}#0", "item_id": str(n)} for n in range(100_000)]
    write_evaluation(tmp_path / "many", manifest, many, [])
    began = time.process_time()  # what else runs on the machine is not counted
    counts = rescore(tmp_path / "many", tmp_path / "again")
    assert time.process_time() - began < 60
    assert counts["n_scored"] == 100_000
    assert canonical(lines(tmp_path / "again", "samples.jsonl")[-1]) == canonical(many[-1])
