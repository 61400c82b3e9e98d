"""Generated parts of a Markdown file, each between two marks that no reader sees."""

from __future__ import annotations

import re
from pathlib import Path


class GeneratedPartError(Exception):
    """A Markdown file lacks the marks of a generated part."""


def generated(path: Path, name: str) -> str:
    """The part as it stands in the file.

    Raises:
        GeneratedPartError: If the file lacks its marks.
    """
    return _find(path, name)[2]


def replace_generated(path: Path, name: str, words: str) -> None:
    """Write the part anew and leave the rest of the file alone.

    Raises:
        GeneratedPartError: If the file lacks its marks.
    """
    before, after, _ = _find(path, name)
    path.write_text(f"{before}\n{words.strip()}\n{after}", encoding="utf-8", newline="\n")


def _find(path: Path, name: str) -> tuple[str, str, str]:
    start, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    content = path.read_text(encoding="utf-8")
    found = re.fullmatch(rf"(?s)(.*{re.escape(start)})(.*)({re.escape(end)}.*)", content)
    if found is None:
        raise GeneratedPartError(
            f"{path} has no part to generate; add the lines '{start}' and '{end}' where it belongs"
        )
    return found[1], found[3], found[2].strip()
