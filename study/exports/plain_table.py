"""A plain CSV on its way in: read whole, every fault named by row and column before any is used."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from study.canonical import sha256_hex
from study.errors import StudyError

MISSING = ("", "NA")
"""A missing number, time or choice; in a text or comment only the blank is missing."""
MOST_SHOWN = 20
DELIMITERS = ",;\t"


class PlainTableError(StudyError):
    """A plain table was refused; nothing of it was taken in."""


@dataclass(frozen=True, slots=True)
class PlainRow:
    """One record of the file."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class PlainTable:
    """A plain CSV as read."""

    name: str
    sha256: str
    """Of the file's bytes."""
    columns: tuple[str, ...]
    rows: tuple[PlainRow, ...]


@dataclass(slots=True)
class Faults:
    """Everything that is wrong, gathered before anything is refused."""

    name: str
    found: list[str] = field(default_factory=list)

    def add(self, row: PlainRow, column: str, words: str) -> None:
        """Note one fault with its remedy."""
        self.found.append(f"row {row.number}, column {column}: {words}")

    def refuse(self) -> None:
        """Refuse the file if anything is wrong with it.

        Raises:
            PlainTableError: With every fault, the first ones in full.
        """
        if not self.found:
            return
        more = len(self.found) - MOST_SHOWN
        shown = "\n- ".join(self.found[:MOST_SHOWN])
        rest = f"\n- and {more} more" if more > 0 else ""
        raise PlainTableError(f"{self.name}: nothing was imported:\n- {shown}{rest}")

    def number(self, row: PlainRow, column: str) -> int | None:
        """A whole number, or None where it is missing or at fault."""
        written = row[column].strip()
        if written in MISSING:
            return None
        if not re.fullmatch(r"-?\d{1,9}", written):
            self.add(row, column, f"{written!r} is no whole number; correct it or leave it blank")
            return None
        return int(written)

    def moment(self, row: PlainRow, column: str, now: datetime) -> datetime | None:
        """An aware time that has passed, or None where it is missing or at fault."""
        written = row[column].strip()
        if written in MISSING:
            return None
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            self.add(row, column, f"{written!r} is no time; write 2026-01-31T09:30:00Z")
            return None
        if moment.tzinfo is None:
            self.add(row, column, f"{written!r} has no time zone; end it in Z or +01:00")
            return None
        if moment > now:
            self.add(row, column, f"{written} has not come yet; correct it or leave it blank")
        return moment


def read_plain(path: Path, required: Sequence[str], optional: Collection[str]) -> PlainTable:
    """Read a CSV with a header: UTF-8, comma, semicolon or tab, line breaks within quotes.

    Args:
        path: The file.
        required: Columns that must be there.
        optional: Columns that may be there; any other is refused, so that none is dropped unseen.

    Raises:
        PlainTableError: Naming the row or column and the remedy.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlainTableError(f"{path.name} is not UTF-8 ({error}); save it as CSV UTF-8") from None
    try:
        records = _records(text, required)
    except csv.Error as error:
        raise PlainTableError(f"{path.name} is no readable CSV: {error}") from None
    if not records or not records[0]:
        raise PlainTableError(f"{path.name} is empty; its first row names the columns")
    header = tuple(name.strip() for name in records[0])
    _check_header(path.name, header, required, optional)
    faults = Faults(path.name)
    rows = []
    for number, record in enumerate(records[1:], start=2):
        if not record:
            continue
        row = PlainRow(number, dict(zip(header, record, strict=False)))
        if len(record) != len(header):
            faults.add(
                row, header[min(len(record), len(header)) - 1],
                f"the row has {len(record)} cells, the header {len(header)}; put quotes around "
                "texts that hold the delimiter, a quote or a line break",
            )  # fmt: skip
        faults.found += [
            f"row {number}, column {column}: it holds a NUL character; remove it"
            for column, cell in row.cells.items()
            if "\0" in cell
        ]
        rows.append(row)
    faults.refuse()
    return PlainTable(path.name, sha256_hex(content), header, tuple(rows))


def _records(text: str, required: Sequence[str]) -> list[list[str]]:
    """Under the delimiter whose header holds most of the columns asked for."""

    def known(delimiter: str) -> int:
        first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        return len({name.strip() for name in first} & set(required))

    best = max(DELIMITERS, key=known)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=best, strict=True))


def _check_header(
    name: str, header: Sequence[str], required: Sequence[str], optional: Collection[str]
) -> None:
    missing = [column for column in required if column not in header]
    unknown = [column for column in header if column not in {*required, *optional}]
    twice = [column for column, count in Counter(header).items() if count > 1]
    words = []
    if missing:
        words.append(f"there is no column {', '.join(missing)}; add it")
    if unknown:
        known = ", ".join([*required, *sorted(optional)])
        words.append(f"the column {', '.join(map(repr, unknown))} is unknown; known are {known}")
    if twice:
        words.append(f"the column {', '.join(twice)} stands twice; keep one")
    if words:
        raise PlainTableError(f"{name}, row 1: {'; '.join(words)}. Nothing was imported")
