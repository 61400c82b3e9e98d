"""Planted scores: a latent model with declared effects, rounded to the scale.

    latent = centre + shift [model] + vignette + vignette x arm + respondent + response + rater
             + noise

Every part is normal and independent (residents' skills are centred on their panel). A score is the
latent value rounded to the nearest whole rubric point and held within the scale. The scores have
nothing to do with what the texts say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.simulate.settings import DimensionSettings, Spreads

MINIMUM, MAXIMUM = 1, 5


def draw_scores(
    dimension: DimensionSettings,
    spreads: Spreads,
    *,
    n_vignettes: int,
    n_residents: int,
    n_raters: int,
    rng: np.random.Generator,
    n_studies: int = 1,
    n_models: int = 1,
) -> NDArray[np.int64]:
    """Scores of one dimension for whole studies.

    Args:
        dimension: Centre and shift of the dimension.
        spreads: Standard deviations of the latent parts.
        n_vignettes: Vignettes of a study.
        n_residents: Clinicians of a study, of whatever arm; each model is one respondent more.
        n_raters: Raters of a study.
        rng: Generator.
        n_studies: Independent studies.
        n_models: Models of a study; every one is drawn with the model's shift.

    Returns:
        Rubric points 1 to 5, shape (n_studies, n_vignettes, n_models + n_residents, n_raters); the
        models come first.
    """
    n_respondents = n_models + n_residents
    is_model = (np.arange(n_respondents) < n_models).astype(float)[None, None, :, None]

    def part(spread: float, *shape: int) -> NDArray[np.float64]:
        return rng.normal(0.0, spread, (n_studies, *shape))

    # Half of the difference goes to each arm, so that the pooled difficulty stays the vignette's.
    by_arm = part(spreads.vignette_by_arm, n_vignettes, 1, 1) * (is_model - 0.5)
    latent = (
        dimension.centre
        + dimension.shift * is_model
        + part(spreads.vignette, n_vignettes, 1, 1)
        + by_arm
        + _skills(part(spreads.respondent, 1, n_respondents, 1), is_model)
        + part(spreads.response, n_vignettes, n_respondents, 1)
        + part(spreads.rater, 1, 1, n_raters)
        + part(spreads.noise, n_vignettes, n_respondents, n_raters)
    )
    return np.clip(np.rint(latent), MINIMUM, MAXIMUM).astype(np.int64)


def _skills(drawn: NDArray[np.float64], is_model: NDArray[np.float64]) -> NDArray[np.float64]:
    """Residents' skills, centred on the panel: the declared effect is against this panel."""
    people = 1 - is_model
    mean = (drawn * people).sum(axis=2, keepdims=True) / people.sum()
    return (drawn - mean) * people


def vignette_differences(scores: NDArray[np.int64]) -> NDArray[np.float64]:
    """Model minus residents per vignette, residents averaged first.

    Args:
        scores: Shape (n_studies, n_vignettes, 1 + n_residents, n_raters).

    Returns:
        Rubric points, shape (n_studies, n_vignettes).
    """
    per_respondent = scores.mean(axis=3)
    return np.round(per_respondent[:, :, 0] - per_respondent[:, :, 1:].mean(axis=2), 9)
