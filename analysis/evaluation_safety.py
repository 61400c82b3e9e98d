"""Safety benchmarks: each judge, the ensemble, how far judges agree, and what is missing.

The ensemble is the mean over judges where every judge gave a score; a sample with a missing
verdict has no ensemble score and is counted. Intervals resample whole seed prompts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis.alpha import krippendorff_alpha_interval
from analysis.attempts import NotComputed, attempt
from analysis.bootstrap import cluster_interval
from analysis.errors import NoIntervalError, UndefinedError
from analysis.evaluation import Evaluation, EvaluationFileError
from analysis.evaluation_exams import require_same
from analysis.kappa import weighted_kappa_interval
from analysis.paired import SignedRank, signed_rank
from analysis.permutation import Floats
from analysis.values import Interval

ENSEMBLE = "all judges"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean score with what it rests on."""

    n_samples: int
    n_scored: int
    value: Interval | NotComputed

    @property
    def coverage(self) -> float:
        """Share of the samples with a score."""
        return self.n_scored / self.n_samples


@dataclass(frozen=True, slots=True)
class JudgeResult:
    """One judge, or the ensemble."""

    judge: str
    statuses: Mapping[str, int]
    micro: Mean
    macro: float | None
    """Plain mean of the categories' means; None where a category has no score."""
    by_stratum: Mapping[str, Mapping[str, Mean]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two judges, or all, agree."""

    judges: tuple[str, ...]
    coefficient: str
    n_samples: int
    """With a score of each of two, or of two at least."""
    value: Interval | NotComputed


@dataclass(frozen=True, slots=True)
class SafetyResult:
    """One safety benchmark on one model."""

    judges: tuple[JudgeResult, ...]
    """Each judge by name, and last the ensemble."""
    agreement: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True)
class SafetyComparison:
    """Two models on the same prompts, by the ensemble."""

    benchmark: str
    first: str
    second: str
    direction: str
    n_pairs: int
    n_missing: int
    """Samples without an ensemble score of both; left out."""
    first_minus_second: Interval | NotComputed
    test: SignedRank | NotComputed


def safety_result(
    evaluation: Evaluation, *, n_resamples: int = 2000, seed: int = 1
) -> SafetyResult:
    """Means, coverage and agreement of one safety evaluation.

    Args:
        evaluation: Of a safety benchmark.
        n_resamples: Of the intervals.
        seed: Of the resamples.

    Raises:
        EvaluationFileError: If it is no safety benchmark.
    """
    scores = score_matrix(evaluation)
    settings = _Settings([s.cluster for s in evaluation.samples], n_resamples, seed)
    each = [
        _judge(evaluation, name, scores[:, column], settings)
        for column, name in enumerate(evaluation.judges)
    ]
    together = _judge(evaluation, ENSEMBLE, ensemble(scores), settings)
    return SafetyResult((*each, together), tuple(_agreement(evaluation, scores, settings)))


def compare_safety(
    first: Evaluation, second: Evaluation, *, n_resamples: int = 2000, seed: int = 1
) -> SafetyComparison:
    """The difference of two models' ensemble scores on the same prompts.

    Raises:
        EvaluationFileError: If prompts, scale, rubric or judges differ.
    """
    require_same(first, second, ("judges", "rubric_sha256", "ensemble"))
    differences = ensemble(score_matrix(first)) - ensemble(score_matrix(second))
    there = ~np.isnan(differences)
    clusters = [s.cluster for s, t in zip(first.samples, there, strict=True) if t]
    settings = _Settings(clusters, n_resamples, seed)
    return SafetyComparison(
        first.benchmark, first.model, second.model, first.scale.direction,
        int(there.sum()), int((~there).sum()),
        attempt(lambda: _mean_interval(differences[there], settings)),
        attempt(lambda: signed_rank(differences[there])),
    )  # fmt: skip


def score_matrix(evaluation: Evaluation) -> Floats:
    """Scores of shape (n_samples, n_judges), NaN where missing.

    Raises:
        EvaluationFileError: If it is no safety benchmark.
    """
    if evaluation.kind != "safety":
        raise EvaluationFileError(f"{evaluation.name} is an {evaluation.kind}, no safety benchmark")
    verdicts = evaluation.verdicts
    return np.array([
        [_number(verdicts[sample.sample_id, judge].score) for judge in evaluation.judges]
        for sample in evaluation.samples
    ])  # fmt: skip


def ensemble(scores: Floats) -> Floats:
    """The mean over judges of each sample, NaN unless every judge gave a score."""
    return np.asarray(scores.mean(axis=1), dtype=float)


@dataclass(frozen=True, slots=True)
class _Settings:
    clusters: Sequence[str]
    n_resamples: int
    seed: int


def _judge(evaluation: Evaluation, name: str, scores: Floats, settings: _Settings) -> JudgeResult:
    strata: dict[str, dict[str, list[int]]] = {}
    for row, sample in enumerate(evaluation.samples):
        for stratum, value in sample.strata.items():
            strata.setdefault(stratum, {}).setdefault(value, []).append(row)
    by_stratum = {
        stratum: {value: _mean(scores, settings, rows) for value, rows in sorted(by.items())}
        for stratum, by in sorted(strata.items())
    }
    return JudgeResult(
        name, _statuses(evaluation, name, scores), _mean(scores, settings, range(scores.size)),
        _macro(scores, list(strata.get("category", {}).values())), by_stratum,
    )  # fmt: skip


def _statuses(evaluation: Evaluation, name: str, scores: Floats) -> Counter[str]:
    if name == ENSEMBLE:
        n = int((~np.isnan(scores)).sum())
        return Counter({"scored": n, "a judge is missing": scores.size - n})
    return Counter(v.status for (_, judge), v in evaluation.verdicts.items() if judge == name)


def _mean(scores: Floats, settings: _Settings, rows: Sequence[int]) -> Mean:
    there = [row for row in rows if not np.isnan(scores[row])]
    clusters = [settings.clusters[row] for row in there]
    of = _Settings(clusters, settings.n_resamples, settings.seed)
    return Mean(len(rows), len(there), attempt(lambda: _mean_interval(scores[there], of)))


def _mean_interval(scores: Floats, settings: _Settings) -> Interval:
    if scores.size == 0:
        raise UndefinedError("undefined: no score")
    if np.ptp(scores) == 0:
        # Resamples of one value are that value: an interval without width would claim certainty.
        raise NoIntervalError(f"no interval: every score is {scores[0]:g}", float(scores[0]))
    parts = np.column_stack([scores, np.ones(scores.size)])

    def finish(sums: Floats) -> Floats:
        return np.asarray(sums[:, 0] / sums[:, 1], dtype=float)

    return cluster_interval(
        float(scores.mean()), parts, finish, settings.clusters, n_resamples=settings.n_resamples,
        seed=settings.seed, confidence=0.95,
    )  # fmt: skip


def _macro(scores: Floats, categories: Sequence[Sequence[int]]) -> float | None:
    there = [scores[rows][~np.isnan(scores[rows])] for rows in map(list, categories)]
    if not there or any(found.size == 0 for found in there):
        return None
    return float(np.mean([found.mean() for found in there]))


def _agreement(evaluation: Evaluation, scores: Floats, settings: _Settings) -> list[Agreement]:
    points, found = evaluation.scale.points, []
    for one, other in combinations(range(len(evaluation.judges)), 2):
        n = int((~np.isnan(scores[:, [one, other]])).all(axis=1).sum())
        names = evaluation.judges[one], evaluation.judges[other]
        kappa = _kappa(scores[:, one], scores[:, other], points, settings)
        found.append(Agreement(names, "quadratic weighted kappa", n, kappa))
    if len(evaluation.judges) > 1:
        n = int(((~np.isnan(scores)).sum(axis=1) > 1).sum())
        alpha = attempt(
            lambda: krippendorff_alpha_interval(
                scores, level="ordinal", categories=points, clusters=settings.clusters,
                n_resamples=settings.n_resamples, seed=settings.seed,
            )
        )  # fmt: skip
        found.append(Agreement(evaluation.judges, "ordinal alpha", n, alpha))
    return found


def _kappa(
    one: Floats, other: Floats, points: Sequence[float], settings: _Settings
) -> Interval | NotComputed:
    return attempt(
        lambda: weighted_kappa_interval(
            one, other, categories=points, clusters=settings.clusters,
            n_resamples=settings.n_resamples, seed=settings.seed,
        )
    )  # fmt: skip


def _number(score: float | None) -> float:
    return float("nan") if score is None else score
