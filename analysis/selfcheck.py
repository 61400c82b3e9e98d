"""Tables that check themselves: range, arithmetic and rounding, ours before they are written.

The same rules check a published table: each rule states what its columns must be to each other, and
a cell that breaks one is named with what the others imply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.dataset import Dataset
from analysis.errors import AnalysisError
from analysis.table import Table
from analysis.wording import Cell

NUMBER = re.compile(r"[-\u2212]?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Between:
    """Every value of a column lies in a range."""

    column: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MeanOf:
    """A column is the mean of others, as far as their rounding lets one tell."""

    column: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShareOf:
    """A percentage is a whole number of `n` items, rounded."""

    column: str
    n: int


Rule = Between | MeanOf | ShareOf


@dataclass(frozen=True, slots=True)
class Fault:
    """A printed cell that cannot be right."""

    row: str
    column: str
    printed: str
    why: str


def check_published(
    rows: Iterable[Mapping[str, str]], *, name: str, rules: Sequence[Rule]
) -> tuple[Fault, ...]:
    """Faults of a printed table.

    A mean whose part is out of range is not blamed as well: one wrong cell is one fault.

    Args:
        rows: Cells as printed, by column.
        name: Column that names a row.
        rules: What must hold.

    Raises:
        ValueError: If a rule names a column that a row lacks, or a cell is no number.
    """
    faults: list[Fault] = []
    for row in rows:
        outside = [
            f for rule in rules if isinstance(rule, Between) for f in _outside(row, name, rule)
        ]
        faults += outside
        suspect = {fault.column for fault in outside}
        for rule in rules:
            if isinstance(rule, MeanOf) and not suspect & {rule.column, *rule.parts}:
                faults += _wrong_mean(row, name, rule)
            elif isinstance(rule, ShareOf) and rule.column not in suspect:
                faults += _no_share(row, name, rule)
    return tuple(faults)


def _outside(row: Mapping[str, str], name: str, rule: Between) -> Iterator[Fault]:
    value = _value(row, rule.column)
    if not rule.low <= value <= rule.high:
        yield Fault(
            row[name], rule.column, row[rule.column],
            f"is off the scale {rule.low:g} to {rule.high:g}",
        )  # fmt: skip


def _wrong_mean(row: Mapping[str, str], name: str, rule: MeanOf) -> Iterator[Fault]:
    parts = [_value(row, part) for part in rule.parts]
    mean = sum(parts) / len(parts)
    # Each printed number may be off by half of its last decimal.
    slack = _half(row[rule.column]) + sum(_half(row[part]) for part in rule.parts) / len(parts)
    if abs(_value(row, rule.column) - mean) > slack + 1e-9:
        shown = ", ".join(row[part] for part in rule.parts)
        yield Fault(
            row[name], rule.column, row[rule.column], f"is not the mean {mean:.4g} of {shown}"
        )


def _no_share(row: Mapping[str, str], name: str, rule: ShareOf) -> Iterator[Fault]:
    value, slack = _value(row, rule.column), _half(row[rule.column])
    nearest = round(value * rule.n / 100) * 100 / rule.n
    if abs(value - nearest) > slack + 1e-9:
        yield Fault(row[name], rule.column, row[rule.column], f"is no whole number out of {rule.n}")


def _value(row: Mapping[str, str], column: str) -> float:
    if column not in row:
        raise ValueError(f"a rule names the column {column!r}; the table has {', '.join(row)}")
    try:
        return float(row[column])
    except ValueError as error:
        raise ValueError(f"{column} holds {row[column]!r}, which is no number") from error


def _half(printed: str) -> float:
    """Half of the last decimal that was printed."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])


def check_tables(tables: Sequence[Table], dataset: Dataset) -> None:
    """Refuse to write a table that contradicts itself.

    Raises:
        AnalysisError: Naming every cell; a fault of this program.
    """
    faults = [
        f"table {table.name}, {_text(row[0])}, {column}: {fault}"
        for table in tables
        for row in table.rows
        for column, fault in _row_faults(table, row, dataset)
    ]
    if faults:
        raise AnalysisError(f"tables contradict themselves: {'; '.join(faults[:10])}")


def _row_faults(table: Table, row: Sequence[Cell], dataset: Dataset) -> Iterator[tuple[str, str]]:
    cells = {column: _text(cell) for column, cell in zip(table.columns, row, strict=True)}
    for column, cell in cells.items():
        yield from _interval_faults(column, cell)
        if column.split(",")[0] in ("p", "p adjusted"):
            yield from _p_faults(column, cell)
    if table.name == "flow":
        yield from _flow_faults(cells)
    if table.name == "primary":
        yield from _primary_faults(table, cells, dataset)


def _interval_faults(column: str, cell: str) -> Iterator[tuple[str, str]]:
    """A value lies within its interval, and the interval is not upside down."""
    found = re.fullmatch(rf"({NUMBER.pattern}) \(({NUMBER.pattern}) to ({NUMBER.pattern})\)", cell)
    if not found:
        return
    value, low, high = (_number(part) for part in found.groups())
    if low > high:
        yield column, f"{cell} has an interval upside down"
    if "Two-way" in column or "Rank-biserial" in column or "Bang" in column or "James" in column:
        return  # A bootstrap interval may leave its value out.
    if not low - 0.011 <= value <= high + 0.011 and "ICC" not in column and "alpha" not in column:
        yield column, f"{cell} has its value outside its interval"


def _p_faults(column: str, cell: str) -> Iterator[tuple[str, str]]:
    if NUMBER.fullmatch(cell) and not 0 <= _number(cell) <= 1:
        yield column, f"{cell} is no probability"


def _flow_faults(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    planned = sum(int(cells[c]) for c in ("Submitted", "Failed generations", "Unanswered"))
    if planned != int(cells["Planned"]):
        yield "Planned", f"{cells['Planned']} is not the sum {planned} of what became of them"
    given = int(cells["Ratings allocated"]) - int(cells["Ratings missing"])
    if given != int(cells["Ratings given"]):
        yield "Ratings given", f"{cells['Ratings given']} is not allocated minus missing, {given}"


def _primary_faults(
    table: Table, cells: Mapping[str, str], dataset: Dataset
) -> Iterator[tuple[str, str]]:
    lowest = min(d.minimum for d in dataset.dimensions)
    highest = max(d.maximum for d in dataset.dimensions)
    for column in table.columns[1:3]:
        if NUMBER.fullmatch(cells[column]) and not lowest <= _number(cells[column]) <= highest:
            yield column, f"{cells[column]} is off the scale {lowest:g} to {highest:g}"
    if NUMBER.fullmatch(cells["W+"]) and dataset.protocol["analysis"]["zeros"] == "pratt":
        n, zeros = int(cells["Vignettes"]), int(cells["Zeros"])
        ranks = (n * (n + 1) - zeros * (zeros + 1)) / 2
        total = _number(cells["W+"]) + _number(cells["W\u2212"])
        if abs(total - ranks) > 0.11:
            yield "W+", f"W+ and W\u2212 add up to {total:g}, the ranks to {ranks:g}"
    p, adjusted = cells["p"], cells["p adjusted"]
    if NUMBER.fullmatch(p) and NUMBER.fullmatch(adjusted) and _number(adjusted) < _number(p):
        yield "p adjusted", f"{adjusted} is below the p of {p}"


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def _number(printed: str) -> float:
    return float(printed.replace("\u2212", "-"))
