"""Judges against people: agreement, mean absolute error by stratum, and bias by length."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.alpha import krippendorff_alpha
from analysis.attempts import NotComputed, attempt
from analysis.errors import UndefinedError
from analysis.evaluation import Evaluation, EvaluationFileError
from analysis.evaluation_safety import score_matrix
from analysis.kappa import weighted_kappa_interval
from analysis.permutation import Floats
from analysis.values import Interval, Value

COLUMNS = ("sample_id", "rater", "score")


@dataclass(frozen=True, slots=True)
class Validation:
    """One judge against the people's median."""

    judge: str
    n_compared: int
    """Samples with this judge's score and people's."""
    n_judge_missing: int
    """Samples that people scored and this judge did not."""
    kappa: Interval | NotComputed
    """Quadratic weights; a median between two points goes to the worse one."""
    mean_absolute_error: float | None
    """Scale points, against the people's median."""
    by_stratum: Mapping[str, Mapping[str, tuple[int, float]]]
    """Of each stratum's value the samples compared and the mean absolute error."""
    judge_minus_people: float | None
    """Mean difference in scale points; the scale's direction says what it means."""
    length_bias: Value | NotComputed
    """Spearman's correlation of that difference with the length of the answer."""


@dataclass(frozen=True, slots=True)
class PeopleScores:
    """What people scored."""

    n_samples: int
    raters: tuple[str, ...]
    alpha: Value | NotComputed
    """Ordinal, among the people."""
    judges: tuple[Validation, ...]


def judges_against_people(
    evaluation: Evaluation, scored: Path, *, n_resamples: int = 2000, seed: int = 1
) -> PeopleScores:
    """Compare every judge with people's scores of the same answers.

    Args:
        evaluation: Of a safety benchmark.
        scored: CSV with the columns `sample_id`, `rater` and `score`; one row a rater and sample.
        n_resamples: Of kappa's interval.
        seed: Of the resamples.

    Raises:
        EvaluationFileError: If the file has other columns, a sample that is not in the evaluation,
            a score off the scale, or a rater's second score of a sample.
    """
    people, raters = _people(evaluation, scored)
    rows = [int(row) for row in np.flatnonzero(~np.isnan(people).all(axis=1))]
    if not rows:
        raise EvaluationFileError(f"{scored} holds no score")
    scores, medians = score_matrix(evaluation)[rows], np.nanmedian(people[rows], axis=1)
    points = evaluation.scale.points
    alpha = attempt(
        lambda: krippendorff_alpha(people[rows], level="ordinal", categories=points)
    )  # fmt: skip
    each = tuple(
        _validation(evaluation, name, scores[:, n], medians, rows, n_resamples, seed)
        for n, name in enumerate(evaluation.judges)
    )
    return PeopleScores(len(rows), raters, alpha, each)


def _people(evaluation: Evaluation, path: Path) -> tuple[Floats, tuple[str, ...]]:
    """Scores of shape (n_samples, n_raters), NaN where missing."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if set(reader.fieldnames or ()) != set(COLUMNS):
            raise EvaluationFileError(
                f"{path} has the columns {', '.join(reader.fieldnames or ())}; wanted "
                f"{', '.join(COLUMNS)}"
            )
        read = [(f"{path} line {n}", row) for n, row in enumerate(reader, start=2)]
    raters = tuple(sorted({row["rater"] for _, row in read}))
    place = {sample.sample_id: n for n, sample in enumerate(evaluation.samples)}
    people = np.full((len(place), len(raters)), np.nan)
    for where, row in read:
        if row["sample_id"] not in place:
            raise EvaluationFileError(f"{where}: {evaluation.name} has no {row['sample_id']!r}")
        at = place[row["sample_id"]], raters.index(row["rater"])
        if not np.isnan(people[at]):
            raise EvaluationFileError(f"{where}: a second score by {row['rater']}")
        people[at] = _score(evaluation, row["score"], where)
    return people, raters


def _score(evaluation: Evaluation, written: str, where: str) -> float:
    if not written.strip():
        return float("nan")
    points = evaluation.scale.points
    found = next((point for point in points if written.strip() == f"{point:g}"), None)
    if found is None:
        raise EvaluationFileError(
            f"{where}: score {written!r} is no point of {evaluation.scale.name}, {points[0]:g} to "
            f"{points[-1]:g}"
        )
    return found


def _validation(
    evaluation: Evaluation, judge: str, scores: Floats, medians: Floats, rows: Sequence[int],
    n_resamples: int, seed: int,
) -> Validation:  # fmt: skip
    there = ~np.isnan(scores)
    samples = [evaluation.samples[row] for row, t in zip(rows, there, strict=True) if t]
    given, people = scores[there], medians[there]
    differences = given - people
    worse = np.ceil if evaluation.scale.direction == "lower_is_better" else np.floor
    kappa = attempt(
        lambda: weighted_kappa_interval(
            given, worse(people), categories=evaluation.scale.points,
            clusters=[s.cluster for s in samples], n_resamples=n_resamples, seed=seed,
        )
    )  # fmt: skip
    strata: dict[str, dict[str, list[float]]] = {}
    for sample, difference in zip(samples, differences, strict=True):
        for name, value in sample.strata.items():
            strata.setdefault(name, {}).setdefault(value, []).append(abs(float(difference)))
    lengths = np.array([s.n_characters or 0 for s in samples], dtype=float)
    return Validation(
        judge, int(there.sum()), int((~there).sum()), kappa,
        float(np.abs(differences).mean()) if differences.size else None,
        {name: {value: (len(e), sum(e) / len(e)) for value, e in sorted(by.items())}
         for name, by in sorted(strata.items())},
        float(differences.mean()) if differences.size else None,
        attempt(lambda: _spearman(differences, lengths)),
    )  # fmt: skip


def _spearman(differences: Floats, lengths: Floats) -> Value:
    from scipy.stats import spearmanr

    for name, values in (("difference", differences), ("length", lengths)):
        if len(Counter(values.tolist())) < 2:
            raise UndefinedError(f"undefined: no variation, every {name} is the same")
    return Value(float(spearmanr(differences, lengths).statistic))
