"""Whether a machine can tell the arms apart from the masked text; what it can see, a rater may.

A simple classifier on words and letter runs, judged only on vignettes it was not fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.bootstrap import Finish, bca, blocks, refuse_few
from analysis.errors import NoIntervalError, UndefinedError
from analysis.permutation import Floats

MOST_FOLDS = 10
FEWEST_VIGNETTES = 5


@dataclass(frozen=True, slots=True)
class Separability:
    """Cross-validated area under the curve of a text classifier; 0.5 is blind, 1 tells all."""

    auc: float
    low: float | None
    """95 % limits by a bootstrap of whole vignettes; None where it gives none."""
    high: float | None
    n_first: int
    n_second: int
    n_folds: int


def text_separability(
    texts: Sequence[str], *, first: Sequence[bool], vignettes: Sequence[object], seed: int,
    n_resamples: int = 2_000, confidence: float = 0.95,
) -> Separability:  # fmt: skip
    """Cross-validated AUC of telling first-arm texts from second-arm texts.

    Logistic regression on weighted words, pairs of words and runs of three to five letters; folds
    are whole vignettes, so that the case cannot give the arm away.

    Args:
        texts: As raters saw them, shape (n_responses,).
        first: Whether a text is of the first arm.
        vignettes: Of each text.
        seed: Of the bootstrap.
        n_resamples: Bootstrap resamples.
        confidence: Of the interval.

    Raises:
        ValueError: If lengths differ.
        UndefinedError: If an arm has no text, or there are fewer than five vignettes.
    """
    label, groups = np.asarray(first, dtype=bool), np.asarray(vignettes, dtype=str)
    if not len(texts) == label.size == groups.size:
        raise ValueError(
            f"{len(texts)} texts, {label.size} arms and {groups.size} vignettes differ in number"
        )
    if label.all() or not label.any():
        raise UndefinedError("undefined: one arm has no text")
    n_vignettes = np.unique(groups).size
    if n_vignettes < FEWEST_VIGNETTES:
        raise UndefinedError(
            f"undefined: {n_vignettes} vignettes are too few to leave some out; "
            f"{FEWEST_VIGNETTES} are needed"
        )
    n_folds = min(MOST_FOLDS, n_vignettes)
    scores = _left_out_scores(texts, label, groups, n_folds)
    auc = _auc(scores, label)
    value = float(auc(np.ones((1, label.size)))[0])
    low: float | None
    high: float | None
    try:
        refuse_few(n_vignettes, value)
        member = np.unique(groups, return_inverse=True)[1]
        drawn = np.concatenate([
            auc(times[:, member].astype(float)) for times in blocks(n_vignettes, n_resamples, seed)
        ])  # fmt: skip
        without = np.stack([member != place for place in range(n_vignettes)]).astype(float)
        bounds = bca(value, drawn, auc(without), confidence)
        low, high = bounds.low, bounds.high
    except NoIntervalError:
        low = high = None
    return Separability(value, low, high, int(label.sum()), int((~label).sum()), n_folds)


def _left_out_scores(
    texts: Sequence[str], label: NDArray[np.bool_], groups: NDArray[np.str_], n_folds: int
) -> Floats:
    """Score of each text from a classifier fitted without its vignette, ranked within its fold."""
    from scipy.stats import rankdata
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline, make_union

    scores = np.full(label.size, np.nan)
    written = np.asarray(texts, dtype=object)
    for fitted, left in GroupKFold(n_folds).split(written, label, groups):
        if label[fitted].all() or not label[fitted].any():
            continue
        model = make_pipeline(
            make_union(
                TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+"),
                TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True),
            ),
            LogisticRegression(class_weight="balanced", max_iter=1_000),
        )
        model.fit(written[fitted], label[fitted])
        # Scales differ between folds; ranks within a fold do not.
        found = rankdata(model.decision_function(written[left]))
        scores[left] = found / (left.size + 1)
    return scores


def _auc(scores: Floats, label: NDArray[np.bool_]) -> Finish:
    """Weighted area under the curve; every first-arm score is compared with every other once."""
    above = scores[label][:, None] > scores[~label][None, :]
    equal = scores[label][:, None] == scores[~label][None, :]
    wins = above + equal / 2

    def of_weights(weights: Floats) -> Floats:
        first, second = weights[:, label], weights[:, ~label]
        won = ((first @ wins) * second).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(won / (first.sum(axis=1) * second.sum(axis=1)), dtype=float)

    return of_weights
