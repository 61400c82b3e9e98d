"""Linear mixed model with crossed vignettes, respondents and raters, fitted by REML.

The likelihood is in `analysis.crossed`; here the design is laid out and the result read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.crossed import MOST, Design, least_deviance
from analysis.errors import UndefinedError
from analysis.permutation import Floats

Residents = Literal["random", "fixed"]
TERMS = ("vignette", "vignette_respondent", "rater", "respondent")
LEAST_RESIDUAL = 1e-4
"""Share of the scores' variance; a smaller residual is none."""
AT_ZERO = 1e-7
"""A variance below this share of the residual's is called zero."""
STEP = 1e-3
"""Of finite differences, relative."""


@dataclass(frozen=True, slots=True)
class CrossedFit:
    """The difference between the arms from a mixed model."""

    value: float
    """First arm minus second, rubric points."""
    se: float
    df: float
    """Satterthwaite's."""
    t: float
    p_value: float
    low: float
    high: float
    variances: Mapping[str, float]
    """Of vignette, vignette_respondent, rater, respondent and residual; those in the model."""
    at_zero: tuple[str, ...]
    """Terms whose variance was estimated as zero."""
    residents: Residents
    n_ratings: int
    deviance: float
    """Minus twice the restricted log likelihood."""
    confidence: float


def fit_crossed(
    scores: Sequence[float] | Floats,
    *,
    vignettes: Sequence[object],
    respondents: Sequence[object],
    raters: Sequence[object],
    first: Sequence[bool] | NDArray[np.bool_],
    residents: Residents = "random",
    confidence: float = 0.95,
) -> CrossedFit:
    """Fit score ~ arm with random vignettes, vignette-by-respondent cells and raters.

    With `residents="random"` the respondents of an arm that has several are random too, and the arm
    of one respondent (the model) is fixed: a model is no random draw. With `"fixed"` the panel is
    fixed: each respondent has its own mean, and the difference is against their plain average.
    Missing ratings are simply not there. A term that the data cannot tell from another (cells of
    one rating, one rater) is left out.

    Args:
        scores: Rubric points, shape (n_ratings,), none missing.
        vignettes: Of each rating, shape (n_ratings,).
        respondents: Of each rating; a name belongs to one arm.
        raters: Of each rating.
        first: Whether the rating is of the first arm.
        residents: How respondents are treated.
        confidence: Of the interval.

    Raises:
        ValueError: If lengths differ, a score is not finite, or a respondent is in both arms.
        UndefinedError: If an arm has no rating, there are fewer than two vignettes, no variation,
            none left for the residual, or fewer ratings than the model needs.

    References:
        Bates et al. 2015, J. Stat. Softw. 67, 1 (profiled restricted likelihood); Kuznetsova et
        al. 2017, J. Stat. Softw. 82, 13 (Satterthwaite's degrees of freedom).
    """
    design = _design(scores, vignettes, respondents, raters, np.asarray(first, bool), residents)
    ratios = least_deviance(design)
    found = design.evaluate(ratios[None, :])
    variance = float(found.rest[0]) / design.n_free
    if variance < LEAST_RESIDUAL * design.spread or ratios.max(initial=0.0) >= MOST:
        raise UndefinedError(
            "undefined: raters agree so fully that the ratings leave no residual variation"
        )
    df = _satterthwaite(design, ratios, variance)
    value, se = float(found.arm[0]), float(np.sqrt(variance * found.covariance[0]))
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * se
    variances = {n: variance * float(r) for n, r in zip(design.terms, ratios, strict=True)}
    return CrossedFit(
        value=value, se=se, df=df, t=value / se, p_value=float(2 * stats.t.sf(abs(value) / se, df)),
        low=value - half, high=value + half, variances={**variances, "residual": variance},
        at_zero=tuple(n for n, r in zip(design.terms, ratios, strict=True) if r < AT_ZERO),
        residents=residents, n_ratings=design.n_ratings, deviance=float(found.deviance[0]),
        confidence=confidence,
    )  # fmt: skip


def _design(
    scores: Sequence[float] | Floats, vignettes: Sequence[object], respondents: Sequence[object],
    raters: Sequence[object], first: NDArray[np.bool_], residents: Residents,
) -> Design:  # fmt: skip
    y = np.asarray(scores, dtype=float)
    _, vignette = _codes(vignettes)
    who, respondent = _codes(respondents)
    rater_names, rater = _codes(raters)
    _check(y, (vignette, respondent, rater, first))
    arm_of = _arm_of(who, respondent, first)
    _, cell = np.unique(vignette * who.size + respondent, return_inverse=True)
    fixed = [np.ones(y.size), first.astype(float)]
    border: list[Floats] = []
    border_term: list[str] = []
    if rater_names.size > 1:
        border += [(rater == place).astype(float) for place in range(rater_names.size)]
        border_term += ["rater"] * rater_names.size
    for members in (np.flatnonzero(arm_of), np.flatnonzero(~arm_of)):
        if members.size > 1 and residents == "random":
            border += [(respondent == place).astype(float) for place in members]
            border_term += ["respondent"] * members.size
        elif members.size > 1:
            last = (respondent == members[-1]).astype(float)
            fixed += [(respondent == place).astype(float) - last for place in members[:-1]]
    has_cells = int(cell.max()) + 1 < y.size and who.size > 1
    present = {"vignette", *border_term} | ({"vignette_respondent"} if has_cells else set())
    terms = tuple(term for term in TERMS if term in present)
    columns = np.column_stack([*fixed, *border, y - y.mean()])
    if y.size <= len(fixed) + len(terms):
        raise UndefinedError(f"undefined: {y.size} ratings are too few for the model")
    if np.linalg.matrix_rank(columns[:, : len(fixed)]) < len(fixed):
        raise UndefinedError("undefined: the ratings cannot tell the respondents apart")
    return Design(columns, len(fixed), [terms.index(t) for t in border_term], vignette, cell, terms)


def _codes(names: Sequence[object]) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    unique, codes = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    return unique, codes.astype(np.int64)


def _check(y: Floats, others: Sequence[NDArray[np.generic]]) -> None:
    lengths = {y.size, *(other.size for other in others)}
    if len(lengths) > 1:
        raise ValueError(f"the columns have different lengths: {sorted(lengths)}")
    if not np.isfinite(y).all():
        places = np.flatnonzero(~np.isfinite(y))[:10].tolist()
        raise ValueError(f"scores at {places} are not finite; leave missing ratings out")
    vignette, _, _, first = others
    if not first.any() or first.all():
        raise UndefinedError("undefined: one arm has no ratings")
    if np.unique(vignette).size < 2:
        raise UndefinedError("undefined: needs two vignettes")
    if np.ptp(y) == 0:
        raise UndefinedError(f"undefined: no variation, every rating is {y[0]:g}")


def _arm_of(
    who: NDArray[np.str_], respondent: NDArray[np.int64], first: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    in_first = np.zeros(who.size, dtype=bool)
    in_second = np.zeros(who.size, dtype=bool)
    in_first[respondent[first]] = True
    in_second[respondent[~first]] = True
    both = who[in_first & in_second]
    if both.size:
        raise ValueError(f"respondents {', '.join(both)} are in both arms; name them apart")
    return in_first


def _satterthwaite(design: Design, ratios: Floats, variance: float) -> float:
    """2 v^2 / (g' A g): v the variance of the arm, g its gradient, A the estimates' covariance.

    A term estimated as zero is left out: in its standard deviation both slopes are zero there.
    """
    free = np.flatnonzero(ratios >= AT_ZERO)
    point = np.append(ratios[free], variance)
    steps = STEP * np.append(np.maximum(point[:-1], 0.05), variance)
    moves = np.vstack([np.zeros(point.size), np.diag(steps), -np.diag(steps)])
    pairs = list(combinations(range(point.size), 2))
    corners = [moves[1 + i] + moves[1 + j] for i, j in pairs]
    corners += [-corner for corner in corners]
    at = point + np.vstack([moves, *corners])
    full = np.tile(ratios, (at.shape[0], 1))
    full[:, free] = at[:, :-1]
    deviance, of_arm = design.unprofiled(full, at[:, -1])
    n = point.size
    up, down = deviance[1 : n + 1], deviance[n + 1 : 2 * n + 1]
    hessian = np.diag((up - 2 * deviance[0] + down) / steps**2)
    for place, (i, j) in enumerate(pairs):
        both = deviance[2 * n + 1 + place] + deviance[2 * n + 1 + len(pairs) + place]
        alone = hessian[i, i] * steps[i] ** 2 + hessian[j, j] * steps[j] ** 2
        hessian[i, j] = hessian[j, i] = (both - 2 * deviance[0] - alone) / (2 * steps[i] * steps[j])
    gradient = (of_arm[1 : n + 1] - of_arm[n + 1 : 2 * n + 1]) / (2 * steps)
    values, vectors = np.linalg.eigh(hessian)
    kept = values > 1e-8 * values.max()
    along = vectors[:, kept].T @ gradient
    return float(2 * of_arm[0] ** 2 / (2 * along**2 / values[kept]).sum())
