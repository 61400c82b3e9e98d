"""Harm first: how often something was marked, by arm, paired by vignette; and what was severe.

One computation serves every mark: any harm, severe harm, a must met, a critical error made,
over-caution on a vignette whose plan was appropriate, each kind of error. It is descriptive unless
the protocol says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.bootstrap import cluster_interval
from analysis.errors import NoIntervalError, UndefinedError
from analysis.paired import sign_flip
from analysis.permutation import Floats


@dataclass(frozen=True, slots=True)
class MarkedShares:
    """How often a mark was given in both arms."""

    first: float
    """Share of responses, raters averaged within a response, respondents within a vignette."""
    second: float
    difference: float
    """First minus second, over vignettes with both."""
    low: float | None
    """Of the difference, by a bootstrap of whole vignettes; None with fewer than five."""
    high: float | None
    p_value: float | None
    """Sign-flip over vignettes; None where no vignette differs."""
    n_vignettes: int
    n_first: int
    """Responses that anybody marked either way."""
    n_second: int
    by_any_first: int
    """Responses that at least one rater marked."""
    by_any_second: int


def marked_shares(
    marks: Sequence[bool] | Floats, *, vignettes: Sequence[object], respondents: Sequence[object],
    raters: Sequence[object], first: Sequence[bool], n_resamples: int, seed: int,
    confidence: float = 0.95,
) -> MarkedShares:  # fmt: skip
    """Compare how often a mark was given to responses of both arms.

    Args:
        marks: Whether a rater marked a response, shape (n_ratings,); NaN where not asked.
        vignettes: Of each rating.
        respondents: Of each rating; with the vignette they name the response.
        raters: Of each rating; one rater marks a response once.
        first: Whether the response is of the first arm.
        n_resamples: Bootstrap resamples.
        seed: Of the bootstrap.
        confidence: Of the interval.

    Raises:
        ValueError: If lengths differ, a mark is not 0 or 1, or a rater marked a response twice.
        UndefinedError: If no vignette has marks in both arms.

    References:
        docs/analysis_plan.md, point 14.
    """
    given, names = _rows(marks, vignettes, respondents, raters, first)
    vignette, response_of, is_first = names
    n_responses = int(response_of.max()) + 1
    raters_of = np.bincount(response_of, minlength=n_responses)
    share = np.bincount(response_of, given, n_responses) / raters_of
    where = np.zeros(n_responses, dtype=np.int64)
    where[response_of] = vignette
    arm = np.zeros(n_responses, dtype=bool)
    arm[response_of] = is_first
    n_vignettes = int(vignette.max()) + 1
    in_first, in_second = (_means(share[arm == side], where[arm == side], n_vignettes)
                           for side in (True, False))  # fmt: skip
    both = np.isfinite(in_first) & np.isfinite(in_second)
    if not both.any():
        raise UndefinedError("undefined: no vignette has marks in both arms")
    d = in_first[both] - in_second[both]
    low, high = _limits(d, n_resamples, seed, confidence)
    return MarkedShares(
        first=float(in_first[both].mean()), second=float(in_second[both].mean()),
        difference=float(d.mean()), low=low, high=high,
        p_value=sign_flip(d).p_value if np.round(d, 9).any() else None,
        n_vignettes=int(both.sum()), n_first=int(arm.sum()), n_second=int((~arm).sum()),
        by_any_first=int((share[arm] > 0).sum()), by_any_second=int((share[~arm] > 0).sum()),
    )  # fmt: skip


def _rows(
    marks: Sequence[bool] | Floats, vignettes: Sequence[object], respondents: Sequence[object],
    raters: Sequence[object], first: Sequence[bool],
) -> tuple[Floats, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]:  # fmt: skip
    given = np.asarray(marks, dtype=float)
    columns = [np.asarray(c, dtype=str) for c in (vignettes, respondents, raters)]
    arm = np.asarray(first, dtype=bool)
    lengths = {given.size, arm.size, *(column.size for column in columns)}
    if len(lengths) > 1:
        raise ValueError(f"the columns have different lengths: {sorted(lengths)}")
    asked = ~np.isnan(given)
    given, arm, columns = given[asked], arm[asked], [column[asked] for column in columns]
    foreign = sorted(set(given.tolist()) - {0.0, 1.0})
    if foreign:
        raise ValueError(f"marks are 0 or 1; got {foreign[:5]}")
    if given.size == 0:
        raise UndefinedError("undefined: nothing was marked either way")
    vignette = np.unique(columns[0], return_inverse=True)[1]
    responses = np.stack([columns[0], columns[1]], axis=1)
    response_of = np.unique(responses, axis=0, return_inverse=True)[1].ravel()
    pairs, times = np.unique(
        np.stack([response_of.astype(str), columns[2]], axis=1), axis=0, return_counts=True
    )
    if (times > 1).any():
        twice = pairs[times > 1][0]
        raise ValueError(f"rater {twice[1]} marked one response {times.max()} times")
    return given, (vignette, response_of, arm)


def _means(values: Floats, groups: NDArray[np.int64], n_groups: int) -> Floats:
    """Mean of each group, NaN where it is empty."""
    times = np.bincount(groups, minlength=n_groups)
    sums = np.bincount(groups, values, n_groups)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / times, dtype=float)


def _limits(
    d: Floats, n_resamples: int, seed: int, confidence: float
) -> tuple[float | None, float | None]:
    try:
        bounds = cluster_interval(
            float(d.mean()), np.column_stack([d, np.ones(d.size)]),
            lambda sums: sums[:, 0] / sums[:, 1], list(range(d.size)), n_resamples=n_resamples,
            seed=seed, confidence=confidence,
        )  # fmt: skip
    except NoIntervalError:
        return None, None
    return bounds.low, bounds.high
