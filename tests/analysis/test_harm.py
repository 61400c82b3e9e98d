from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from analysis.errors import UndefinedError
from analysis.harm import marked_shares

SETTINGS = {"n_resamples": 500, "seed": 1}


def rows(marked: dict[tuple[int, int, int], bool]) -> dict[str, Any]:
    """Ratings from (vignette, respondent, rater); respondent 0 is the first arm."""
    return {
        "marks": list(marked.values()),
        "vignettes": [k[0] for k in marked],
        "respondents": [k[1] for k in marked],
        "raters": [k[2] for k in marked],
        "first": [k[1] == 0 for k in marked],
    }


def test_the_shares_by_hand() -> None:
    # Two vignettes, respondents 0 (first), 1 and 2, two raters. First arm: V0 marked by one of two
    # raters (0.5), V1 by none (0): 0.25. Second: V0 respondent 1 by both (1), 2 by none (0): 0.5;
    # V1 none: 0; so 0.25. Differences 0 and 0.
    marked = {key: False for key in product((0, 1), (0, 1, 2), (0, 1))}
    marked[0, 0, 0] = marked[0, 1, 0] = marked[0, 1, 1] = True
    found = marked_shares(**rows(marked), **SETTINGS)
    assert (found.first, found.second, found.difference) == (0.25, 0.25, 0.0)
    assert found.p_value is None
    assert (found.n_first, found.n_second) == (2, 4)
    assert (found.by_any_first, found.by_any_second) == (1, 1)
    assert found.low is None


def test_a_missing_mark_does_not_reweight_a_respondent() -> None:
    # V0: respondent 1 has marks of both raters (1, 1), respondent 2 of one only (0): still 0.5.
    marked = {(0, 0, 0): False, (0, 1, 0): True, (0, 1, 1): True, (0, 2, 0): False}
    assert marked_shares(**rows(marked), **SETTINGS).second == 0.5


def test_a_mark_that_was_not_asked_for_is_no_mark_of_nought() -> None:
    columns = rows({(0, 0, 0): True, (0, 1, 0): True})
    columns["marks"] = np.append(np.array(columns["marks"], dtype=float), np.nan)
    for name, value in (("vignettes", 0), ("respondents", 1), ("raters", 1), ("first", False)):
        columns[name] = [*columns[name], value]
    assert marked_shares(**columns, **SETTINGS).second == 1.0


def test_harm_in_one_arm_only_has_a_small_p_and_an_interval_off_zero() -> None:
    marked = {(v, p, 0): p == 0 for v, p in product(range(12), range(4))}
    marked[0, 0, 0] = False
    found = marked_shares(**rows(marked), **SETTINGS)
    # 11 differences of 1 and one of 0: 2 / 2^11.
    assert found.p_value == 2 / 2**11
    assert found.low is not None and found.low > 0.5
    assert found.difference == pytest.approx(11 / 12)


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    marked = {key: bool(rng.random() < 0.3) for key in product(range(9), range(5), range(3))}
    columns = rows(marked)
    place = rng.permutation(len(marked))
    moved = {name: [column[i] for i in place] for name, column in columns.items()}
    assert marked_shares(**moved, **SETTINGS) == marked_shares(**columns, **SETTINGS)


def test_a_response_marked_twice_by_one_rater_is_refused_by_name() -> None:
    columns = rows({(0, 0, 7): True, (0, 1, 7): False})
    doubled = {name: [*column, column[0]] for name, column in columns.items()}
    with pytest.raises(ValueError, match="rater 7 marked one response 2 times"):
        marked_shares(**doubled, **SETTINGS)


def test_marks_that_are_neither_yes_nor_no_are_refused() -> None:
    columns = rows({(0, 0, 0): True, (0, 1, 0): False})
    with pytest.raises(ValueError, match=r"marks are 0 or 1; got \[2\.0\]"):
        marked_shares(**{**columns, "marks": [1, 2]}, **SETTINGS)


def test_arms_without_a_vignette_in_common_are_undefined_by_name() -> None:
    with pytest.raises(UndefinedError, match="no vignette has marks in both arms"):
        marked_shares(**rows({(0, 0, 0): True, (1, 1, 0): False}), **SETTINGS)
