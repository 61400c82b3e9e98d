"""A checkpoint directory in the Hugging Face layout, and what is known of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from model.canonical import canonical, file_sha256, sha256_hex
from model.errors import CheckpointError

CARD = "safemed.json"
"""Beside the weights: `name` to serve them under, and whether they are a stand-in."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a model lies and what it is called."""

    directory: Path
    name: str
    stand_in: bool
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says about the model that it serves."""

    name: str
    engine: str
    weights_sha256: str
    stand_in: bool


def open_checkpoint(directory: Path) -> Checkpoint:
    """Find a checkpoint and compute the digest of its weights.

    Args:
        directory: Holds `config.json`, or a `checkpoint` directory that does.

    Raises:
        CheckpointError: If there is no model, or its weights are missing.
    """
    found = next(
        (d for d in (directory, directory / "checkpoint") if (d / "config.json").is_file()), None
    )
    if found is None:
        raise CheckpointError(
            f"{directory} holds no config.json; name the directory of a checkpoint, such as the "
            "one that `safemed model sft` wrote"
        )
    card: dict[str, object] = {}
    if (found / CARD).is_file():
        card = json.loads((found / CARD).read_text(encoding="utf-8"))
    return Checkpoint(
        directory=found,
        name=str(card.get("name") or found.resolve().name),
        stand_in=bool(card.get("stand_in", False)),
        weights_sha256=weights_sha256(found),
    )


def weights_sha256(directory: Path) -> str:
    """Digest of a checkpoint's weights: of the one file, or of the shards' names and digests.

    Raises:
        CheckpointError: If there is no safetensors file.
    """
    shards = sorted(directory.glob("*.safetensors"))
    if not shards:
        raise CheckpointError(f"{directory} holds no *.safetensors; the weights are missing")
    if len(shards) == 1:
        return file_sha256(shards[0])
    return sha256_hex(canonical({shard.name: file_sha256(shard) for shard in shards}))
