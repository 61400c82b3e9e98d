"""Results of evaluations as values for a file and as lines for people; computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from analysis.attempts import NotComputed
from analysis.evaluation import Evaluation, EvaluationFileError
from analysis.evaluation_exams import (
    RULE,
    ExamComparison,
    ExamResult,
    compare_exams,
    exam_result,
    overall,
)
from analysis.evaluation_judges import PeopleScores, judges_against_people
from analysis.evaluation_safety import (
    JudgeResult,
    SafetyComparison,
    SafetyResult,
    compare_safety,
    safety_result,
)
from analysis.proportions import Proportion
from analysis.values import Interval, Value
from analysis.wording import number, p_cell

SCHEMA = "safemed.evaluation-results/1"
REFUSER = (
    "A model that refuses everything scores 1 here, the best there is: this says nothing about "
    "needless refusal."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a command prints."""

    values: dict[str, Any]
    lines: list[str]
    exam: ExamResult | None = None


def report_of(
    evaluation: Evaluation, people: Path | None, *, n_resamples: int, seed: int
) -> Report:
    """One evaluation.

    Args:
        evaluation: As read.
        people: People's scores of the same answers.
        n_resamples: Of the intervals.
        seed: Of the resamples.

    Raises:
        EvaluationFileError: If people's scores do not fit.
    """
    head = {
        "schema": SCHEMA, "benchmark": evaluation.benchmark, "kind": evaluation.kind,
        "model": evaluation.model, "identity_sha256": evaluation.identity_sha256,
        "identity": dict(evaluation.identity), "n_resamples": n_resamples, "seed": seed,
    }  # fmt: skip
    lines = _head(evaluation)
    if evaluation.kind == "exam":
        if people is not None:
            raise EvaluationFileError(
                f"{evaluation.name} is an exam; people's scores have no place"
            )
        exam = exam_result(evaluation, n_resamples=n_resamples, seed=seed)
        return Report(head | {"exam": plain(exam)}, lines + _exam_lines(exam), exam)
    safety = safety_result(evaluation, n_resamples=n_resamples, seed=seed)
    values, lines = head | {"safety": plain(safety)}, lines + _safety_lines(safety)
    if people is not None:
        scored = judges_against_people(evaluation, people, n_resamples=n_resamples, seed=seed)
        values["people"] = plain(scored)
        lines += _people_lines(scored)
    return Report(values, lines)


def overall_of(reports: Sequence[Report]) -> Report | None:
    """Several exams of one model together; None where there is one, or two models, or one twice."""
    of_exams = [report for report in reports if report.exam is not None]
    exams = [report.exam for report in of_exams if report.exam is not None]
    models = {report.values["model"] for report in of_exams}
    names = {report.values["benchmark"] for report in of_exams}
    if len(exams) < 2 or len(models) > 1 or len(names) < len(exams):
        return None
    found = overall(exams)
    return Report(plain(found), [
        f"{found.n_exams} exams, {models.pop()}: plain mean {_percent(found.plain_mean)}; all "
        f"items together {_share(found.pooled)}"
    ])  # fmt: skip


def comparison_of(
    pairs: Sequence[tuple[Evaluation, Evaluation]], *, n_resamples: int, seed: int
) -> Report:
    """Two models on one or several benchmarks; exams make one family.

    Raises:
        EvaluationFileError: If a pair was not asked or judged alike.
    """
    of_exams = [pair for pair in pairs if pair[0].kind == "exam"]
    exams = compare_exams(of_exams) if of_exams else ()
    safety = [
        compare_safety(*pair, n_resamples=n_resamples, seed=seed)
        for pair in pairs
        if pair[0].kind == "safety"
    ]
    lines = [line for found in exams for line in _compared_exam(found)]
    lines += [line for found in safety for line in _compared_safety(found)]
    values = {"schema": SCHEMA, "exams": plain(exams), "safety": plain(safety)}
    return Report(values, lines)


def plain(value: Any) -> Any:
    """Any result as values for JSON; what was not computed says so."""
    if isinstance(value, NotComputed):
        found: dict[str, Any] = {"not_computed": value.reason}
        return found if value.value is None else found | {"value": value.value}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _head(evaluation: Evaluation) -> list[str]:
    scale, identity = evaluation.scale, evaluation.identity
    failed = sum(not sample.completed for sample in evaluation.samples)
    better = scale.direction.replace("_", " ")
    lines = [
        f"{evaluation.benchmark}, {evaluation.model} ({evaluation.name})",
        f"  {len(evaluation.samples)} samples, {failed} failed generations; scale {scale.name} "
        f"{scale.minimum:g} to {scale.maximum:g}, {better}",
        f"  identity {evaluation.identity_sha256[:16]}",
    ]
    if identity.get("limit") is not None:
        lines.append(f"  ONLY THE FIRST {identity['limit']} ITEMS: no result of the benchmark")
    return lines


def _safety_lines(result: SafetyResult) -> list[str]:
    lines = [line for judge in result.judges for line in _judge_lines(judge)]
    for found in result.agreement:
        names = " and ".join(found.judges)
        lines.append(
            f"  {found.coefficient} of {names}: {_value(found.value)}, n {found.n_samples}"
        )
    return [*lines, f"  {REFUSER}"]


def _judge_lines(judge: JudgeResult) -> list[str]:
    mean = judge.micro
    macro = "\u2013" if judge.macro is None else number(judge.macro)
    missing = {k: n for k, n in judge.statuses.items() if k != "scored"}
    lines = [
        f"  {judge.judge}: {_value(mean.value)}, macro {macro}; "
        f"{mean.n_scored} of {mean.n_samples} scored ({_percent(mean.coverage)})"
    ]
    if missing:
        lines.append(f"    missing: {_counts(missing)}")
    for name, means in judge.by_stratum.items():
        for value, found in means.items():
            lines.append(
                f"    {name} {value}: {_value(found.value)}, {found.n_scored} of {found.n_samples}"
            )
    return lines


def _people_lines(people: PeopleScores) -> list[str]:
    lines = [
        f"  People: {len(people.raters)} raters on {people.n_samples} samples, ordinal alpha "
        f"{_value(people.alpha)}"
    ]
    for judge in people.judges:
        error = judge.mean_absolute_error
        lines.append(
            f"    {judge.judge}: quadratic weighted kappa {_value(judge.kappa)}, mean absolute "
            f"error {'–' if error is None else number(error)}, judge minus people "
            f"{'–' if judge.judge_minus_people is None else number(judge.judge_minus_people)}, "
            f"with length {_value(judge.length_bias)}; {judge.n_compared} compared, "
            f"{judge.n_judge_missing} without this judge's score"
        )
    return lines


def _exam_lines(result: ExamResult) -> list[str]:
    lines = [
        f"  accuracy {_share(result.of_all)}; {RULE}",
        f"  where a choice was read {_share(result.of_chosen)}",
        f"  macro over subjects {_value(result.macro, 3)}",
    ]
    missing = {k: n for k, n in result.statuses.items() if k != "scored"}
    if missing:
        lines.append(f"  without a choice: {_counts(missing)}")
    for name, shares in result.by_stratum.items():
        lines += [f"    {name} {value}: {_share(found)}" for value, found in shares.items()]
    if result.orders is not None:
        orders = result.orders
        lines += [
            f"  {orders.n_items} items in up to {orders.n_orders} orders: same choice in all "
            f"{_share(orders.consistent)}, right in all {_share(orders.right_in_all)}",
            *(f"    order {n}: {_share(found)}" for n, found in enumerate(orders.by_order)),
        ]
    for found in result.positions:
        lines.append(
            f"  option {'ABCDEFGHIJ'[found.place]}: chosen {_share(found.chosen)}, right when the "
            f"key stood here {_share(found.right_when_key)}"
        )
    return lines


def _compared_exam(found: ExamComparison) -> list[str]:
    paired = found.paired
    return [
        f"{found.benchmark}: {found.first} minus {found.second}",
        f"  {_signed(paired.difference)} ({_signed(paired.low)} to {_signed(paired.high)}) "
        f"percentage points on {paired.n} items; {paired.first_only} right only of the first, "
        f"{paired.second_only} only of the second",
        f"  exact McNemar p {p_cell(paired.p_value)}, Holm over these exams "
        f"{p_cell(found.p_adjusted)}; without a choice {found.n_without_choice[0]} and "
        f"{found.n_without_choice[1]}, {RULE}",
    ]


def _compared_safety(found: SafetyComparison) -> list[str]:
    test = (
        found.test.reason
        if isinstance(found.test, NotComputed)
        else f"{found.test.method} signed-rank p {p_cell(found.test.p_value)}"
    )
    return [
        f"{found.benchmark}: {found.first} minus {found.second}, mean over all judges, "
        f"{found.direction.replace('_', ' ')}",
        f"  {_value(found.first_minus_second)} on {found.n_pairs} samples, {found.n_missing} left "
        f"out for want of a score; {test}",
    ]


def _value(value: Interval | Value | NotComputed, decimals: int = 2) -> str:
    if isinstance(value, NotComputed):
        shown = "" if value.value is None else f"{number(value.value, decimals)} "
        return f"{shown}({value.reason})"
    if isinstance(value, Value):
        return number(value.value, decimals)
    low, high = number(value.low, decimals), number(value.high, decimals)
    return f"{number(value.value, decimals)} ({low} to {high})"


def _share(found: Proportion | NotComputed) -> str:
    if isinstance(found, NotComputed):
        return f"({found.reason})"
    return (
        f"{_percent(found.estimate)} ({_percent(found.low)} to {_percent(found.high)}), "
        f"{found.k} of {found.n}"
    )


def _percent(share: float) -> str:
    return f"{number(100 * share, 1)} %"


def _signed(share: float) -> str:
    words = number(100 * share, 1)
    return words if share <= 0 else f"+{words}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
