"""The restricted likelihood of a crossed design, at many variance ratios at once.

Vignettes and vignette-by-respondent cells are nested, so that part of the covariance has an inverse
in closed form; raters and respondents are few and border it. Cells of one size share a factor, and
so do vignettes whose cells have the same sizes: the products of their sums are made once, and a
likelihood then costs the same for 30 vignettes and for 3,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import UndefinedError
from analysis.permutation import Floats

MOST = 1e6
"""Highest ratio of a variance to the residual's; beyond, there is no residual to speak of."""
LEAST = 1e-10
"""A smaller ratio is zero."""
STEP = 1e-4
MOST_STEPS = 200
CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What the likelihood says at each point, shape (n_points,) each."""

    deviance: Floats
    """Profiled over the fixed effects and the residual variance."""
    arm: Floats
    """Coefficient of the arm."""
    covariance: Floats
    """Its variance, relative to the residual's."""
    rest: Floats
    """Residual sum of squares."""
    log_det: Floats
    """Of the covariance and of the fixed effects' information."""


class Design:
    """Products of the columns [fixed, border, score], summed over what shares a factor."""

    def __init__(
        self, columns: Floats, n_fixed: int, border: Sequence[int],
        vignette: NDArray[np.int64], cell: NDArray[np.int64], terms: tuple[str, ...],
    ) -> None:  # fmt: skip
        """Keep what every likelihood needs; `border` holds the term of each bordering column."""
        self.n_ratings, self.n_fixed, self.terms = columns.shape[0], n_fixed, terms
        self.n_free = self.n_ratings - n_fixed
        self.border = np.asarray(border, dtype=int)
        self.total = columns.T @ columns
        self.spread = float(self.total[-1, -1]) / self.n_ratings
        n_columns, n_cells = columns.shape[1], int(cell.max()) + 1
        sums, size = np.zeros((n_cells, n_columns)), np.bincount(cell).astype(float)
        np.add.at(sums, cell, columns)
        of_cell = np.zeros(n_cells, dtype=np.int64)
        of_cell[cell] = vignette
        self.sizes, group = np.unique(size, return_inverse=True)
        self.n_cells = np.bincount(group).astype(float)
        self.cell_products = np.stack([
            sums[group == place].T @ sums[group == place] for place in range(self.sizes.size)
        ])  # fmt: skip
        self._sum_vignettes(sums, of_cell, group)

    def _sum_vignettes(
        self, sums: Floats, of_cell: NDArray[np.int64], group: NDArray[np.intp]
    ) -> None:
        n_vignettes, n_sizes = int(of_cell.max()) + 1, self.sizes.size
        by_size = np.zeros((n_sizes, n_vignettes, sums.shape[1]))
        np.add.at(by_size, (group, of_cell), sums)
        cells = np.zeros((n_vignettes, n_sizes))
        np.add.at(cells, (of_cell, group), 1)
        self.patterns, pattern = np.unique(cells, axis=0, return_inverse=True)
        pattern = pattern.ravel()
        self.n_vignettes = np.bincount(pattern).astype(float)
        # (patterns, sizes, sizes, columns, columns)
        self.vignette_products = np.stack([
            np.einsum("svc,tvd->stcd", by_size[:, pattern == p], by_size[:, pattern == p])
            for p in range(self.patterns.shape[0])
        ])  # fmt: skip

    def evaluate(self, ratios: Floats) -> Evaluated:
        """The likelihood at ratios of variances to the residual's, shape (n_points, n_terms)."""
        product, log_det = self._nested(ratios)
        product, log_det = self._bordered(product, log_det, ratios)
        f = self.n_fixed
        fixed, cross = product[:, :f, :f], product[:, :f, f]
        columns = np.zeros((product.shape[0], f, 2))
        columns[:, :, 0], columns[:, 1, 1] = cross, 1.0
        solved = np.linalg.solve(fixed, columns)
        rest = np.maximum(product[:, f, f] - (cross * solved[:, :, 0]).sum(axis=1), 1e-300)
        log_det = log_det + np.linalg.slogdet(fixed)[1]
        deviance = log_det + self.n_free * (1 + np.log(2 * np.pi * rest / self.n_free))
        arm, covariance = np.asarray(solved[:, 1, 0], float), np.asarray(solved[:, 1, 1], float)
        return Evaluated(deviance, arm, covariance, rest, log_det)

    def unprofiled(self, ratios: Floats, variance: Floats) -> tuple[Floats, Floats]:
        """Deviance and variance of the arm's coefficient at given residual variances."""
        found = self.evaluate(ratios)
        deviance = found.log_det + self.n_free * np.log(variance) + found.rest / variance
        return deviance, variance * found.covariance

    def _ratio(self, term: str, ratios: Floats) -> Floats:
        zeros = np.zeros(ratios.shape[0])
        return ratios[:, self.terms.index(term)] if term in self.terms else zeros

    def _nested(self, ratios: Floats) -> tuple[Floats, Floats]:
        """Products through the inverse of the nested covariance, and its log determinant.

        Sherman and Morrison twice: cells of equal covariance, then vignettes over them.
        """
        cell, vignette = self._ratio("vignette_respondent", ratios), self._ratio("vignette", ratios)
        damped = 1 + cell[:, None] * self.sizes  # (points, sizes)
        log_det = np.log(damped) @ self.n_cells
        product = self.total - np.tensordot(cell[:, None] / damped, self.cell_products, axes=1)
        weight = (self.sizes / damped) @ self.patterns.T  # (points, patterns)
        over = 1 + vignette[:, None] * weight
        log_det += np.log(over) @ self.n_vignettes
        share = (vignette[:, None] / over)[:, :, None, None]
        share = share / (damped[:, None, :, None] * damped[:, None, None, :])
        product = product - np.tensordot(share, self.vignette_products, axes=3)
        return np.asarray(product, dtype=float), np.asarray(log_det, dtype=float)

    def _bordered(self, product: Floats, log_det: Floats, ratios: Floats) -> tuple[Floats, Floats]:
        """Take the bordering random effects in; leaves the columns [fixed, score]."""
        f, b = self.n_fixed, self.border.size
        keep = np.r_[0:f, f + b]
        if not b:
            return product, log_det
        scale = ratios[:, self.border]
        inner = np.eye(b) + scale[:, :, None] * product[:, f : f + b, f : f + b]
        side = product[:, f : f + b][:, :, keep]
        solved = np.linalg.solve(inner, scale[:, :, None] * side)
        left = product[:, keep][:, :, keep] - np.swapaxes(side, 1, 2) @ solved
        return np.asarray(left, float), np.asarray(log_det + np.linalg.slogdet(inner)[1], float)


def least_deviance(design: Design) -> Floats:
    """Ratios of variances to the residual's at the least deviance, shape (n_terms,).

    Newton's steps kept at zero or above, the best of several lengths taken.

    Raises:
        UndefinedError: If they do not arrive.
    """
    ratios: Floats = np.full(len(design.terms), 0.5)
    lengths = np.array([1.0, 0.5, 0.2, 0.05, 0.01, 0.001])
    for _ in range(MOST_STEPS):
        here, step, slope = _newton(design, ratios)
        # Straight downhill as well: at the edge of zero Newton's step can point outside.
        downhill = -slope / max(float(np.abs(slope).max()), CLOSE)
        ways = np.vstack([lengths[:, None] * step, lengths[:, None] * downhill])
        tried = np.clip(ratios + ways, 0.0, MOST)
        tried[tried < LEAST] = 0.0
        values = design.evaluate(tried).deviance
        best = int(np.nanargmin(values))
        if not values[best] < here:
            # Nothing descends: either the slope is float noise, or the steps fail.
            if np.abs(slope).max() < 1e-3 * max(1.0, abs(here)):
                return ratios
            break
        moved = float((np.abs(tried[best] - ratios) / (1 + ratios)).max())
        ratios = np.asarray(tried[best], dtype=float)
        if moved < CLOSE or ratios.max() >= MOST:
            return ratios
    return _slow_but_sure(design, ratios)


def _slow_but_sure(design: Design, ratios: Floats) -> Floats:
    """For the rare likelihood on which Newton's steps stall."""
    from scipy import optimize

    def deviance(at: Floats) -> float:
        return float(design.evaluate(at[None, :]).deviance[0])

    bounds = [(0.0, MOST)] * int(ratios.size)
    found = optimize.minimize(deviance, ratios, method="L-BFGS-B", bounds=bounds)
    if not found.success:
        raise UndefinedError("not computed: the restricted likelihood has no clear maximum")
    return np.asarray(found.x, dtype=float)


def _newton(design: Design, ratios: Floats) -> tuple[float, Floats, Floats]:
    """Deviance, step and slope; what is held at zero stays there."""
    n = ratios.size
    size = STEP * (1 + ratios)
    moves = np.diag(size)
    corners = moves[:, None, :] + moves[None, :, :]
    rows, others = np.triu_indices(n, k=1)
    both = corners[rows, others]
    points = np.vstack([np.zeros((1, n)), moves, -moves, both, -both])
    value = design.evaluate(ratios + points).deviance
    up, down = value[1 : n + 1], value[n + 1 : 2 * n + 1]
    slope = (up - down) / (2 * size)
    curve = np.diag((up - 2 * value[0] + down) / size**2)
    n_pairs = rows.size
    summed = value[2 * n + 1 : 2 * n + 1 + n_pairs] + value[2 * n + 1 + n_pairs :]
    alone = np.diag(curve) * size**2
    mixed = (summed - 2 * value[0] - alone[rows] - alone[others]) / (2 * size[rows] * size[others])
    curve[rows, others] = curve[others, rows] = mixed
    held = (ratios <= 0) & (slope > 0)
    slope = np.where(held, 0.0, slope)
    curve[held] = 0.0
    curve[:, held] = 0.0
    curve[held, held] = 1.0
    values, vectors = np.linalg.eigh(curve)
    step = -vectors @ ((vectors.T @ slope) / np.maximum(np.abs(values), 1e-6))
    return float(value[0]), np.clip(step, -1 - ratios, 1 + 3 * ratios), slope
