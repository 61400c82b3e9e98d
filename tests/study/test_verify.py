"""A bundle changed in many ways, each found and named; by the operator with the key as well."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from study.audit import GENESIS, OPERATOR, receipt
from study.canonical import canonical, sha256_hex, table_sha256
from study.errors import BundleError, SigningError
from study.export import export
from study.signing import Signer, signer_at
from study.store import Store
from study.verify import Check, Receipt, verify
from tests.studies import to_unblinded


class Bundle:
    """An export with its key and its receipt, and ways to change it as a forger would."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.signer = signer_at(directory / "key.pem")
        study_id = to_unblinded(store, directory / "work")
        with store.read() as session:
            self.receipt = Receipt.from_words(receipt(session, study_id))
        self.path = export(
            store, study_id, directory / "export", by=OPERATOR, code_version="test",
            signer=self.signer,
        )  # fmt: skip

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.path / "manifest.json").read_text())

    def rows(self, table: str) -> list[dict[str, Any]]:
        return pq.read_table(self.path / f"{table}.parquet").to_pylist()

    def write_rows(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Both files of a table; the manifest stays as it is."""
        schema = pq.read_schema(self.path / f"{table}.parquet")
        import pyarrow as pa

        pq.write_table(pa.Table.from_pylist(rows, schema), self.path / f"{table}.parquet")
        words = {None: "NA", True: "true", False: "false"}
        with (self.path / f"{table}.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(schema.names)
            for row in rows:
                writer.writerow(
                    [words[c] if c is None or isinstance(c, bool) else c for c in row.values()]
                )

    def write_manifest(self, manifest: dict[str, Any], signer: Signer | None) -> None:
        content = (json.dumps(manifest, indent=2) + "\n").encode()
        (self.path / "manifest.json").write_bytes(content)
        if signer is not None:
            (self.path / "signature.json").write_text(json.dumps(signer.sign(content)))

    def forge(self, table: str, rows: list[dict[str, Any]], signer: Signer | None) -> None:
        """Change a table and everything that speaks of it, as the holder of the files can."""
        self.write_rows(table, rows)
        manifest = self.manifest
        entry = manifest["tables"][table]
        columns = [tuple(column) for column in entry["columns"]]
        entry["rows"] = len(rows)
        entry["sha256"] = table_sha256(columns, [list(row.values()) for row in rows])
        if table == "audit":
            manifest["audit_head"], manifest["n_audit_events"] = rows[-1]["sha256"], len(rows)
        self.write_manifest(manifest, signer)

    def rechained(self, change: Callable[[list[dict[str, Any]]], None]) -> list[dict[str, Any]]:
        """The audit after a change, every digest made anew."""
        events, previous = self.rows("audit"), GENESIS
        change(events)
        study_id = self.manifest["study_id"]
        for number, event in enumerate(events, start=1):
            event["number"], event["previous_sha256"] = number, previous
            event["sha256"] = previous = sha256_hex(canonical([
                study_id, number, event["at"], event["actor"], event["role"], event["action"],
                event["subject"], json.loads(event["details"]), event["previous_sha256"],
            ]))  # fmt: skip
        return events

    def check(self, name: str, *, receipts: bool = True) -> Check:
        given = [self.receipt] if receipts else []
        found = verify(self.path, receipts=given, public_key=self.signer.public_key)
        return next(check for check in found if check.name == name)


@pytest.fixture
def bundle(store: Store, tmp_path: Path) -> Bundle:
    return Bundle(store, tmp_path)


def test_an_untouched_bundle_holds_in_every_check(bundle: Bundle) -> None:
    found = verify(bundle.path, receipts=[bundle.receipt], public_key=bundle.signer.public_key)
    assert {check.name: check.outcome for check in found} == {
        "files": "holds", "audit": "holds", "receipts": "holds", "masking": "holds",
        "allocation": "holds", "signature": "holds",
    }  # fmt: skip


def test_without_anything_from_outside_it_says_unanchored(bundle: Bundle) -> None:
    found = {check.name: check for check in verify(bundle.path)}
    assert found["receipts"].outcome == "open"
    assert found["receipts"].words.startswith("unanchored")
    assert found["signature"].outcome == "open"


def test_a_changed_score_is_found(bundle: Bundle) -> None:
    rows = bundle.rows("ratings")
    name = next(c for c, kind in bundle.manifest["tables"]["ratings"]["columns"]
                if kind == "integer" and c not in ("position", "revision"))  # fmt: skip
    rows[0][name] = 1 if rows[0][name] > 1 else 2
    bundle.write_rows("ratings", rows)
    check = bundle.check("files")
    assert check.outcome == "fault"
    assert "table ratings was changed: its digest is not the manifest's" in check.words


def test_a_csv_that_says_something_else_is_found(bundle: Bundle) -> None:
    path = bundle.path / "responses.csv"
    path.write_text(path.read_text().replace("submitted", "failed", 1))
    assert "responses.csv says something else than the Parquet file" in bundle.check("files").words


def test_a_manifest_mended_to_fit_is_found_by_its_signature(bundle: Bundle) -> None:
    bundle.forge("ratings", bundle.rows("ratings")[1:], signer=None)
    assert bundle.check("files").outcome == "holds"
    check = bundle.check("signature")
    assert (check.outcome, check.words) == ("fault", "the signature is not of this manifest")


def test_another_key_is_found(bundle: Bundle, tmp_path: Path) -> None:
    bundle.forge("ratings", bundle.rows("ratings")[1:], signer_at(tmp_path / "other.pem"))
    assert "signed by another key than the one given" in bundle.check("signature").words


def test_a_removed_event_is_found(bundle: Bundle) -> None:
    events = bundle.rows("audit")
    bundle.write_rows("audit", events[:3] + events[4:])
    assert "audit event 4 is missing or moved: number 5 is there" in bundle.check("audit").words


def test_an_edited_event_is_found(bundle: Bundle) -> None:
    events = bundle.rows("audit")
    events[2]["actor"] = "somebody else"
    bundle.write_rows("audit", events)
    assert "audit event 3 (" in bundle.check("audit").words


def test_a_truncated_audit_is_found(bundle: Bundle) -> None:
    bundle.write_rows("audit", bundle.rows("audit")[:-1])
    assert "the audit ends after" in bundle.check("audit").words


def test_a_chain_rewritten_and_signed_again_by_the_operator_is_found_by_the_receipt(
    bundle: Bundle,
) -> None:
    def soften(events: list[dict[str, Any]]) -> None:
        unblind = next(e for e in events if e["action"] == "unblind")
        unblind["details"] = canonical(
            {**json.loads(unblind["details"]), "reason": "as planned all along"}
        ).decode()

    bundle.forge("audit", bundle.rechained(soften), bundle.signer)
    for name in ("files", "audit", "signature"):
        assert bundle.check(name).outcome == "holds"
    check = bundle.check("receipts")
    assert check.outcome == "fault" and "the chain was rewritten: event" in check.words
    assert bundle.check("receipts", receipts=False).outcome == "open"


def test_a_chain_cut_and_signed_again_by_the_operator_is_found_by_the_receipt(
    bundle: Bundle,
) -> None:
    bundle.forge("audit", bundle.rechained(lambda events: events.__delitem__(slice(5, None))),
                 bundle.signer)  # fmt: skip
    assert "the chain was cut: a receipt names event" in bundle.check("receipts").words


def test_another_allocation_than_the_sealed_one_is_found(bundle: Bundle) -> None:
    rows = bundle.rows("assignments")
    first, second = (row for row in rows if row["rater_id"] == rows[0]["rater_id"]
                     and row["position"] in (1, 2))  # fmt: skip
    first["blinding_code"], second["blinding_code"] = (
        second["blinding_code"], first["blinding_code"],
    )  # fmt: skip
    bundle.forge("assignments", rows, bundle.signer)
    assert "not the one that the sealed seed gives" in bundle.check("allocation").words


def test_codes_moved_between_responses_are_found(bundle: Bundle) -> None:
    rows = bundle.rows("responses")
    coded = [row for row in rows if row["blinding_code"]]
    one = coded[0]
    other = next(r for r in coded if r["vignette_id"] != one["vignette_id"])
    one["blinding_code"], other["blinding_code"] = other["blinding_code"], one["blinding_code"]
    bundle.forge("responses", rows, bundle.signer)
    assert "blinding codes are not those" in bundle.check("allocation").words


def test_an_original_that_is_not_what_was_masked_is_found(bundle: Bundle) -> None:
    rows = bundle.rows("responses")
    changed = next(row for row in rows if row["blinding_code"])
    changed["text"] += " And call the consultant."
    bundle.forge("responses", rows, bundle.signer)
    assert changed["blinding_code"] in bundle.check("masking").words
    assert bundle.check("allocation").outcome == "holds"


def test_a_seed_that_was_never_sealed_is_found(bundle: Bundle) -> None:
    manifest = bundle.manifest
    manifest["seeds"][0]["seed"] = "00" * 32
    bundle.write_manifest(manifest, bundle.signer)
    assert "is not the one that was sealed" in bundle.check("allocation").words


def test_a_missing_file_is_named_and_the_rest_is_still_verified(bundle: Bundle) -> None:
    (bundle.path / "raters.parquet").unlink()
    assert "table raters cannot be read" in bundle.check("files").words
    assert bundle.check("audit").outcome == "holds"


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="name a directory written by safemed export"):
        verify(tmp_path)


@pytest.mark.parametrize("words", ["12", "x:" + "a" * 64, "3:abc", "3:" + "g" * 64])
def test_a_receipt_that_cannot_be_one_is_refused(words: str) -> None:
    with pytest.raises(BundleError, match="is no receipt"):
        Receipt.from_words(words)


def test_the_private_key_is_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    made = signer_at(tmp_path / "keys" / "key.pem")
    assert (tmp_path / "keys" / "key.pem").stat().st_mode & 0o777 == 0o600
    assert signer_at(tmp_path / "keys" / "key.pem").public_key == made.public_key


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("not a key")
    with pytest.raises(SigningError, match="holds no signing key"):
        signer_at(tmp_path / "key.pem")
