"""Canonical bytes and digests, as `docs/contracts.md` defines them.

The same test vectors hold for every package that keeps its own copy of these lines.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

Cell = str | int | float | bool | None


def canonical(value: object) -> bytes:
    """One value as canonical JSON bytes: sorted keys, no white space, UTF-8.

    Raises:
        ValueError: If a number is NaN or infinite: a missing value is None.
    """
    text = json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return text.encode()


def sha256_hex(content: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def table_sha256(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Cell]]) -> str:
    """Digest of a table over its header and all its columns and rows, in the order given.

    Args:
        columns: Name and type of each column.
        rows: Cells in column order, None where missing.
    """
    digest = hashlib.sha256(canonical([list(column) for column in columns]) + b"\n")
    for row in rows:
        digest.update(canonical(list(row)) + b"\n")
    return digest.hexdigest()
