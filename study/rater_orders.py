"""In which order a rater sees their responses, and which of them twice."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from study.allocation import Coded, share_out
from study.designs import Row, williams_square
from study.errors import AllocationError
from study.randomness import stream


@dataclass(frozen=True, slots=True)
class RaterAssignment:
    """One masked response at one place in one rater's order."""

    rater: str
    code: str
    position: int
    repeat_of: str | None = None
    """Of a hidden repeat: the response's own code."""


@dataclass(frozen=True, slots=True)
class Deal:
    """All that an allocation rests on besides the responses and the sealed seed."""

    purpose: str
    """Of the sealed seed."""
    per_response: int
    raters: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...] = ()
    """Rater and respondent who must not meet."""
    order: Literal["random", "williams"] = "random"
    repeats: int = 0
    """Hidden repeats of each rater."""
    min_distance: int = 1

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the audit."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Deal:
        """The deal of an audit event."""
        lists = {
            "raters": tuple(values["raters"]),
            "excluded": tuple((rater, other) for rater, other in values["excluded"]),
        }
        return cls(**{**values, **lists})

    @property
    def n_repeats(self) -> int:
        """Codes that the hidden repeats need."""
        return self.repeats * len(self.raters)


def assign_raters(
    responses: Sequence[Coded],
    deal: Deal,
    *,
    seed: bytes,
    repeat_codes: Sequence[str] = (),
    standing: Sequence[RaterAssignment] = (),
) -> tuple[RaterAssignment, ...]:
    """Deal masked responses to raters, each in an own order.

    Args:
        responses: All masked responses of the study.
        deal: Raters, numbers and constraints.
        seed: The sealed seed of the deal's purpose.
        repeat_codes: Fresh codes, `deal.n_repeats` of them.
        standing: Dealt before; they stay as they are, and what is new stands after them.

    Raises:
        AllocationError: If the design cannot be kept; says why and what to do.
    """
    rng = stream(seed, deal.purpose)
    of_code = {response.code: response for response in responses}
    stood: dict[str, list[Coded]] = defaultdict(list)
    last = Counter[str]()
    for row in sorted(standing, key=lambda row: (row.rater, row.position)):
        if row.repeat_of is None:
            stood[row.rater].append(of_code[row.code])
        last[row.rater] = row.position
    shares = share_out(
        responses, deal.raters, per_response=deal.per_response, rng=rng,
        excluded=frozenset(deal.excluded), standing=stood,
    )  # fmt: skip
    fresh = iter(repeat_codes)
    deck = _deck(responses, rng) if deal.order == "williams" else None
    return tuple(
        RaterAssignment(rater, code, position, repeat_of)
        for rater in sorted(deal.raters)
        for position, (code, repeat_of) in enumerate(
            _order(rater, shares[rater], deal, rng, deck, fresh), start=last[rater] + 1
        )
    )


def _order(
    rater: str, share: Sequence[Coded], deal: Deal, rng: random.Random,
    deck: Iterator[Sequence[str]] | None, fresh: Iterator[str],
) -> list[tuple[str, str | None]]:  # fmt: skip
    """One rater's codes in order, each hidden repeat with the code it repeats."""
    shuffled = rng.sample(list(share), k=len(share))
    order = spread(shuffled, rng) if deck is None else by_rows(shuffled, deck)
    shown: list[tuple[Coded, bool]] = [(response, False) for response in order]
    if deal.repeats:
        shown = with_repeats(rater, order, deal.repeats, deal.min_distance, rng)
    return [
        (next(fresh), response.code) if is_repeat else (response.code, None)
        for response, is_repeat in shown
    ]


def spread(share: Sequence[Coded], rng: random.Random) -> list[Coded]:
    """A random order without two responses to one vignette in succession, where there is one.

    The next vignette is drawn in proportion to what is left of it, among those after which the
    rest can still be kept apart.
    """
    left: dict[str, list[Coded]] = defaultdict(list)
    for response in share:
        left[response.vignette].append(response)
    waiting = {name: len(rest) for name, rest in left.items()}
    order: list[Coded] = []
    while waiting:
        last = order[-1].vignette if order else None
        names = _apart(waiting, last, len(share) - len(order) - 1)
        names = names or [max(waiting, key=lambda name: (name != last, waiting[name]))]
        (name,) = rng.choices(names, weights=[waiting[name] for name in names])
        order.append(left[name].pop())
        waiting[name] -= 1
        if not waiting[name]:
            del waiting[name]
    return order


def _apart(waiting: Mapping[str, int], last: str | None, n_after: int) -> list[str]:
    """Vignettes that may come next, with so many responses to follow.

    The rest can be kept apart if no vignette fills more than half of it, rounded down for the one
    that has just been shown.
    """
    most = max(waiting.values())
    if most <= (n_after + 1) // 2 and most - 1 <= n_after // 2:
        return [name for name in waiting if name != last]
    pressing = {name for name, n in waiting.items() if n > (n_after + 1) // 2}
    return [
        name
        for name, n in waiting.items()
        if name != last and n - 1 <= n_after // 2 and pressing <= {name}
    ]


def _deck(responses: Sequence[Coded], rng: random.Random) -> Iterator[Sequence[str]]:
    """Rows of a Williams square over the vignettes without end, each once before any again."""
    names = sorted({response.vignette for response in responses})
    named = rng.sample(names, k=len(names))
    rows = williams_square(len(named))
    while True:
        for row in rng.sample(rows, k=len(rows)):
            yield _named(row, named)


def _named(row: Row, names: Sequence[str]) -> list[str]:
    return [names[place] for place in row]


def by_rows(share: Sequence[Coded], deck: Iterator[Sequence[str]]) -> list[Coded]:
    """One pass after another, each in the order of a row of a Williams square.

    A pass holds at most one response to each vignette. Within passes each vignette follows every
    other equally often once all rows are used, so that no vignette's responses are read under the
    shadow of one other. A response that would stand right after another to its vignette, at the
    seam of two passes, changes places with the next that may.
    """
    left: dict[str, list[Coded]] = defaultdict(list)
    for response in share:
        left[response.vignette].append(response)
    order: list[Coded] = []
    while len(order) < len(share):
        order += [left[name].pop() for name in next(deck) if left[name]]
    for place in range(1, len(order)):
        if order[place].vignette == order[place - 1].vignette:
            _move_apart(order, place)
    return order


def _move_apart(order: list[Coded], place: int) -> None:
    """Put the response somewhere else where neither neighbour is of its vignette, if anywhere."""
    moved = order.pop(place)
    for there in (*range(place + 1, len(order) + 1), *range(place)):
        around = order[max(there - 1, 0) : there + 1]
        if all(response.vignette != moved.vignette for response in around):
            order.insert(there, moved)
            return
    order.insert(place, moved)


def with_repeats(
    rater: str, order: Sequence[Coded], n_repeats: int, min_distance: int, rng: random.Random
) -> list[tuple[Coded, bool]]:
    """The order with some of its responses a second time, marked as repeats.

    Args:
        rater: Whose, for the error.
        order: The rater's responses.
        n_repeats: How many of them come twice.
        min_distance: At least so many others stand between the two.
        rng: From the sealed seed.

    Raises:
        AllocationError: If the order is too short.
    """
    early = list(range(len(order) - min_distance))
    if len(early) < n_repeats:
        raise AllocationError(
            f"rater {rater} has {len(order)} responses; {n_repeats} hidden repeats with "
            f"{min_distance} others between need {n_repeats + min_distance}. Lower "
            "rating.repeats.per_rater or min_distance by an amendment"
        )
    at: dict[int, list[Coded]] = defaultdict(list)
    for chosen in sorted(rng.sample(early, k=n_repeats)):
        places = range(chosen + min_distance + 1, len(order) + 1)
        apart = [p for p in places if _stands_apart(order, at, p, order[chosen].vignette)]
        at[rng.choice(apart or places)].append(order[chosen])
    shown: list[tuple[Coded, bool]] = []
    for place in range(len(order) + 1):
        shown += [(response, True) for response in at[place]]
        shown += [(response, False) for response in order[place : place + 1]]
    return shown


def _stands_apart(
    order: Sequence[Coded], at: Mapping[int, list[Coded]], place: int, vignette: str
) -> bool:
    near = [*order[place - 1 : place + 1], *at.get(place, ())]
    return all(response.vignette != vignette for response in near)
