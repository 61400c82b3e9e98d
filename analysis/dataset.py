"""Reading a frozen dataset: every digest verified, every rule of the contract checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.canonical import Cell, canonical, sha256_hex, table_sha256
from analysis.errors import DatasetError

SCHEMA = "safemed.frozen/1"
Row = Mapping[str, Any]
TABLES = (
    "vignettes",
    "respondents",
    "raters",
    "responses",
    "assignments",
    "ratings",
    "masking_changes",
    "audit",
)


@dataclass(frozen=True, slots=True)
class Dimension:
    """One rubric dimension, with its scale and direction."""

    id: str
    label: str
    minimum: int
    maximum: int
    higher_is_better: bool

    @property
    def points(self) -> tuple[int, ...]:
        """The scale's points in order."""
        return tuple(range(self.minimum, self.maximum + 1))


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of the study."""

    id: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class FrozenDataset:
    """A verified frozen dataset."""

    manifest: Mapping[str, Any]
    protocol: Mapping[str, Any]
    tables: Mapping[str, tuple[Row, ...]]
    arms: Mapping[str, Arm]
    dimensions: tuple[Dimension, ...]

    @property
    def simulated_note(self) -> str | None:
        """The sentence every page, table and figure must carry, or None."""
        note = self.manifest["simulated_note"]
        return str(note) if self.manifest["simulated"] else None

    @property
    def first(self) -> Arm:
        """The arm from which the other is taken away."""
        return self.arms[self.protocol["contrast"]["first"]]

    @property
    def second(self) -> Arm:
        """The arm that is taken away."""
        return self.arms[self.protocol["contrast"]["second"]]

    def final_ratings(self) -> tuple[Row, ...]:
        """Each rater's last own rating of each response."""
        return tuple(row for row in self.tables["ratings"] if row["final"])


def read_frozen(directory: Path) -> FrozenDataset:
    """Read and verify a frozen dataset.

    Args:
        directory: Written by `safemed export`; see `docs/contracts.md`.

    Raises:
        DatasetError: If a file is missing or changed, the study was not locked or unblinded, or the
            ratings break the contract; the message names the rows and values.
    """
    manifest = _manifest(directory)
    protocol_bytes = _read(directory / "protocol.json")
    if sha256_hex(protocol_bytes) != manifest["protocol_sha256"]:
        raise DatasetError(f"{directory / 'protocol.json'} is not the registered protocol")
    protocol = json.loads(protocol_bytes)
    tables = {name: _table(directory, name, manifest["tables"][name]) for name in TABLES}
    dimensions = tuple(_dimension(d) for d in protocol["rating"]["dimensions"])
    dataset = FrozenDataset(
        manifest=manifest,
        protocol=protocol,
        tables=tables,
        arms={a["id"]: Arm(a["id"], a["kind"], a["label"]) for a in protocol["arms"]},
        dimensions=dimensions,
    )
    _check_ratings(dataset)
    return dataset


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read ({error.strerror}); name a directory written by safemed export"
        ) from error


def _manifest(directory: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_read(directory / "manifest.json"))
    except ValueError as error:
        raise DatasetError(f"{directory / 'manifest.json'} is not JSON") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise DatasetError(f"{directory / 'manifest.json'} is not of the schema {SCHEMA}")
    if not manifest.get("locked_at") or not manifest.get("unblindings"):
        raise DatasetError(
            "the study was not locked and unblinded; a confirmatory analysis waits for both"
        )
    missing = [name for name in TABLES if name not in manifest.get("tables", {})]
    if missing:
        raise DatasetError(f"the manifest lacks the tables {', '.join(missing)}")
    return manifest


def _table(directory: Path, name: str, entry: Mapping[str, Any]) -> tuple[Row, ...]:
    import pyarrow.parquet as pq

    path = directory / entry["parquet"]
    columns = [(str(column), str(kind)) for column, kind in entry["columns"]]
    try:
        rows = pq.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error
    try:
        cells: list[list[Cell]] = [[row[column] for column, _ in columns] for row in rows]
    except KeyError as error:
        raise DatasetError(f"{path} lacks the column {error}") from error
    if table_sha256(columns, cells) != entry["sha256"]:
        raise DatasetError(
            f"the table {name} was changed after the export: its digest is not the manifest's"
        )
    return tuple(rows)


def _dimension(written: Mapping[str, Any]) -> Dimension:
    scale = written["scale"]
    return Dimension(
        id=written["id"],
        label=written["label"],
        minimum=scale["minimum"],
        maximum=scale["maximum"],
        higher_is_better=scale["direction"] == "higher_is_better",
    )


def _check_ratings(dataset: FrozenDataset) -> None:
    ratings = dataset.final_ratings()
    faults = []
    pairs = Counter((row["rater_id"], row["blinding_code"]) for row in ratings)
    for (rater, code), count in pairs.items():
        if count > 1:
            faults.append(f"rater {rater} has {count} final ratings of {code}")
    known = {row["blinding_code"] for row in dataset.tables["responses"]}
    for row in ratings:
        if row["blinding_code"] not in known:
            faults.append(f"rating {row['rating_id']} is of an unknown code {row['blinding_code']}")
        for dimension in dataset.dimensions:
            score = row.get(dimension.id)
            if score is not None and score not in dimension.points:
                faults.append(
                    f"rating {row['rating_id']}: {dimension.id} is {score!r}, off the scale "
                    f"{dimension.minimum} to {dimension.maximum}"
                )
    for response in dataset.tables["responses"]:
        if response["status"] != "submitted" and pairs_of(response, ratings):
            faults.append(f"{response['response_id']} was not submitted and yet rated")
    if faults:
        raise DatasetError("the ratings cannot be analysed: " + "; ".join(faults[:20]))


def pairs_of(response: Row, ratings: tuple[Row, ...]) -> tuple[Row, ...]:
    """The ratings of one response; none when it has no blinding code."""
    code = response["blinding_code"]
    return tuple(r for r in ratings if code is not None and r["blinding_code"] == code)


def protocol_digest(dataset: FrozenDataset) -> str:
    """Digest of the protocol as read."""
    return sha256_hex(canonical(dataset.protocol))
