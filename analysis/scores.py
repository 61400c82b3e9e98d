"""The scores of one dimension as arrays: one row a response, one column a rater."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.dataset import Dataset, Dimension
from analysis.frozen_files import Row
from analysis.permutation import Floats

Places = NDArray[np.int64]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of one dimension, in rubric points as raters gave them, NaN where missing."""

    dimension: Dimension
    vignettes: tuple[str, ...]
    """All of the study, in its order."""
    respondents: tuple[str, ...]
    raters: tuple[str, ...]
    vignette: Places
    """Of each response, a place in `vignettes`; shape (n_responses,)."""
    respondent: Places
    arm: NDArray[np.str_]
    """Arm id of each response."""
    values: Floats
    """Shape (n_responses, n_raters)."""

    def keep(self, responses: Chosen | None = None, raters: Chosen | None = None) -> Scores:
        """Some responses or raters only; names and places stay."""
        kept = self
        if responses is not None:
            kept = replace(
                kept, vignette=kept.vignette[responses], respondent=kept.respondent[responses],
                arm=kept.arm[responses], values=kept.values[responses],
            )  # fmt: skip
        if raters is not None:
            kept = replace(kept, values=np.where(raters[None, :], kept.values, np.nan))
        return kept

    def hide(self, ratings: Chosen) -> Scores:
        """Some ratings as missing; shape (n_responses, n_raters)."""
        return replace(self, values=np.where(ratings, np.nan, self.values))

    def of_arms(self, *arms: str) -> Scores:
        """Responses of these arms."""
        return self.keep(np.isin(self.arm, arms))

    def response_means(self) -> Floats:
        """Mean over raters of each response, NaN where nobody scored it; (n_responses,)."""
        there = ~np.isnan(self.values)
        sums = np.where(there, self.values, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(sums / there.sum(axis=1), dtype=float)

    def arm_means(self, arm: str) -> Floats:
        """Mean over respondents of each vignette, NaN where none was scored; (n_vignettes,)."""
        means = self.response_means()
        used = (self.arm == arm) & np.isfinite(means)
        times = np.bincount(self.vignette[used], minlength=len(self.vignettes))
        sums = np.bincount(self.vignette[used], means[used], len(self.vignettes))
        with np.errstate(invalid="ignore"):
            return np.asarray(sums / times, dtype=float)

    def table(self, arm: str) -> tuple[Floats, tuple[str, ...]]:
        """Response means, shape (n_vignettes, n_respondents), and the respondents of the arm."""
        of_arm = self.arm == arm
        places = np.unique(self.respondent[of_arm])
        column = np.zeros(len(self.respondents), dtype=np.int64)
        column[places] = np.arange(places.size)
        table = np.full((len(self.vignettes), places.size), np.nan)
        table[self.vignette[of_arm], column[self.respondent[of_arm]]] = self.response_means()[
            of_arm
        ]
        return table, tuple(self.respondents[place] for place in places)

    @property
    def turned(self) -> float:
        """1 where more is better, -1 where less is."""
        return 1.0 if self.dimension.higher_is_better else -1.0


def scores_of(dataset: Dataset, dimension: Dimension) -> Scores:
    """The final scores of every submitted response, first presentations only.

    Hidden repeats have the table `repeat_ratings`, or in an imported file rows whose `repeat` is
    above 0; they answer another question.
    """
    return _build(dataset, dimension, dataset.final_ratings())


def repeats_of(dataset: Dataset, dimension: Dimension) -> Scores:
    """The scores of second presentations, in the same rows and columns as `scores_of`."""
    again = [row for row in dataset.tables["ratings"] if row.get("repeat")]
    return _build(dataset, dimension, [*again, *dataset.tables.get("repeat_ratings", ())])


def with_worst(dataset: Dataset, scores: Scores) -> Scores:
    """The composite: a missing or failed answer as the scale's worst value from every rater.

    It is an analysis value of a declared sensitivity analysis and is never stored as a rating.
    """
    lacking = [row for row in dataset.tables["responses"] if row["blinding_code"] is None]
    if not lacking:
        return scores
    dimension = scores.dimension
    worst = dimension.minimum if dimension.higher_is_better else dimension.maximum
    vignette = {name: place for place, name in enumerate(scores.vignettes)}
    respondent = {name: place for place, name in enumerate(scores.respondents)}
    return replace(
        scores,
        vignette=np.append(scores.vignette, [vignette[r["vignette_id"]] for r in lacking]),
        respondent=np.append(scores.respondent, [respondent[r["respondent_id"]] for r in lacking]),
        arm=np.append(scores.arm, [str(row["arm"]) for row in lacking]),
        values=np.vstack([scores.values, np.full((len(lacking), len(scores.raters)), worst)]),
    )


def _build(dataset: Dataset, dimension: Dimension, ratings: Sequence[Row]) -> Scores:
    responses = sorted(
        (row for row in dataset.tables["responses"] if row["blinding_code"] is not None),
        key=lambda row: str(row["blinding_code"]),
    )
    raters = tuple(sorted(str(row["rater_id"]) for row in dataset.tables["raters"]))
    respondents = tuple(sorted({str(r["respondent_id"]) for r in dataset.tables["responses"]}))
    vignette = {name: place for place, name in enumerate(dataset.vignettes)}
    respondent = {name: place for place, name in enumerate(respondents)}
    line = {row["blinding_code"]: place for place, row in enumerate(responses)}
    column = {rater: place for place, rater in enumerate(raters)}
    values = np.full((len(responses), len(raters)), np.nan)
    for rating in ratings:
        score = rating[dimension.id]
        if score is not None:
            values[line[rating["blinding_code"]], column[str(rating["rater_id"])]] = score
    return Scores(
        dimension=dimension,
        vignettes=dataset.vignettes,
        respondents=respondents,
        raters=raters,
        vignette=np.array([vignette[str(r["vignette_id"])] for r in responses], dtype=np.int64),
        respondent=np.array(
            [respondent[str(r["respondent_id"])] for r in responses], dtype=np.int64
        ),
        arm=np.array([str(row["arm"]) for row in responses], dtype=str),
        values=values,
    )
