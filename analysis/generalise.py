"""Generalising to residents: vignettes and respondents both random, as in reader studies."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from analysis.errors import UndefinedError
from analysis.paired import DECIMALS
from analysis.permutation import Floats

NOISE = 1e-9
"""A variance larger by less than this share is larger by float noise."""


@dataclass(frozen=True, slots=True)
class TwoWayRandom:
    """The mean difference with vignettes and respondents random."""

    mean: float
    se: float
    """The larger of the two-way and the vignettes-only standard error."""
    df: float
    t: float
    p_value: float
    low: float
    high: float
    se_two_way: float
    se_vignettes: float
    """Vignettes random, this panel of respondents fixed."""
    se_respondents: float
    """Respondents random, these vignettes fixed."""
    confidence: float


def two_way_random(differences: Floats, *, confidence: float = 0.95) -> TwoWayRandom:
    """The mean of D[v, p] = model minus resident, over random vignettes and random residents.

    With mean squares of the two-way table without replication, V vignettes and P respondents,
    se^2 = (MS_p + max(MS_v - MS_vp, 0)) / (V P), with (V P se^2)^2 / (MS_p^2 / (P - 1)) degrees of
    freedom. Where the vignettes-only standard error is larger, it and its V - 1 degrees of freedom
    are used: a panel that happens to agree must not make the claim stronger.

    Args:
        differences: Rubric points; shape (n_vignettes, n_respondents), none missing.
        confidence: Of the interval.

    Raises:
        ValueError: If a difference is NaN, or the shape is not two-dimensional.
        UndefinedError: If there are fewer than two vignettes or respondents, or no variation.

    References:
        Obuchowski and Rockette 1995, Commun. Stat. Simul. 24, 285; Hillis 2007, Stat. Med. 26, 596
        (degrees of freedom).
    """
    d = np.round(np.asarray(differences, dtype=float), DECIMALS)
    _check(d)
    n_vignettes, n_respondents = d.shape
    size = n_vignettes * n_respondents
    ms_v, ms_p, ms_vp = _mean_squares(d)
    two_way = (ms_p + max(ms_v - ms_vp, 0.0)) / size
    vignettes, respondents = ms_v / size, ms_p / size
    if max(two_way, vignettes) <= 0:
        raise UndefinedError(f"undefined: no variation, every difference is {d.flat[0]:g}")
    if two_way > vignettes * (1 + NOISE):
        variance, df = two_way, (size * two_way) ** 2 / (ms_p**2 / (n_respondents - 1))
    else:
        variance, df = vignettes, float(n_vignettes - 1)
    mean, se = float(d.mean()), sqrt(variance)
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * se
    return TwoWayRandom(
        mean=mean, se=se, df=df, t=mean / se, p_value=float(2 * stats.t.sf(abs(mean) / se, df)),
        low=mean - half, high=mean + half, se_two_way=sqrt(two_way), se_vignettes=sqrt(vignettes),
        se_respondents=sqrt(respondents), confidence=confidence,
    )  # fmt: skip


def _check(d: Floats) -> None:
    if d.ndim != 2:
        raise ValueError(f"differences have shape {d.shape}, wanted (n_vignettes, n_respondents)")
    if not np.isfinite(d).all():
        places = np.argwhere(~np.isfinite(d))[:10].tolist()
        raise ValueError(
            f"differences at [vignette, respondent] {places} are not finite; the two-way table "
            "takes none missing: leave those vignettes or respondents out by a declared rule"
        )
    if min(d.shape) < 2:
        raise UndefinedError(
            f"undefined: needs two vignettes and two respondents; got {d.shape[0]} and {d.shape[1]}"
        )


def _mean_squares(d: Floats) -> tuple[float, float, float]:
    """Of vignettes, of respondents, and of their interaction."""
    n_vignettes, n_respondents = d.shape
    centred = d - d.mean()
    by_vignette, by_respondent = centred.mean(axis=1), centred.mean(axis=0)
    rest = centred - by_vignette[:, None] - by_respondent[None, :]
    return (
        float(n_respondents * (by_vignette**2).sum() / (n_vignettes - 1)),
        float(n_vignettes * (by_respondent**2).sum() / (n_respondents - 1)),
        float((rest**2).sum() / ((n_vignettes - 1) * (n_respondents - 1))),
    )
