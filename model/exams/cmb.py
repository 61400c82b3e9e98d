"""CMB-Exam: Chinese examinations of physicians, nurses, pharmacists and others.

Source: Wang et al. 2023, arXiv 2308.08833, repository FreedomIntelligence/CMB: a JSON list with
`exam_type`, `exam_class`, `exam_subject`, `question`, `question_type` and `option` by letter;
`answer` stands with the items of train and validation. The test's answers are published apart
(`CMB-test-choice-answer.json`: `id` and `answer`), so that file has to lie beside the items' or its
name has to be the items' with `answer` in place of `question-merge`.
"""

from __future__ import annotations

from pathlib import Path

from model.errors import ItemError
from model.evaluation.reading import Row, read_json_list, require_columns
from model.exams.items import Item, item

COLUMNS = ("exam_type", "exam_class", "exam_subject", "question", "question_type", "option")
ANSWERS = "CMB-test-choice-answer.json"
TRACKS = {"医师考试": "physician", "药师考试": "pharmacist", "护理考试": "nurse"}
"""The three of SafeMed-R1's table; other types keep their own names."""
_TYPES = {"单项选择题": False, "多项选择题": True}


def read_cmb(path: Path) -> tuple[Item, ...]:
    """Read one file of items, with the answers published apart where it has none.

    Raises:
        ItemError: If a part is missing, an item has no answer, or an answer has no item.
    """
    rows = read_json_list(path)
    answers = _answers(path.parent / ANSWERS) if any("answer" not in row for row in rows) else {}
    items = tuple(_item(path, n, row, answers) for n, row in enumerate(rows, start=1))
    if answers and len(answers) != len(rows):
        raise ItemError(
            f"{path.parent / ANSWERS} holds {len(answers)} answers to the {len(rows)} items of "
            f"{path.name}; they belong to another version"
        )
    return items


def _answers(path: Path) -> dict[str, Row]:
    rows = read_json_list(path)
    for row in rows:
        require_columns(path, row, ("id", "answer"))
    answers = {str(row["id"]): row for row in rows}
    if len(answers) != len(rows):
        raise ItemError(f"{path}: an id is there twice")
    return answers


def _item(path: Path, number: int, row: Row, answers: dict[str, Row]) -> Item:
    where = f"{path} item {row.get('id', number)}"
    require_columns(path, row, COLUMNS)
    options, kind = row["option"], str(row["question_type"])
    if not isinstance(options, dict):
        raise ItemError(f"{where}: option is {options!r:.60}; expected texts by letter")
    if kind not in _TYPES:
        raise ItemError(f"{where}: question_type is {kind!r}; expected {' or '.join(_TYPES)}")
    key = row["answer"] if "answer" in row else answers.get(str(row.get("id")), {}).get("answer")
    return item(
        where, item_id=f"{path.stem}-{row.get('id', number)}", question=row["question"],
        options=options, key=key, language="zh", multiple=_TYPES[kind],
        strata={
            "track": TRACKS.get(str(row["exam_type"]), str(row["exam_type"])),
            "class": str(row["exam_class"]), "subject": str(row["exam_subject"]),
        },
    )  # fmt: skip
