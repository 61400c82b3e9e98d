"""What came from what: things, what was done, and who did it, in one acyclic graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from app.commands.errors import InputError

Kind = Literal[
    "training row", "review", "dataset", "export", "training run", "checkpoint", "answering run",
    "tasks", "answer", "response", "masked response", "rating", "rater", "respondent",
    "frozen dataset", "result", "table cell",
]  # fmt: skip
DONE: frozenset[Kind] = frozenset({"training run", "answering run"})
"""Kinds that are acts; PROV calls them activities."""
PEOPLE: frozenset[Kind] = frozenset({"rater", "respondent"})
"""Kinds that act; PROV calls them agents."""
_SHORTEST = 8
"""Characters of an id from which on its beginning will do."""


@dataclass(frozen=True, slots=True)
class Node:
    """One thing, act or person."""

    kind: Kind
    id: str
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    open_end: str | None = field(default=None, compare=False)
    """Why nothing is known before it, where something should be."""

    @property
    def key(self) -> str:
        """Kind and id; unique in a graph."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Walk:
    """What one thing came from, and what came of it."""

    start: Node
    up: tuple[Node, ...]
    """Nearest first."""
    down: tuple[Node, ...]
    """Nearest first."""
    links: tuple[tuple[Node, Node], ...]
    """Later and earlier, between any two nodes of the walk."""
    faults: tuple[str, ...]
    """What does not fit along the walk."""


class Graph:
    """Nodes joined from later to earlier."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._earlier: dict[str, list[str]] = {}
        self._later: dict[str, list[str]] = {}
        self._faults: dict[str, list[str]] = {}

    def add(self, node: Node, *earlier: Node) -> Node:
        """Add a node, and what it came from; one that is there already stays as it is."""
        known = self._nodes.setdefault(node.key, node)
        for source in earlier:
            self._nodes.setdefault(source.key, source)
            self._earlier.setdefault(known.key, []).append(source.key)
            self._later.setdefault(source.key, []).append(known.key)
        return known

    def fault(self, node: Node, words: str) -> None:
        """Note what does not fit about a node."""
        self._faults.setdefault(node.key, []).append(f"{node.kind} {node.id}: {words}")

    def get(self, kind: Kind, id_: str) -> Node | None:
        """The node of that kind and id."""
        return self._nodes.get(f"{kind}:{id_}")

    def find(self, wanted: str) -> Node:
        """The node with an id, or the one whose id begins so.

        Raises:
            InputError: If there is none or more than one.
        """
        exact = [n for n in self._nodes.values() if wanted in (n.id, n.key)]
        begun = [
            n
            for n in self._nodes.values()
            if len(wanted) >= _SHORTEST and (n.id.startswith(wanted) or n.key.startswith(wanted))
        ]
        found = exact or begun
        if not found:
            raise InputError(
                f"{wanted!r} is in none of the files given; name a training row (r_...), a "
                "checkpoint's digest, the id of a response or rating, or TABLE:ROW:COLUMN of the "
                "results, and give the files that hold it"
            )
        if len(found) > 1:
            shown = ", ".join(n.key for n in found[:5])
            raise InputError(f"{wanted!r} could be any of {shown}; write more of it")
        return found[0]

    def walk(self, start: Node) -> Walk:
        """Everything before and after one node; what is beside it is left out."""
        up = _reach(start.key, self._earlier)
        down = _reach(start.key, self._later)
        inside = {start.key, *up, *down}
        links = [
            (self._nodes[later], self._nodes[earlier])
            for later in inside
            for earlier in dict.fromkeys(self._earlier.get(later, ()))
            if earlier in inside
        ]
        links.sort(key=lambda link: (link[0].key, link[1].key))
        faults = [words for key in sorted(inside) for words in self._faults.get(key, ())]
        return Walk(
            start, self._named(up), self._named(down), tuple(links), tuple(faults)
        )  # fmt: skip

    def _named(self, keys: Iterable[str]) -> tuple[Node, ...]:
        return tuple(self._nodes[key] for key in keys)


def _reach(start: str, steps: Mapping[str, list[str]]) -> list[str]:
    """Every key that can be reached, nearest first, without the start."""
    seen, waiting = {start: None}, deque([start])
    while waiting:
        for key in steps.get(waiting.popleft(), ()):
            if key not in seen:
                seen[key] = None
                waiting.append(key)
    return list(seen)[1:]
