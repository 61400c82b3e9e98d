"""Who answers which vignettes in which order; those that cue one another never stand together."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

from study.designs import incomplete_blocks, williams_square
from study.errors import AllocationError, ProtocolError
from study.protocol import Protocol
from study.randomness import stream
from study.vignette import Vignette

ORDER_PURPOSE = "vignette order"
MAX_DRAWS = 1000
FEW_DRAWS = 50
Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class VignettePlan:
    """What the protocol declares about vignettes and their order."""

    vignettes: tuple[str, ...]
    """In the declared order."""
    rule: Literal["random", "declared", "williams"]
    each: int | None
    """How many each clinician answers; None for all."""
    pairs: frozenset[Pair]
    """Vignettes that cue one another."""

    @property
    def is_drawn(self) -> bool:
        """Whether a seed has a part in it."""
        return self.rule != "declared" or self.each is not None

    def order(self, respondent_id: str, number: int, seed: bytes) -> list[str]:
        """One clinician's vignettes in order; replayable from the revealed seed.

        Args:
            respondent_id: Whose order.
            number: Clinicians of the same arm who were dealt theirs before; the first of each arm
                get the same vignettes, so that arms meet on them.
            seed: Sealed seed of the vignette orders.

        Raises:
            AllocationError: If no row or block keeps apart what cues one another.
            ProtocolError: If no random order does.
        """
        mine = self._vignettes(number, seed)
        own = stream(seed, ORDER_PURPOSE, respondent_id)
        if self.rule == "random":
            return random_order(own, mine, self.pairs)
        if self.rule == "williams":
            if self.each is None:
                rows = _fitting_rows(stream(seed, ORDER_PURPOSE, "williams"), mine, self.pairs)
            else:
                rows = _fitting_rows(own, mine, self.pairs)
            return rows[number % len(rows)]
        if side_by_side(mine, self.pairs):
            raise AllocationError(
                f"the declared order of {', '.join(mine)} puts vignettes side by side that cue one "
                "another; choose the order 'random', or more vignettes for each"
            )
        return mine

    def _vignettes(self, number: int, seed: bytes) -> list[str]:
        """Those the clinician answers, in the declared order."""
        if self.each is None:
            return list(self.vignettes)
        rng = stream(seed, ORDER_PURPOSE, "blocks")
        blocks = incomplete_blocks(self.vignettes, self.each, number + 1, rng, fits=self._fits)
        return self._declared(blocks[number])

    def _declared(self, block: Sequence[str]) -> list[str]:
        return [name for name in self.vignettes if name in block]

    def _fits(self, block: Sequence[str]) -> bool:
        """Whether the block can stand in an order that keeps cues apart."""
        if self.rule == "declared":
            return not side_by_side(self._declared(block), self.pairs)
        if not any(frozenset(pair) in self.pairs for pair in combinations(block, 2)):
            return True
        rng = random.Random(0)
        drawn = (rng.sample(self._declared(block), k=len(block)) for _ in range(FEW_DRAWS))
        return any(not side_by_side(order, self.pairs) for order in drawn)


def _fitting_rows(
    rng: random.Random, vignettes: Sequence[str], pairs: frozenset[Pair]
) -> list[list[str]]:
    """Rows of a Williams square in random order, without those that put a cueing pair together.

    In the whole square every vignette follows every other, so some rows must; they are not dealt,
    and what is dealt stays balanced but for those pairs. The vignettes are relabelled by another
    random permutation until at least half of the rows fit, or else the best of the draws is taken.
    """
    square = williams_square(len(vignettes))
    best: list[list[str]] = []
    for _ in range(MAX_DRAWS):
        names = rng.sample(list(vignettes), k=len(vignettes))
        rows = [[names[place] for place in row] for row in rng.sample(square, k=len(square))]
        fitting = [row for row in rows if not side_by_side(row, pairs)]
        best = max(best, fitting, key=len)
        if 2 * len(best) >= len(square):
            break
    if not best:
        raise AllocationError(
            f"no row of a Williams square of {', '.join(vignettes)} keeps apart the vignettes that "
            f"cue one another: {_in_words(pairs, vignettes)}. Choose the order 'random', or take "
            "one of each pair off the list"
        )
    return best


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


def plan_of(protocol: Protocol, vignettes: Mapping[str, Vignette]) -> VignettePlan:
    """The plan of a protocol and the vignettes it lists."""
    pairs = cue_pairs(vignettes[name] for name in protocol.vignettes)
    answering = protocol.answering
    return VignettePlan(tuple(protocol.vignettes), answering.order, answering.vignettes_each, pairs)


def check_orders(protocol: Protocol, vignettes: Mapping[str, Vignette]) -> None:
    """Refuse a declared order that puts two cueing vignettes side by side, or a hopeless list.

    Args:
        protocol: The protocol; its `vignettes` is the declared order.
        vignettes: At least those the protocol lists.

    Raises:
        ProtocolError: Naming the pairs.
    """
    plan = plan_of(protocol, vignettes)
    if plan.is_drawn:
        n_most = max((a.n_respondents for a in protocol.arms if a.kind == "clinicians"), default=1)
        try:
            for number in range(n_most):
                plan.order(f"trial {number}", number, bytes(32))
        except AllocationError as error:
            raise ProtocolError(f"answering.order: {error}") from error
        return
    beside = side_by_side(protocol.vignettes, plan.pairs)
    if beside:
        named = ", ".join(f"{one} beside {other}" for one, other in beside)
        raise ProtocolError(
            f"answering.order is 'declared', and in `vignettes` {named}: the first gives the "
            "second away. Move them apart, or choose the order 'random'"
        )


def _in_words(pairs: frozenset[Pair], vignettes: Sequence[str]) -> str:
    within = sorted("-".join(sorted(pair)) for pair in pairs if pair <= set(vignettes))
    return ", ".join(within)
