from __future__ import annotations

from pathlib import Path

import pytest

from analysis.dataset import Dataset, open_export
from analysis.results import compute
from analysis.wording import finding, number, p_cell, p_in_words, signed
from tests.analysis.frozen import Frozen


def written(
    tmp_path: Path, scores: list[int], *, family: list[str] | None = None, **options: str
) -> tuple[Dataset, str]:
    """The sentence on correctness when residents always get 3 and the model gets `scores`."""
    frozen = Frozen(n_vignettes=len(scores), **options)
    for vignette, score in zip(frozen.vignettes, scores, strict=True):
        frozen.respond("P1", "people", vignette, [[3, 3], [3, 3]])
        frozen.respond("M", "model", vignette, [[score, 4], [score, 4]])
    if family is not None:
        frozen.protocol["primary"]["family"] = family
    dataset = open_export(frozen.write(tmp_path))
    return dataset, finding(dataset, compute(dataset).dimensions[0])


def test_a_difference_that_holds_is_stated_with_all_its_numbers(tmp_path: Path) -> None:
    # Eight differences of +1: p = 2 / 2^8 = .0078, doubled by Holm over two equal p values.
    # Cutting 4 Walsh averages at each end misses with chance 2 * 5/256 = 3.9 %.
    _, words = written(tmp_path, [4] * 8)
    assert words == (
        "Correctness: Model scored 1.00 points higher than Residents (96.1 % interval +1.00 to "
        "+1.00; exact signed-rank p = .008, Holm-adjusted p = .016; 8 vignettes). The direction "
        "holds after adjustment at the level 0.05."
    )


@pytest.mark.parametrize(
    ("direction", "word"), [("higher_is_better", "lower"), ("lower_is_better", "better")]
)
def test_lower_scores_read_as_better_only_where_lower_is_better(
    tmp_path: Path, direction: str, word: str
) -> None:
    _, words = written(tmp_path, [2] * 8, direction=direction)
    assert f"Model scored 1.00 points {word} than Residents" in words


def test_an_interval_without_zero_claims_nothing_when_the_adjusted_p_is_large(
    tmp_path: Path,
) -> None:
    # Six differences of +1: p = 2/64 = .031, but .0625 after Holm, and the interval is 1 to 1.
    _, words = written(tmp_path, [4] * 6)
    assert "adjusted for the whole family the evidence does not reach the level 0.05" in words
    assert "stays open" not in words


def test_a_dimension_outside_the_family_is_called_descriptive(tmp_path: Path) -> None:
    _, words = written(tmp_path, [4] * 6, family=["safety"])
    assert "not adjusted" in words
    assert words.endswith("Descriptive: this dimension is outside the declared family.")


def test_a_family_that_cannot_be_adjusted_claims_nothing(tmp_path: Path) -> None:
    frozen = Frozen()
    for vignette in frozen.vignettes:
        frozen.respond("P1", "people", vignette, [[3, 3], [3, 3]])
        frozen.respond("M", "model", vignette, [[4, 3], [4, 3]])
    dataset = open_export(frozen.write(tmp_path))
    correctness, safety = compute(dataset).dimensions
    assert "No claim is made: a member of the family has no p" in finding(dataset, correctness)
    assert "no test, undefined: all 6 differences are zero" in finding(dataset, safety)


def test_two_vignettes_leave_direction_and_size_open(tmp_path: Path) -> None:
    _, words = written(tmp_path, [4, 5])
    assert "95 % is not attainable with 2 pairs; attainable: 50 %" in words
    assert words.endswith("So few vignettes leave both the direction and the size open.")


@pytest.mark.parametrize(
    ("value", "words"), [(-0.004, "0.00"), (-0.5, "\u22120.50"), (1.005, "1.00")]
)
def test_numbers_have_a_real_minus_and_no_negative_zero(value: float, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0.25, "+0.25"), (-0.25, "\u22120.25"), (0.0, "0.00"), (-0.001, "0.00")]
)
def test_a_signed_number_has_a_sign_unless_it_is_nought(value: float, words: str) -> None:
    assert signed(value) == words


def test_p_values_are_printed_as_journals_do() -> None:
    assert (p_in_words(0.0004), p_in_words(0.031)) == ("p < .001", "p = .031")
    assert p_in_words(1.0) == "p = 1.000"


def test_no_table_prints_a_p_of_nought() -> None:
    assert (p_cell(0.00001), p_cell(0.0421)) == ("<0.0001", "0.0421")
