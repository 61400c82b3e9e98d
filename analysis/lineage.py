"""Where a number comes from: the rows, the function, and the head of the audit chain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from analysis.canonical import canonical, sha256_hex
from analysis.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Lineage:
    """The rows behind a number, and what made it of them."""

    functions: tuple[str, ...]
    table: str
    n_rows: int
    rows_sha256: str
    """Of the canonical JSON of the pairs [row id, value], ordered by row id."""
    audit_head: str | None
    """None for a table that was never in a study."""


def rating_lineage(
    dataset: Dataset, dimension: str, arms: Collection[str], functions: tuple[str, ...]
) -> Lineage:
    """The final ratings of one dimension in some arms.

    Args:
        dataset: Frozen or from elsewhere.
        dimension: Id of the column.
        arms: Ids of the arms whose responses are meant.
        functions: Dotted names of what computed the number.
    """
    codes = {r["blinding_code"] for r in dataset.tables["responses"] if r["arm"] in arms} - {None}
    rows = sorted(
        [str(row["rating_id"]), row[dimension]]
        for row in dataset.final_ratings()
        if row["blinding_code"] in codes and row[dimension] is not None
    )
    return _lineage(dataset, "ratings", rows, functions)


def table_lineage(dataset: Dataset, table: str, functions: tuple[str, ...]) -> Lineage:
    """Every row of a table."""
    rows = sorted(sorted((k, str(v)) for k, v in row.items()) for row in dataset.tables[table])
    return _lineage(dataset, table, rows, functions)


def _lineage(
    dataset: Dataset, table: str, rows: list[list[object]] | list[list[tuple[str, str]]],
    functions: tuple[str, ...],
) -> Lineage:  # fmt: skip
    plain = [[list(cell) if isinstance(cell, tuple) else cell for cell in row] for row in rows]
    head = dataset.manifest["audit_head"]
    return Lineage(
        functions,
        table,
        len(rows),
        sha256_hex(canonical(plain)),
        None if head is None else str(head),
    )
