"""Verifying a training run offline: files against the manifest, and the manifest's signature."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from model.canonical import canonical, file_sha256, sha256_hex
from model.errors import TrainingError
from model.serve.checkpoint import weights_sha256
from model.signing import FILE, is_signed
from model.train.manifest import SCHEMA


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was verified."""

    name: Literal["files", "rows", "recipe", "signature"]
    outcome: Literal["holds", "open", "fault"]
    words: str


def verify_run(directory: Path, *, public_key: str | None = None) -> tuple[Check, ...]:
    """Verify a directory that `safemed model sft` or `grpo` wrote.

    Args:
        directory: Holds `manifest.json` and `checkpoint`.
        public_key: Of the signer, in hexadecimal, as given out beforehand.

    Raises:
        TrainingError: If there is no manifest of a training run that can be read.
    """
    try:
        content = (directory / "manifest.json").read_bytes()
        manifest = json.loads(content)
        if manifest["schema"] != SCHEMA:
            raise TrainingError(f"{directory} is {manifest['schema']!r}, not {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{directory} holds no training run that can be read: {error}") from (
            error
        )
    return (
        _verdict("files", list(_file_faults(directory / "checkpoint", manifest)),
                 f"{len(manifest['files'])} files of the checkpoint have their digests"),
        _rows(directory / "rows.txt", manifest),
        _verdict("recipe", _recipe_faults(manifest), "the recipe has its digest"),
        _signature(directory / FILE, content, public_key),
    )  # fmt: skip


def _file_faults(checkpoint: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    stated: Mapping[str, str] = manifest["files"]
    for name, digest in stated.items():
        path = checkpoint / Path(name).name
        if not path.is_file():
            yield f"{name} is missing"
        elif file_sha256(path) != digest:
            yield f"{name} was changed"
    for path in sorted(checkpoint.glob("*.safetensors")):
        if path.name not in stated:
            yield f"{path.name} is not in the manifest"
    if any(checkpoint.glob("*.safetensors")):
        found = weights_sha256(checkpoint)
        if found != manifest["weights_sha256"]:
            yield (
                f"the weights are {found[:12]}, the manifest says "
                + (manifest["weights_sha256"][:12])
            )


def _rows(path: Path, manifest: Mapping[str, Any]) -> Check:
    if "rows_sha256" not in manifest:
        return Check("rows", "open", "the rows came from no ledger; only their digest is known")
    if not path.is_file() or file_sha256(path) != manifest["rows_sha256"]:
        return Check("rows", "fault", "rows.txt is missing or was changed")
    return Check("rows", "holds", "rows.txt is the list of the rows that were consumed")


def _recipe_faults(manifest: Mapping[str, Any]) -> list[str]:
    same = sha256_hex(canonical(manifest["run"])) == manifest["run_sha256"]
    return [] if same else ["the recipe is not the one whose digest is stated"]


def _signature(path: Path, content: bytes, public_key: str | None) -> Check:
    if not path.is_file():
        return Check("signature", "open", "the manifest is not signed")
    try:
        signed = json.loads(path.read_text(encoding="utf-8"))
        key, signature = str(signed["public_key"]), str(signed["signature"])
    except (ValueError, KeyError, TypeError):
        return Check("signature", "fault", f"{FILE} cannot be read")
    if not is_signed(content, public_key=key, signature=signature):
        return Check("signature", "fault", "the signature is not of this manifest")
    if public_key is None:
        return Check("signature", "open", f"signed by {key}; compare that with a key given out")
    if public_key != key:
        return Check("signature", "fault", f"signed by {key}, not by the key given out")
    return Check("signature", "holds", "signed by the key that was given out")


def _verdict(name: Literal["files", "recipe"], faults: list[str], words: str) -> Check:
    return Check(name, "fault", "; ".join(faults)) if faults else Check(name, "holds", words)
