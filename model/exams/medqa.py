"""MedQA: board examinations of the United States, Mainland China and Taiwan, 4 or 5 options.

Source: Jin et al. 2020, arXiv 2009.13081, repository jind11/MedQA: `questions/{US,Mainland,Taiwan}/
{train,dev,test}.jsonl` (five options; Taiwan has four) and `4_options/` under US and Mainland. One
object a line: `question`, `options` by letter, `answer` (the right option's text), `answer_idx`
(its letter) and `meta_info`; the four-option US files add `metamap_phrases`.
"""

from __future__ import annotations

from pathlib import Path

from model.errors import ItemError
from model.evaluation.reading import Row, read_jsonl, require_columns
from model.exams.items import Item, Language, item

COLUMNS = ("question", "options", "answer", "answer_idx")


def read_medqa(path: Path) -> tuple[Item, ...]:
    """Read one file.

    Raises:
        ItemError: If a part is missing, or the answer's text is not that of its letter.
    """
    return tuple(_item(path, n, row) for n, row in enumerate(read_jsonl(path), start=1))


def _item(path: Path, number: int, row: Row) -> Item:
    where = f"{path} item {number}"
    require_columns(path, row, COLUMNS)
    options, letter = row["options"], row["answer_idx"]
    if not isinstance(options, dict):
        raise ItemError(f"{where}: options is {options!r:.60}; expected texts by letter")
    stated = str(row["answer"]).strip()
    # The letter counts; a text that belongs to another letter means a damaged file.
    if letter and stated and str(options.get(str(letter), "")).strip() != stated:
        raise ItemError(f"{where}: answer {stated!r:.60} is not the text of option {letter}")
    return item(
        where, item_id=f"{path.stem}-{number:05d}", question=row["question"], options=options,
        key=letter, language=_language(str(row["question"])), multiple=False,
        strata={"subject": str(row.get("meta_info") or "not stated")},
    )  # fmt: skip


def _language(text: str) -> Language:
    return "zh" if any("\u4e00" <= c <= "\u9fff" for c in text) else "en"
