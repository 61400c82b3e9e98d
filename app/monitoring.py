"""Is the study on track? Agreement so far, drift, speed and sameness of raters, and a forecast.

None of it knows an arm. What is flagged is a reason to look, never a verdict on a rater.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median
from typing import TYPE_CHECKING

from study.monitor import Monitored, Scored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SITTING = timedelta(minutes=30)
"""A longer gap between two ratings is a break, not time spent on a response."""
RECENT = 20
"""Ratings that a rater's present pace is taken from."""
FAST_SHARE, FAST_S = 1 / 3, 20
"""Fast: under a third of all raters' median pace, and under 20 seconds."""
SLOW_TIMES = 3
"""Slow: more than three times all raters' median pace."""
SAME_RUN = 10
"""Straight-lining: so many ratings in a row with the same score on every dimension."""
DRIFT_POINTS, DRIFT_RATINGS = 0.5, 15
"""Drift: half a point against the other raters between the first and the last third of the rater's
ratings, each third of at least so many."""
MIN_FOR_AGREEMENT = 10
FORECAST_DAYS = 7
N_RESAMPLES = 1_000
SEED = 1


@dataclass(frozen=True, slots=True)
class DimensionAgreement:
    """Krippendorff's ordinal alpha so far, with a 95 % interval over vignettes."""

    label: str
    alpha: float | None
    low: float | None
    high: float | None
    n_responses: int
    """Responses that at least two raters have scored."""
    note: str
    """Why there is no figure; empty where there is one."""


@dataclass(frozen=True, slots=True)
class RaterWatch:
    """One rater's course."""

    rater: str
    n_ratings: int
    pace_s: float | None
    """Median seconds a response over the last 20."""
    drift: float | None
    """Rubric points: how much higher against the others in the last third than in the first."""
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """When rating will be finished at the pace of the last seven days."""

    per_day: float
    finished_on: date


def agreement(monitored: Monitored) -> tuple[DimensionAgreement, ...]:
    """Agreement on each dimension over the responses that two raters or more have scored."""
    import numpy as np

    shared = _shared(monitored.ratings)
    raters = {name: i for i, name in enumerate(sorted({r.rater for r in monitored.ratings}))}
    found = []
    for place, dimension in enumerate(monitored.dimensions):
        table = np.full((len(shared), max(1, len(raters))), np.nan)
        for row, ratings in enumerate(shared):
            for rating in ratings:
                table[row, raters[rating.rater]] = rating.scores[place]
        found.append(_alpha(dimension.label, table, [ratings[0].vignette_id for ratings in shared]))
    return tuple(found)


def _alpha(label: str, table: NDArray[np.float64], vignettes: list[str]) -> DimensionAgreement:
    from analysis.alpha import krippendorff_alpha_interval
    from analysis.errors import UndefinedError

    if len(vignettes) < MIN_FOR_AGREEMENT:
        note = f"from {MIN_FOR_AGREEMENT} shared responses on"
        return DimensionAgreement(label, None, None, None, len(vignettes), note)
    try:
        found = krippendorff_alpha_interval(
            table, level="ordinal", clusters=vignettes, n_resamples=N_RESAMPLES, seed=SEED
        )
    except UndefinedError as error:
        return DimensionAgreement(label, None, None, None, len(vignettes), str(error))
    return DimensionAgreement(label, found.value, found.low, found.high, len(vignettes), "")


def _shared(ratings: Sequence[Scored]) -> list[list[Scored]]:
    """Ratings by response, where two raters or more have scored it."""
    by_code: dict[str, list[Scored]] = defaultdict(list)
    for rating in ratings:
        by_code[rating.code].append(rating)
    return [found for found in by_code.values() if len({r.rater for r in found}) > 1]


def watch_raters(monitored: Monitored) -> tuple[RaterWatch, ...]:
    """Every rater's pace, drift and flags, by pseudonym."""
    by_rater: dict[str, list[Scored]] = defaultdict(list)
    for rating in monitored.ratings:
        by_rater[rating.rater].append(rating)
    paces = {rater: pace(ratings) for rater, ratings in by_rater.items()}
    known = [p for p in paces.values() if p is not None]
    usual = median(known) if len(known) > 1 else None
    above = _above_others(monitored.ratings)
    return tuple(
        _watch(rater, by_rater[rater], paces[rater], usual, above) for rater in sorted(by_rater)
    )


def _watch(
    rater: str, ratings: Sequence[Scored], own: float | None, usual: float | None,
    above: dict[tuple[str, str], float],
) -> RaterWatch:  # fmt: skip
    moved = drift([above[rater, r.code] for r in ratings if (rater, r.code) in above])
    flags = []
    if own is not None and usual is not None:
        if own < FAST_S and own < usual * FAST_SHARE:
            flags.append(f"fast: {own:.0f} s a response, all raters {usual:.0f} s")
        elif own > usual * SLOW_TIMES:
            flags.append(f"slow: {own / 60:.0f} min a response, all raters {usual / 60:.0f} min")
    since = straight_lining_since(ratings)
    if since is not None:
        flags.append(f"straight-lining since {since:%d %b, %H:%M} UTC")
    if moved is not None and abs(moved) >= DRIFT_POINTS:
        flags.append(f"drift: {moved:+.1f} points against the others since the beginning")
    return RaterWatch(rater, len(ratings), own, moved, tuple(flags))


def pace(ratings: Sequence[Scored]) -> float | None:
    """Median seconds between a rater's last submissions, breaks left out; None while unknown."""
    gaps = [b.submitted_at - a.submitted_at for a, b in pairwise(ratings[-RECENT - 1 :])]
    within = [gap.total_seconds() for gap in gaps if gap <= SITTING]
    return median(within) if len(within) >= 3 else None


def straight_lining_since(ratings: Sequence[Scored]) -> datetime | None:
    """When the present run of like scores on every dimension began, if it is long enough.

    A run counts when each of its ratings has one and the same score on all dimensions as the
    rating before.
    """
    run: list[Scored] = []
    for rating in reversed(ratings):
        if run and rating.scores != run[-1].scores:
            break
        run.append(rating)
    return run[-1].submitted_at if len(run) >= SAME_RUN else None


def drift(above: Sequence[float]) -> float | None:
    """Mean of the last third minus mean of the first; None while a third has too few ratings."""
    third = len(above) // 3
    return fmean(above[-third:]) - fmean(above[:third]) if third >= DRIFT_RATINGS else None


def _above_others(ratings: Sequence[Scored]) -> dict[tuple[str, str], float]:
    """By rater and response, the own mean score minus that of the response's other raters."""
    above = {}
    for found in _shared(ratings):
        means = {r.rater: fmean(r.scores) for r in found}
        total = sum(means.values())
        for rater, own in means.items():
            above[rater, found[0].code] = own - (total - own) / (len(means) - 1)
    return above


def per_day(ratings: Sequence[Scored]) -> list[tuple[date, int]]:
    """Ratings submitted on each day (UTC) from the first to the last, days of rest included."""
    counts = Counter(r.submitted_at.date() for r in ratings)
    if not counts:
        return []
    first, last = min(counts), max(counts)
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    return [(day, counts[day]) for day in days]


def forecast(ratings: Sequence[Scored], n_due: int, today: date) -> Forecast | None:
    """When the rest will be done at the pace of the last seven days; None without a pace."""
    since = today - timedelta(days=FORECAST_DAYS - 1)
    recent = [r for r in ratings if r.submitted_at.date() >= since]
    left = n_due - len(ratings)
    if not recent or left <= 0:
        return None
    begun = max(since, min(r.submitted_at.date() for r in ratings))
    rate = len(recent) / ((today - begun).days + 1)
    return Forecast(rate, today + timedelta(days=-(-left // max(1, round(rate)))))
