"""How often a checkpoint decides as a measuring row does, by kind of fact."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from model.canonical import file_sha256
from model.errors import TrainingError
from model.reply import split_reasoning
from model.serve.checkpoint import weights_sha256
from model.serve.engine import Engine, Generated
from model.serve.settings import Settings
from model.train.measure import decision_of
from model.train.rows import TrainingRow, read_rows

SCHEMA = "safemed.decisions/1"
BATCH = 16
MAX_TOKENS = 320
DECISIONS = ("change", "proceed", "refuse")


@dataclass(frozen=True, slots=True)
class Decisions:
    """What was decided on the rows of one kind."""

    kind: str
    reference: bool
    """Whether the prompt quoted the fact."""
    n: int
    right: int
    """Answers whose decision is the row's; one without a decision counts as wrong."""
    undecided: int
    """Answers without a decision, those that never ended included."""
    commonest: int
    """Rows with the kind's commonest decision: what always answering that would get right."""


def count_decisions(
    checkpoint: Path,
    rows_path: Path,
    *,
    threads: int,
    progress: Callable[[str], None] | None = None,
) -> list[Decisions]:
    """Ask a checkpoint every row that states a decision, greedily.

    Args:
        checkpoint: Directory of a checkpoint.
        rows_path: Measuring rows (JSON lines).
        threads: Processor threads.
        progress: Is told how many rows are answered.

    Raises:
        CheckpointError: If the checkpoint cannot be loaded.
        TrainingError: If the rows cannot be used, or none states a decision.
    """
    rows = [row for row in read_rows(rows_path) if row.decision in DECISIONS]
    if not rows:
        raise TrainingError(f"{rows_path} holds no row that states a decision")
    engine = Engine.load(checkpoint, threads=threads)
    by_length = sorted(rows, key=lambda row: len(row.prompt))
    decided: list[tuple[TrainingRow, str | None]] = []
    for start in range(0, len(by_length), BATCH):
        batch = by_length[start : start + BATCH]
        prompts = [engine.encode([{"role": "user", "content": row.prompt}]) for row in batch]
        for row, (written,) in zip(
            batch, engine.generate(prompts, Settings(max_tokens=MAX_TOKENS)), strict=True
        ):
            decided.append((row, _decided(written)))
        if progress is not None:
            progress(f"{len(decided)} of {len(rows)} rows answered")
    return _counted(decided)


def _decided(written: Generated) -> str | None:
    text, _, closed = split_reasoning(written.text)
    return decision_of(text) if closed and written.finish_reason == "stop" else None


def write_decisions(
    found: list[Decisions], out: Path, *, checkpoint: Path, rows_path: Path
) -> None:
    """Write what was measured, with the digests of what it was measured on."""
    written = {
        "schema": SCHEMA,
        "weights_sha256": weights_sha256(checkpoint),
        "rows": rows_path.name,
        "rows_sha256": file_sha256(rows_path),
        "decisions": [asdict(each) for each in found],
    }
    out.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")


def _counted(decided: list[tuple[TrainingRow, str | None]]) -> list[Decisions]:
    kinds = sorted({(str(row.kind), row.reference) for row, _ in decided})
    counted = []
    for kind, reference in kinds:
        own = [(r, d) for r, d in decided if (str(r.kind), r.reference) == (kind, reference)]
        commonest = Counter(row.decision for row, _ in own).most_common(1)[0][1]
        counted.append(
            Decisions(
                kind=kind,
                reference=reference,
                n=len(own),
                right=sum(decision == row.decision for row, decision in own),
                undecided=sum(decision is None for _, decision in own),
                commonest=commonest,
            )
        )
    return counted
