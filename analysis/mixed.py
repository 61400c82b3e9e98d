"""Linear mixed model with crossed vignettes, respondents and raters, fitted by REML.

The design makes the fit small: vignettes and vignette-by-respondent cells are nested, so that part
of the covariance has an inverse in closed form, from sums over cells; raters and respondents are
few and border it. One likelihood costs a matrix product over vignettes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis.errors import UndefinedError
from analysis.permutation import Floats

Residents = Literal["random", "fixed"]
TERMS = ("vignette", "vignette_respondent", "rater", "respondent")
LEAST_RESIDUAL, MOST_THETA = 1e-6, 1e3
"""Shares of the scores' variance; a smaller residual is none."""
AT_ZERO = 1e-4
"""A standard deviation below this share of the residual's is called zero."""


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
    theta = _minimise(design)
    n_free = design.n_ratings - design.n_fixed
    deviance, covariance, beta, square = design.evaluate(theta)
    variance = square / n_free
    if variance < LEAST_RESIDUAL * design.spread:
        raise UndefinedError(
            "undefined: raters agree so fully that the ratings leave no residual variation"
        )
    df = _satterthwaite(design, theta, variance)
    value, se = float(beta[1]), float(np.sqrt(variance * covariance))
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * se
    variances = {
        name: variance * float(t) ** 2 for name, t in zip(design.terms, theta, strict=True)
    }
    return CrossedFit(
        value=value, se=se, df=df, t=value / se, p_value=float(2 * stats.t.sf(abs(value) / se, df)),
        low=value - half, high=value + half, variances={**variances, "residual": variance},
        at_zero=tuple(n for n, t in zip(design.terms, theta, strict=True) if t < AT_ZERO),
        residents=residents, n_ratings=design.n_ratings, deviance=deviance, confidence=confidence,
    )  # fmt: skip


class _Design:
    """Sums over cells and vignettes of the columns [fixed, border, score]."""

    def __init__(
        self, columns: Floats, n_fixed: int, border: Sequence[int],
        vignette: NDArray[np.int64], cell: NDArray[np.int64], terms: tuple[str, ...],
    ) -> None:  # fmt: skip
        """Keep what every likelihood needs; `border` holds the term of each bordering column."""
        self.n_ratings, self.n_fixed, self.terms = columns.shape[0], n_fixed, terms
        self.border = np.asarray(border, dtype=int)
        self.total = columns.T @ columns
        self.spread = float(self.total[-1, -1]) / self.n_ratings
        n_cells = int(cell.max()) + 1
        sums = np.zeros((n_cells, columns.shape[1]))
        np.add.at(sums, cell, columns)
        size = np.bincount(cell, minlength=n_cells).astype(float)
        of_cell = np.zeros(n_cells, dtype=int)
        of_cell[cell] = vignette
        n_vignettes = int(vignette.max()) + 1
        # Cells of one size share a factor, so that their products are made once.
        self.sizes, group = np.unique(size, return_inverse=True)
        self.n_cells = np.bincount(group).astype(float)
        self.cell_products, self.vignette_sums, self.vignette_cells = [], [], []
        for place in range(self.sizes.size):
            of_size = group == place
            self.cell_products.append(sums[of_size].T @ sums[of_size])
            by_vignette = np.zeros((n_vignettes, columns.shape[1]))
            np.add.at(by_vignette, of_cell[of_size], sums[of_size])
            self.vignette_sums.append(by_vignette)
            self.vignette_cells.append(np.bincount(of_cell[of_size], minlength=n_vignettes))

    def evaluate(self, theta: Floats) -> tuple[float, float, Floats, float]:
        """Profiled deviance, (X'V^-1 X)^-1 of the arm, coefficients, residual sum of squares.

        `theta` holds standard deviations relative to the residual's.
        """
        log_det, fixed, cross, square = self._generalised(theta)
        lower = np.linalg.cholesky(fixed)
        half = np.linalg.solve(lower, cross)
        beta = np.linalg.solve(lower.T, half)
        rest = max(float(square - half @ half), 1e-300)
        n_free = self.n_ratings - self.n_fixed
        deviance = log_det + 2 * float(np.log(np.diag(lower)).sum())
        deviance += n_free * (1 + float(np.log(2 * np.pi * rest / n_free)))
        arm = np.linalg.solve(lower, np.eye(self.n_fixed)[1])
        return deviance, float(arm @ arm), beta, rest

    def unprofiled(self, theta: Floats, sigma: float) -> tuple[float, float]:
        """Deviance and variance of the arm's coefficient at a given residual deviation."""
        profiled, covariance, _, rest = self.evaluate(theta)
        n_free = self.n_ratings - self.n_fixed
        deviance = profiled - n_free * (1 + float(np.log(rest / n_free)))
        deviance += n_free * float(np.log(sigma**2)) + rest / sigma**2
        return deviance, sigma**2 * covariance

    def _generalised(self, theta: Floats) -> tuple[float, Floats, Floats, float]:
        squares = dict(zip(self.terms, np.asarray(theta) ** 2, strict=True))
        product, log_det = self._nested(
            squares.get("vignette_respondent", 0.0), squares.get("vignette", 0.0)
        )
        f, b = self.n_fixed, self.border.size
        if b:
            scale = np.asarray(theta)[self.border]
            inner = np.eye(b) + scale[:, None] * product[f : f + b, f : f + b] * scale[None, :]
            lower = np.linalg.cholesky(inner)
            log_det += 2 * float(np.log(np.diag(lower)).sum())
            keep = np.r_[0:f, f + b]
            half = np.linalg.solve(lower, scale[:, None] * product[f : f + b][:, keep])
            product = product[np.ix_(keep, keep)] - half.T @ half
        return log_det, product[:f, :f], product[:f, f], float(product[f, f])

    def _nested(self, cell: float, vignette: float) -> tuple[Floats, float]:
        """Columns' product through the inverse of the nested covariance, and its log determinant.

        Sherman and Morrison twice: cells of equal covariance, then vignettes over them.
        """
        damped = 1 + cell * self.sizes
        product = self.total.copy()
        sums = np.zeros_like(self.vignette_sums[0])
        weight = np.zeros(sums.shape[0])
        for place, size in enumerate(self.sizes):
            product -= cell / damped[place] * self.cell_products[place]
            sums += self.vignette_sums[place] / damped[place]
            weight += self.vignette_cells[place] * size / damped[place]
        log_det = float((self.n_cells * np.log(damped)).sum())
        over = 1 + vignette * weight
        product -= (sums * (vignette / over)[:, None]).T @ sums
        return product, log_det + float(np.log(over).sum())


def _design(
    scores: Sequence[float] | Floats, vignettes: Sequence[object], respondents: Sequence[object],
    raters: Sequence[object], first: NDArray[np.bool_], residents: Residents,
) -> _Design:  # fmt: skip
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
    return _Design(
        columns, len(fixed), [terms.index(t) for t in border_term], vignette, cell, terms
    )


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


def _minimise(design: _Design) -> Floats:
    """Standard deviations relative to the residual's at the least deviance."""

    def deviance(theta: Floats) -> float:
        return design.evaluate(theta)[0]

    bounds = [(0.0, MOST_THETA)] * len(design.terms)
    starts = (np.full(len(design.terms), 0.7), np.full(len(design.terms), 0.1))
    rough = min(
        (optimize.minimize(deviance, start, method="L-BFGS-B", bounds=bounds) for start in starts),
        key=lambda found: float(found.fun),
    )
    fine = optimize.minimize(
        deviance, rough.x, method="Nelder-Mead", bounds=bounds,
        options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000, "maxfev": 4000},
    )  # fmt: skip
    return np.asarray(fine.x if fine.fun <= rough.fun else rough.x, dtype=float)


def _satterthwaite(design: _Design, theta: Floats, variance: float) -> float:
    """2 v^2 / (g' A g): v the variance of the arm, g its gradient, A the estimates' covariance."""
    point = np.append(theta, np.sqrt(variance))

    def deviance(at: Floats) -> float:
        return design.unprofiled(at[:-1], float(at[-1]))[0]

    def arm_variance(at: Floats) -> float:
        return design.unprofiled(at[:-1], float(at[-1]))[1]

    gradient = _gradient(arm_variance, point)
    values, vectors = np.linalg.eigh(_hessian(deviance, point))
    kept = values > 1e-8 * values.max()
    along = vectors[:, kept].T @ gradient
    spread = float((2 * along**2 / values[kept]).sum())
    return 2 * arm_variance(point) ** 2 / spread


def _steps(point: Floats) -> Floats:
    return np.asarray(1e-3 * np.maximum(np.abs(point), 0.1))


def _gradient(function: Callable[[Floats], float], point: Floats) -> Floats:
    steps = np.diag(_steps(point))
    return np.array([
        (8 * (function(point + h) - function(point - h))
         - (function(point + 2 * h) - function(point - 2 * h))) / (12 * h.sum())
        for h in steps
    ])  # fmt: skip


def _hessian(function: Callable[[Floats], float], point: Floats) -> Floats:
    steps = np.diag(_steps(point))

    def slope(at: Floats) -> Floats:
        return _gradient(function, at)

    rows = [
        (8 * (slope(point + h) - slope(point - h)) - (slope(point + 2 * h) - slope(point - 2 * h)))
        / (12 * h.sum())
        for h in steps
    ]
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2)
