"""Squares and blocks that orders and shares are dealt from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations

Row = tuple[int, ...]
N_TRIES = 30
"""Blocks drawn for one place; the one with the most even pairs is taken."""


def williams_square(n_things: int) -> tuple[Row, ...]:
    """Rows in which each thing stands once at each place and follows every other equally often.

    For an even number one square of `n_things` rows, in which each follows each other once; for
    an odd number a pair of squares, `2 * n_things` rows, in which each follows each other twice.

    References:
        Williams 1949, Aust. J. Sci. Res. A 2, 149.

    >>> williams_square(4)
    ((0, 1, 3, 2), (1, 2, 0, 3), (2, 3, 1, 0), (3, 0, 2, 1))
    """
    first = [(step + 1) // 2 * (1 if step % 2 else -1) for step in range(n_things)]
    rows = tuple(tuple((place + turn) % n_things for place in first) for turn in range(n_things))
    return rows if n_things % 2 == 0 else rows + tuple(row[::-1] for row in rows)


def incomplete_blocks(
    things: Sequence[str],
    block_size: int,
    n_blocks: int,
    rng: random.Random,
    *,
    fits: Callable[[Sequence[str]], bool] = lambda block: True,
) -> tuple[tuple[str, ...], ...]:
    """Blocks of some of the things; after each block no two things are used more than one apart.

    Each block takes the things used least so far; among `N_TRIES` draws of those, the one whose
    pairs have met least. Where none of them fits, others are drawn, and uses may for a while be
    further apart. The first blocks stay the same however many follow.

    Args:
        things: What is dealt, each once.
        block_size: Things in a block, at most all.
        n_blocks: How many blocks.
        rng: Decides among equals.
        fits: Whether a block is wanted; blocks that fit are preferred to all others.
    """
    used, met = Counter[str](), Counter[frozenset[str]]()
    blocks: list[tuple[str, ...]] = []
    for _ in range(n_blocks):
        tried = [_least_used(things, block_size, used, rng) for _ in range(N_TRIES)]
        if not any(fits(block) for block in tried):
            tried += [tuple(rng.sample(list(things), k=block_size)) for _ in range(N_TRIES)]
        block = min(tried, key=lambda b: (not fits(b), sum(used[t] for t in b), _meetings(b, met)))
        used.update(block)
        met.update(frozenset(pair) for pair in combinations(block, 2))
        blocks.append(block)
    return tuple(blocks)


def _least_used(
    things: Sequence[str], block_size: int, used: Counter[str], rng: random.Random
) -> tuple[str, ...]:
    by_use = sorted(rng.sample(list(things), k=len(things)), key=lambda thing: used[thing])
    return tuple(by_use[:block_size])


def _meetings(block: Sequence[str], met: Counter[frozenset[str]]) -> int:
    return sum(met[frozenset(pair)] for pair in combinations(block, 2))
