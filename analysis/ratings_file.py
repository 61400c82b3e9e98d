"""Reading a table of ratings from elsewhere: cells as they stand, every fault with its row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.canonical import sha256_hex
from analysis.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 500_000_000
MOST_ROWS = 2_000_000
MISSING = {"", "na", "n/a", "nan", "none", "null", "."}
"""Written for a rating that was not given."""
DATE = re.compile(
    r"^(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[-. ]?[a-z]{3,9}|[a-z]{3,9}[-. ]\d{1,4})"
    r"( \d{1,2}:\d{2}(:\d{2})?)?$",
    re.IGNORECASE,
)
NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$", re.IGNORECASE)
SEPARATED = re.compile(r"^[+-]?\d{1,3}([ ,.'’\u00a0\u202f]\d{3})+([.,]\d+)?$")


@dataclass(frozen=True, slots=True)
class Cells:
    """A table as text; row 1 is the header."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first_row: int
    """Number of the first row of data, as a reader of the file counts."""
    sha256: str

    def column(self, name: str) -> int:
        """Place of a column.

        Raises:
            DatasetError: If there is none of that name.
        """
        if name not in self.columns:
            raise DatasetError(
                f"{self.name} has no column {name!r}; its columns are {', '.join(self.columns)}. "
                "Name it with --columns, such as --columns score=rating"
            )
        return self.columns.index(name)


def read_cells(path: Path) -> Cells:
    """A CSV file (comma, semicolon or tab) as text.

    Raises:
        DatasetError: If it cannot be read, is larger than 500 MB or 2,000,000 rows, is not UTF-8
            throughout, or a row has another number of cells than the header.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DatasetError(
                f"{path} holds {size / 1e6:,.0f} MB; tables above {MOST_BYTES / 1e6:,.0f} MB are "
                "refused: analyse one study at a time"
            )
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from error
    text = _decoded(path, content)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = [tuple(cell.strip() for cell in row)
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]  # fmt: skip
    if len(rows) < 2:
        raise DatasetError(f"{path} has no row below its header")
    _check_size(str(path), len(rows) - 1)
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width and any(row):
            raise DatasetError(
                f"{path}, row {number} has {len(row)} cells where the header has {width}; a "
                f"{delimiter!r} inside a cell needs quotes around the cell"
            )
    kept = tuple(row for row in rows[1:] if any(row))
    return Cells(str(path), rows[0], kept, 2, sha256_hex(content))


def frame_cells(table: pd.DataFrame) -> Cells:
    """A data frame as text, rows counted from 0 as it shows them by place.

    Raises:
        DatasetError: If it has more than 2,000,000 rows, or none.
    """
    _check_size("the table", len(table))
    if len(table) == 0:
        raise DatasetError("the table has no rows")
    written = table.astype(object).where(table.notna(), "")
    rows = tuple(tuple(_text(cell) for cell in row) for row in written.itertuples(index=False))
    content = repr((tuple(map(str, table.columns)), rows)).encode()
    return Cells("the table", tuple(map(str, table.columns)), rows, 0, sha256_hex(content))


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _check_size(name: str, n_rows: int) -> None:
    if n_rows > MOST_ROWS:
        raise DatasetError(
            f"{name} has {n_rows:,} rows; tables above {MOST_ROWS:,} rows are refused: analyse one "
            "study at a time"
        )


def _decoded(path: Path, content: bytes) -> str:
    if b"\0" in content[:10_000]:
        raise DatasetError(
            f"{path} is no plain text (UTF-16, or a spreadsheet file?); save it as CSV, UTF-8"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        begun = content.rfind(b"\n", 0, error.start) + 1
        line = content[begun : error.start + 10].split(b"\n")[0].decode("latin-1")
        others = any(byte >= 0xC2 for byte in content[: error.start])
        mixed = ", though earlier rows are: the file mixes encodings" if others else ""
        raise DatasetError(
            f"{path}, row {row} is not UTF-8{mixed}: {line!r}; save it as CSV, UTF-8"
        ) from error


def score(cell: str) -> float | None:
    """A score, None where it is missing.

    Raises:
        ValueError: If the cell is no plain number, saying what it looks like.
    """
    if cell.lower() in MISSING:
        return None
    if NUMBER.match(cell):
        return float(cell)
    if DATE.match(cell) and not NUMBER.match(cell.replace(",", ".")):
        raise ValueError("a date, which spreadsheets make of entries such as 3-4")
    if SEPARATED.match(cell):
        raise ValueError("a number with thousands separators")
    if NUMBER.match(cell.replace(",", ".")):
        raise ValueError("a number with a decimal comma")
    raise ValueError("text")


def in_words(faults: Sequence[str], most: int = 12) -> str:
    """Faults joined, the rest counted."""
    more = f"; and {len(faults) - most} more" if len(faults) > most else ""
    return "; ".join(faults[:most]) + more


Columns = Mapping[str, str]
"""From what a column means to its name in the table."""
