"""The ledger of training rows: Parquet shards that are only ever added, and a chained journal.

A shard counts once the journal names it with its digest; each line of the journal holds the digest
of the line before. A kill leaves at most a shard that no line names: it is overwritten. Any tool
that reads Parquet reads the shards as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from model.canonical import canonical, file_sha256, sha256_hex
from model.cts.tables import TABLES, Name
from model.errors import LedgerError

SCHEMA = "safemed.ledger/1"
JOURNAL = "journal.jsonl"
GENESIS = "0" * 64
SHARD_ROWS = 50_000
GROUP_ROWS = 2_000
"""Rows of a Parquet row group: what `trace` reads to find one row."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One line of the journal."""

    number: int
    table: Name
    file: str
    """Relative to the ledger."""
    rows: int
    sha256: str
    previous_sha256: str

    @property
    def line_sha256(self) -> str:
        """Digest of this line, which the next one holds."""
        return sha256_hex(canonical(self._values()))

    def as_line(self) -> bytes:
        """The journal's line."""
        return canonical(self._values()) + b"\n"

    def _values(self) -> dict[str, Any]:
        return {
            "number": self.number, "table": self.table, "file": self.file, "rows": self.rows,
            "sha256": self.sha256, "previous_sha256": self.previous_sha256,
        }  # fmt: skip


class Ledger:
    """A ledger in a directory. One process writes at a time."""

    def __init__(self, directory: Path) -> None:
        """Open a ledger that `create_ledger` made.

        Raises:
            LedgerError: If the directory holds none, or its journal cannot be read.
        """
        self.directory = directory
        if not (directory / JOURNAL).is_file():
            raise LedgerError(
                f"{directory} is no ledger; `safemed cts import --ledger {directory}` makes one"
            )
        self.shards = list(_read_journal(directory / JOURNAL))

    @property
    def head(self) -> str:
        """Digest of the last line of the journal."""
        return self.shards[-1].line_sha256 if self.shards else GENESIS

    def paths(self, table: Name) -> list[Path]:
        """The shards of a table, oldest first."""
        return [self.directory / s.file for s in self.shards if s.table == table]

    def read(self, table: Name, columns: Sequence[str] | None = None) -> pa.Table:
        """A whole table, or some of its columns, in the order in which rows were added."""
        paths = self.paths(table)
        wanted = list(columns) if columns else TABLES[table].names
        if not paths:
            return TABLES[table].empty_table().select(wanted)
        return pa.concat_tables([pq.read_table(path, columns=wanted) for path in paths])

    def add(self, table: Name, rows: pa.Table) -> None:
        """Add rows as new shards; each is on disk before the journal names it.

        Raises:
            LedgerError: If the disk is full or refuses; shards already named stay.
        """
        for begun in range(0, rows.num_rows, SHARD_ROWS):
            self._add_shard(table, rows.slice(begun, SHARD_ROWS).cast(TABLES[table]))

    def add_rows(self, table: Name, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add plain rows; returns how many."""
        made = pa.Table.from_pylist(list(rows), schema=TABLES[table])
        self.add(table, made)
        return int(made.num_rows)

    def _add_shard(self, table: Name, rows: pa.Table) -> None:
        number = len(self.shards) + 1
        name = f"{table}/{number:06d}.parquet"
        path = self.directory / name
        beside = path.with_suffix(".part")
        try:
            path.parent.mkdir(exist_ok=True)
            pq.write_table(rows, beside, row_group_size=GROUP_ROWS, compression="zstd")
            _flush(beside)
            beside.replace(path)
            shard = Shard(number, table, name, rows.num_rows, file_sha256(path), self.head)
            with (self.directory / JOURNAL).open("ab") as journal:
                journal.write(shard.as_line())
                journal.flush()
                os.fsync(journal.fileno())
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise LedgerError(
                f"the ledger could not write {name}: {error.strerror}; free space and run the "
                "same command again. What the journal names is kept"
            ) from error
        self.shards.append(shard)


def create_ledger(directory: Path) -> Ledger:
    """Make an empty ledger, or open the one that is there.

    Raises:
        LedgerError: If the directory holds something else.
    """
    if not (directory / JOURNAL).exists():
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise LedgerError(f"{directory} holds something that is no ledger; name another")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "ledger.json").write_text(json.dumps({"schema": SCHEMA}) + "\n")
        (directory / JOURNAL).touch()
    return Ledger(directory)


def _read_journal(path: Path) -> Iterator[Shard]:
    previous = GENESIS
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            shard = Shard(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise LedgerError(f"{path.name}, line {number}, cannot be read: {error}") from error
        if shard.number != number or shard.previous_sha256 != previous:
            raise LedgerError(
                f"{path.name}, line {number}, does not follow the line before: the journal was "
                "edited, cut or reordered"
            )
        previous = shard.line_sha256
        yield shard
    if lines[-1]:
        raise LedgerError(
            f"{path.name} ends in half a line, as after a full disk; remove what follows its last "
            "line break and run the same command again"
        )


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def faults(ledger: Ledger) -> Iterator[str]:
    """What is wrong with the shards: each read whole and compared with the journal's digest."""
    named = {shard.file for shard in ledger.shards}
    for shard in ledger.shards:
        path = ledger.directory / shard.file
        if not path.is_file():
            yield f"{shard.file} is missing"
        elif file_sha256(path) != shard.sha256:
            yield f"{shard.file} was changed: its digest is not the journal's"
    for table in TABLES:
        for path in sorted((ledger.directory / table).glob("*.parquet")):
            name = str(path.relative_to(ledger.directory))
            if name not in named:
                yield f"{name} is not in the journal: left by a kill, or put there by hand"
