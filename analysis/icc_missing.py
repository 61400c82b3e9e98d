"""Variance components of items and raters with missing ratings, by REML, many resamples at once.

Items are independent given the raters, and there are few raters, so one restricted likelihood
needs small sums only; all resamples descend together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.permutation import Floats

STEP = 1e-4
"""Of the finite differences; a ratio of variances is of order one."""
MOST_STEPS = 80
CLOSE = 1e-8


@dataclass(frozen=True, slots=True)
class Components:
    """Variances, one value a resample; NaN where a resample has no variation."""

    item: Floats
    rater: Floats
    residual: Floats


def components(values: Floats, sums: Floats, *, crossed: bool) -> Components:
    """Variances of items, raters and the rest.

    Args:
        values: Ratings, shape (n_items, n_raters), NaN where missing.
        sums: Of `component_parts` over the items of each resample, (n_resamples, n_parts).
        crossed: Whether raters have a variance of their own; otherwise it is in the residual.

    References:
        Patterson and Thompson 1971, Biometrika 58, 545 (restricted likelihood).
    """
    sizes, n_columns = _sizes(values), values.shape[1] + 2
    # All resamples start at what the data as they are come to.
    all_items = _unpacked(component_parts(values).sum(axis=0, keepdims=True), sizes, n_columns)
    whole = _descend(all_items, np.array([[0.6, 0.1]]), crossed)
    drawn = _unpacked(sums, sizes, n_columns)
    ratios = _descend(drawn, np.repeat(whole, sums.shape[0], axis=0), crossed)
    _, rest, n_ratings = _deviance(drawn, ratios, crossed)
    spread = drawn.total[:, -1, -1] - drawn.total[:, 0, -1] ** 2 / drawn.total[:, 0, 0]
    residual = np.where(spread > CLOSE, rest / (n_ratings - 1), np.nan)
    rater = ratios[:, 1] * residual if crossed else np.zeros_like(residual)
    return Components(ratios[:, 0] * residual, rater, residual)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Of the columns [1, raters, rating], each (n_resamples, k + 2, k + 2)."""

    total: Floats
    by_size: tuple[tuple[int, Floats, Floats], ...]
    """Ratings an item, how many such items, products of their column sums."""

    def of(self, rows: NDArray[np.bool_]) -> _Sums:
        """Some of the resamples."""
        return _Sums(
            self.total[rows],
            tuple((size, n[rows], products[rows]) for size, n, products in self.by_size),
        )


def component_parts(values: Floats) -> Floats:
    """What each item adds: products of its columns, and by its number of ratings those of its sums.

    Columns are [1, raters, rating]; shape (n_items, n_parts).
    """
    there = (~np.isnan(values)).astype(float)
    rating, k = np.nan_to_num(values), values.shape[1]
    size = there.sum(axis=1)
    inner = np.zeros((values.shape[0], k + 2, k + 2))
    inner[:, 0, 0] = size
    inner[:, 0, 1:-1] = inner[:, 1:-1, 0] = there
    inner[:, np.arange(1, k + 1), np.arange(1, k + 1)] = there
    inner[:, 0, -1] = inner[:, -1, 0] = rating.sum(axis=1)
    inner[:, 1:-1, -1] = inner[:, -1, 1:-1] = rating
    inner[:, -1, -1] = (rating**2).sum(axis=1)
    of_item = np.column_stack([size, there, rating.sum(axis=1)])
    outer = np.einsum("ic,id->icd", of_item, of_item).reshape(values.shape[0], -1)
    groups = [
        np.column_stack([size == ratings, outer * (size == ratings)[:, None]])
        for ratings in _sizes(values)
    ]
    return np.hstack([inner.reshape(values.shape[0], -1), *groups])


def _sizes(values: Floats) -> list[int]:
    """Numbers of ratings that items have."""
    return sorted(set((~np.isnan(values)).sum(axis=1).tolist()))


def _unpacked(sums: Floats, sizes: list[int], n_columns: int) -> _Sums:
    area, n_rows = n_columns**2, sums.shape[0]

    def square(begun: int) -> Floats:
        return sums[:, begun : begun + area].reshape(n_rows, n_columns, n_columns)

    groups = tuple(
        (size, sums[:, area + place * (area + 1)], square(area + place * (area + 1) + 1))
        for place, size in enumerate(sizes)
    )
    return _Sums(square(0), groups)


def _deviance(sums: _Sums, ratios: Floats, crossed: bool) -> tuple[Floats, Floats, Floats]:
    """Profiled restricted deviance, residual sum of squares and number of ratings, a resample."""
    item, rater = ratios[:, 0], ratios[:, 1]
    product, log_det = sums.total.copy(), np.zeros(ratios.shape[0])
    for size, n_items, products in sums.by_size:
        damped = 1 + size * item
        product -= (item / damped)[:, None, None] * products
        log_det += n_items * np.log(damped)
    if crossed:
        k = product.shape[1] - 2
        inner = np.eye(k) + rater[:, None, None] * product[:, 1:-1, 1:-1]
        side = product[:, 1:-1][:, :, [0, -1]]
        solved = np.linalg.solve(inner, rater[:, None, None] * side)
        log_det += np.linalg.slogdet(inner)[1]
        product = product[:, [0, -1]][:, :, [0, -1]] - np.swapaxes(side, 1, 2) @ solved
    else:
        product = product[:, [0, -1]][:, :, [0, -1]]
    rest = np.maximum(product[:, 1, 1] - product[:, 0, 1] ** 2 / product[:, 0, 0], 1e-12)
    n_ratings = sums.total[:, 0, 0]
    deviance = log_det + np.log(product[:, 0, 0]) + (n_ratings - 1) * np.log(rest)
    return deviance, rest, n_ratings


def _descend(sums: _Sums, start: Floats, crossed: bool) -> Floats:
    """Ratios of the variances to the residual's at the least deviance, (n_resamples, 2).

    Newton's steps, kept at zero or above and halved where they do not descend; a resample that has
    arrived is left alone.
    """
    ratios = start.copy()
    if not crossed:
        ratios[:, 1] = 0.0
    going = np.ones(ratios.shape[0], dtype=bool)
    for _ in range(MOST_STEPS):
        here, at = sums.of(going), ratios[going]
        step = _newton(here, at, crossed)
        value = _deviance(here, at, crossed)[0]
        best, moved = at, np.zeros(at.shape[0], dtype=bool)
        for shrink in (1.0, 0.5, 0.2, 0.05, 0.01):
            tried = np.maximum(at + shrink * step, 0.0)
            better = ~moved & (_deviance(here, tried, crossed)[0] < value)
            best = np.where(better[:, None], tried, best)
            moved |= better
            if moved.all():
                break
        ratios[going] = best
        still = moved & (np.abs(best - at).max(axis=1) > CLOSE)
        going[np.flatnonzero(going)[~still]] = False
        if not going.any():
            break
    return ratios


def _newton(sums: _Sums, ratios: Floats, crossed: bool) -> Floats:
    """Step against the gradient, scaled by the curvature; what is held at zero stays there."""
    at = _deviance(sums, ratios, crossed)[0]
    gradient, hessian = np.zeros_like(ratios), np.zeros((ratios.shape[0], 2, 2)) + np.eye(2)
    moves = np.eye(2)[None, :, :] * (STEP * (1 + ratios))[:, None, :]
    for i in (0, 1) if crossed else (0,):
        size = moves[:, i, i]
        up = _deviance(sums, ratios + moves[:, i], crossed)[0]
        down = _deviance(sums, ratios - moves[:, i], crossed)[0]
        gradient[:, i] = (up - down) / (2 * size)
        hessian[:, i, i] = (up - 2 * at + down) / size**2
    if crossed:
        up = _deviance(sums, ratios + moves[:, 0] + moves[:, 1], crossed)[0]
        down = _deviance(sums, ratios - moves[:, 0] - moves[:, 1], crossed)[0]
        area = 2 * moves[:, 0, 0] * moves[:, 1, 1]
        along = hessian[:, 0, 0] * moves[:, 0, 0] ** 2 + hessian[:, 1, 1] * moves[:, 1, 1] ** 2
        hessian[:, 0, 1] = hessian[:, 1, 0] = (up - 2 * at + down - along) / area
    held = (ratios <= 0) & (gradient > 0)
    gradient[held] = 0.0
    apart = held[:, :, None] | held[:, None, :]
    hessian = np.where(apart & ~np.eye(2, dtype=bool), 0.0, hessian)
    values, vectors = np.linalg.eigh(hessian)
    values = np.maximum(np.abs(values), 1e-6)
    along = np.einsum("sij,si->sj", vectors, gradient) / values
    step = -np.einsum("sij,sj->si", vectors, along)
    return np.asarray(np.clip(step, -1 - ratios, 1 + ratios))
