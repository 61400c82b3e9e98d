"""What a row is about: one fact, or the facts that answer one question together.

The bands of one medicine's kidney function are one subject: whoever knows one band knows where the
next begins, so they must stand on the same side of the split.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.facts.library import Library, PlacedFact
from model.facts.schema import Fact, Paediatric, Renal


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to know."""

    name: str
    kind: str
    facts: tuple[PlacedFact, ...]

    @property
    def first(self) -> Fact:
        """The only fact, or the first of them."""
        return self.facts[0].fact


def subjects(library: Library) -> list[Subject]:
    """Every subject of the library, in a fixed order."""
    together: dict[str, list[PlacedFact]] = {}
    for placed in library.facts():
        together.setdefault(_name(placed), []).append(placed)
    return [
        Subject(name, facts[0].fact.kind, tuple(facts)) for name, facts in sorted(together.items())
    ]


def _name(placed: PlacedFact) -> str:
    fact = placed.fact
    if isinstance(fact, Renal):
        return f"{fact.drug}.renal.{fact.measure}"
    if isinstance(fact, Paediatric):
        return f"{fact.drug}.paediatric"
    return placed.fact_id
