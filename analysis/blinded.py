"""Whether blinding held in this study: what raters guessed, and what a machine could tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.attempts import NotComputed, attempt
from analysis.blinding import (
    BangIndex,
    BlindingIndex,
    bang_index,
    bang_index_interval,
    james_index,
    james_index_interval,
)
from analysis.bootstrap import MIN_CLUSTERS
from analysis.dataset import Contrast, Dataset
from analysis.differences import difference_values
from analysis.errors import UndefinedError
from analysis.paired import HodgesLehmann, SignedRank, hodges_lehmann, signed_rank
from analysis.scores import scores_of
from analysis.separability import Separability, text_separability
from analysis.values import Interval

UNKNOWN = 2
"""Row of "don't know" in a table of guesses."""


@dataclass(frozen=True, slots=True)
class RaterGuesses:
    """One rater's guesses, or all raters' together."""

    rater: str
    """An id, or "all raters"."""
    counts: tuple[tuple[int, int], ...]
    """Guessed first, second, don't know by actual first, second."""
    bang: BangIndex | NotComputed
    james: BlindingIndex | NotComputed


@dataclass(frozen=True, slots=True)
class Unguessed:
    """The primary analysis on what was guessed wrong or not at all."""

    dimension: str
    n_vignettes: int
    test: SignedRank | NotComputed
    median: HodgesLehmann | NotComputed


@dataclass(frozen=True, slots=True)
class Blinded:
    """Everything on blinding, for the main contrast."""

    guesses: tuple[RaterGuesses, ...] | NotComputed
    """All raters first, then each."""
    bang_intervals: tuple[Interval | NotComputed, Interval | NotComputed] | NotComputed
    """Of both arms, resampling raters, or vignettes where raters are too few."""
    james_interval: Interval | NotComputed
    clusters: str
    """What was resampled."""
    unguessed: tuple[Unguessed, ...]
    separability: Separability | NotComputed


def blinded_result(dataset: Dataset) -> Blinded:
    """Guesses and separability of the main contrast; what was not asked says so."""
    contrast = dataset.contrasts[0]
    separability = attempt(lambda: _separability(dataset, contrast))
    rows = _guesses(dataset, contrast)
    if not rows:
        missing = NotComputed("not recorded: raters were not asked to guess the source")
        return Blinded(missing, missing, missing, "nothing", (), separability)
    raters = np.array([rater for rater, _, _, _ in rows], dtype=str)
    vignettes = np.array([vignette for _, vignette, _, _ in rows], dtype=str)
    guessed = np.array([guess for _, _, guess, _ in rows])
    actual = np.array([arm for _, _, _, arm in rows])
    by_rater = np.unique(raters).size >= MIN_CLUSTERS
    settings = dataset.protocol["analysis"]
    drawn: dict[str, Any] = {
        "clusters": (raters if by_rater else vignettes).tolist(), "seed": int(settings["seed"]),
        "n_resamples": int(settings["n_resamples"]), "confidence": float(settings["confidence"]),
    }  # fmt: skip
    pooled = _of_rater("all raters", guessed, actual)
    each = [
        _of_rater(str(name), guessed[raters == name], actual[raters == name])
        for name in np.unique(raters)
    ]

    def bang(arm: int) -> Interval | NotComputed:
        return attempt(
            lambda: bang_index_interval(guessed.tolist(), actual.tolist(), arm=arm, **drawn)
        )

    return Blinded(
        guesses=(pooled, *each),
        bang_intervals=(bang(0), bang(1)),
        james_interval=attempt(
            lambda: james_index_interval(guessed.tolist(), actual.tolist(), **drawn)
        ),
        clusters="raters" if by_rater else "vignettes",
        unguessed=_unguessed(dataset, contrast),
        separability=separability,
    )


def _guesses(dataset: Dataset, contrast: Contrast) -> list[tuple[str, str, int, int]]:
    """Rater, vignette, guess and actual arm of every guess on the two arms."""
    place = {contrast.first.id: 0, contrast.second.id: 1}
    responses = {row["blinding_code"]: row for row in dataset.tables["responses"]}
    found = []
    for row in dataset.tables["guesses"]:
        response = responses[row["blinding_code"]]
        if response["arm"] in place:
            guess = place.get(str(row["guess"]), UNKNOWN)
            found.append(
                (str(row["rater_id"]), str(response["vignette_id"]), guess, place[response["arm"]])
            )
    return found


def _of_rater(rater: str, guessed: NDArray[np.int_], actual: NDArray[np.int_]) -> RaterGuesses:
    counts = np.zeros((3, 2), dtype=int)
    np.add.at(counts, (guessed, actual), 1)
    return RaterGuesses(
        rater,
        tuple((int(first), int(second)) for first, second in counts),
        attempt(lambda: bang_index(counts)),
        attempt(lambda: james_index(counts)),
    )


def _unguessed(dataset: Dataset, contrast: Contrast) -> tuple[Unguessed, ...]:
    """The test again on the ratings whose rater guessed wrong or did not know."""
    right = {
        (str(row["blinding_code"]), str(row["rater_id"]))
        for row in dataset.tables["guesses"]
        if row["guess"] is not None
        and row["guess"] == _arm_of_code(dataset).get(str(row["blinding_code"]))
    }
    codes = sorted(
        str(row["blinding_code"])
        for row in dataset.tables["responses"]
        if row["blinding_code"] is not None
    )
    results = []
    for dimension in dataset.dimensions:
        scores = scores_of(dataset, dimension)
        known = np.array([[(code, r) in right for r in scores.raters] for code in codes])
        d = difference_values(scores.hide(known), contrast)
        d = d[np.isfinite(d)]
        results.append(
            Unguessed(
                dimension.label, d.size,
                attempt(lambda d=d: signed_rank(d)),  # type: ignore[misc]
                attempt(lambda d=d: hodges_lehmann(d)),  # type: ignore[misc]
            )
        )  # fmt: skip
    return tuple(results)


def _arm_of_code(dataset: Dataset) -> dict[str, str]:
    return {str(row["blinding_code"]): str(row["arm"]) for row in dataset.tables["responses"]}


def _separability(dataset: Dataset, contrast: Contrast) -> Separability:
    rows = [
        row
        for row in dataset.tables["responses"]
        if row["masked_text"] and row["arm"] in (contrast.first.id, contrast.second.id)
    ]
    if not rows:
        raise UndefinedError("not computed: the data hold no texts")
    settings = dataset.protocol["analysis"]
    return text_separability(
        [str(row["masked_text"]) for row in rows],
        first=[row["arm"] == contrast.first.id for row in rows],
        vignettes=[row["vignette_id"] for row in rows],
        seed=int(settings["seed"]),
        n_resamples=min(int(settings["n_resamples"]), 2_000),
    )
