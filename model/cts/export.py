"""Built rows in the layouts that trainers read, with their provenance beside them.

TRL reads prompt and completion, MS-Swift `messages`, LLaMA-Factory Alpaca rows with a
`dataset_info.json`. Trainers drop columns that they do not know, so what a row is stays in a
sidecar, line for line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from model.canonical import canonical, file_sha256
from model.cts.build import SPLITS
from model.errors import LedgerError

Layout = Literal["trl", "swift", "llamafactory"]
SIDECAR = ("row_id", "corpus", "specialty", "language", "source", "licence", "generator")


def export(dataset: Path, out: Path, layout: Layout) -> dict[str, int]:
    """Write every split of a built dataset in a trainer's layout; returns rows by split.

    Args:
        dataset: Directory that `build` wrote.
        out: A directory that is not there yet.
        layout: `trl`, `swift` or `llamafactory`.

    Raises:
        LedgerError: If the directory exists or the dataset's files are not those of its manifest.
    """
    if out.exists():
        raise LedgerError(f"{out} exists; name a new directory")
    try:
        manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LedgerError(f"{dataset} holds no dataset that can be read: {error}") from error
    out.mkdir(parents=True)
    files, counts = {}, {}
    for split in SPLITS:
        source = dataset / f"{split}.jsonl"
        if file_sha256(source) != manifest["splits"][split]["sha256"]:
            raise LedgerError(f"{source} is not the file of its manifest; build again")
        counts[split] = _convert(source, out, split, WRITERS[layout])
        files[split] = {
            "sha256": file_sha256(out / f"{split}.jsonl"),
            "from_sha256": manifest["splits"][split]["sha256"],
            "rows": counts[split],
        }
    if layout == "llamafactory":
        (out / "dataset_info.json").write_text(json.dumps(_info(), indent=2) + "\n")
    written = {
        "schema": "safemed.dataset-export/1", "layout": layout,
        "merkle_root": manifest["merkle_root"], "splits": files,
    }  # fmt: skip
    (out / "export.json").write_text(json.dumps(written, indent=2) + "\n")
    return counts


def _convert(
    source: Path, out: Path, split: str, write: Callable[[Mapping[str, str]], dict[str, Any]]
) -> int:
    count = 0
    with (
        source.open("rb") as rows,
        (out / f"{split}.jsonl").open("wb") as written,
        (out / f"{split}.provenance.jsonl").open("wb") as sidecar,
    ):
        for line in rows:
            row = json.loads(line)
            written.write(json.dumps(write(row), ensure_ascii=False).encode() + b"\n")
            sidecar.write(canonical({name: row[name] for name in SIDECAR}) + b"\n")
            count += 1
    return count


def _completion(row: Mapping[str, str]) -> str:
    thought = f"<think>\n{row['reasoning']}\n</think>\n\n" if row["reasoning"] else ""
    return thought + row["answer"]


def _trl(row: Mapping[str, str]) -> dict[str, Any]:
    return {"prompt": row["prompt"], "completion": _completion(row)}


def _swift(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "user", "content": row["prompt"]},
            {"role": "assistant", "content": _completion(row)},
        ]
    }


def _llamafactory(row: Mapping[str, str]) -> dict[str, Any]:
    return {"instruction": row["prompt"], "input": "", "output": _completion(row)}


def _info() -> dict[str, Any]:
    columns = {"prompt": "instruction", "query": "input", "response": "output"}
    return {
        f"safemed_{split}": {"file_name": f"{split}.jsonl", "columns": columns} for split in SPLITS
    }


WRITERS: Mapping[Layout, Callable[[Mapping[str, str]], dict[str, Any]]] = {
    "trl": _trl,
    "swift": _swift,
    "llamafactory": _llamafactory,
}
