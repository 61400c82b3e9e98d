"""A table of the frozen dataset: typed columns, rows of plain cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study.canonical import Cell

Columns = tuple[tuple[str, str], ...]
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the frozen dataset."""

    columns: Columns
    """Name and type of each."""
    rows: tuple[Row, ...]


def make_table(columns: str, rows: Sequence[Row]) -> Table:
    """Columns as `name:type` words; a column without a type is a string."""
    split = (column.partition(":") for column in columns.split())
    return Table(tuple((name, kind or "string") for name, _, kind in split), tuple(rows))


def sorted_rows(rows: Sequence[Row], n_key_columns: int = 1) -> list[Row]:
    """Rows in the order of their first columns."""
    return sorted(rows, key=lambda row: tuple(row[:n_key_columns]))
