"""What is checked before the first step, so that a run fails early and by name."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model.canonical import file_sha256
from model.cts import merkle
from model.errors import TrainingError
from model.train.rows import TrainingRow

BYTES_A_PARAMETER = 16
"""Weights, gradients and Adam's two moments in fp32, as on a processor."""
OPEN = "<think>"


def check_dataset(train: Path) -> dict[str, Any]:
    """Verify rows that `safemed cts export` wrote, by the `export.json` beside them.

    Returns:
        Root and row ids of the rows (for the manifest and `rows.txt`); empty for rows of elsewhere.

    Raises:
        TrainingError: If the rows or their provenance are not those that were exported.
    """
    written = train.with_name("export.json")
    if not written.exists():
        return {}
    try:
        split = json.loads(written.read_text(encoding="utf-8"))["splits"][train.stem]
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{written} cannot be read: {error}; export again") from error
    if file_sha256(train) != split["sha256"]:
        raise TrainingError(
            f"{train.name} is not the file that was exported: its digest differs from export.json; "
            "export the dataset again"
        )
    sidecar = train.with_name(f"{train.stem}.provenance.jsonl")
    lines = sidecar.read_bytes().splitlines() if sidecar.exists() else []
    if len(lines) != split["rows"]:
        raise TrainingError(
            f"{sidecar.name} has {len(lines)} lines for {split['rows']} rows; export again"
        )
    return {
        "row_ids": [str(json.loads(line)["row_id"]) for line in lines],
        "rows_merkle_root": merkle.root([merkle.leaf(line) for line in lines]),
        "from_sha256": split["from_sha256"],
    }


def check_datasets(trains: Sequence[Path]) -> dict[str, Any]:
    """Verify the rows of every corpus, as `check_dataset`; of several, one list and one root.

    Raises:
        TrainingError: As `check_dataset`; or if only some of them are exports.
    """
    found = {train.name: check_dataset(train) for train in trains}
    if not any(found.values()):
        return {}
    unknown = sorted(name for name, facts in found.items() if not facts)
    if unknown:
        raise TrainingError(
            f"{', '.join(unknown)} has no export.json beside it and the other corpora have; export "
            "every corpus of a mixture, or none"
        )
    if len(found) == 1:
        return next(iter(found.values()))
    return {
        "row_ids": [row_id for facts in found.values() for row_id in facts["row_ids"]],
        "rows_merkle_root": merkle.root(
            [merkle.leaf(bytes.fromhex(facts["rows_merkle_root"])) for facts in found.values()]
        ),
        "from_sha256": [facts["from_sha256"] for facts in found.values()],
    }


def check_memory(n_parameters: int, device: str) -> None:
    """Refuse a run on a processor whose weights and optimizer cannot fit into free memory.

    Raises:
        TrainingError: Naming both sizes.
    """
    if device != "cpu":
        return
    needed = n_parameters * BYTES_A_PARAMETER
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > free:
        raise TrainingError(
            f"the model needs {needed / 2**30:.1f} GiB to train, {free / 2**30:.1f} are free; use "
            "adapters, a smaller model or a machine with more memory (`safemed model plan`)"
        )


def check_template(tokenizer: Any, rows: Sequence[TrainingRow]) -> None:
    """Refuse a chat template that drops the reasoning of the rows.

    Raises:
        TrainingError: If a row thinks and its rendered text does not.
    """
    thinking = next((row for row in rows if OPEN in row.completion), None)
    if thinking is None:
        return
    rendered = tokenizer.apply_chat_template(
        [
            {"role": "user", "content": thinking.prompt},
            {"role": "assistant", "content": thinking.completion},
        ],
        tokenize=False,
    )
    if OPEN not in rendered:
        raise TrainingError(
            f"the rows reason between {OPEN} and </think>, and the tokenizer's chat template drops "
            "that; use a template that keeps it"
        )
