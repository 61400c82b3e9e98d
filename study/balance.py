"""How even the allocation came out; by arm only for the custodian, and after unblinding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from sqlalchemy.orm import Session

from study.allocating import coded_responses, standing_assignments
from study.allocation import Coded
from study.errors import NotAllowedError
from study.people import Person, people_of
from study.rater_orders import RaterAssignment
from study.registration import study_row
from study.store import Store

CUSTODIAN = "custodian"
READERS = (CUSTODIAN, "investigator", "coordinator", "statistician", "inspector")


@dataclass(frozen=True, slots=True)
class Balance:
    """Counts of an allocation; raters by pseudonym, first presentations unless said otherwise."""

    responses: Mapping[str, int]
    """Of each rater."""
    vignettes: Mapping[tuple[str, str], int]
    """Of each rater and vignette."""
    pairs: Mapping[tuple[str, str], int]
    """Responses that two raters share."""
    follows: Mapping[tuple[str, str], int]
    """How often a response to the second vignette comes right after one to the first, repeats
    too."""
    in_succession: int
    """Responses right after another to the same vignette."""
    repeat_distances: tuple[int, ...]
    """Others between the two presentations of each hidden repeat, ascending."""
    arms: Mapping[tuple[str, str], int] | None
    """Of each rater and arm; None for whoever may not know."""

    def in_words(self) -> tuple[str, ...]:
        """The part that names no arm, a line a count."""
        pairs = dict.fromkeys(combinations(sorted(self.responses), 2), 0) | dict(self.pairs)
        cells = {
            (rater, vignette): self.vignettes.get((rater, vignette), 0)
            for rater in self.responses
            for vignette in {name for _, name in self.vignettes}
        }
        lines = [
            f"{len(self.responses)} raters, {_range(self.responses.values())} responses each",
            f"{_range(cells.values())} responses of one vignette for one rater",
            f"{self.in_succession} responses right after another to the same vignette",
        ]
        if pairs:
            lines.append(f"{_range(pairs.values())} responses shared by two raters")
        if self.repeat_distances:
            lines.append(
                f"{len(self.repeat_distances)} hidden repeats, "
                f"{_range(self.repeat_distances)} others between"
            )
        return tuple(lines)


def balance_for(store: Store, person: Person) -> Balance:
    """The balance as this person may see it.

    Raises:
        NotAllowedError: If the person's role has no part in it.
    """
    if person.role not in READERS:
        raise NotAllowedError(
            f"a {person.role} does not see how responses were allocated; the custodian does"
        )
    with store.read() as session:
        unblinded = study_row(session, person.study_id).state == "unblinded"
        return _of_study(
            session, person.study_id, with_arms=unblinded or person.role == CUSTODIAN
        )  # fmt: skip


def arm_free_balance(session: Session, study_id: str) -> Balance:
    """The balance without arms, for the step that allocates."""
    return _of_study(session, study_id, with_arms=False)


def _of_study(session: Session, study_id: str, *, with_arms: bool) -> Balance:
    names = {p.person_id: p.pseudonym for p in people_of(session, study_id, "rater")}
    return balance_of(
        coded_responses(session, study_id), standing_assignments(session, study_id), names,
        with_arms=with_arms,
    )  # fmt: skip


def balance_of(
    responses: Sequence[Coded],
    assignments: Sequence[RaterAssignment],
    names: Mapping[str, str],
    *,
    with_arms: bool,
) -> Balance:
    """Count an allocation.

    Args:
        responses: All masked responses.
        assignments: What was dealt, hidden repeats among it.
        names: Rater to the name to show; who has not joined yet is shown by id.
        with_arms: Whether arms are counted at all.
    """
    of_code = {response.code: response for response in responses}
    first = [a for a in assignments if a.repeat_of is None]
    rater_of = {a: names.get(a.rater, a.rater) for a in assignments}
    on: dict[str, set[str]] = defaultdict(set)
    for a in first:
        on[a.code].add(rater_of[a])
    follows = Counter(
        pair
        for order in _orders(assignments).values()
        for pair in pairwise(of_code[a.repeat_of or a.code].vignette for a in order)
    )
    arms = Counter((rater_of[a], of_code[a.code].arm) for a in first)
    return Balance(
        responses=Counter(rater_of[a] for a in first),
        vignettes=Counter((rater_of[a], of_code[a.code].vignette) for a in first),
        pairs=Counter(pair for raters in on.values() for pair in combinations(sorted(raters), 2)),
        follows=follows,
        in_succession=sum(n for (one, other), n in follows.items() if one == other),
        repeat_distances=_distances(assignments),
        arms=arms if with_arms else None,
    )


def _orders(assignments: Sequence[RaterAssignment]) -> dict[str, list[RaterAssignment]]:
    orders: dict[str, list[RaterAssignment]] = defaultdict(list)
    for a in sorted(assignments, key=lambda a: a.position):
        orders[a.rater].append(a)
    return orders


def _distances(assignments: Sequence[RaterAssignment]) -> tuple[int, ...]:
    place = {(a.rater, a.code): a.position for a in assignments}
    return tuple(
        sorted(
            a.position - place[a.rater, a.repeat_of] - 1
            for a in assignments
            if a.repeat_of is not None
        )
    )


def _range(counts: Iterable[int]) -> str:
    found = sorted(counts)
    if not found:
        return "0"
    return str(found[0]) if found[0] == found[-1] else f"{found[0]} to {found[-1]}"
