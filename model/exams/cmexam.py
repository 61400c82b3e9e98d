"""CMExam: the Chinese National Medical Licensing Examination, validation and test.

Source: Liu et al. 2023, arXiv 2306.03030, repository williamliujl/CMExam: CSV with `Question`,
`Options` (one a line: letter, blank, text), `Answer` (one letter or several) and `Explanation`; the
annotated test adds `Disease Group`, `Clinical Department`, `Medical Discipline`, `Area of
Competency` and `Difficulty level`.
"""

from __future__ import annotations

import re
from pathlib import Path

from model.errors import ItemError
from model.evaluation.reading import Row, read_csv
from model.exams.items import Item, item

COLUMNS = ("Question", "Options", "Answer")
_STRATA = {
    "Clinical Department": "department", "Medical Discipline": "subject",
    "Disease Group": "disease_group", "Area of Competency": "competency",
    "Area of Competence": "competency", "Difficulty level": "difficulty",
}  # fmt: skip
_OPTION = re.compile(r"\A\s*([A-J])[\s.．、:：)）]*(.*\S)\s*\Z")


def read_cmexam(path: Path) -> tuple[Item, ...]:
    """Read one file.

    Raises:
        ItemError: If a column is missing, an option has no letter, or an item has no key. The
            published preparation drops items without a key unseen; here they are named.
    """
    return tuple(_item(path, n, row) for n, row in enumerate(read_csv(path, COLUMNS), start=1))


def _item(path: Path, number: int, row: Row) -> Item:
    where = f"{path} item {number}"
    strata = {ours: row[theirs] for theirs, ours in _STRATA.items() if row.get(theirs)}
    return item(
        where, item_id=f"{path.stem}-{number:05d}", question=row["Question"],
        options=options_in(where, row["Options"].split("\n")),
        key="" if row["Answer"].strip().casefold() == "nan" else row["Answer"],
        language="zh", strata={"subject": "not stated"} | strata,
    )  # fmt: skip


def options_in(where: str, lines: list[str]) -> dict[str, str]:
    """Options that stand one a line, each behind its letter.

    Raises:
        ItemError: If a line has no letter, or a letter comes twice.
    """
    options: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            continue
        found = _OPTION.match(line)
        if found is None or found[1] in options:
            raise ItemError(f"{where}: option {line!r:.60} has no letter of its own")
        options[found[1]] = found[2]
    return options
