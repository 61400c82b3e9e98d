"""Small ledgers for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model.cts.edits import diff
from model.cts.importing import Origin, import_file
from model.cts.ledger import Ledger, create_ledger
from model.cts.tables import DIMENSIONS

ORIGIN = Origin(source="a test", licence="CC0-1.0")


def candidate(number: int, **more: Any) -> dict[str, Any]:
    return {
        "prompt": f"May patient {number} take it?", "reasoning": f"Patient {number} is well.",
        "answer": f"Yes, patient {number} may.", **more,
    }  # fmt: skip


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return path


def ledger_of(directory: Path, n_rows: int = 6, **more: Any) -> Ledger:
    ledger = create_ledger(directory / "ledger")
    path = write_lines(directory / "rows.jsonl", [candidate(i, **more) for i in range(n_rows)])
    import_file(ledger, path, "jsonl", ORIGIN)
    return ledger


def ids_of(ledger: Ledger) -> list[str]:
    return ledger.read("candidates", ["row_id"]).column(0).to_pylist()


def review(
    row_id: str, number: int, score: int = 4, *, edit: Any = None, **scores: int
) -> dict[str, Any]:
    return {
        "review_id": f"v{number}", "row_id": row_id, "auditor": f"A{number % 2}",
        "specialty": "general", "scores": {**dict.fromkeys(DIMENSIONS, score), **scores},
        "edit": edit, "comment": "", "reviewed_at": f"2026-01-0{1 + number % 9}T08:00:00Z",
    }  # fmt: skip


def edit_of(row: dict[str, Any], **after: str) -> Any:
    """An edit that turns a row's texts into others."""
    before = {"reasoning": row["reasoning"], "answer": row["answer"]}
    return json.loads(diff(before, {**before, **after}))


def agreed(row_id: str, number: int = 1, *, agrees: bool | None = True) -> dict[str, Any]:
    return {
        "row_id": row_id, "number": number, "agrees": agrees, "answer": "Yes.", "failure": None,
        "model": "strong", "asked_at": "2026-01-01T08:00:00Z",
    }  # fmt: skip
