"""The frozen dataset: every table with a digest over all its columns, written after unblinding."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from study.audit import Actor, events_of, record, verify_chain
from study.canonical import canonical, table_sha256
from study.clock import as_text
from study.csv_files import write_csv
from study.errors import StillBlindedError, StudyError
from study.export_tables import all_tables
from study.frozen_table import Table
from study.registration import RegisteredStudy, load_study
from study.signing import Signer
from study.store import Store

SCHEMA = "safemed.frozen/1"
PUBLIC_SCHEMA = "safemed.public/1"
"""Of the de-identified bundle that `study/exports/public.py` makes."""
SIMULATED_NOTE = (
    "SIMULATED. Scripted people answered and rated; the scores were planted by a declared model "
    "and have nothing to do with the texts. Nothing here is a finding."
)
TRYOUT_NOTE = (
    "TRYOUT. One person walked every role to see how a study works. Nothing here is a finding."
)
MISSING = "NA"


def export(
    store: Store, study_id: str, out: Path, *, by: Actor, code_version: str,
    signer: Signer | None = None, what: str = "frozen dataset",
) -> Path:  # fmt: skip
    """Write the frozen dataset of an unblinded study, as `docs/contracts.md` defines it.

    Args:
        store: The database.
        study_id: An unblinded study.
        out: A directory to make; an export that is there already is replaced only when whole.
        by: Who exports; it is audited.
        code_version: Of the program, for the manifest.
        signer: Who signs the manifest, and with it every digest; None leaves the bundle unsigned.
        what: What the audit calls it: the shape that the dataset is wanted in.

    Raises:
        StillBlindedError: If the study is not unblinded.
        StudyError: If `out` holds something that is not an export.
        AuditError: If the audit chain does not hold.
    """
    _refuse_foreign(out)
    with store.write() as session:
        study = load_study(session, study_id)
        if study.state != "unblinded":
            raise StillBlindedError(
                f"the study is {study.state!r}; its arms can be exported after it is unblinded"
            )
        record(session, store.clock, study_id, by, "export", what, {})
        head = verify_chain(events_of(session, study_id))
        tables = all_tables(session, study)
        manifest = _manifest(session, study, tables, head, code_version)
        _write(out, study, tables, manifest, signer)
    return out


def _manifest(
    session: Session,
    study: RegisteredStudy,
    tables: Mapping[str, Table],
    head: str,
    code_version: str,
) -> dict[str, Any]:
    events = events_of(session, study.study_id)
    unblindings = [event for event in events if event.action == "unblind"]
    return {
        "schema": SCHEMA,
        "study_id": study.study_id,
        "title": study.protocol.title,
        "simulated": study.simulated,
        "simulated_note": _note(study),
        "protocol_sha256": study.protocol.sha256,
        "code_version": code_version,
        "audit_head": head,
        "n_audit_events": len(events),
        "locked_at": next(as_text(e.at) for e in reversed(events) if e.action == "lock"),
        "unblindings": [
            {
                "at": as_text(event.at),
                "reason": event.details["reason"],
                "by": f"{event.actor} ({event.role})",
                "second_person": event.details["second_person"],
            }
            for event in unblindings
        ],
        "code_breaks": [
            {
                "at": as_text(event.at),
                "code": event.subject,
                "reason": event.details["reason"],
                "by": f"{event.actor} ({event.role})",
                "second_person": event.details["second_person"],
            }
            for event in events
            if event.action == "code break"
        ],
        "seeds": unblindings[-1].details["seeds"],
        "tables": table_entries(tables),
    }


def table_entries(tables: Mapping[str, Table]) -> dict[str, Any]:
    """What a manifest says of each table: shape, digest, files."""
    return {
        name: {
            "rows": len(table.rows),
            "columns": [list(column) for column in table.columns],
            "sha256": table_sha256(table.columns, table.rows),
            "csv": f"{name}.csv",
            "parquet": f"{name}.parquet",
        }
        for name, table in tables.items()
    }


def _note(study: RegisteredStudy) -> str | None:
    if not study.simulated:
        return None
    return TRYOUT_NOTE if study.kind == "tryout" else SIMULATED_NOTE


def _refuse_foreign(out: Path) -> None:
    if out.exists() and not (out.is_dir() and (not any(out.iterdir()) or _is_export(out))):
        raise StudyError(f"{out} holds something that is not an export; name another directory")


def _is_export(out: Path) -> bool:
    try:
        written = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(written, dict) and written.get("schema") == SCHEMA


def _write(
    out: Path, study: RegisteredStudy, tables: Mapping[str, Table], manifest: Mapping[str, Any],
    signer: Signer | None,
) -> None:  # fmt: skip
    """Write beside the destination first: a full disk leaves no half export behind."""
    beside = out.with_name(out.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        write_bundle(beside, canonical(study.protocol.as_json()), tables, manifest, signer)
        shutil.rmtree(out, ignore_errors=True)
        beside.rename(out)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise StudyError(
            f"the export could not be written to {out}: {error.strerror}; free space or name "
            "another place. The study itself is unchanged"
        ) from error


def write_bundle(
    directory: Path, protocol: bytes, tables: Mapping[str, Table], manifest: Mapping[str, Any],
    signer: Signer | None,
) -> None:  # fmt: skip
    """Put protocol, tables, manifest and signature into a directory that is being written."""
    (directory / "protocol.json").write_bytes(protocol)
    for name, table in tables.items():
        write_table_csv(directory / f"{name}.csv", table)
        write_parquet(directory / f"{name}.parquet", table)
    content = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    (directory / "manifest.json").write_bytes(content)
    if signer is not None:
        signed = json.dumps(signer.sign(content), indent=2) + "\n"
        (directory / "signature.json").write_text(signed, encoding="utf-8")


def write_table_csv(path: Path, table: Table) -> None:
    """Write a table as CSV: `NA` where a value is missing."""
    rows = ([_csv_cell(cell) for cell in row] for row in table.rows)
    write_csv(path, [name for name, _ in table.columns], rows)


def _csv_cell(cell: object) -> object:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return MISSING if cell is None else cell


def write_parquet(path: Path, table: Table) -> None:
    """Write a table as Parquet, typed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "string": pa.string(),
        "datetime": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in table.columns])
    arrays = [
        pa.array([row[place] for row in table.rows], type=field.type)
        for place, field in enumerate(schema)
    ]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)
