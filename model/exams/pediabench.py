"""PediaBench, multiple choice: Chinese paediatrics by disease group.

Source: Zhang et al. 2024, arXiv 2412.06287, repository ACMISLab/PediaBench: a workbook a question
type (`data/Multiple Choice.xlsx`). What its columns are called could not be looked up where this
was written: the names below are those of the repository's own scripts and the nearest words, and a
workbook with other names is refused with the names it has.
"""

from __future__ import annotations

import re
from pathlib import Path

from model.errors import ItemError
from model.evaluation.reading import Row, read_csv, read_xlsx
from model.exams.cmexam import options_in
from model.exams.items import Item, item

QUESTION = ("问题", "题目", "题干", "question")
OPTIONS = ("选项", "options")
ANSWER = ("正确回答", "正确答案", "真实答案", "答案", "answer")
SUBJECT = ("疾病组", "科室", "disease group")
DIFFICULTY = ("难度系数", "难度", "difficulty")
_FIRST_OPTION = re.compile(r"(?m)^\s*A\s*[.．、:：)）]")
_WITHIN_A_LINE = re.compile(r"[ \t\u3000]+(?=[B-J][.．、:：])")


def read_pediabench(path: Path) -> tuple[Item, ...]:
    """Read one workbook, or a CSV with the same columns.

    The options stand in columns of their own (A, B, ...), in one column, or below the question.

    Raises:
        ItemError: If a column is missing or an item lacks a part.
    """
    rows = read_xlsx(path) if path.suffix.casefold() == ".xlsx" else read_csv(path, ())
    if not rows:
        raise ItemError(f"{path} holds no item")
    for names in (QUESTION, ANSWER):
        if _name(rows[0], names) is None:
            raise ItemError(
                f"{path} has no column {' or '.join(names)}; its columns are {', '.join(rows[0])}"
            )
    return tuple(_item(path, n, row) for n, row in enumerate(rows, start=1))


def _item(path: Path, number: int, row: Row) -> Item:
    where = f"{path} item {number}"
    question, options = _question_and_options(where, row)
    strata = {"subject": _cell(row, SUBJECT) or "not stated"}
    if difficulty := _cell(row, DIFFICULTY):
        strata["difficulty"] = difficulty
    return item(
        where, item_id=f"{path.stem}-{number:05d}", question=question, options=options,
        key=_cell(row, ANSWER), language="zh", strata=strata,
    )  # fmt: skip


def _question_and_options(where: str, row: Row) -> tuple[str, dict[str, str]]:
    question = _cell(row, QUESTION)
    columns = {name: row[name] for name in row if re.fullmatch("[A-J]", name) and row[name]}
    if columns:
        return question, columns
    written = _cell(row, OPTIONS)
    if not written:
        found = _FIRST_OPTION.search(question)
        if found is None:
            raise ItemError(f"{where}: no options, in columns of their own or below the question")
        question, written = question[: found.start()], question[found.start() :]
    return question, options_in(where, _WITHIN_A_LINE.sub("\n", written).split("\n"))


def _name(row: Row, names: tuple[str, ...]) -> str | None:
    known = {name.strip().casefold(): name for name in row}
    return next((known[name] for name in names if name in known), None)


def _cell(row: Row, names: tuple[str, ...]) -> str:
    name = _name(row, names)
    return str(row[name]).strip() if name else ""
