"""Training rows on their way to the review desk, and reviews and verdicts on their way back.

Files are the contract (`docs/contracts.md`): `safemed.review-batch/1` in, `safemed.reviews/1` and
`safemed.verdicts/1` out. Only digests of rows and reviews enter the study's audit.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.canonical import canonical, sha256_hex
from study.clock import as_text
from study.errors import ReviewError
from study.people import person_of_row
from study.randomness import public_id
from study.registration import guard_injected, study_row
from study.review_rubric import DIMENSIONS, HIGHEST, LOWEST
from study.store import Store
from study.tables import PersonRow
from study.tables_review import DeskRow, PanelVoteRow, ReviewBatchRow, ReviewRow

BATCH, REVIEWS, VERDICTS = "safemed.review-batch/1", "safemed.reviews/1", "safemed.verdicts/1"
MAX_CHARACTERS = 50_000
"""Of one text of a row: more cannot be read at a desk."""
TEXTS = ("row_id", "specialty", "language", "prompt", "reasoning", "answer")


def put_on_desk(store: Store, study_id: str, path: Path, *, by: Actor) -> int:
    """Take a batch in, whole or not at all; returns how many rows.

    Args:
        store: The database.
        study_id: Whose clinician auditors review.
        path: Written by `safemed cts batch`.
        by: Who does it.

    Raises:
        ReviewError: If the file is no batch, asks for another rubric, holds a row without its texts
            or one too long to read, or is on the desk already.
    """
    content = _read(path)
    head, rows = _parsed(path, content)
    needed = int(head["panel"] if head["docket"] else head["reviews_needed"])
    with store.write() as session:
        guard_injected(session, store, study_id)
        study_row(session, study_id)
        digest = sha256_hex(content)
        _refuse_twice(session, study_id, path, digest, [str(row["row_id"]) for row in rows])
        batch_id = public_id(store.source, "batch")
        session.add(
            ReviewBatchRow(
                batch_id=batch_id, study_id=study_id, sha256=digest,
                ledger_head=str(head["ledger_head"]), docket=bool(head["docket"]), needed=needed,
                taken_at=store.clock.now(),
            )
        )  # fmt: skip
        session.flush()
        session.add_all(
            DeskRow(
                item=public_id(store.source, "w"), study_id=study_id, batch_id=batch_id,
                position=place, strikes=int(row["strikes"]),
                n_left=needed if head["docket"] else max(1, needed - int(row["n_reviews"])),
                **{name: str(row[name]) for name in TEXTS},
            )
            for place, row in enumerate(rows, start=1)
        )  # fmt: skip
        record(
            session, store.clock, study_id, by, "put rows on the desk", batch_id,
            {"sha256": digest, "n_rows": len(rows), "docket": bool(head["docket"])},
        )  # fmt: skip
    return len(rows)


def write_reviews(store: Store, study_id: str, out: Path, *, without: Collection[str] = ()) -> int:
    """Write the reviews of a study as JSON lines, oldest first; returns how many.

    Args:
        store: The database.
        study_id: Whose reviews.
        out: A file that is not there yet.
        without: Review ids that the ledger has already.

    Raises:
        ReviewError: If the file exists.
    """
    with store.read() as session:
        query = (
            select(ReviewRow, DeskRow, PersonRow)
            .join(DeskRow, DeskRow.item == ReviewRow.item)
            .join(PersonRow, PersonRow.person_id == ReviewRow.person_id)
            .where(DeskRow.study_id == study_id)
            .order_by(ReviewRow.reviewed_at, DeskRow.item, ReviewRow.number)
        )
        lines = [
            {
                "review_id": review.review_id, "row_id": row.row_id,
                "auditor": person.pseudonym, "specialty": row.specialty,
                "scores": dict(review.scores), "edit": list(review.edit) or None,
                "comment": review.comment, "reviewed_at": as_text(review.reviewed_at),
            }
            for review, row, person in session.execute(query)
            if review.review_id not in without
        ]  # fmt: skip
    return _write(out, REVIEWS, lines)


def write_verdicts(store: Store, study_id: str, out: Path, *, without: Collection[str] = ()) -> int:
    """Write the verdicts of the panel on rows whose votes are all in; returns how many.

    Args:
        store: The database.
        study_id: Whose docket.
        out: A file that is not there yet.
        without: Rows that the ledger has a verdict of.

    Raises:
        ReviewError: If the file exists.
    """
    with store.read() as session:
        query = (
            select(DeskRow)
            .join(ReviewBatchRow, ReviewBatchRow.batch_id == DeskRow.batch_id)
            .where(DeskRow.study_id == study_id, ReviewBatchRow.docket, DeskRow.n_left == 0)
            .order_by(DeskRow.row_id)
        )
        lines = [
            _verdict(session, row) for row in session.scalars(query) if row.row_id not in without
        ]
    return _write(out, VERDICTS, lines)


def _verdict(session: Session, row: DeskRow) -> dict[str, Any]:
    query = (
        select(PanelVoteRow, PersonRow)
        .join(PersonRow, PersonRow.person_id == PanelVoteRow.person_id)
        .where(PanelVoteRow.item == row.item)
        .order_by(PanelVoteRow.voted_at)
    )
    votes = [(vote, person_of_row(person)) for vote, person in session.execute(query)]
    n_keep = sum(vote.keep for vote, _ in votes)
    is_kept = 2 * n_keep > len(votes)
    reasons = "; ".join(vote.reason for vote, _ in votes if vote.keep == is_kept)
    return {
        "row_id": row.row_id, "verdict": "keep" if is_kept else "drop",
        "reason": f"{max(n_keep, len(votes) - n_keep)} of {len(votes)}: {reasons}",
        "panel": " ".join(sorted(person.pseudonym for _, person in votes)),
        "decided_at": as_text(votes[-1][0].voted_at),
    }  # fmt: skip


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReviewError(f"{path} cannot be read: {error.strerror}") from error


def _parsed(path: Path, content: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        head, *rows = [json.loads(line) for line in content.decode("utf-8").splitlines() if line]
        if head["schema"] != BATCH:
            raise ValueError(f"its schema is {head['schema']!r}")
        if tuple(head["dimensions"]) != tuple(d.id for d in DIMENSIONS) or (
            head["scale"] != [LOWEST, HIGHEST]
        ):
            raise ValueError("it asks for other dimensions or another scale than the desk's")
        if not rows or head["rows"] != len(rows):
            raise ValueError(f"it says {head['rows']} rows and holds {len(rows)}")
        for row in rows:
            _check_row(row)
        int(head["panel"]), int(head["reviews_needed"]), str(head["ledger_head"])
    except (ValueError, KeyError, TypeError) as error:
        raise ReviewError(
            f"{path} is no batch for the desk: {error}; write one with `safemed cts batch`"
        ) from error
    return head, rows


def _check_row(row: dict[str, Any]) -> None:
    for name in TEXTS:
        if not isinstance(row[name], str) or not row[name]:
            raise ValueError(f"row {row.get('row_id')!r} has no {name}")
        if len(row[name]) > MAX_CHARACTERS:
            raise ValueError(
                f"{name} of row {row['row_id']} has {len(row[name]):,} characters; "
                f"at most {MAX_CHARACTERS:,} can be reviewed at a desk"
            )
    int(row["strikes"]), int(row["n_reviews"])


def _refuse_twice(
    session: Session, study_id: str, path: Path, digest: str, row_ids: list[str]
) -> None:
    there = select(ReviewBatchRow.batch_id).where(
        ReviewBatchRow.study_id == study_id, ReviewBatchRow.sha256 == digest
    )
    if session.scalar(there) is not None:
        raise ReviewError(f"{path} is on the desk already; nothing was taken in")
    waiting = set(
        session.scalars(
            select(DeskRow.row_id).where(DeskRow.study_id == study_id, DeskRow.n_left > 0)
        )
    )
    both = sorted(waiting.intersection(row_ids))
    if both:
        raise ReviewError(
            f"{len(both)} rows of {path} wait on the desk already ({', '.join(both[:3])}); take "
            "their reviews into the ledger first, then write the batch anew"
        )


def _write(out: Path, schema: str, lines: list[dict[str, Any]]) -> int:
    if out.exists():
        raise ReviewError(f"{out} exists; name a new file")
    head = {"schema": schema, "lines": len(lines)}
    out.write_bytes(b"".join(canonical(line) + b"\n" for line in (head, *lines)))
    return len(lines)
