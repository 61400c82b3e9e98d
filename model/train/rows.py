"""Training rows: prompt and completion, one JSON object a line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from model.errors import TrainingError
from model.strict import Fields


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """What is asked and what should be answered."""

    prompt: str
    completion: str
    decision: str | None
    """`change`, `proceed`, `refuse` or `answer` where the row states one; for measuring only."""
    kind: str | None = None
    """Kind of fact, or what else the row practises; for measuring only."""
    fact: str | None = None
    """The drug fact that it was rendered from."""
    reference: bool = False
    """Whether the prompt quotes the fact, so that applying it is what is practised."""


def read_rows(path: Path) -> tuple[TrainingRow, ...]:
    """Read the rows of one file.

    Raises:
        TrainingError: If the file is missing or empty, or a line is not a row.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"the training rows {path} cannot be read: {error}") from error
    rows = [
        _read_row(line, f"{path.name} line {number}")
        for number, line in enumerate(content.split("\n"), start=1)
        if line
    ]
    if not rows:
        raise TrainingError(f"{path} holds no row")
    return tuple(rows)


def _read_row(line: str, where: str) -> TrainingRow:
    try:
        fields = Fields(json.loads(line), where, TrainingError)
    except ValueError as error:
        raise TrainingError(f"{where} is not JSON: {error}") from error
    row = TrainingRow(
        prompt=fields.take("prompt", str),
        completion=fields.take("completion", str),
        decision=fields.take("decision", str, type(None), default=None),
        kind=fields.take("kind", str, type(None), default=None),
        fact=fields.take("fact", str, type(None), default=None),
        reference=fields.take("reference", bool, default=False),
    )
    fields.finish()
    if not row.prompt.strip() or not row.completion.strip():
        raise TrainingError(f"{where}: prompt or completion is empty")
    return row
