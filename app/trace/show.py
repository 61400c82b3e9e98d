"""A walk in words: the start, what it came from, what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from app.trace.graph import Node, Walk

MOST = 12
"""Nodes of one kind that are shown one by one."""


def as_lines(walk: Walk) -> list[str]:
    """What a person reads."""
    return [
        _line(walk.start),
        "",
        "came from:",
        *(_group(walk.up) or ["  nothing among the files given"]),
        "",
        "went into:",
        *(_group(walk.down) or ["  nothing among the files given"]),
        *(f"FAULT  {words}" for words in walk.faults),
    ]


def as_json(walk: Walk) -> dict[str, Any]:
    """What a program reads."""
    return {
        "schema": "safemed.trace/1",
        "start": _plain(walk.start),
        "up": [_plain(node) for node in walk.up],
        "down": [_plain(node) for node in walk.down],
        "links": [[later.key, earlier.key] for later, earlier in walk.links],
        "faults": list(walk.faults),
    }


def _group(nodes: Sequence[Node]) -> list[str]:
    """Nodes kind by kind, nearest first; of many, how many."""
    counts = Counter(node.kind for node in nodes)
    return [line for kind in counts for line in _of_kind([n for n in nodes if n.kind == kind])]


def _of_kind(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes[:MOST]:
        yield f"  {_line(node)}"
    if len(nodes) > MOST:
        yield f"  and {len(nodes) - MOST} more of {nodes[0].kind}"


def _line(node: Node) -> str:
    facts = ", ".join(f"{name} {v}" for name, v in node.facts.items() if _is_short(v))
    known = f"{node.kind} {node.id}" + (f" ({facts})" if facts else "")
    return f"{known}; OPEN: {node.open_end}" if node.open_end else known


def _is_short(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _plain(node: Node) -> dict[str, Any]:
    return {
        "kind": node.kind, "id": node.id, "facts": dict(node.facts), "open_end": node.open_end,
    }  # fmt: skip
