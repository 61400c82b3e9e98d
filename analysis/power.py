"""Power and sample size by simulating whole studies from a rounded latent model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import stats

from analysis.permutation import Floats

BLOCK = 20_000_000
"""Scores held at once."""


@dataclass(frozen=True, slots=True)
class Latent:
    """Standard deviations of what makes a score before it is rounded, in rubric points."""

    mean: float = 3.5
    """Of the residents."""
    vignette: float = 0.5
    respondent: float = 0.25
    """Between residents; the model is fixed."""
    cell: float = 0.4
    """One respondent's luck on one vignette."""
    rater: float = 0.3
    rest: float = 0.6
    minimum: float = 1
    maximum: float = 5
    step: float = 1


@dataclass(frozen=True, slots=True)
class Power:
    """How often a study of this size would show each claim."""

    n_vignettes: int
    n_residents: int
    n_raters: int
    effect: float
    """Model minus residents before rounding, rubric points."""
    superiority: float
    """Two-sided signed-rank p at or below alpha over the size of the family: Holm's first step."""
    superiority_last: float
    """At alpha itself: Holm's last step, once the others were shown."""
    noninferiority: float
    equivalence: float
    mean_difference: float
    """Of the rounded scores; rounding and the ends of the scale shrink the effect."""
    n_studies: int


def simulate(
    *, n_vignettes: Sequence[int], n_residents: Sequence[int], n_raters: Sequence[int],
    effect: float, margin: float, seed: int, latent: Latent | None = None, alpha: float = 0.05,
    n_family: int = 4, n_studies: int = 2_000,
) -> tuple[Power, ...]:  # fmt: skip
    """Power over a grid of vignettes, residents and raters.

    Each study is complete: every resident and the model answer every vignette, every rater rates
    every answer. p values are the asymptotic Pratt signed-rank's.

    Args:
        n_vignettes: Sizes to try, each at least 5.
        n_residents: Sizes to try, each at least 1.
        n_raters: Sizes to try, each at least 1.
        effect: True difference before rounding, rubric points.
        margin: For non-inferiority and equivalence, rubric points above 0.
        seed: Of the simulation.
        latent: The model of a score; a plausible one by default.
        alpha: Two-sided level of the family; one-sided tests against the margin use alpha / 2 for
            non-inferiority and alpha for equivalence.
        n_family: Dimensions in the family.
        n_studies: Simulated studies a cell.

    Raises:
        ValueError: If a size, the margin or a spread is out of its range.

    References:
        docs/analysis_plan.md, point 13.
    """
    drawn_from = latent or Latent()
    _check(n_vignettes, n_residents, n_raters, margin, drawn_from, n_studies)
    grid = list(product(n_vignettes, n_residents, n_raters))
    seeds = np.random.SeedSequence(seed).spawn(len(grid))
    return tuple(
        _cell(sizes, effect, margin, drawn_from, alpha, n_family, n_studies, cell_seed)
        for sizes, cell_seed in zip(grid, seeds, strict=True)
    )


def _check(
    n_vignettes: Sequence[int], n_residents: Sequence[int], n_raters: Sequence[int],
    margin: float, latent: Latent, n_studies: int,
) -> None:  # fmt: skip
    for name, sizes, least in (
        ("n_vignettes", n_vignettes, 5), ("n_residents", n_residents, 1),
        ("n_raters", n_raters, 1), ("n_studies", [n_studies], 100),
    ):  # fmt: skip
        if not sizes or min(sizes) < least:
            raise ValueError(f"{name} is {list(sizes)}; each is {least} or more")
    if not margin > 0:
        raise ValueError(f"the margin is {margin}; it is a number of rubric points above 0")
    spreads = (latent.vignette, latent.respondent, latent.cell, latent.rater, latent.rest)
    if min(spreads) < 0 or max(spreads) == 0:
        raise ValueError(f"standard deviations are {spreads}; they are 0 or more, not all 0")
    if latent.minimum >= latent.maximum or latent.step <= 0:
        raise ValueError(
            f"the scale runs from {latent.minimum} to {latent.maximum} by {latent.step}"
        )


def _cell(
    sizes: tuple[int, int, int], effect: float, margin: float, latent: Latent, alpha: float,
    n_family: int, n_studies: int, seed: np.random.SeedSequence,
) -> Power:  # fmt: skip
    d = np.concatenate(list(_studies(sizes, effect, latent, n_studies, seed)))
    two_sided = 2 * stats.norm.sf(np.abs(signed_rank_z(d)))
    below, above = signed_rank_z(d + margin), signed_rank_z(d - margin)
    lower, upper = stats.norm.sf(below), stats.norm.cdf(above)
    return Power(
        *sizes, effect=effect,
        superiority=float((two_sided <= alpha / n_family).mean()),
        superiority_last=float((two_sided <= alpha).mean()),
        noninferiority=float((lower <= alpha / 2).mean()),
        equivalence=float((np.maximum(lower, upper) <= alpha).mean()),
        mean_difference=float(d.mean()), n_studies=n_studies,
    )  # fmt: skip


def _studies(
    sizes: tuple[int, int, int], effect: float, latent: Latent, n_studies: int,
    seed: np.random.SeedSequence,
) -> Iterator[Floats]:  # fmt: skip
    """Per-vignette differences of simulated studies, blocks of (n, n_vignettes)."""
    v, p, r = sizes
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // (v * (p + 1) * r))
    for begun in range(0, n_studies, step):
        n = min(step, n_studies - begun)
        resident = rng.normal(0, latent.respondent, (n, 1, p + 1, 1))
        resident[:, :, 0] = effect
        scores = (
            latent.mean
            + rng.normal(0, latent.vignette, (n, v, 1, 1))
            + resident
            + rng.normal(0, latent.cell, (n, v, p + 1, 1))
            + rng.normal(0, latent.rater, (n, 1, 1, r))
            + rng.normal(0, latent.rest, (n, v, p + 1, r))
        )
        points = np.rint((scores - latent.minimum) / latent.step) * latent.step + latent.minimum
        rated = np.clip(points, latent.minimum, latent.maximum).mean(axis=3)
        yield np.round(rated[:, :, 0] - rated[:, :, 1:].mean(axis=2), 9)


def signed_rank_z(differences: Floats) -> Floats:
    """Pratt's signed-rank Z of each row; 0 where a row holds zeros only.

    Args:
        differences: Shape (n_studies, n_vignettes).
    """
    values = np.round(differences, 9)
    ranks = np.where(values != 0, stats.rankdata(np.abs(values), axis=1), 0.0)
    spread = np.sqrt((ranks**2).sum(axis=1))
    return np.asarray((np.sign(values) * ranks).sum(axis=1) / np.where(spread > 0, spread, 1.0))
