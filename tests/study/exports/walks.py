"""Studies walked to their end for the tests of the exports, with texts that are hard to carry."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from study.answering import AnsweringService
from study.audit import OPERATOR
from study.export import export
from study.export_tables import all_tables
from study.exports.frozen import Frozen, read_frozen
from study.lifecycle import take_step
from study.people import Person
from study.rating import RatingService
from study.registration import load_study
from study.store import Store
from study.take_in import take_in
from study.tasks import write_tasks
from tests.studies import (
    DIMENSIONS,
    answer_as_model,
    join,
    lock_and_unblind,
    response_line,
    to_answering,
)
from tests.studies import write_rows as write_responses_directory

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


def replay_model(store: Store, study_id: str, frozen: Frozen, work: Path) -> None:
    """The model's responses again, by the contract's directory."""
    tasks = write_tasks(store, study_id, "model", work / "tasks", by=OPERATOR)
    given = {r["vignette_id"]: r for r in frozen.rows("responses") if r["arm"] == "model"}
    lines = []
    for task in map(json.loads, (tasks / "tasks.jsonl").read_text().splitlines()):
        row = given[task["vignette_id"]]
        line = response_line(task, text="", fails=row["status"] == "failed")
        line |= {name: row[name] for name in ("text", "failure", "completion_tokens")}
        lines.append(line | {"prompt_tokens": row["prompt_tokens"]})
    (work / "responses").mkdir()
    manifest = json.loads((tasks / "manifest.json").read_text())
    take_in(
        store, study_id, write_responses_directory(work / "responses", manifest, lines), by=OPERATOR
    )


def again(
    store: Store, first: Frozen, plain: Path, work: Path, *,
    bring_answers: Callable[[str, Path], Mapping[str, str]],
    bring_ratings: Callable[[str, Path], int],
) -> tuple[str, Mapping[Any, Any]]:  # fmt: skip
    """A fresh study from the plain tables of the first, unblinded, and the map of all ids.

    Args:
        store: Of the fresh study.
        first: What the plain tables were made of.
        plain: Their directory.
        work: An empty directory.
        bring_answers: Imports a file of answers and says who was made.
        bring_ratings: Imports a file of ratings and says how many.
    """
    study_id = to_answering(store)
    made = bring_answers(study_id, plain / "responses.csv")
    replay_model(store, study_id, first, work)
    take_step(store, study_id, "close", by=OPERATOR, reason="the time is over", force=True)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    raters = [join(store, study_id, "rater") for _ in range(2)]
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR, reason="ruled on outside", force=True)
    ids: dict[Any, Any] = dict(made)
    with store.read() as session:
        tables = all_tables(session, load_study(session, study_id))
    blinded = Frozen({}, first.protocol, tables)
    for row in first.rows("respondents"):
        if row["kind"] == "model":
            (model,) = [r for r in blinded.rows("respondents") if r["kind"] == "model"]
            ids[row["respondent_id"]] = model["respondent_id"]
    codes = {
        (r["respondent_id"], r["vignette_id"]): r["blinding_code"]
        for r in blinded.rows("responses")
    }
    for row in first.rows("responses"):
        if row["blinding_code"]:
            ids[row["blinding_code"]] = codes[ids[row["respondent_id"]], row["vignette_id"]]
    for row, rater in zip(first.rows("raters"), raters, strict=True):
        ids[row["rater_id"]] = rater.person_id
    rows = read_csv(plain / "ratings.csv")
    mapped = [r | {"rater": ids[r["rater"]], "response": ids[r["response"]]} for r in rows]
    path = write_rows(work / "ratings.csv", mapped)
    assert bring_ratings(study_id, path) == len(rows)
    lock_and_unblind(store, study_id)
    return study_id, ids
