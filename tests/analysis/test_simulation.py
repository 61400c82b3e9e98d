"""Whole simulated studies: does a test reject at its level, does an interval cover, is a planted
effect found? Bounds are four standard errors of the simulated share."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from analysis.effects import rank_biserial, rank_biserial_value
from analysis.equivalence import equivalence, noninferiority
from analysis.generalise import two_way_random
from analysis.mixed import fit_crossed
from analysis.paired import hodges_lehmann, mean_difference, sign_flip, signed_rank
from analysis.reliability import gwet_ac_interval, icc, icc_interval

V, P, R = 30, 6, 3


def study(
    rng: np.random.Generator, *, effect: float = 0.0, respondent: float = 0.3, n: int = V
) -> np.ndarray:
    """Rounded scores (vignettes, respondents, raters); respondent 0 is the model."""
    people = rng.normal(0, respondent, P)
    people[0] = effect + people[1:].mean()  # the panel is what the estimand speaks of
    latent = (
        3.0 + rng.normal(0, 0.6, (n, 1, 1)) + people[None, :, None]
        + rng.normal(0, 0.4, (n, P, 1)) + rng.normal(0, 0.3, R) + rng.normal(0, 0.6, (n, P, R))
    )  # fmt: skip
    return np.clip(np.rint(latent), 1, 5)


def differences(scores: np.ndarray) -> np.ndarray:
    means = scores.mean(axis=2)
    return np.round(means[:, 0] - means[:, 1:].mean(axis=1), 9)


def within(share: float, wanted: float, n: int) -> bool:
    return abs(share - wanted) <= 4 * sqrt(wanted * (1 - wanted) / n)


def test_the_primary_test_rejects_at_its_level_where_pooled_ratings_would_not() -> None:
    rng, n = np.random.default_rng(1), 1_500
    vignette, pooled = 0, 0
    for _ in range(n):
        scores = study(rng)
        vignette += signed_rank(differences(scores)).p_value <= 0.05
        pairs = (scores[:, :1] - scores[:, 1:]).ravel()
        pooled += signed_rank(pairs).p_value <= 0.05
    assert within(vignette / n, 0.05, n)
    assert pooled / n > 0.2  # the published mistake: 450 pooled pairs


def test_sensitivity_tests_reject_at_their_level_too() -> None:
    rng, n = np.random.default_rng(2), 800
    flips, dropped, t = 0, 0, 0
    for _ in range(n):
        d = differences(study(rng))
        flips += sign_flip(d).p_value <= 0.05
        dropped += signed_rank(d, zeros="wilcoxon").p_value <= 0.05
        t += mean_difference(d).p_value <= 0.05
    for rejected in (flips, dropped, t):
        assert within(rejected / n, 0.05, n)


def test_the_intervals_of_the_difference_cover() -> None:
    rng, n, effect = np.random.default_rng(3), 800, 0.5
    truth = float(np.mean([differences(study(rng, effect=effect)).mean() for _ in range(2_000)]))
    median, mean = 0, 0
    for _ in range(n):
        d = differences(study(rng, effect=effect))
        hl, t = hodges_lehmann(d), mean_difference(d)
        median += hl.low <= truth <= hl.high
        mean += t.low <= truth <= t.high
    # Differences are near symmetric, so the median of Walsh averages estimates the mean.
    assert within(median / n, 0.953, n)
    assert within(mean / n, 0.95, n)


def test_the_bca_interval_of_the_rank_biserial_covers_about_nine_times_in_ten() -> None:
    rng, n = np.random.default_rng(4), 300
    large = np.concatenate([differences(study(rng, effect=0.35)) for _ in range(400)])
    truth, covered = rank_biserial_value(large), 0
    for number in range(n):
        found = rank_biserial(differences(study(rng, effect=0.35)), n_resamples=800, seed=number)
        covered += found.low <= truth <= found.high
    assert 0.88 <= covered / n <= 0.98


def test_the_two_way_interval_covers_over_other_residents_and_the_panels_does_not() -> None:
    rng, n = np.random.default_rng(5), 600
    two_way, panel = 0, 0
    for _ in range(n):
        people = rng.normal(0, 0.5, P - 1)
        d = rng.normal(0, 0.6, (V, 1)) - people + rng.normal(0, 0.5, (V, P - 1))
        wide, narrow = two_way_random(d), mean_difference(d.mean(axis=1))
        two_way += wide.low <= 0 <= wide.high
        panel += narrow.low <= 0 <= narrow.high
    assert within(two_way / n, 0.95, n) or two_way / n > 0.95
    assert panel / n < 0.85


@pytest.mark.parametrize("residents", ["random", "fixed"])
def test_the_mixed_model_covers_what_it_speaks_of(residents: str) -> None:
    rng, n = np.random.default_rng(6), 250
    v, p, r = (a.ravel() for a in np.meshgrid(range(V), range(P), range(R), indexing="ij"))
    covered = 0
    for _ in range(n):
        people = rng.normal(0, 0.5, P)
        people[0] = 0.4 + (people[1:].mean() if residents == "fixed" else 0.0)
        y = (
            3 + rng.normal(0, 0.6, V)[v] + people[p] + rng.normal(0, 0.4, (V, P))[v, p]
            + rng.normal(0, 0.3, R)[r] + rng.normal(0, 0.6, v.size)
        )  # fmt: skip
        fit = fit_crossed(
            y, vignettes=v.tolist(), respondents=p.tolist(), raters=r.tolist(), first=p == 0,
            residents=residents,  # type: ignore[arg-type]
        )  # fmt: skip
        covered += fit.low <= 0.4 <= fit.high
    assert within(covered / n, 0.95, n)


def test_noninferiority_and_equivalence_hold_their_levels_at_the_margin() -> None:
    rng, n = np.random.default_rng(7), 800
    worse, equal = 0, 0
    for _ in range(n):
        d = rng.normal(0, 0.8, V)
        worse += noninferiority(d - 0.5, margin=0.5).p_value <= 0.025
        equal += equivalence(d + 0.5, margin=0.5).p_value <= 0.05
    assert within(worse / n, 0.025, n)
    assert within(equal / n, 0.05, n)


def test_a_planted_difference_is_found_with_its_size() -> None:
    rng = np.random.default_rng(8)
    found = [hodges_lehmann(differences(study(rng, effect=0.6))) for _ in range(200)]
    # Rounding and the ends of the scale take a little of 0.6.
    assert 0.5 <= np.mean([f.value for f in found]) <= 0.62
    assert np.mean([f.low > 0 for f in found]) > 0.9


def test_the_cluster_bootstrap_covers_where_items_taken_alone_would_be_too_narrow() -> None:
    # Ratings of one vignette share how hard it is to agree on: 20 vignettes, 6 responses each.
    rng, n = np.random.default_rng(9), 150

    def ratings(n_vignettes: int) -> tuple[np.ndarray, np.ndarray]:
        clusters = np.repeat(np.arange(n_vignettes), 6)
        level = rng.normal(0, 1.0, n_vignettes)[clusters] + rng.normal(0, 0.3, clusters.size)
        return level[:, None] + rng.normal(0, 0.7, (clusters.size, 3)), clusters

    truth = float(np.mean([icc(ratings(400)[0], form="A,1").value for _ in range(10)]))
    clustered, alone = 0, 0
    for number in range(n):
        values, clusters = ratings(20)
        settings = {"form": "A,1", "n_resamples": 400, "seed": number}
        wide = icc_interval(values, clusters=clusters.tolist(), **settings)  # type: ignore[arg-type]
        narrow = icc_interval(values, clusters=list(range(120)), **settings)  # type: ignore[arg-type]
        clustered += wide.low <= truth <= wide.high
        alone += narrow.low <= truth <= narrow.high
    assert clustered / n > 0.8
    assert alone / n < clustered / n - 0.1


def test_gwets_interval_is_defined_and_covers_when_ratings_pile_up() -> None:
    rng, n = np.random.default_rng(10), 150
    scale = (1, 2, 3, 4, 5)

    def piled(n_items: int) -> np.ndarray:
        return np.where(rng.random((n_items, 3)) < 0.93, 5.0, 4.0)

    truth = gwet_ac_interval(
        piled(40_000), categories=scale, clusters=[i % 50 for i in range(40_000)], n_resamples=100,
        seed=1,
    ).value  # fmt: skip
    covered = 0
    for number in range(n):
        found = gwet_ac_interval(
            piled(120), categories=scale, clusters=[i % 30 for i in range(120)], n_resamples=400,
            seed=number,
        )  # fmt: skip
        covered += found.low <= truth <= found.high
    assert covered / n > 0.86
