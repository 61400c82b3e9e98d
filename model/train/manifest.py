"""What a training run was, written beside its checkpoint; no path of a machine is in it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model.canonical import canonical, file_sha256, sha256_hex
from model.serve.checkpoint import open_checkpoint, weights_sha256
from model.signing import Signer, write_signature
from model.train.config import RunConfig
from model.train.hardware import hardware
from model.version import code_version, library_version

SCHEMA = "safemed.training/1"
_LIBRARIES = ("torch", "transformers", "tokenizers", "trl", "accelerate", "datasets")
_LEFT_OUT = frozenset({"training_args.bin"})
"""Holds times and paths: two equal runs differ in it."""


def identity(
    as_written: Mapping[str, Any], corpus: Mapping[str, Path], plain_text: Sequence[Path] = ()
) -> dict[str, Any]:
    """What has to be the same for one run to go on where another stopped.

    Args:
        as_written: The recipe's own values.
        corpus: Files of rows or prompts, by what they are for.
        plain_text: What the tokenizer learned from besides.
    """
    return {
        "run": dict(as_written),
        "run_sha256": sha256_hex(canonical(dict(as_written))),
        "corpus": {name: file_sha256(path) for name, path in corpus.items()},
        "plain_text": {path.name: file_sha256(path) for path in plain_text},
        "libraries": {name: library_version(name) for name in _LIBRARIES},
    }


def run_identity(run: RunConfig) -> dict[str, Any]:
    """The identity of a run of SFT; where it goes on from a base, its weights are part of it."""
    corpus = {corpus.name: corpus.path for corpus in run.data.corpora}
    if run.data.held_out:
        corpus["held_out"] = run.data.held_out
    who = identity(run.as_written, corpus, run.tokenizer.plain_text if run.tokenizer else ())
    if run.base is None:
        return who
    return {**who, "base_weights_sha256": weights_sha256(open_checkpoint(run.base).directory)}


def checkpoint_files(directory: Path) -> dict[str, str]:
    """Digest of every file of a checkpoint."""
    return {
        path.name: file_sha256(path)
        for path in sorted(directory.iterdir())
        if path.is_file() and path.name not in _LEFT_OUT
    }


def commit_of(path: Path) -> dict[str, Any]:
    """The commit of the checkout that holds a file; nulls where there is none."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(path.parent), *words],
                capture_output=True, text=True, check=False, timeout=20,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # Of the recipe's own directory: what others change elsewhere did not go into the run.
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".")
    return {
        "commit": git("rev-parse", "HEAD"),
        "uncommitted_changes": None if changed is None else bool(changed),
    }


def write_manifest(
    path: Path, name: str, who: Mapping[str, Any], facts: Mapping[str, Any], *, stand_in: bool,
    signer: Signer | None = None,
) -> None:  # fmt: skip
    """Write a manifest, and its signature beside it.

    Args:
        path: The file.
        name: Under which the checkpoint is served.
        who: The run's identity.
        facts: What came out: parameters, losses, figures, files, times.
        stand_in: Whether the model is no medical model.
        signer: Who signs; None leaves the run unsigned.
    """
    manifest = {
        "schema": SCHEMA,
        "name": name,
        "stand_in": stand_in,
        "code_version": code_version(),
        "hardware": hardware(),
        **who,
        **facts,
    }
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if signer is not None:
        write_signature(path, signer)
