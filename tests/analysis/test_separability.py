from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import UndefinedError
from analysis.separability import text_separability

WORDS = [
    "stop", "dose", "check", "level", "kidney", "call", "hold", "start", "later", "again", "review",
]  # fmt: skip


def texts(seed: int, tell: str = "") -> tuple[list[str], list[bool], list[str]]:
    """Six texts a vignette, the first of the model; `tell` stands in the model's alone."""
    rng = np.random.default_rng(seed)
    written, first, vignettes = [], [], []
    for vignette in range(20):
        for respondent in range(6):
            words = [str(w) for w in rng.choice(WORDS, 25)]
            written.append(" ".join([tell, *words] if respondent == 0 else words))
            first.append(respondent == 0)
            vignettes.append(f"V{vignette:02}")
    return written, first, vignettes


def test_a_word_that_only_the_model_uses_gives_it_away() -> None:
    written, first, vignettes = texts(1, tell="Certainly!")
    found = text_separability(written, first=first, vignettes=vignettes, seed=1)
    assert found.auc > 0.95
    assert found.low is not None and found.low > 0.9
    assert (found.n_first, found.n_second, found.n_folds) == (20, 100, 10)


def test_texts_of_one_kind_cannot_be_told_apart() -> None:
    values = []
    for seed in range(4):
        written, first, vignettes = texts(seed)
        found = text_separability(
            written, first=first, vignettes=vignettes, seed=1, n_resamples=200
        )
        values.append(found.auc)
        assert (
            found.low is not None and found.high is not None and found.low < 0.5 < found.high + 0.1
        )
    assert abs(np.mean(values) - 0.5) < 0.1


def test_a_tell_that_differs_from_case_to_case_does_not_count() -> None:
    # Within a vignette one random word gives the model away; nobody knows it on one left out.
    written, first, vignettes = texts(3)
    rng = np.random.default_rng(9)
    tells = {key: str(rng.integers(10**8, 10**9)) for key in zip(vignettes, first, strict=True)}
    told = [
        f"{tells[key]} {words}"
        for key, words in zip(zip(vignettes, first, strict=True), written, strict=True)
    ]
    found = text_separability(told, first=first, vignettes=vignettes, seed=1, n_resamples=100)
    assert found.auc < 0.7


def test_one_arm_or_too_few_vignettes_are_undefined_by_name() -> None:
    with pytest.raises(UndefinedError, match="one arm has no text"):
        text_separability(["a", "b"], first=[True, True], vignettes=["V1", "V2"], seed=1)
    with pytest.raises(UndefinedError, match="2 vignettes are too few"):
        text_separability(["a", "b"], first=[True, False], vignettes=["V1", "V2"], seed=1)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 texts, 1 arms and 2 vignettes"):
        text_separability(["a", "b"], first=[True], vignettes=["V1", "V2"], seed=1)
