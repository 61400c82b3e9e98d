"""Measured decisions as a table: counts from the model's side, intervals from the analysis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from analysis.proportions import proportion
from study.coverage import table

NAMES = {
    "interaction": "interactions", "renal": "kidney function", "hepatic": "liver disease",
    "allergy": "allergy", "pregnancy": "pregnancy", "lactation": "breastfeeding",
    "older_adult": "older adults", "paediatric": "children", "qt": "QT interval",
    "high_alert": "high-alert rules",
}  # fmt: skip


def decision_table(paths: Sequence[Path]) -> str:
    """One table for each file of measured decisions that `safemed model measure` wrote."""
    return "\n".join(_table(json.loads(path.read_text(encoding="utf-8"))) for path in paths)


def _table(written: dict[str, object]) -> str:
    decisions = written["decisions"]
    assert isinstance(decisions, list)
    rows = [_row(NAMES.get(d["kind"], d["kind"]), [d]) for d in decisions if not d["reference"]]
    quoted = [_row(NAMES.get(d["kind"], d["kind"]), [d]) for d in decisions if d["reference"]]
    rows.append(_row("all", [d for d in decisions if not d["reference"]]))
    quoted.append(_row("all", [d for d in decisions if d["reference"]]))
    header = ("kind of fact", "rows", "right", "95 % interval", "undecided", "commonest answer")
    return (
        f"`{written['rows']}`, the fact not in the prompt:\n\n{table(header, rows)}\n"
        f"`{written['rows']}`, the fact quoted in the prompt:\n\n{table(header, quoted)}"
    )


def _row(name: str, decisions: Sequence[dict[str, int]]) -> list[str]:
    n, right, undecided, commonest = (
        sum(d[key] for d in decisions) for key in ("n", "right", "undecided", "commonest")
    )
    p = proportion(right, n)
    return [
        name, str(n), f"{p.estimate:.0%}", f"{p.low:.0%} to {p.high:.0%}", str(undecided),
        f"{commonest / n:.0%}",
    ]  # fmt: skip
