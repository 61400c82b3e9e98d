"""Studies walked to their end for the tests of the exports, with texts that are hard to carry."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from study.answering import AnsweringService
from study.audit import OPERATOR
from study.export import export
from study.exports.frozen import Frozen, read_frozen
from study.lifecycle import take_step
from study.people import Person
from study.rating import RatingService
from study.store import Store
from tests.studies import DIMENSIONS, answer_as_model, join, lock_and_unblind, to_answering

HARD_TEXTS = (
    'Wait.\nThen "recheck", NA; =1+1',
    "Zuerst prüfen:\r\n- Kalium ≥ 5,5\r\n- ∅ Änderung 心",
    "NA",
    " stop \t the <plan> & tell | them\rat once",
)
"""Line breaks of three kinds, quotes, delimiters, a formula, Unicode, white space, a lone `NA`."""


def walked(
    store: Store, work: Path, *, leave_out: Sequence[str] = (), failing: tuple[str, ...] = (),
    **changes: Any,
) -> str:  # fmt: skip
    """Two residents and a model, two raters, all crossed; unblinded.

    The first resident leaves `leave_out` unanswered. Each rater corrects one rating and comments on
    one in two lines; the others have no comment.
    """
    study_id = to_answering(store, **changes)
    service, texts = AnsweringService(store), iter(HARD_TEXTS * 9)
    for number in range(2):
        resident = join(store, study_id, "resident", arm="residents")
        for task in _tasks(service, store, resident, () if number else leave_out):
            service.submit(resident, task, next(texts), 1 + number)
    answer_as_model(store, study_id, work / "model", failing=failing)
    take_step(store, study_id, "close", by=OPERATOR, reason="the time is over", force=True)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    raters = [join(store, study_id, "rater") for _ in range(2)]
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR, reason="ruled on outside", force=True)
    for number, rater in enumerate(raters):
        rate(store, rater, number)
    lock_and_unblind(store, study_id)
    return study_id


def _tasks(
    service: AnsweringService, store: Store, person: Person, leave_out: Sequence[str]
) -> list[str]:
    from sqlalchemy import select

    from study.tables import AnswerItemRow

    with store.read() as session:
        query = select(AnswerItemRow).where(AnswerItemRow.person_id == person.person_id)
        items = session.scalars(query.order_by(AnswerItemRow.position)).all()
        return [item.item for item in items if item.vignette_id not in leave_out]


def rate(store: Store, rater: Person, number: int) -> None:
    service, place = RatingService(store), 0
    while (task := service.next_task(rater)) is not None:
        scores = {name: 1 + (place + number + i) % 5 for i, name in enumerate(DIMENSIONS)}
        service.record(rater, task.response.code, scores, "why:\nso" if place == 1 else "")
        if place == 2:
            service.amend(rater, task.response.code, scores, "NA", reason="misread, sorry")
        place += 1


def frozen_of(store: Store, study_id: str, out: Path) -> Frozen:
    export(store, study_id, out, by=OPERATOR, code_version="test")
    return read_frozen(out)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: Sequence[Mapping[str, object]], delimiter: str = ",") -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(
            file, columns, restval="", delimiter=delimiter, quoting=csv.QUOTE_ALL
        )
        writer.writeheader()
        writer.writerows(rows)
    return path
