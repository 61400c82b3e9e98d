"""Batches for the review desk, written by hand as the contract says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from study.audit import OPERATOR
from study.invitations import accept_invitation, invite
from study.people import Person
from study.review_batches import put_on_desk
from study.review_rubric import DIMENSIONS
from study.store import Store

NAMES = [dimension.id for dimension in DIMENSIONS]


def desk_row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "row_id": f"r_{number:032x}", "specialty": "cardiology", "language": "en",
        "prompt": f"Question {number}?", "reasoning": f"Step one of {number}.\nStep two.",
        "answer": f"Answer {number}.", "text_sha256": "0" * 64, "n_reviews": 0, "strikes": 0,
        **more,
    }  # fmt: skip


def write_desk_batch(path: Path, rows: list[dict[str, Any]], **head: Any) -> Path:
    first = {
        "schema": "safemed.review-batch/1", "ledger_head": "h" * 64, "rows": len(rows),
        "docket": False, "dimensions": NAMES, "scale": [1, 5], "reviews_needed": 2, "panel": 3,
        **head,
    }  # fmt: skip
    path.write_text("\n".join(json.dumps(line) for line in (first, *rows)) + "\n")
    return path


def put(store: Store, study_id: str, path: Path, rows: list[dict[str, Any]], **head: Any) -> None:
    put_on_desk(store, study_id, write_desk_batch(path, rows, **head), by=OPERATOR)


def auditor(store: Store, study_id: str, specialty: str | None = "cardiology") -> Person:
    token = invite(
        store, study_id, "auditor", by=OPERATOR, stratum=specialty, scripted=store.seeded
    )
    return accept_invitation(store, token).person


def all_at(point: int) -> dict[str, int]:
    return dict.fromkeys(NAMES, point)
