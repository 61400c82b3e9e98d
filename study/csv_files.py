"""Writing CSV: UTF-8, lines ended by LF, line breaks within a cell kept in quotes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one table; how a missing value looks is the caller's business.

    A row with a carriage return is quoted whole: some versions of Python leave a lone one bare, and
    every reader then takes it for the end of the row.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        plain = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(header)
        for row in rows:
            holds_return = any(isinstance(cell, str) and "\r" in cell for cell in row)
            (quoted if holds_return else plain).writerow(row)
