"""A plain layout for items of one's own: one JSON object a line.

`question`, `options` (a list, or texts by letter), `answer` (a letter, several, or a list of them);
optional `id`, `language` (`en` or `zh`), `multiple` (true or false) and `strata` (names and texts).
"""

from __future__ import annotations

from pathlib import Path

from model.errors import ItemError
from model.evaluation.reading import Row, read_jsonl
from model.exams.items import LETTERS, Item, item
from model.strict import Fields


def read_plain(path: Path) -> tuple[Item, ...]:
    """Read one file, strictly.

    Raises:
        ItemError: If a key is unknown, missing or of the wrong type, or an item lacks a part.
    """
    return tuple(_item(path, n, row) for n, row in enumerate(read_jsonl(path), start=1))


def _item(path: Path, number: int, row: Row) -> Item:
    where = f"{path} line {number}"
    fields = Fields(row, where, ItemError)
    options = fields.take("options", list, dict)
    answer = fields.take("answer", str, list, type(None), default=None)
    language = fields.take("language", str, default="en")
    strata = fields.take("strata", dict, default={})
    made = item(
        where,
        item_id=str(fields.take("id", str, int, default=f"{path.stem}-{number:05d}")),
        question=fields.take("question", str),
        options=dict(zip(LETTERS, options, strict=False)) if isinstance(options, list) else options,
        key="".join(map(str, answer)) if isinstance(answer, list) else answer,
        language=language,
        strata={"subject": "not stated"} | {str(k): str(v) for k, v in strata.items()},
        multiple=fields.take("multiple", bool, type(None), default=None),
    )
    fields.finish()
    if language not in ("en", "zh"):
        raise ItemError(f"{where}: language is {language!r}; expected en or zh")
    return made
