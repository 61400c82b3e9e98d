"""Merkle trees over rows (RFC 6962, section 2.1): one root a dataset, a short proof a row."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

Side = Literal["left", "right"]
Proof = tuple[tuple[Side, str], ...]
"""Siblings from the leaf up, each with its side, as lower-case hexadecimal."""
EMPTY = sha256(b"").hexdigest()


def leaf(content: bytes) -> bytes:
    """Hash of one leaf's content."""
    return sha256(b"\x00" + content).digest()


def root(leaves: Sequence[bytes]) -> str:
    """The root over leaf hashes in their order; that of no leaf is the hash of nothing."""
    return _levels(leaves)[-1][0].hex() if leaves else EMPTY


def proof(leaves: Sequence[bytes], place: int) -> Proof:
    """The siblings with which leaf `place` leads to the root."""
    steps: list[tuple[Side, str]] = []
    for level in _levels(leaves)[:-1]:
        beside = place ^ 1
        if beside < len(level):
            steps.append(("left" if beside < place else "right", level[beside].hex()))
        place //= 2
    return tuple(steps)


def leads_to(found: bytes, steps: Proof) -> str:
    """The root that a leaf hash and its proof lead to."""
    for side, sibling in steps:
        pair = (
            (bytes.fromhex(sibling), found) if side == "left" else (found, bytes.fromhex(sibling))
        )
        found = _node(*pair)
    return found.hex()


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [_node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        # A last node without a sibling goes up as it is, which is the split of RFC 6962.
        levels.append(above + ([below[-1]] if len(below) % 2 else []))
    return levels


def _node(one: bytes, other: bytes) -> bytes:
    return sha256(b"\x01" + one + other).digest()
