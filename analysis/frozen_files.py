"""The files of a frozen dataset as `docs/contracts.md` defines them: shape, types, digests."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from analysis.canonical import Cell, sha256_hex, table_sha256
from analysis.errors import DatasetError

SCHEMA = "safemed.frozen/1"
PUBLIC_SCHEMA = "safemed.public/1"
"""Of the de-identified bundle: the same tables without audit, times and, by choice, texts."""
MANIFEST_KEYS = {
    "schema", "study_id", "title", "simulated", "simulated_note", "protocol_sha256",
    "code_version", "audit_head", "n_audit_events", "locked_at", "unblindings", "seeds", "tables",
}  # fmt: skip
TABLE_KEYS = {"rows", "columns", "sha256", "csv", "parquet"}
COLUMNS: dict[str, str] = {
    "vignettes": "vignette_id version:integer title category plan_appropriate:boolean difficulty "
    "text_sha256",
    "respondents": "respondent_id arm kind stratum scripted:boolean model weights_sha256",
    "raters": "rater_id scripted:boolean",
    "responses": "response_id vignette_id respondent_id arm status failure blinding_code text "
    "masked_text n_masking_changes:integer confidence:integer position:integer "
    "submitted_at:datetime prompt_tokens:integer completion_tokens:integer",
    "assignments": "rater_id blinding_code position:integer status",
    "ratings": "rating_id rater_id blinding_code vignette_id position:integer revision:integer "
    "final:boolean {dimensions} comment submitted_at:datetime",
    "masking_changes": "blinding_code number:integer rule start:integer before after",
    "audit": "number:integer at:datetime actor role action subject details previous_sha256 sha256",
}
"""Columns of each table; a column without a type is a string."""
OPTIONAL: dict[str, str] = {
    "marks": "rater_id blinding_code kind item marked:boolean",
    "guesses": "rater_id blinding_code guess confidence:integer",
    "amendments": "number:integer version:integer protocol_sha256 changed reason amended_by "
    "amended_at:datetime",
    "deviations": "deviation_id kind subject description reported_by reported_at:datetime",
    "approvals": "verb subject reason approved_by approved_at:datetime",
    "consents": "person_id version text_sha256 signed_at:datetime",
    "same_person": "first_id second_id same:boolean reason decided_at:datetime",
    "attestations": "person_id conditions_sha256 kept:boolean remark attested_at:datetime",
    "conduct": "respondent_id vignette_id first_shown_at:datetime seconds_late:integer "
    "pastes:integer pasted_characters:integer focus_losses:integer seconds_away:integer",
    "withdrawals": "person_id role disposition withdrawn_at:datetime",
    "harms": "rater_id blinding_code severity likelihood",
    "rating_notes": "rater_id blinding_code kind text written_at:datetime",
    "calibrations": "rater_id number:integer share_within_one:number passed:boolean "
    "attempted_at:datetime",
    "repeat_ratings": "rater_id blinding_code repeat_code position:integer {dimensions} "
    "submitted_at:datetime",
    "cue_pairs": "first_vignette second_vignette",
    "adjudications": "adjudicator_id blinding_code dimension score:integer comment "
    "decided_at:datetime",
}
"""Tables that a dataset may lack: of what raters were asked besides scores, and of the study's
course. A table that is no entry here is refused: its columns would be read unchecked."""
ASK_FOR_ANOTHER = "ask for a fresh `safemed export` rather than mending it by hand"

Row = Mapping[str, Any]


def read_manifest(directory: Path) -> dict[str, Any]:
    """The manifest, with every key of the contract and no other.

    Raises:
        DatasetError: If it is missing, not of the schema, or the study is not locked and unblinded.
    """
    path = directory / "manifest.json"
    try:
        manifest = json.loads(_read(path))
    except ValueError as error:
        raise DatasetError(f"{path} is not JSON: {error}; {ASK_FOR_ANOTHER}") from error
    if not isinstance(manifest, dict) or manifest.get("schema") not in (SCHEMA, PUBLIC_SCHEMA):
        raise DatasetError(f"{path} is not of the schema {SCHEMA}; name an exported directory")
    marked = {"code_breaks"} & dict(manifest).keys()
    marked |= {"public"} if manifest["schema"] == PUBLIC_SCHEMA else set()
    _refuse_other_keys(f"{path}", manifest, MANIFEST_KEYS | marked)
    asked = OPTIONAL.keys() & dict(manifest["tables"] or {}).keys()
    _refuse_other_keys(f"{path}, tables", manifest["tables"], COLUMNS.keys() | asked)
    for name, entry in manifest["tables"].items():
        _refuse_other_keys(f"{path}, table {name}", entry, TABLE_KEYS)
    if not manifest["locked_at"] or not manifest["unblindings"]:
        raise DatasetError(
            "the study was not locked and unblinded; a confirmatory analysis waits for both: "
            "lock, unblind, and export again"
        )
    note, simulated = manifest["simulated_note"], manifest["simulated"]
    if not isinstance(simulated, bool) or simulated != bool(note):
        raise DatasetError(
            f"{path}: simulated is {simulated!r} and simulated_note {note!r}; a simulated study "
            "carries a note and no other does"
        )
    return manifest


def read_protocol(directory: Path, sha256: str) -> dict[str, Any]:
    """The registered protocol.

    Raises:
        DatasetError: If its bytes are not those whose digest the manifest holds.
    """
    path = directory / "protocol.json"
    content = _read(path)
    if sha256_hex(content) != sha256:
        raise DatasetError(
            f"{path} is not the registered protocol: its digest is not the manifest's; "
            f"{ASK_FOR_ANOTHER}"
        )
    protocol: dict[str, Any] = json.loads(content)
    return protocol


def read_table(
    directory: Path, name: str, entry: Mapping[str, Any], dimensions: Sequence[str]
) -> tuple[Row, ...]:
    """One table from its Parquet file, the digest verified over all columns, the CSV compared.

    Args:
        directory: The frozen dataset.
        name: Of the table.
        entry: The manifest's.
        dimensions: Ids of the protocol's dimensions: the score columns of `ratings`.

    Raises:
        DatasetError: If a file is missing or changed, or a column is not the contract's.
    """
    columns = [(str(column), str(kind)) for column, kind in entry["columns"]]
    wanted = contract_columns(name, dimensions)
    if columns != wanted:
        odd = sorted(set(columns) ^ set(wanted)) or "their order"
        raise DatasetError(f"the table {name} has other columns than the contract: {odd}")
    rows = _parquet_rows(directory / Path(entry["parquet"]).name, columns)
    if len(rows) != entry["rows"] or table_sha256(columns, rows) != entry["sha256"]:
        raise DatasetError(
            f"the table {name} was changed after the export: its digest is not the manifest's; "
            f"{ASK_FOR_ANOTHER}"
        )
    _compare_csv(directory / Path(entry["csv"]).name, columns, rows)
    names = [column for column, _ in columns]
    return tuple(dict(zip(names, row, strict=True)) for row in rows)


def contract_columns(name: str, dimensions: Sequence[str]) -> list[tuple[str, str]]:
    """Name and type of each column of a table, the dimensions' scores in their place."""
    scores = " ".join(f"{dimension}:integer" for dimension in dimensions)
    written = (COLUMNS | OPTIONAL)[name].format(dimensions=scores)
    split = [column.partition(":") for column in written.split()]
    return [(column, kind or "string") for column, _, kind in split]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"{path} cannot be read ({error.strerror}); name a directory written by safemed export"
        ) from error


def _refuse_other_keys(where: str, value: Any, wanted: Set[str]) -> None:
    if not isinstance(value, dict):
        raise DatasetError(f"{where} holds {value!r} where an object belongs; {ASK_FOR_ANOTHER}")
    missing, unknown = sorted(wanted - value.keys()), sorted(value.keys() - wanted)
    if missing or unknown:
        raise DatasetError(
            f"{where}: missing {', '.join(missing) or 'nothing'}, unknown "
            f"{', '.join(unknown) or 'nothing'}; {ASK_FOR_ANOTHER}"
        )


def _parquet_rows(path: Path, columns: Sequence[tuple[str, str]]) -> list[list[Cell]]:
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
        return [[row[column] for column, _ in columns] for row in rows]
    except KeyError as error:
        raise DatasetError(f"{path} lacks the column {error}; {ASK_FOR_ANOTHER}") from error
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read: {error}; {ASK_FOR_ANOTHER}") from error


def _compare_csv(
    path: Path, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]]
) -> None:
    """Refuse a CSV that says something else: people read it, and it has no digest of its own."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            written = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise DatasetError(f"{path} cannot be read: {error}; {ASK_FOR_ANOTHER}") from error
    wanted = [[column for column, _ in columns], *[[_csv_cell(c) for c in row] for row in rows]]
    for number, (found, row) in enumerate(zip(written, wanted, strict=False), start=1):
        if found != row:
            differing = next((pair for pair in zip(found, row, strict=False) if pair[0] != pair[1]),
                             (len(found), len(row)))  # fmt: skip
            raise DatasetError(
                f"{path}, record {number}: {differing[0]!r} where the Parquet file has "
                f"{differing[1]!r}; {ASK_FOR_ANOTHER}"
            )
    if len(written) != len(wanted):
        raise DatasetError(
            f"{path} has {len(written)} records, the Parquet file {len(wanted)}; {ASK_FOR_ANOTHER}"
        )


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "NA" if cell is None else str(cell)
