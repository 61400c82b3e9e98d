"""Ordinal sensitivity: a marginal proportional-odds model, and the means to fit another in R."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.dataset import Dataset
from analysis.errors import UndefinedError
from analysis.permutation import Floats
from analysis.scores import scores_of

MOST_VIGNETTES = 500
"""More clusters are not fitted: the model is a sensitivity analysis, and its cost grows."""
MIN_VIGNETTES = 5


@dataclass(frozen=True, slots=True)
class OrdinalFit:
    """Cumulative odds of a higher score, first arm against second, averaged over vignettes."""

    odds_ratio: float
    low: float
    high: float
    log_odds: float
    se: float
    """Robust, clustered by vignette."""
    p_value: float
    n_ratings: int
    n_vignettes: int


def ordinal_gee(
    scores: Sequence[float] | Floats, *, vignettes: Sequence[object],
    first: Sequence[bool] | NDArray[np.bool_], confidence: float = 0.95,
) -> OrdinalFit:  # fmt: skip
    """Fit a proportional-odds model by generalised estimating equations, clustered by vignette.

    The estimand is marginal: the odds over the population of ratings, not within a vignette. The
    working correlation is independence; the standard error is robust to what it leaves out.

    Args:
        scores: Rubric points turned so that more is better, shape (n_ratings,), none missing.
        vignettes: Of each rating.
        first: Whether the rating is of the first arm.
        confidence: Of the interval.

    Raises:
        UndefinedError: If an arm has no rating, there are fewer than five vignettes or more than
            500, no variation, or the odds have no bounds (the arms do not overlap).

    References:
        Heagerty and Zeger 1996, J. Am. Stat. Assoc. 91, 1024.
    """
    y, arm = np.asarray(scores, dtype=float), np.asarray(first, dtype=bool)
    _, cluster = np.unique(np.asarray(vignettes, dtype=str), return_inverse=True)
    n_vignettes = int(cluster.max()) + 1 if cluster.size else 0
    _check(y, arm, n_vignettes)
    log_odds, se = _fit(y, arm, cluster)
    if not (np.isfinite(log_odds) and np.isfinite(se)) or abs(log_odds) > 15 or se > 15:
        raise UndefinedError("not computed: the odds have no bounds, the arms hardly overlap")
    z = float(stats.norm.ppf((1 + confidence) / 2))
    low, high = log_odds - z * se, log_odds + z * se
    return OrdinalFit(
        float(np.exp(log_odds)), float(np.exp(low)), float(np.exp(high)), log_odds, se,
        float(2 * stats.norm.sf(abs(log_odds) / se)), y.size, n_vignettes,
    )  # fmt: skip


def _check(y: Floats, arm: NDArray[np.bool_], n_vignettes: int) -> None:
    if arm.all() or not arm.any():
        raise UndefinedError("undefined: one arm has no ratings")
    if n_vignettes < MIN_VIGNETTES:
        raise UndefinedError(
            f"not computed: {n_vignettes} vignettes are too few clusters; {MIN_VIGNETTES} are "
            "needed"
        )
    if n_vignettes > MOST_VIGNETTES:
        raise UndefinedError(f"not computed: more than {MOST_VIGNETTES} vignettes")
    if np.ptp(y) == 0:
        raise UndefinedError(f"undefined: no variation, every rating is {y[0]:g}")


def _fit(y: Floats, arm: NDArray[np.bool_], cluster: NDArray[np.intp]) -> tuple[float, float]:
    from statsmodels.genmod.cov_struct import Independence
    from statsmodels.genmod.generalized_estimating_equations import OrdinalGEE

    with warnings.catch_warnings():
        # Separation and slow steps are judged by the result, which is refused by name.
        warnings.simplefilter("ignore")
        try:
            found = OrdinalGEE(
                y, arm.astype(float)[:, None], groups=cluster, cov_struct=Independence()
            ).fit()
            return float(np.asarray(found.params)[-1]), float(np.asarray(found.bse)[-1])
        except (ValueError, np.linalg.LinAlgError) as error:
            raise UndefinedError(f"not computed: {error}") from error


def write_for_r(dataset: Dataset, directory: Path) -> None:
    """Write `ratings_long.csv` and `clmm.R`, which fits the cumulative link mixed model.

    That model's estimand is conditional on vignette, respondent and rater; it is not fitted here.
    """
    first = dataset.first.id
    with (directory / "ratings_long.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["dimension", "vignette", "arm", "respondent", "rater", "score"])
        for dimension in dataset.dimensions:
            scores = scores_of(dataset, dimension)
            for response, rater in zip(*np.nonzero(~np.isnan(scores.values)), strict=True):
                writer.writerow([
                    dimension.id, scores.vignettes[scores.vignette[response]],
                    scores.arm[response], scores.respondents[scores.respondent[response]],
                    scores.raters[rater], f"{scores.values[response, rater]:g}",
                ])  # fmt: skip
    (directory / "clmm.R").write_text(CLMM.replace("FIRST", first), encoding="utf-8")


CLMM = """\
# Cumulative link mixed model of each dimension, conditional on vignette, respondent and rater.
# Needs R with the package ordinal. Rscript clmm.R, in the directory of ratings_long.csv.
library(ordinal)
ratings <- read.csv("ratings_long.csv", stringsAsFactors = TRUE)
ratings$first <- as.numeric(ratings$arm == "FIRST")
ratings$cell <- interaction(ratings$vignette, ratings$respondent, drop = TRUE)
for (name in levels(ratings$dimension)) {
  used <- droplevels(ratings[ratings$dimension == name, ])
  used$score <- ordered(used$score)
  fit <- clmm(score ~ first + (1 | vignette) + (1 | cell) + (1 | rater), data = used)
  cat("\\n", name, "\\n")
  print(coef(summary(fit))["first", ])
}
"""
