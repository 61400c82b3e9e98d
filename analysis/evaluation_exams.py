"""Exams: accuracy by subject, robustness under shuffled options, two models on the same items.

One declared rule, said wherever it counts: an item without a choice (none read, several, or a
failed generation) is not right. It is an analysis rule and never stored as a score; accuracy where
a choice was read stands beside it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.attempts import NotComputed, attempt
from analysis.bootstrap import cluster_interval
from analysis.evaluation import Evaluation, EvaluationFileError, Sample, Verdict
from analysis.mcnemar import PairedProportions, paired_proportions
from analysis.multiplicity import adjust
from analysis.permutation import Floats
from analysis.proportions import Proportion, proportion
from analysis.values import Interval

RULE = "an item without a choice counts as not right"


@dataclass(frozen=True, slots=True)
class Orders:
    """What becomes of answers when options stand in another order."""

    n_items: int
    """Shown in more than one order."""
    n_orders: int
    consistent: Proportion | NotComputed
    """Items with the same choice in every order, of those with a choice in every order."""
    right_in_all: Proportion | NotComputed
    """Items right in every order, of all shown in more than one."""
    by_order: tuple[Proportion, ...]
    """Accuracy of each order on these items."""


@dataclass(frozen=True, slots=True)
class Position:
    """One place among the options, over all orders, of items with one right option."""

    place: int
    """0 is A."""
    chosen: Proportion
    """How often it was chosen, of the choices among options that had this place."""
    right_when_key: Proportion | NotComputed
    """Accuracy where the right option stood here."""


@dataclass(frozen=True, slots=True)
class ExamResult:
    """One exam on one model."""

    statuses: Mapping[str, int]
    """Of the items as published."""
    of_all: Proportion
    """Micro accuracy, by `RULE`."""
    of_chosen: Proportion | NotComputed
    """Accuracy where a choice was read."""
    macro: Interval | NotComputed
    """Plain mean of the subjects' accuracies, by `RULE`."""
    by_stratum: Mapping[str, Mapping[str, Proportion]]
    orders: Orders | None
    positions: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class Overall:
    """Several exams on one model; the two means differ where exams differ in size."""

    n_exams: int
    plain_mean: float
    """Of the exams' accuracies, as SafeMed-R1's table has it."""
    pooled: Proportion
    """All items together."""


@dataclass(frozen=True, slots=True)
class ExamComparison:
    """Two models on one exam."""

    benchmark: str
    first: str
    second: str
    paired: PairedProportions
    n_without_choice: tuple[int, int]
    """Items of either model that count as not right for want of a choice."""
    p_adjusted: float
    """Holm, over the exams compared together."""


def exam_result(evaluation: Evaluation, *, n_resamples: int = 2000, seed: int = 1) -> ExamResult:
    """Accuracy and robustness of one exam.

    Args:
        evaluation: Of an exam.
        n_resamples: Of the macro accuracy's interval.
        seed: Of the resamples.

    Raises:
        EvaluationFileError: If it is no exam.
    """
    _require_exam(evaluation)
    published = [s for s in evaluation.samples if s.order == 0]
    verdicts = [_verdict(evaluation, s) for s in published]
    right = [v.score == 1 for v in verdicts]
    chosen = [v.score == 1 for v in verdicts if v.score is not None]
    return ExamResult(
        statuses=Counter(v.status for v in verdicts),
        of_all=proportion(sum(right), len(right)),
        of_chosen=_share(chosen, "no choice was read"),
        macro=attempt(lambda: _macro(published, right, n_resamples, seed)),
        by_stratum=_by_stratum(published, right),
        orders=_orders(evaluation),
        positions=_positions(evaluation),
    )


def overall(results: Sequence[ExamResult]) -> Overall:
    """The mean over exams, and all their items together.

    Args:
        results: Of one model, one an exam; at least one.
    """
    k, n = sum(r.of_all.k for r in results), sum(r.of_all.n for r in results)
    mean = sum(r.of_all.estimate for r in results) / len(results)
    return Overall(len(results), mean, proportion(k, n))


def compare_exams(
    pairs: Sequence[tuple[Evaluation, Evaluation]],
) -> tuple[ExamComparison, ...]:
    """Two models on the same items of one or several exams, Holm over the exams.

    Args:
        pairs: First and second model on each exam.

    Raises:
        EvaluationFileError: If a pair was not asked the very same prompts, or extractors differ.
    """
    compared = [_paired(first, second) for first, second in pairs]
    adjusted = adjust([paired.p_value for paired, _ in compared])
    return tuple(
        ExamComparison(first.benchmark, first.model, second.model, paired, without, p)
        for (first, second), (paired, without), p in zip(pairs, compared, adjusted, strict=True)
    )


def _paired(
    first: Evaluation, second: Evaluation
) -> tuple[PairedProportions, tuple[int, int]]:  # fmt: skip
    require_same(first, second, ("extractor",))
    right: list[list[bool]] = []
    without: list[int] = []
    for evaluation in (first, second):
        verdicts = [_verdict(evaluation, s) for s in evaluation.samples if s.order == 0]
        right.append([v.score == 1 for v in verdicts])
        without.append(sum(v.score is None for v in verdicts))
    return paired_proportions(right[0], right[1]), (without[0], without[1])


def require_same(first: Evaluation, second: Evaluation, names: Sequence[str]) -> None:
    """Refuse to compare what was not asked or judged alike.

    Raises:
        EvaluationFileError: Naming what differs.
    """
    for name in ("benchmark", "kind", "scale", *names):
        before, after = first.identity.get(name), second.identity.get(name)
        if before != after:
            raise EvaluationFileError(
                f"{first.name} and {second.name} differ in {name} ({before!r:.120} and "
                f"{after!r:.120}) and cannot be compared"
            )
    prompts = [
        {s.sample_id: s.prompt_sha256 for s in e.samples if s.order == 0} for e in (first, second)
    ]
    if prompts[0] != prompts[1] or [*prompts[0]] != [*prompts[1]]:
        raise EvaluationFileError(
            f"{first.name} and {second.name} were not asked the same prompts in the same order "
            f"({len(prompts[0])} and {len(prompts[1])}); evaluate both on the same files"
        )


def _macro(
    samples: Sequence[Sample], right: Sequence[bool], n_resamples: int, seed: int
) -> Interval:
    subjects = sorted({s.strata.get("subject", "") for s in samples})
    parts = np.zeros((len(samples), 2 * len(subjects)))
    for row, (sample, is_right) in enumerate(zip(samples, right, strict=True)):
        column = subjects.index(sample.strata.get("subject", ""))
        parts[row, column] = is_right
        parts[row, len(subjects) + column] = 1

    def finish(sums: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = sums[:, : len(subjects)] / sums[:, len(subjects) :]
        return np.asarray(shares.mean(axis=1), dtype=float)

    value = float(finish(parts.sum(axis=0, keepdims=True))[0])
    return cluster_interval(
        value, parts, finish, [s.cluster for s in samples], n_resamples=n_resamples, seed=seed,
        confidence=0.95,
    )  # fmt: skip


def _by_stratum(
    samples: Sequence[Sample], right: Sequence[bool]
) -> dict[str, dict[str, Proportion]]:
    counts: dict[str, dict[str, list[bool]]] = {}
    for sample, is_right in zip(samples, right, strict=True):
        for name, value in sample.strata.items():
            counts.setdefault(name, {}).setdefault(value, []).append(is_right)
    return {
        name: {value: proportion(sum(found), len(found)) for value, found in sorted(by.items())}
        for name, by in sorted(counts.items())
    }


def _orders(evaluation: Evaluation) -> Orders | None:
    by_item: dict[str, list[Verdict]] = {}
    for sample in evaluation.samples:
        by_item.setdefault(sample.item_id, []).append(_verdict(evaluation, sample))
    items = [verdicts for verdicts in by_item.values() if len(verdicts) > 1]
    if not items:
        return None
    n_orders = max(map(len, items))
    read = [v for v in items if all(verdict.choice is not None for verdict in v)]
    same = [len({verdict.choice for verdict in v}) == 1 for v in read]
    in_all = [all(verdict.score == 1 for verdict in v) for v in items]
    return Orders(
        len(items), n_orders, _share(same, "no item has a choice in every order"),
        _share(in_all, "no item"),
        tuple(
            proportion(sum(v[order].score == 1 for v in items if len(v) > order),
                       sum(len(v) > order for v in items))
            for order in range(n_orders)
        ),
    )  # fmt: skip


def _positions(evaluation: Evaluation) -> tuple[Position, ...]:
    """Every place among the options of items with one right option and a choice."""
    rows = [
        (s.shown.index(v.choice[0]), s.shown.index(s.key[0]), len(s.shown))
        for s in evaluation.samples
        if s.shown and s.key and len(s.key) == 1
        and (v := _verdict(evaluation, s)).choice and len(v.choice) == 1
    ]  # fmt: skip
    found = []
    for place in range(max((n for *_, n in rows), default=0)):
        here = [row for row in rows if row[2] > place]
        key_here = [chosen == place for chosen, key, _ in here if key == place]
        found.append(Position(
            place, proportion(sum(c == place for c, *_ in here), len(here)),
            _share(key_here, "no right option stood here"),
        ))  # fmt: skip
    return tuple(found)


def _share(found: Sequence[bool], why_none: str) -> Proportion | NotComputed:
    return proportion(sum(found), len(found)) if found else NotComputed(why_none)


def _verdict(evaluation: Evaluation, sample: Sample) -> Verdict:
    return evaluation.verdicts[sample.sample_id, evaluation.judges[0]]


def _require_exam(evaluation: Evaluation) -> None:
    if evaluation.kind != "exam":
        raise EvaluationFileError(f"{evaluation.name} is a {evaluation.kind} evaluation, no exam")
