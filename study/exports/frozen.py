"""Reading a frozen dataset, every digest checked; no export below touches the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.canonical import Cell, sha256_hex, table_sha256
from study.errors import BundleError
from study.export import PUBLIC_SCHEMA, SCHEMA
from study.frozen_table import Table

Named = Mapping[str, Cell]
"""A row by its columns' names."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen dataset, or the public bundle made of one, as it lies in its directory."""

    manifest: Mapping[str, Any]
    protocol: Mapping[str, Any]
    tables: Mapping[str, Table]
    manifest_sha256: str | None = None
    """Of the bytes of `manifest.json`; None where the dataset was not read from a file."""

    def rows(self, table: str) -> list[Named]:
        """The table's rows by column; none where the study has no such table."""
        if table not in self.tables:
            return []
        names = [name for name, _ in self.tables[table].columns]
        return [dict(zip(names, row, strict=True)) for row in self.tables[table].rows]

    @property
    def dimensions(self) -> list[Mapping[str, Any]]:
        """What raters scored, as the protocol words it."""
        found: list[Mapping[str, Any]] = self.protocol["rating"]["dimensions"]
        return found

    @property
    def is_public(self) -> bool:
        """Whether it is a de-identified public bundle."""
        return bool(self.manifest["schema"] == PUBLIC_SCHEMA)

    @property
    def left_out(self) -> frozenset[str]:
        """Columns whose values a public bundle leaves out, as `table.column`."""
        return frozenset(self.manifest["public"]["left_out"]) if self.is_public else frozenset()

    @property
    def note(self) -> str | None:
        """The sentence that every page of a simulated study carries."""
        said = self.manifest["simulated_note"]
        return None if said is None else str(said)


def read_frozen(directory: Path, *, public_too: bool = False) -> Frozen:
    """Read a frozen dataset from its manifest, protocol and Parquet files.

    Args:
        directory: Written by `safemed export`, as `docs/contracts.md` defines it.
        public_too: Whether a public bundle, which lacks texts and audit, will do as well.

    Raises:
        BundleError: If a file is missing, or is not the one whose digest the manifest holds.
    """
    try:
        said = (directory / "manifest.json").read_bytes()
        manifest = json.loads(said)
        written = (directory / "protocol.json").read_bytes()
        if manifest["schema"] == PUBLIC_SCHEMA and not public_too:
            raise BundleError(
                f"{directory} is a public bundle, which lacks texts and audit; name the frozen "
                "dataset that it was made of"
            )
        if manifest["schema"] not in (SCHEMA, PUBLIC_SCHEMA):
            raise BundleError(f"{directory} is {manifest['schema']!r}, not {SCHEMA}")
        if sha256_hex(written) != manifest["protocol_sha256"]:
            raise BundleError(f"{directory / 'protocol.json'} was changed; export again")
        tables = {
            name: _table(directory, name, entry) for name, entry in manifest["tables"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(
            f"{directory} cannot be read as a frozen dataset ({error}); name a directory that "
            "`safemed export` wrote"
        ) from error
    return Frozen(manifest, json.loads(written), tables, sha256_hex(said))


def _table(directory: Path, name: str, entry: Mapping[str, Any]) -> Table:
    import pyarrow.parquet as pq

    columns = tuple((str(column), str(kind)) for column, kind in entry["columns"])
    found = pq.read_table(directory / Path(entry["parquet"]).name).to_pylist()
    rows = tuple(tuple(row[column] for column, _ in columns) for row in found)
    if len(rows) != entry["rows"] or table_sha256(columns, rows) != entry["sha256"]:
        raise BundleError(
            f"the table {name} of {directory} was changed after the export: its digest is not the "
            "manifest's; export again"
        )
    return Table(columns, rows)
