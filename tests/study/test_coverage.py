from __future__ import annotations

import pytest

from study.coverage import coverage, reading_ease
from tests.studies import example_vignettes


def test_the_reading_ease_is_flesch_s() -> None:
    # Two sentences, six words, seven syllables (wa-ter has two):
    # 206.835 - 1.015 * 6 / 2 - 84.6 * 7 / 6 = 105.1
    assert reading_ease("The cat sat. It drank water.") == pytest.approx(105.1, abs=0.05)


def test_numbers_are_not_read_as_words() -> None:
    assert reading_ease("The cat sat.") == reading_ease("The cat sat 3.")


def test_the_matrix_counts_every_vignette_once() -> None:
    vignettes = list(example_vignettes(3).values())
    tables = coverage(vignettes)
    assert "| interaction | V01 V02 V03 |  |  |" in tables
    assert "| all | 3 | 0 | 0 |" in tables


def test_sources_are_counted_by_how_they_were_checked() -> None:
    tables = coverage(list(example_vignettes(1).values()))
    # Four key points with one reference each, none checked.
    assert "| V01 | 0 | 0 | 4 | none (not checked) |" in tables
