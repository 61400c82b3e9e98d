from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.allocation import assign_raters, blinding_codes
from study.answer_items import vignette_order
from study.errors import AllocationError

SEED = bytes(range(32))


@given(
    n_codes=st.integers(1, 40),
    n_raters=st.integers(1, 6),
    per_response=st.integers(1, 6),
    seed=st.binary(min_size=32, max_size=32),
)
def test_every_response_gets_its_number_of_distinct_raters_with_level_loads(
    n_codes: int, n_raters: int, per_response: int, seed: bytes
) -> None:
    codes = [f"C{i}" for i in range(n_codes)]
    raters = [f"R{i}" for i in range(n_raters)]
    if per_response > n_raters:
        with pytest.raises(AllocationError, match="need as many raters"):
            assign_raters(codes, raters, ratings_per_response=per_response, seed=seed)
        return
    plan = assign_raters(codes, raters, ratings_per_response=per_response, seed=seed)
    pairs = {(a.rater, a.code) for a in plan}
    assert len(pairs) == len(plan) == n_codes * per_response
    assert set(Counter(a.code for a in plan).values()) == {per_response}
    loads = Counter(a.rater for a in plan)
    assert max(loads[r] for r in raters) - min(loads[r] for r in raters) <= 1


def test_positions_run_from_one_without_gaps_for_each_rater() -> None:
    plan = assign_raters(list("abcdef"), ["x", "y"], ratings_per_response=1, seed=SEED)
    for rater in ("x", "y"):
        positions = sorted(a.position for a in plan if a.rater == rater)
        assert positions == list(range(1, len(positions) + 1))


def test_the_revealed_seed_replays_the_allocation() -> None:
    first = assign_raters(list("abcdef"), ["x", "y"], ratings_per_response=2, seed=SEED)
    assert first == assign_raters(list("abcdef"), ["x", "y"], ratings_per_response=2, seed=SEED)
    other = assign_raters(list("abcdef"), ["x", "y"], ratings_per_response=2, seed=bytes(32))
    assert first != other


def test_a_response_listed_twice_is_refused() -> None:
    with pytest.raises(AllocationError, match="listed twice"):
        assign_raters(["a", "a"], ["x"], ratings_per_response=1, seed=SEED)


def test_blinding_codes_are_distinct_and_hold_no_letter_that_looks_like_another() -> None:
    codes = blinding_codes(500, seed=SEED)
    assert len(set(codes)) == 500
    assert not set("".join(codes)) & set("01OILU")


def test_each_respondent_has_an_own_order_of_all_vignettes() -> None:
    vignettes = [f"V{i:02d}" for i in range(1, 31)]
    one, two = (vignette_order(SEED, name, vignettes) for name in ("one", "two"))
    assert sorted(one) == sorted(two) == vignettes
    assert one != two
