"""What the ledger holds: candidates, re-answers, reviews, verdicts; columns, scales and ids.

The five dimensions are those on which clinician auditors of SafeMed-R1 scored a row. A row's id is
the digest of what it says, so the same text cannot enter twice under two names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa

from model.canonical import canonical, sha256_hex

DIMENSIONS = (
    "medical_correctness",
    "reasoning_structure",
    "information_sufficiency",
    "terminology_and_language",
    "clinical_utility",
)
"""Each scored 1 to 5, higher is better."""
LOWEST, HIGHEST = 1, 5
CORPORA = ("knowledge", "guard", "ethics")
STRIKES = 5
"""As many re-answers that miss open a panel docket."""
LARGEST_ROW = 1 << 20
"""Bytes of one row's texts."""
Name = Literal["candidates", "reanswers", "reviews", "verdicts"]
TABLES: Mapping[Name, pa.Schema] = {
    "candidates": pa.schema(
        [
            (column, pa.string())
            for column in (
                "row_id", "corpus", "specialty", "language", "source", "licence", "generator",
                "prompt", "reasoning", "answer",
            )
        ]
    ),
    "reanswers": pa.schema(
        [
            ("row_id", pa.string()), ("number", pa.int8()), ("agrees", pa.bool_()),
            ("answer", pa.string()), ("failure", pa.string()), ("model", pa.string()),
            ("asked_at", pa.string()),
        ]
    ),
    "reviews": pa.schema(
        [
            ("review_id", pa.string()), ("row_id", pa.string()), ("auditor", pa.string()),
            ("specialty", pa.string()),
            *((dimension, pa.int8()) for dimension in DIMENSIONS),
            ("edit", pa.string()), ("comment", pa.string()), ("reviewed_at", pa.string()),
        ]
    ),
    "verdicts": pa.schema(
        [
            ("row_id", pa.string()), ("verdict", pa.string()), ("reason", pa.string()),
            ("panel", pa.string()), ("decided_at", pa.string()),
        ]
    ),
}  # fmt: skip
KEYS: Mapping[Name, tuple[str, ...]] = {
    "candidates": ("row_id",),
    "reanswers": ("row_id", "number"),
    "reviews": ("review_id",),
    "verdicts": ("row_id",),
}
"""What is unique in each table."""


def row_id_of(row: Mapping[str, Any]) -> str:
    """The id of a candidate: `r_` and 128 bits of the digest of what it says."""
    said = [row["corpus"], row["language"], row["prompt"], row["reasoning"], row["answer"]]
    return f"r_{sha256_hex(canonical(said))[:32]}"
