"""Verifying a bundle offline: its files, its audit chain, its allocation, its signature.

Every fault is named; what cannot be known without something from outside is said to be open. The
holder of the key could rewrite a whole chain and sign it again: only a receipt given out before
shows that.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from study.allocation import CODE_PURPOSE, blinding_codes
from study.audit import GENESIS
from study.canonical import Cell, canonical, sha256_hex, table_sha256
from study.errors import BundleError
from study.export import MISSING, PUBLIC_SCHEMA
from study.masked import CUSTODIAN
from study.replay import order_faults, rater_faults
from study.signing import is_signed
from study.verify_masking import changes_by_code, masking_faults, undone

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The head of a chain as it was given out at a step."""

    number: int
    sha256: str

    @classmethod
    def from_words(cls, words: str) -> Receipt:
        """`12:ab34...` as it was printed.

        Raises:
            BundleError: If it is not a number, a colon and 64 hexadecimal digits.
        """
        number, _, digest = words.strip().partition(":")
        if not number.isdigit() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise BundleError(f"{words!r} is no receipt; it is a number, a colon and 64 digits")
        return cls(int(number), digest)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified."""

    name: Literal["files", "audit", "receipts", "masking", "allocation", "signature"]
    outcome: Literal["holds", "open", "fault"]
    words: str


def verify(
    bundle: Path, *, receipts: Sequence[Receipt] = (), public_key: str | None = None
) -> tuple[Check, ...]:
    """Verify a frozen dataset without the database.

    Args:
        bundle: Directory written by `safemed export`; of a public bundle only files and signature
            can be verified, and the rest is said to be open.
        receipts: Heads given out at registration, lock or unblinding.
        public_key: Of the signer, in hexadecimal, as given out at registration.

    Raises:
        BundleError: If there is no manifest that can be read.
    """
    manifest = _manifest(bundle)
    tables, faults = _tables(bundle, manifest)
    checks = [_verdict("files", faults, "every digest is that of its table; CSV and Parquet agree")]
    if manifest.get("schema") == PUBLIC_SCHEMA:
        return (*checks, *_LEFT_OUT, _signature(bundle, [], public_key))
    audit = tables.get("audit", [])
    checks.append(_verdict("audit", list(_audit_faults(manifest, audit)),
                           f"{len(audit)} events in one unbroken chain"))  # fmt: skip
    checks.append(_receipts(audit, receipts))
    checks.append(_verdict("masking", list(masking_faults(tables)),
                           "masked texts and their changes give the originals"))  # fmt: skip
    checks.append(_verdict("allocation", list(_allocation_faults(bundle, manifest, tables)),
                           "codes, raters and orders replay from the revealed seeds"))  # fmt: skip
    checks.append(_signature(bundle, audit, public_key))
    return tuple(checks)


_LEFT_OUT = (
    Check("audit", "open", "left out of a public bundle; the frozen dataset has it"),
    Check("receipts", "open", "there is no audit to hold them against"),
    Check("masking", "open", "originals are left out of a public bundle"),
    Check("allocation", "open", "seeds and audit are left out of a public bundle"),
)


def _verdict(name: Any, faults: Sequence[str], words: str) -> Check:
    if faults:
        return Check(name, "fault", "; ".join(faults))
    return Check(name, "holds", words)


def _manifest(bundle: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
        if not isinstance(manifest, dict) or not isinstance(manifest["tables"], dict):
            raise ValueError("it names no tables")
    except (OSError, ValueError, KeyError) as error:
        raise BundleError(
            f"{bundle / 'manifest.json'} cannot be read ({error}); name a directory written by "
            "safemed export"
        ) from error
    return manifest


def _tables(
    bundle: Path, manifest: Mapping[str, Any]
) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Rows of every table that can be read, and what is wrong with the files."""
    faults, tables = [], {}
    try:
        protocol = (bundle / "protocol.json").read_bytes()
        if sha256_hex(protocol) != manifest.get("protocol_sha256"):
            faults.append("protocol.json is not the registered protocol")
    except OSError as error:
        faults.append(f"protocol.json cannot be read: {error.strerror}")
    for name, entry in manifest["tables"].items():
        try:
            rows, columns = _parquet(bundle / Path(entry["parquet"]).name, entry)
        except (OSError, ValueError, KeyError, TypeError) as error:
            faults.append(f"table {name} cannot be read: {error}")
            continue
        tables[name] = [dict(zip([c for c, _ in columns], row, strict=True)) for row in rows]
        if len(rows) != entry["rows"]:
            faults.append(f"table {name} has {len(rows)} rows, the manifest says {entry['rows']}")
        elif table_sha256(columns, rows) != entry["sha256"]:
            faults.append(f"table {name} was changed: its digest is not the manifest's")
        faults += _csv_faults(bundle / Path(entry["csv"]).name, name, columns, rows)
    return tables, faults


def _parquet(
    path: Path, entry: Mapping[str, Any]
) -> tuple[list[list[Cell]], list[tuple[str, str]]]:
    import pyarrow.parquet as pq

    columns = [(str(name), str(kind)) for name, kind in entry["columns"]]
    rows = pq.read_table(path).to_pylist()
    return [[row[name] for name, _ in columns] for row in rows], columns


def _csv_faults(
    path: Path, name: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]]
) -> Iterator[str]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            written = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        yield f"{path.name} cannot be read: {error}"
        return
    wanted = [[c for c, _ in columns], *[[_csv_cell(cell) for cell in row] for row in rows]]
    if written != wanted:
        place = next((i for i, (a, b) in enumerate(zip(written, wanted, strict=False), start=1)
                      if a != b), min(len(written), len(wanted)) + 1)  # fmt: skip
        yield f"{path.name} says something else than the Parquet file of {name}, record {place}"


def _csv_cell(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return MISSING if cell is None else str(cell)


def _audit_faults(manifest: Mapping[str, Any], audit: Sequence[Row]) -> Iterator[str]:
    previous = GENESIS
    for expected, event in enumerate(audit, start=1):
        if event["number"] != expected:
            yield f"audit event {expected} is missing or moved: number {event['number']} is there"
            return
        if event["previous_sha256"] != previous or event["sha256"] != _event_sha256(
            str(manifest["study_id"]), event
        ):
            yield f"audit event {expected} ({event['action']}) was changed or moved"
            return
        previous = event["sha256"]
    frozen = [e for e in audit if e["action"] in ("register", "amend")]
    if frozen and _detail(frozen[-1], "protocol_sha256") != manifest.get("protocol_sha256"):
        yield "the manifest's protocol is neither the registered one nor its last amendment"
    for action, listed in (("unblind", "unblindings"), ("code break", "code_breaks")):
        n_events = sum(event["action"] == action for event in audit)
        if n_events != len(manifest.get(listed, ())):
            yield (
                f"the manifest lists {len(manifest.get(listed, ()))} {listed.replace('_', ' ')}, "
                + (f"the audit holds {n_events}")
            )
    if previous != manifest["audit_head"] or len(audit) != manifest["n_audit_events"]:
        yield (
            f"the audit ends after {len(audit)} events at {previous[:12]}, the manifest says "
            f"{manifest['n_audit_events']} at {str(manifest['audit_head'])[:12]}"
        )


def _detail(event: Row, name: str) -> Any:
    return json.loads(event["details"]).get(name)


def _event_sha256(study_id: str, event: Row) -> str:
    try:
        details = json.loads(event["details"])
    except ValueError:
        return ""
    return sha256_hex(canonical([
        study_id, event["number"], event["at"], event["actor"], event["role"], event["action"],
        event["subject"], details, event["previous_sha256"],
    ]))  # fmt: skip


def _receipts(audit: Sequence[Row], receipts: Sequence[Receipt]) -> Check:
    """Whether the chain still holds what was given out."""
    if not receipts:
        return Check(
            "receipts", "open", "unanchored: without a receipt from outside, a chain that was "
            "rewritten and signed again cannot be told from the true one",
        )  # fmt: skip
    faults = []
    for receipt in receipts:
        there = audit[receipt.number - 1]["sha256"] if 0 < receipt.number <= len(audit) else None
        if there is None:
            faults.append(
                f"the chain was cut: a receipt names event {receipt.number}, it has {len(audit)}"
            )
        elif there != receipt.sha256:
            faults.append(
                f"the chain was rewritten: event {receipt.number} is {there[:12]}, the receipt "
                f"says {receipt.sha256[:12]}"
            )
    return _verdict("receipts", faults, f"{len(receipts)} receipts agree with the chain")


def _allocation_faults(
    bundle: Path, manifest: Mapping[str, Any], tables: Mapping[str, list[dict[str, Any]]]
) -> Iterator[str]:
    if not {"responses", "assignments", "audit"} <= set(tables):
        yield "the tables that the allocation is replayed from cannot be read"
        return
    sealed = {
        event["subject"]: json.loads(event["details"])["sha256"]
        for event in tables["audit"]
        if event["action"] == "seal seed"
    }
    seeds = {entry["purpose"]: bytes.fromhex(entry["seed"]) for entry in manifest["seeds"]}
    for purpose, seed in seeds.items():
        if sealed.get(purpose) != sha256_hex(seed):
            yield f"the revealed seed of the {purpose} is not the one that was sealed"
            return
    coded = [row for row in tables["responses"] if row["blinding_code"] is not None]
    ruled = changes_by_code(tables, only=CUSTODIAN)
    coded = [
        {**r, "masked_text": undone(r["masked_text"], ruled.get(r["blinding_code"], ()))}
        for r in coded
    ]  # codes were dealt by the texts as masking left them, before the custodian's rulings
    coded.sort(key=lambda r: (r["vignette_id"], sha256_hex((r["masked_text"] or "").encode())))
    if CODE_PURPOSE in seeds:
        wanted = blinding_codes(len(coded), seed=seeds[CODE_PURPOSE])
        # Equal texts of one vignette share a place; which of them got which code is not told.
        if not _same_codes(coded, wanted):
            yield "blinding codes are not those that the sealed seed gives"
    yield from rater_faults(tables, seeds)
    yield from order_faults(json.loads((bundle / "protocol.json").read_bytes()), tables, seeds)


def _same_codes(coded: Sequence[Row], wanted: Sequence[str]) -> bool:
    groups: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for row, code in zip(coded, wanted, strict=True):
        here, there = groups.setdefault((row["vignette_id"], row["masked_text"]), (set(), set()))
        here.add(row["blinding_code"])
        there.add(code)
    return all(here == there for here, there in groups.values())


def _signature(bundle: Path, audit: Sequence[Row], public_key: str | None) -> Check:
    path = bundle / "signature.json"
    if not path.exists():
        return Check("signature", "open", "the bundle is not signed")
    try:
        signed = json.loads(path.read_text(encoding="utf-8"))
        key, signature = str(signed["public_key"]), str(signed["signature"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Check("signature", "fault", f"signature.json cannot be read: {error}")
    content = (bundle / "manifest.json").read_bytes()
    if not is_signed(content, public_key=key, signature=signature):
        return Check("signature", "fault", "the signature is not of this manifest")
    registered = next(
        (json.loads(e["details"]).get("public_key") for e in audit if e["action"] == "register"),
        None,
    )
    for known, where in ((public_key, "given"), (registered, "registered")):
        if known is not None and known != key:
            return Check("signature", "fault", f"signed by another key than the one {where}")
    if public_key is None and registered is None:
        return Check("signature", "open", f"signed by {key[:12]}, a key that nobody vouches for")
    return Check("signature", "holds", f"signed by {key[:12]}, the key that was registered")
