"""A table as CSV, HTML, LaTeX and in a Word document."""

from __future__ import annotations

import csv
import html
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from string import ascii_lowercase

from analysis.table import Cells, Table
from analysis.wording import Cell, Footnoted


def write_csv(table: Table, path: Path) -> None:
    """Write the table as CSV; a simulated one carries its note in a leading column.

    A cell without a value holds its reason in brackets; the last column says that the table was
    computed after unblinding.
    """
    mark = () if table.simulated_note is None else ("simulated",)
    note = () if table.simulated_note is None else (table.simulated_note,)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*mark, *table.columns, "unblinding"))
        for row in table.rows:
            cells = (c if isinstance(c, str) else f"{c.text} [{c.why}]" for c in row)
            writer.writerow((*note, *cells, table.unblinding_note))


def to_html(table: Table) -> str:
    """The table as an HTML fragment; numbers align right, reasons stand below as footnotes."""
    letters = _letters(table)
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in table.columns)
    body = "".join(_html_row(row, letters) for row in table.rows)
    mark = (
        f'<p class="simulated">{html.escape(table.simulated_note)}</p>'
        if table.simulated_note
        else ""
    )
    footnotes = "".join(
        f'<p class="note"><sup>{letter}</sup> {html.escape(why)}</p>'
        for why, letter in letters.items()
    )
    title = html.escape(table.title)
    return (
        f'<figure class="table"><figcaption>{title}</figcaption>{mark}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{footnotes}"
        f'<p class="note">{html.escape(table.note)} {html.escape(table.unblinding_note)}</p>'
        "</figure>"
    )


def _letter(place: int) -> str:
    """Footnote mark: a to z, then aa, ab and so on."""
    turns, rest = divmod(place, len(ascii_lowercase))
    return (_letter(turns - 1) if turns else "") + ascii_lowercase[rest]


def _html_row(row: Cells, letters: dict[str, str]) -> str:
    name = row[0] if isinstance(row[0], str) else row[0].text
    cells = "".join(f"<td>{_html_cell(cell, letters)}</td>" for cell in row[1:])
    return f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>'


def _html_cell(cell: Cell, letters: dict[str, str]) -> str:
    if isinstance(cell, str):
        return html.escape(cell)
    return f"{html.escape(cell.text)}<sup>{letters[cell.why]}</sup>"


def to_latex(table: Table) -> str:
    """The table for LaTeX with the booktabs and threeparttable packages."""
    letters = _letters(table)
    head = " & ".join(_tex(column) for column in table.columns)
    body = "\n".join(
        " & ".join(_tex_cell(cell, letters) for cell in row) + r" \\" for row in table.rows
    )
    notes = [rf"\item[{letter}] {_tex(why)}" for why, letter in letters.items()]
    notes.append(rf"\item {_tex(_note(table))}")
    return "\n".join([
        r"% needs \usepackage{booktabs,threeparttable}",
        r"\begin{table}", r"\begin{threeparttable}", rf"\caption{{{_tex(table.title)}}}",
        rf"\label{{tab:{table.name}}}", rf"\begin{{tabular}}{{l{'r' * (len(table.columns) - 1)}}}",
        r"\toprule", head + r" \\", r"\midrule", body, r"\bottomrule", r"\end{tabular}",
        r"\begin{tablenotes}", *notes, r"\end{tablenotes}", r"\end{threeparttable}",
        r"\end{table}", "",
    ])  # fmt: skip


def _tex(words: str) -> str:
    marks = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
             "\u2212": "$-$", "\u2013": "--", "\u00a0": "~", "<": "$<$", ">": "$>$"}  # fmt: skip
    marks |= {mark: "\\" + mark for mark in "&%$#_{}"}
    return "".join(marks.get(letter, letter) for letter in words)


def _tex_cell(cell: Cell, letters: dict[str, str]) -> str:
    if isinstance(cell, str):
        return _tex(cell)
    return rf"{_tex(cell.text)}\tnote{{{letters[cell.why]}}}"


def write_docx(tables: Sequence[Table], path: Path) -> None:
    """Write every table into one Word document, a page in landscape, notes below each."""
    from datetime import UTC, datetime

    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Pt

    document = Document()
    # A fixed date: two runs on one dataset give the same bytes.
    document.core_properties.created = document.core_properties.modified = datetime(
        2000, 1, 1, tzinfo=UTC
    )
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = section.page_height, section.page_width
    document.styles["Normal"].font.size = Pt(9)
    for table in tables:
        letters = _letters(table)
        document.add_heading(table.title, level=2)
        grid = document.add_table(rows=1, cols=len(table.columns), style="Light List")
        for place, column in enumerate(table.columns):
            grid.rows[0].cells[place].text = column
        for row in table.rows:
            cells = grid.add_row().cells
            for place, cell in enumerate(row):
                cells[place].text = _docx_cell(cell, letters)
        for why, letter in letters.items():
            document.add_paragraph(f"{letter}) {why}")
        document.add_paragraph(_note(table))
    content = BytesIO()
    document.save(content)
    _write_undated(content, path)


def _write_undated(content: BytesIO, path: Path) -> None:
    """Write a zipped document without the hour at which it was made."""
    with zipfile.ZipFile(content) as made, zipfile.ZipFile(path, "w") as written:
        for entry in made.infolist():
            undated = zipfile.ZipInfo(entry.filename)
            undated.compress_type = zipfile.ZIP_DEFLATED
            written.writestr(undated, made.read(entry))


def _docx_cell(cell: Cell, letters: dict[str, str]) -> str:
    return cell if isinstance(cell, str) else f"{cell.text} {letters[cell.why]})"


def _letters(table: Table) -> dict[str, str]:
    """A mark for each reason, in the order in which they come."""
    reasons = dict.fromkeys(c.why for row in table.rows for c in row if isinstance(c, Footnoted))
    return {why: _letter(place) for place, why in enumerate(reasons)}


def _note(table: Table) -> str:
    """What stands below a table."""
    parts = (table.note, table.unblinding_note, table.simulated_note or "")
    return " ".join(part for part in parts if part)
