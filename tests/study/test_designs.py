from __future__ import annotations

import random
from collections import Counter
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from study.designs import incomplete_blocks, williams_square


@given(n_things=st.integers(2, 15))
def test_in_a_williams_square_each_follows_every_other_equally_often(n_things: int) -> None:
    rows = williams_square(n_things)
    times = 1 if n_things % 2 == 0 else 2
    assert len(rows) == times * n_things
    follows = Counter(pair for row in rows for pair in pairwise(row))
    assert set(follows.values()) == {times}
    assert len(follows) == n_things * (n_things - 1)
    for place in range(n_things):
        assert set(Counter(row[place] for row in rows).values()) == {times}


@given(
    n_things=st.integers(2, 9), size=st.integers(1, 9), n_blocks=st.integers(1, 12),
    seed=st.integers(0, 50),
)  # fmt: skip
def test_after_every_block_no_two_things_are_used_more_than_one_apart(
    n_things: int, size: int, n_blocks: int, seed: int
) -> None:
    size = min(size, n_things)
    things = [f"V{i}" for i in range(n_things)]
    blocks = incomplete_blocks(things, size, n_blocks, random.Random(seed))
    used = Counter(dict.fromkeys(things, 0))
    for block in blocks:
        assert len(set(block)) == len(block) == size
        used.update(block)
        assert max(used.values()) - min(used.values()) <= 1


def test_the_first_blocks_stay_the_same_however_many_follow() -> None:
    few = incomplete_blocks("ABCDEFG", 3, 2, random.Random(1))
    assert incomplete_blocks("ABCDEFG", 3, 7, random.Random(1))[:2] == few


def test_pairs_meet_more_evenly_than_by_chance() -> None:
    # Six blocks of three out of nine hold 18 of the 36 pairs if none meets twice.
    blocks = incomplete_blocks("ABCDEFGHI", 3, 6, random.Random(2))
    met = Counter(pair for block in blocks for pair in combinations(sorted(block), 2))
    assert sum(met.values()) == 18
    assert len(met) >= 17


def test_blocks_that_fit_are_preferred() -> None:
    blocks = incomplete_blocks(
        "ABCDEF", 2, 30, random.Random(3), fits=lambda block: set(block) != {"A", "B"}
    )
    assert {"A", "B"} not in [set(block) for block in blocks]
