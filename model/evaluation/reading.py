"""Reading files of items: what is wrong is named with its file, its place and its value."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from model.canonical import sha256_hex
from model.errors import ItemError

Row = dict[str, Any]


def read_text(path: Path) -> str:
    """A file's text, which has to be UTF-8 throughout.

    Raises:
        ItemError: Naming the line at which another encoding begins.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ItemError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ItemError(
            f"{path} line {line}: byte {content[error.start]:#04x} is not UTF-8, though the text "
            "before it is; the file mixes encodings or has another one. Convert it to UTF-8"
        ) from error


def read_csv(path: Path, columns: Sequence[str]) -> list[Row]:
    """Rows of a CSV file with a header.

    Args:
        path: The file.
        columns: That have to be there; others are kept as they are.

    Raises:
        ItemError: If a column is missing, or a row has more or fewer cells than the header.
    """
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    require_columns(path, reader.fieldnames or (), columns)
    rows = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise ItemError(
                    f"{path} line {reader.line_num}: the row has not as many cells as the header"
                )
            rows.append(dict(row))
    except csv.Error as error:
        raise ItemError(f"{path} line {reader.line_num} is no CSV: {error}") from error
    return rows


def read_jsonl(path: Path) -> list[Row]:
    """Objects of a JSON-lines file.

    Raises:
        ItemError: Naming the line that is no object.
    """
    rows = []
    # Not splitlines(): a text may hold a Unicode line separator.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            rows.append(_object(line, f"{path} line {number}"))
    return rows


def read_json_list(path: Path) -> list[Row]:
    """Objects of a JSON file that holds a list of them.

    Raises:
        ItemError: If it holds anything else.
    """
    try:
        value = json.loads(read_text(path))
    except ValueError as error:
        raise ItemError(f"{path} is no JSON: {error}") from error
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ItemError(f"{path} holds no list of objects")
    return value


def read_xlsx(path: Path) -> list[Row]:
    """Rows of a workbook's first sheet, its first row being the header; cells as texts.

    Raises:
        ItemError: If it is no workbook, or has no header.
    """
    from openpyxl import load_workbook

    try:
        # From memory: the library leaves a file open when it is no workbook.
        book = load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        lines = [["" if c is None else str(c).strip() for c in row] for row in sheet.values]
    except Exception as error:  # openpyxl raises what zip, XML and its own parts raise
        raise ItemError(f"{path} is no workbook (xlsx): {error}") from error
    if not lines:
        raise ItemError(f"{path}: the first sheet is empty")
    return [dict(zip(lines[0], line, strict=False)) for line in lines[1:] if any(line)]


def require_columns(path: Path, found: Iterable[str], wanted: Sequence[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        ItemError: Naming what is missing and what is there.
    """
    there = list(found)
    lacking = [name for name in wanted if name not in there]
    if lacking:
        raise ItemError(
            f"{path} has no column {', '.join(lacking)}; its columns are "
            f"{', '.join(repr(name) for name in there) or 'none'}"
        )


def refuse_duplicates(texts: Iterable[tuple[str, str]]) -> None:
    """Refuse items with the same text.

    Args:
        texts: Of each item where it stands and its text.

    Raises:
        ItemError: Naming both places.
    """
    seen: dict[str, str] = {}
    for where, text in texts:
        digest = sha256_hex(" ".join(text.split()).encode())
        if digest in seen:
            raise ItemError(
                f"{where} is the same item as {seen[digest]}: {text[:80]!r}; an item counts once"
            )
        seen[digest] = where


def _object(line: str, where: str) -> Row:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ItemError(f"{where} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ItemError(f"{where} is no object")
    return value
