"""What the console says of raters, against hand arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.monitoring import (
    Forecast,
    agreement,
    drift,
    forecast,
    pace,
    per_day,
    straight_lining_since,
    watch_raters,
)
from study.monitor import Monitored, Scored
from study.protocol import Dimension, parse_protocol
from tests.studies import protocol_values

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def rated(
    rater: str, number: int, *, scores: tuple[int, int] = (3, 4), after_s: float = 60
) -> Scored:
    """A rater's rating of response `number`, that many intervals after the beginning."""
    at = BEGAN + timedelta(seconds=after_s * number)
    return Scored(rater, f"C{number}", f"V{number % 6}", scores, at)


def dimensions() -> tuple[Dimension, ...]:
    return tuple(parse_protocol(protocol_values()).rating.dimensions)


def seen(ratings: list[Scored]) -> Monitored:
    return Monitored(dimensions(), ("V0",), {}, tuple(ratings), ())


def test_the_pace_is_the_median_gap_without_the_breaks() -> None:
    times = [0, 50, 110, 170, 170 + 3600, 170 + 3600 + 90]
    ratings = [
        Scored("A", f"C{i}", "V0", (3, 3), BEGAN + timedelta(seconds=s))
        for i, s in enumerate(times)
    ]
    assert pace(ratings) == 60  # of 50, 60, 60 and 90; the hour is a break
    assert pace(ratings[:3]) is None


def test_a_rater_much_faster_or_slower_than_the_others_is_flagged() -> None:
    ratings = [
        rated(rater, n, after_s=gap, scores=(1 + n % 5, 3))
        for rater, gap in (("QUICK", 5), ("USUAL", 60), ("SAME", 70), ("LATE", 600))
        for n in range(8)
    ]
    flags = {w.rater: w.flags for w in watch_raters(seen(ratings))}
    assert flags["QUICK"] == ("fast: 5 s a response, all raters 65 s",)
    assert flags["LATE"] == ("slow: 10 min a response, all raters 1 min",)
    assert flags["USUAL"] == flags["SAME"] == ()


def test_ten_like_ratings_in_a_row_are_straight_lining() -> None:
    varied = [rated("A", n, scores=(1 + n % 5, 3)) for n in range(5)]
    alike = [rated("A", n, scores=(3, 3)) for n in range(10, 20)]
    assert straight_lining_since([*varied, *alike]) == alike[0].submitted_at
    assert straight_lining_since([*varied, *alike[1:]]) is None
    assert straight_lining_since([*alike, *varied]) is None


def test_drift_is_the_last_third_against_the_first() -> None:
    assert drift([0.0] * 15 + [0.2] * 15 + [0.6] * 15) == pytest.approx(0.6)
    assert drift([0.0] * 14 + [0.5] * 28) is None


def test_a_rater_who_grows_stricter_than_the_others_drifts() -> None:
    others = [rated("B", n, scores=(4, 4)) for n in range(45)]
    own = [rated("A", n, scores=(4, 4) if n < 30 else (3, 3)) for n in range(45)]
    found = {w.rater: w for w in watch_raters(seen([*others, *own]))}
    assert found["A"].drift == pytest.approx(-1)
    assert "drift: -1.0 points against the others since the beginning" in found["A"].flags


def test_agreement_waits_for_ten_shared_responses_and_is_alpha_then() -> None:
    import krippendorff
    import numpy as np

    pairs = [(1 + n % 5, 1 + (n * 3) % 5) for n in range(12)]
    ratings = [rated(r, n, scores=(s[i], 3)) for n, s in enumerate(pairs)
               for i, r in enumerate(("A", "B"))]  # fmt: skip
    early = agreement(seen(ratings[:12]))
    assert (early[0].alpha, early[0].note) == (None, "from 10 shared responses on")
    first, second = agreement(seen(ratings))
    wanted = krippendorff.alpha(np.array(pairs).T, level_of_measurement="ordinal")
    assert first.alpha == pytest.approx(wanted)
    assert first.n_responses == 12
    assert second.alpha is None and "no variation" in second.note


def test_the_forecast_goes_on_at_the_pace_of_the_last_week() -> None:
    ratings = [rated("A", n, after_s=24 * 3600 / 10) for n in range(40)]  # ten a day, four days
    assert per_day(ratings) == [(date(2026, 3, d), n) for d, n in ((2, 7), (3, 10), (4, 10),
                                                                  (5, 10), (6, 3))]  # fmt: skip
    assert forecast(ratings, 100, date(2026, 3, 6)) == Forecast(8.0, date(2026, 3, 14))
    assert forecast(ratings, 40, date(2026, 3, 6)) is None
    assert forecast([], 40, date(2026, 3, 6)) is None
