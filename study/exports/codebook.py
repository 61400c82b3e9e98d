"""The codebook: every table and column of a bundle with meaning, type, coding and what is missing.

It is made of the bundle at hand, so that its counts are those of the files beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.canonical import Cell
from study.csv_files import write_csv
from study.exports.codings import Coding, coding_of, unit_of
from study.exports.frozen import Frozen
from study.exports.meanings import MISSING, NEVER, ROWS, meaning_of
from study.exports.places import fresh_directory

CSV, HTML = "codebook.csv", "codebook.html"
HEADER = (
    "table", "place", "column", "type", "meaning", "unit", "coding", "n_rows", "n_missing",
    "missing_means", "n_distinct", "smallest", "largest",
)  # fmt: skip
LEFT_OUT = "left out of the public bundle"
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Entry:
    """One column."""

    table: str
    place: int
    """From 1."""
    column: str
    type: str
    meaning: str
    unit: str
    coding: Coding
    n_rows: int
    n_missing: int
    missing_means: str
    n_distinct: int
    """Different values, the missing one not counted."""
    smallest: str
    """Of numbers and times; empty for words."""
    largest: str

    def as_row(self) -> list[object]:
        """The cells of `codebook.csv`."""
        coded = "; ".join(f"{code} = {words}" if words else code for code, words in self.coding)
        return [
            self.table, self.place, self.column, self.type, self.meaning, self.unit, coded,
            self.n_rows, self.n_missing, self.missing_means, self.n_distinct, self.smallest,
            self.largest,
        ]  # fmt: skip


def write_codebook(frozen: Frozen, out: Path) -> Path:
    """Write `codebook.csv` and `codebook.html`.

    Args:
        frozen: A frozen dataset or a public bundle.
        out: A directory to make.

    Raises:
        StudyError: If `out` holds something already.
    """
    with fresh_directory(out) as directory:
        add_codebook(frozen, directory)
    return out


def add_codebook(frozen: Frozen, directory: Path) -> None:
    """Put the two files into a directory that is being written."""
    entries = codebook(frozen)
    write_csv(directory / CSV, HEADER, [entry.as_row() for entry in entries])
    (directory / HTML).write_text(codebook_html(frozen, entries), encoding="utf-8")


def codebook(frozen: Frozen) -> list[Entry]:
    """Every column in the order of the tables."""
    return [
        _entry(frozen, table, place)
        for table, content in frozen.tables.items()
        for place in range(len(content.columns))
    ]


def _entry(frozen: Frozen, table: str, place: int) -> Entry:
    column, kind = frozen.tables[table].columns[place]
    cells = [row[place] for row in frozen.tables[table].rows]
    given = [cell for cell in cells if cell is not None]
    smallest, largest = _ends(given, kind)
    n_missing = len(cells) - len(given)
    return Entry(
        table, place + 1, column, kind, meaning_of(table, column),
        unit_of(frozen, table, column, kind), coding_of(frozen, table, column), len(cells),
        n_missing, missing_words(frozen, table, column, n_missing), len(set(given)), smallest,
        largest,
    )  # fmt: skip


def missing_words(frozen: Frozen, table: str, column: str, n_missing: int) -> str:
    """What a missing value of the column says."""
    name = f"{table}.{column}"
    if name in frozen.left_out:
        return LEFT_OUT
    return MISSING.get(name, "not described" if n_missing else NEVER)


def _ends(given: Sequence[Cell], kind: str) -> tuple[str, str]:
    if not given or kind not in ("integer", "number", "datetime"):
        return "", ""
    ordered = sorted(given, key=lambda cell: str(cell) if kind == "datetime" else float(cell or 0))
    first, last = ordered[0], ordered[-1]
    return (f"{first:g}", f"{last:g}") if isinstance(first, float) else (str(first), str(last))


def codebook_html(frozen: Frozen, entries: list[Entry]) -> str:
    """One page that stands alone: no script, nothing fetched."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    tables = [
        _section(frozen, name, [e for e in entries if e.table == name]) for name in frozen.tables
    ]
    return environment.get_template("codebook.html.j2").render(
        manifest=frozen.manifest, note=frozen.note, public=frozen.is_public, tables=tables,
        never=NEVER, language=str(frozen.protocol.get("language", "en")),
    )  # fmt: skip


def _section(frozen: Frozen, name: str, entries: list[Entry]) -> dict[str, Any]:
    return {
        "name": name,
        "row": ROWS.get(name, "not described"),
        "n_rows": len(frozen.tables[name].rows),
        "entries": entries,
    }
