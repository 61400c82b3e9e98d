"""Which rater scores which masked responses; a plain function of a sealed seed.

Arms and respondents enter as sets of responses that belong together, never by name: whoever turns
the arms round behind the same texts gets the same allocation.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from study.errors import AllocationError
from study.randomness import ALPHABET, stream

RATER_PURPOSE = "rater allocation"
CODE_PURPOSE = "blinding codes"
MOST_SWAPS = 30_000
SWAPS_EACH = 40
"""Swaps tried for each rating, up to `MOST_SWAPS` in all."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One masked response, with what balance and constraints need to know of it."""

    code: str
    vignette: str
    respondent: str
    arm: str


Shares = dict[str, list[Coded]]
"""Rater to the responses they score."""


def blinding_codes(n_codes: int, *, seed: bytes) -> tuple[str, ...]:
    """Distinct opaque codes such as `K7Q-MD4`; asking for more keeps the first ones.

    Args:
        n_codes: How many.
        seed: Sealed seed of the study's blinding codes.
    """
    rng = stream(seed, CODE_PURPOSE)
    codes: dict[str, None] = {}
    while len(codes) < n_codes:
        word = "".join(rng.choices(ALPHABET, k=6))
        codes[f"{word[:3]}-{word[3:]}"] = None
    return tuple(codes)


def share_out(
    responses: Sequence[Coded],
    raters: Sequence[str],
    *,
    per_response: int,
    rng: random.Random,
    excluded: frozenset[tuple[str, str]] = frozenset(),
    standing: Mapping[str, Sequence[Coded]] | None = None,
) -> Shares:
    """Give every response its number of distinct raters, with level loads.

    No two raters end more than one response apart. Within that, each rater's share is made even
    over the arms, the respondents and the vignettes, and so is how often two raters share a
    response: greedily first, then by swaps that lower the sum of the squared counts.

    Args:
        responses: The masked responses, each code once.
        raters: Those who rate, each once.
        per_response: Distinct raters per response in the end, at least 1.
        rng: From the sealed seed.
        excluded: Pairs of rater and respondent that must not meet.
        standing: Shares that were dealt before; they stay and are not given back. With them loads
            are made as level as they can be, without a promise.

    Raises:
        AllocationError: If a response has too few raters who may score it, if loads cannot be
            made level, or if a name is twice; says which and what to do.
    """
    if len({r.code for r in responses}) != len(responses) or len(set(raters)) != len(raters):
        raise AllocationError("a blinding code or a rater is listed twice")
    plan = _Plan(raters, excluded, standing or {})
    in_order = sorted(responses, key=lambda response: response.code)
    for response in rng.sample(in_order, k=len(in_order)):
        plan.fill(response, per_response, rng)
    plan.level(is_strict=not standing)
    plan.even_out(rng)
    return {rater: list(plan.new[rater]) for rater in raters}


class _Plan:
    """Shares in the making, with every count that is balanced."""

    def __init__(
        self,
        raters: Sequence[str],
        excluded: frozenset[tuple[str, str]],
        standing: Mapping[str, Sequence[Coded]],
    ) -> None:
        self.raters = sorted(raters)
        self.excluded = excluded
        self.load = Counter[str](dict.fromkeys(self.raters, 0))
        self.on: dict[str, set[str]] = {}
        self.counts = defaultdict[tuple[str, str, str], int](int)
        self.new: dict[str, list[Coded]] = {rater: [] for rater in self.raters}
        for rater, responses in sorted(standing.items()):
            for response in responses:
                self._enter(rater, response)

    def fill(self, response: Coded, per_response: int, rng: random.Random) -> None:
        """Raters with the least load, then the least cost in balance, until there are enough."""
        on = self.on.setdefault(response.code, set())
        able = [rater for rater in self.raters if self._may(rater, response)]
        if len(on) + len(able) < per_response:
            raise AllocationError(
                f"response {response.code} may be scored by {len(on) + len(able)} of the "
                f"{len(self.raters)} raters; {per_response} ratings per response need as many "
                "raters: nobody scores an own answer, nor one of the own site where the protocol "
                "says so. Invite more, or lower rating.raters_per_response by an amendment"
            )
        while len(on) < per_response:
            least = min(self.load[rater] for rater in able)
            freest = [rater for rater in able if self.load[rater] == least]
            costs = {rater: self._cost(rater, response) for rater in freest}
            lowest = min(costs.values())
            best = rng.choice([rater for rater in freest if costs[rater] == lowest])
            able.remove(best)
            self._add(best, response)

    def level(self, *, is_strict: bool) -> None:
        """Hand responses on along chains of raters until loads are at most one apart.

        Where no chain from a rater with more leads to one with two fewer, none exists at all
        (Harvey, Ladner, Lovász and Tamir 2006, J. Algorithms 59, 53).
        """
        while self._apart() > 1:
            chain = next(self._chains(), None)
            if chain is None:
                if is_strict:
                    raise self._not_level()
                return
            for giver, response, taker in chain:
                self._remove(giver, response)
                self._add(taker, response)

    def even_out(self, rng: random.Random) -> None:
        """Swap two responses between two raters wherever that makes the counts more even."""
        dealt = [(rater, place) for rater in self.raters for place in range(len(self.new[rater]))]
        if len(dealt) < 2:
            return
        for _ in range(min(MOST_SWAPS, SWAPS_EACH * len(dealt))):
            (one, here), (other, there) = rng.choice(dealt), rng.choice(dealt)
            mine, theirs = self.new[one][here], self.new[other][there]
            if self._may(one, theirs) and self._may(other, mine):
                self._swap_if_better(one, here, other, there)

    def _swap_if_better(self, one: str, here: int, other: str, there: int) -> None:
        mine, theirs = self.new[one][here], self.new[other][there]
        before = self._leave(one, mine) + self._leave(other, theirs)
        after = self._enter(other, mine) + self._enter(one, theirs)
        if after < before:
            self.new[one][here], self.new[other][there] = theirs, mine
            return
        self._leave(other, mine)
        self._leave(one, theirs)
        self._enter(one, mine)
        self._enter(other, theirs)

    def _apart(self) -> int:
        loads = [self.load[rater] for rater in self.raters]
        return max(loads, default=0) - min(loads, default=0)

    def _chains(self) -> Iterator[list[tuple[str, Coded, str]]]:
        """Shortest hand-ons from each most loaded rater to one with at least two fewer."""
        most = max(self.load[rater] for rater in self.raters)
        for start in (rater for rater in self.raters if self.load[rater] == most):
            came: dict[str, list[tuple[str, Coded, str]]] = {start: []}
            waiting = deque([start])
            while waiting:
                giver = waiting.popleft()
                if self.load[giver] <= most - 2:
                    yield came[giver]
                    break
                for taker in self.raters:
                    handed = None if taker in came else self._to_hand_on(giver, taker)
                    if handed is not None:
                        came[taker] = [*came[giver], (giver, handed, taker)]
                        waiting.append(taker)

    def _to_hand_on(self, giver: str, taker: str) -> Coded | None:
        able = (response for response in self.new[giver] if self._may(taker, response))
        return min(able, key=lambda response: self._cost(taker, response), default=None)

    def _not_level(self) -> AllocationError:
        least = min(self.raters, key=lambda rater: self.load[rater])
        most = max(self.raters, key=lambda rater: self.load[rater])
        return AllocationError(
            f"loads cannot be made level: rater {least} may score so few responses that they get "
            f"{self.load[least]} while {most} gets {self.load[most]}. Invite raters of other "
            f"sites, or take {least} off the raters"
        )

    def _may(self, rater: str, response: Coded) -> bool:
        on = self.on[response.code]
        return rater not in on and (rater, response.respondent) not in self.excluded

    def _keys(self, rater: str, response: Coded) -> Iterator[tuple[int, tuple[str, str, str]]]:
        """What is counted, with its weight: the arm weighs most."""
        yield 8, ("arm", rater, response.arm)
        yield 2, ("respondent", rater, response.respondent)
        yield 2, ("vignette", rater, response.vignette)
        for other in self.on[response.code]:
            if other != rater:
                first, second = (rater, other) if rater < other else (other, rater)
                yield 1, ("pair", first, second)

    def _cost(self, rater: str, response: Coded) -> int:
        counts = self.counts
        cost = 8 * counts["arm", rater, response.arm]
        cost += 2 * counts["respondent", rater, response.respondent]
        cost += 2 * counts["vignette", rater, response.vignette]
        for other in self.on[response.code]:
            cost += counts["pair", rater, other] if rater < other else counts["pair", other, rater]
        return cost

    def _add(self, rater: str, response: Coded) -> None:
        self._enter(rater, response)
        self.new[rater].append(response)

    def _remove(self, rater: str, response: Coded) -> None:
        self.new[rater].remove(response)
        self._leave(rater, response)

    def _enter(self, rater: str, response: Coded) -> int:
        """Count the rater on the response, and say what that costs."""
        self.on.setdefault(response.code, set())
        cost = 0
        for weight, key in self._keys(rater, response):
            cost += weight * self.counts[key]
            self.counts[key] += 1
        self.on[response.code].add(rater)
        self.load[rater] += 1
        return cost

    def _leave(self, rater: str, response: Coded) -> int:
        """Take the rater off the response, and say what that saves."""
        self.load[rater] -= 1
        self.on[response.code].discard(rater)
        saved = 0
        for weight, key in self._keys(rater, response):
            self.counts[key] -= 1
            saved += weight * self.counts[key]
        return saved
