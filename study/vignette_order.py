"""Orders of vignettes: those that cue one another never stand side by side."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from study.errors import ProtocolError
from study.protocol import Protocol
from study.vignette import Vignette

MAX_DRAWS = 1000
Pair = frozenset[str]


def cue_pairs(vignettes: Iterable[Vignette]) -> frozenset[Pair]:
    """Pairs of vignettes of which either declares that it cues the other."""
    return frozenset(
        frozenset((vignette.vignette_id, other))
        for vignette in vignettes
        for other in vignette.declared_cues
    )


def side_by_side(order: Sequence[str], pairs: frozenset[Pair]) -> list[tuple[str, str]]:
    """Neighbours of an order that cue one another."""
    return [(one, other) for one, other in pairwise(order) if frozenset((one, other)) in pairs]


def random_order(rng: random.Random, vignettes: Sequence[str], pairs: frozenset[Pair]) -> list[str]:
    """A random order in which no two neighbours cue one another.

    Orders are drawn until one fits, so that every fitting order is equally likely.

    Raises:
        ProtocolError: If none of `MAX_DRAWS` fits, as with two vignettes that cue each other.
    """
    for _ in range(MAX_DRAWS):
        order = rng.sample(list(vignettes), k=len(vignettes))
        if not side_by_side(order, pairs):
            return order
    raise ProtocolError(
        f"no order of {', '.join(vignettes)} keeps apart the vignettes that cue one another: "
        f"{_in_words(pairs, vignettes)}. Take one of each pair off the list, or add others"
    )


def check_orders(protocol: Protocol, vignettes: Mapping[str, Vignette]) -> None:
    """Refuse a declared order that puts two cueing vignettes side by side, or a hopeless list.

    Args:
        protocol: The protocol; its `vignettes` is the declared order.
        vignettes: At least those the protocol lists.

    Raises:
        ProtocolError: Naming the pairs.
    """
    pairs = cue_pairs(vignettes[name] for name in protocol.vignettes)
    if protocol.answering.order == "random":
        random_order(random.Random(0), protocol.vignettes, pairs)
        return
    beside = side_by_side(protocol.vignettes, pairs)
    if beside:
        named = ", ".join(f"{one} beside {other}" for one, other in beside)
        raise ProtocolError(
            f"answering.order is 'declared', and in `vignettes` {named}: the first gives the "
            "second away. Move them apart, or choose the order 'random'"
        )


def _in_words(pairs: frozenset[Pair], vignettes: Sequence[str]) -> str:
    within = sorted("-".join(sorted(pair)) for pair in pairs if pair <= set(vignettes))
    return ", ".join(within)
