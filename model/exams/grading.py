"""Putting an exam to a model, and scoring stored answers again to the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model.canonical import file_sha256
from model.errors import EvaluationError
from model.evaluation.answers import Answer
from model.evaluation.asking import Asking
from model.evaluation.evaluate import (
    Benchmark,
    Desk,
    JudgeAll,
    Progress,
    Summary,
    Target,
    evaluate,
    manifest_of,
)
from model.evaluation.files import (
    SAMPLES,
    read_lines,
    read_manifest,
    verdict_record,
    write_evaluation,
)
from model.evaluation.samples import Question, answer_in
from model.exams.asking import PROMPT_VERSION, prompts_sha256, questions_of
from model.exams.extract import VERSION, Choice, extract
from model.exams.items import LETTERS
from model.exams.layouts import Exam
from model.safety.scales import RIGHT
from model.safety.verdicts import Verdict, missing


def evaluate_exam(
    exam: Exam, target: Target, out: Path, *, n_orders: int = 1, seed: int = 0,
    limit: int | None = None, asking: Asking | None = None, progress: Progress | None = None,
) -> Summary:  # fmt: skip
    """One exam on one model.

    Args:
        exam: As read.
        target: The model under test.
        out: Directory of the evaluation; that of a killed run goes on.
        n_orders: How often each item is shown, each time with its options in another order.
        seed: Of the orders.
        limit: Only so many of the items; said in the result's identity.
        asking: Timeout, concurrency, retries.
        progress: Is told one line now and then.

    Raises:
        EvaluationError: If the run cannot start or go on.
    """
    if n_orders < 1:
        raise EvaluationError(f"orders is {n_orders}; an item is shown once or more")
    items = exam.items[:limit]
    identity = {
        "limit": limit,
        "data_sha256": {path.name: file_sha256(path) for path in exam.files},
        "n_items": len(items),
        "n_orders": n_orders,
        "order_seed": seed,
        "prompt_version": PROMPT_VERSION,
        "prompt_sha256": prompts_sha256(),
        "extractor": VERSION,
        "judges": [{"name": VERSION}],
    }
    questions = questions_of(items, n_orders=n_orders, seed=seed)
    return evaluate(
        Benchmark(exam.name, "exam", questions, RIGHT, identity), target, out,
        asking=asking or Asking(), judging=_by_extractor, chosen=_chosen, progress=progress,
    )  # fmt: skip


def rescore(directory: Path, out: Path) -> dict[str, int]:
    """Score the stored answers of a finished exam again, with the extractor as it is now.

    With the same extractor the verdicts are the same bytes; with another one the identity differs.

    Args:
        directory: Of a finished exam.
        out: A new directory.

    Raises:
        EvaluationError: If it is no finished exam, was changed since, or `out` exists.
    """
    manifest = read_manifest(directory)
    if manifest["identity"]["kind"] != "exam":
        raise EvaluationError(f"{directory} holds no exam; verdicts of judges are not made again")
    if out.exists():
        raise EvaluationError(f"{out} exists and is left as it is; name another directory")
    samples = read_lines(directory, SAMPLES, manifest)
    verdicts = [_verdict_record(sample) for sample in samples]
    identity = manifest["identity"] | {"extractor": VERSION, "judges": [{"name": VERSION}]}
    counts = {
        "n_answered": sum(s["status"] == "completed" for s in samples),
        "n_verdicts": len(verdicts),
        "n_scored": sum(v["status"] == "scored" for v in verdicts),
    }
    out.mkdir(parents=True)
    stored = (directory / SAMPLES).read_bytes()
    write_evaluation(out, manifest | manifest_of(identity, counts), stored, verdicts)
    return counts


def _by_extractor(desk: Desk) -> JudgeAll:
    async def judge(question: Question, answer: Answer) -> Sequence[Verdict]:
        return [_judged(question.record(answer), answer)[0]]

    return judge


def _chosen(question: Question, answer: Answer) -> Sequence[str] | None:
    return _judged(question.record(answer), answer)[1]


def _verdict_record(sample: Mapping[str, Any]) -> dict[str, Any]:
    verdict, letters = _judged(sample, answer_in(sample))
    return verdict_record(sample["sample_id"], verdict, letters)


def _judged(sample: Mapping[str, Any], answer: Answer) -> tuple[Verdict, list[str] | None]:
    """The verdict on one answer, and the options it chose by their own letters."""
    if answer.text is None:
        return missing(VERSION, "target_failed", f"{answer.failure}: {answer.detail}"), None
    choice = extract(answer.text, sample["options"], multiple=sample["multiple"])
    if choice.status != "chosen":
        return missing(VERSION, choice.status, choice.detail or ""), None
    own = _own_letters(choice, sample["shown"])
    right = RIGHT.score(float(own == list(sample["key"])))
    return Verdict(VERSION, "scored", right), own


def _own_letters(choice: Choice, shown: Sequence[str]) -> list[str]:
    return sorted(shown[LETTERS.index(letter)] for letter in choice.letters)
