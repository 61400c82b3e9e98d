"""The last steps of the walk: ratings to a result, a result to a cell of a printed table."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from app.commands.errors import InputError
from app.trace.graph import Graph, Node
from study.canonical import canonical, sha256_hex
from study.exports.frozen import Frozen

SCHEMA = "safemed.summary/1"
BY_CONTRAST = ("primary", "effects", "claims", "sensitivity", "models")
"""Tables whose rows are one dimension of one pair of arms."""
UNBLINDING = "unblinding"
"""Last column of every table: a note, not a number."""
NO_RATINGS = "the frozen dataset that it was computed from is not among the files given"


def add_results(graph: Graph, results: Path, frozen: Frozen | None) -> Mapping[str, Any]:
    """Every result of `summary.json` that names its rows, joined to exactly those ratings."""
    summary = _summary(results)
    if frozen is not None and summary["study_id"] != frozen.manifest["study_id"]:
        raise InputError(
            f"{results} is about study {summary['study_id']}, the frozen dataset about "
            f"{frozen.manifest['study_id']}; name the two of one study"
        )
    for block in summary["dimensions"]:
        pair = block["contrast"]
        arms = (pair["first"]["id"], pair["second"]["id"])
        name = f"{block['dimension']['id']}: {arms[0]} minus {arms[1]}"
        _add_result(graph, name, block, arms, frozen)
    every_arm = {arm for pair in summary["contrasts"] for arm in (pair["first"], pair["second"])}
    for block in summary["agreement"]:
        arms_meant = _arms_of(block["scope"], frozen) if frozen else every_arm
        name = f"agreement on {block['dimension']['id']}: {block['scope']}"
        _add_result(graph, name, block, arms_meant, frozen)
    for table in BY_CONTRAST:
        path = results / "tables" / f"{table}.csv"
        for row in _table(path) if path.is_file() else []:
            _add_cells(graph, summary, table, row)
    return summary


def _add_cells(
    graph: Graph, summary: Mapping[str, Any], table: str, row: Mapping[str, str]
) -> None:
    """Every cell of one row, joined to the row's result."""
    name, *columns = row
    result = _result_of(graph, summary, table, row[name])
    for column in columns:
        if result is not None and column != UNBLINDING:
            facts = {"shows": row[column], "table": f"{table}.csv"}
            graph.add(Node("table cell", f"{table}:{row[name]}:{column}", facts), result)


def _summary(results: Path) -> dict[str, Any]:
    path = results / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        if summary["schema"] != SCHEMA:
            raise InputError(f"{path} is {summary['schema']!r}, not {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read: {error}; analyze again") from error
    return dict(summary)


def _arms_of(scope: str, frozen: Frozen) -> list[str]:
    arms = frozen.protocol["arms"]
    return [str(arm["id"]) for arm in arms if scope in ("all responses", arm["label"])]


def _add_result(
    graph: Graph, name: str, block: Mapping[str, Any], arms: Collection[str], frozen: Frozen | None
) -> None:
    lineage = block["lineage"]
    facts = {
        "functions": lineage["functions"], "n_rows": lineage["n_rows"],
        "rows_sha256": lineage["rows_sha256"], "audit_head": lineage["audit_head"],
    }  # fmt: skip
    node = Node("result", name, facts, NO_RATINGS if frozen is None else None)
    graph.add(node)
    if frozen is None:
        return
    rows = _rows(frozen, block["dimension"]["id"], arms)
    for rating_id, _ in rows:
        graph.add(node, Node("rating", rating_id))
    if sha256_hex(canonical(rows)) != lineage["rows_sha256"]:
        graph.fault(
            node,
            f"the ratings of the frozen dataset ({len(rows)}) are not those it was computed from "
            f"({lineage['n_rows']})",
        )


def _rows(frozen: Frozen, dimension: str, arms: Collection[str]) -> list[list[Any]]:
    """Id and score of the final ratings of some arms, as `docs/contracts.md` digests them."""
    codes = {r["blinding_code"] for r in frozen.rows("responses") if r["arm"] in arms} - {None}
    return sorted(
        [str(row["rating_id"]), row[dimension]]
        for row in frozen.rows("ratings")
        if row["final"] and row["blinding_code"] in codes and row[dimension] is not None
    )


def add_cell(graph: Graph, results: Path, words: str, whole: Node | None) -> Node:
    """One cell, `TABLE:ROW:COLUMN`; where no one result is behind it, the whole frozen dataset is.

    Raises:
        InputError: Naming what there is, if there is no such table, row or column.
    """
    table, row, column = _split(results, words)
    rows = _table(results / "tables" / f"{table}.csv")
    matching = [r for r in rows if next(iter(r.values())) == row]
    if not matching:
        names = ", ".join(dict.fromkeys(next(iter(r.values())) for r in rows))
        raise InputError(f"the table {table} has no row {row!r}; it has {names}")
    if column not in matching[0]:
        raise InputError(f"the table {table} has no column {column!r}; it has {[*matching[0]]}")
    if len(matching) > 1:
        raise InputError(f"the table {table} has {len(matching)} rows {row!r}; trace the result")
    known = graph.get("table cell", words)
    if known is not None:
        return known
    cell = Node("table cell", words, {"shows": matching[0][column], "table": f"{table}.csv"})
    return graph.add(cell, *([whole] if whole is not None else []))


def _split(results: Path, words: str) -> tuple[str, str, str]:
    table, _, rest = words.partition(":")
    row, _, column = rest.rpartition(":")
    tables = sorted(path.stem for path in (results / "tables").glob("*.csv"))
    if table not in tables or not row or not column:
        raise InputError(f"{words!r} is no TABLE:ROW:COLUMN; the tables are {', '.join(tables)}")
    return table, row, column


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # A simulated study's note leads every row; the row's name comes after it.
    return [{name: cell for name, cell in row.items() if name != "simulated"} for row in rows]


def _result_of(graph: Graph, summary: Mapping[str, Any], table: str, row: str) -> Node | None:
    """The result whose label is the row's."""
    for block in summary["dimensions"]:
        first, second = block["contrast"]["first"], block["contrast"]["second"]
        label = block["dimension"]["label"]
        if row in (label, f"{label}: {first['label']} \u2212 {second['label']}"):
            return graph.get(
                "result", f"{block['dimension']['id']}: {first['id']} minus {second['id']}"
            )
    return None
