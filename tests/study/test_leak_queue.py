"""The leak scan and the custodian's rulings."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from study.audit import OPERATOR
from study.errors import LifeCycleError, NotAllowedError, StudyError
from study.export import export
from study.leak_queue import n_unruled, next_leak_task, rule
from study.leaks import find_leaks
from study.lifecycle import take_step
from study.people import Person
from study.rating import RatingService
from study.store import Store
from study.verify import verify
from tests.studies import (
    answer_as_model,
    answer_everything,
    join,
    lock_and_unblind,
    to_answering,
)

TELLING = "I would wait. My attending Dr Mossberg agrees; I was trained to wait."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hold enoxaparin 50 mg; clearance is 22 mL/min. Recheck at the next visit.", []),
        ("Ask Dr Mossberg.", [("name", "Dr Mossberg")]),
        ("As an AI, I would wait.", [("self-reference", "As an AI")]),
        ("In my clinic we wait.", [("self-reference", "In my clinic")]),
        ("Write to me@here.org.", [("contact", "me@here.org")]),
        ("**Hold** it.", [("markup", "**"), ("markup", "**")]),
        ("Give it at 08:00.", [("time", "08:00")]),
        ("Nanotech is not Nano.", [("study name", "Nano")]),
        ("Hold it \U0001f44d", [("emoji", "\U0001f44d")]),
        ("Let me know if this helps.", [("address to the reader", "Let me know if")]),
        ("I am [masked] and would wait.", []),
    ],
)
def test_a_place_that_may_tell_the_source_is_found(text: str, found: list) -> None:
    assert [(leak.kind, leak.text) for leak in find_leaks(text, ["Nano"])] == found


def to_masked(store: Store, tmp_path: Path) -> tuple[str, Person]:
    study_id = to_answering(store, n_vignettes=1, n_residents=1, n_raters=1, raters_per_response=1)
    answer_everything(store, join(store, study_id, "resident", arm="residents"), TELLING)
    answer_as_model(store, study_id, tmp_path / "work")
    custodian = join(store, study_id, "custodian")
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    return study_id, custodian


def test_findings_are_ruled_on_one_by_one_and_raters_see_what_was_ruled(
    store: Store, tmp_path: Path
) -> None:
    study_id, custodian = to_masked(store, tmp_path)
    task = next_leak_task(store, custodian)
    assert task is not None and task.n_left == 3
    assert [f.text for f in task.findings] == ["My attending", "Dr Mossberg", "I was trained"]
    assert task.original.startswith(TELLING)
    with pytest.raises(StudyError, match="a ruling needs a reason"):
        rule(store, custodian, task.code, 1, "mask", reason=" ")
    rule(store, custodian, task.code, 2, "mask", reason="a name")
    rule(store, custodian, task.code, 1, "mask", reason="a resident speaks")
    with pytest.raises(StudyError, match="ruled on already"):
        rule(store, custodian, task.code, 1, "stays", reason="second thoughts")
    rater = join(store, study_id, "rater")
    take_step(store, study_id, "allocate", by=OPERATOR)
    with pytest.raises(LifeCycleError, match=r"ruled on every finding of the leak scan \(1 open\)"):
        take_step(store, study_id, "open", by=OPERATOR, reason="hurry", force=True)
    rule(store, custodian, task.code, 3, "stays", reason="a turn of phrase")
    assert next_leak_task(store, custodian) is None
    take_step(store, study_id, "open", by=OPERATOR)
    seen = []
    while (rating := RatingService(store).next_task(rater)) is not None:
        seen.append(rating.response.text)
        RatingService(store).record(rater, rating.response.code, dict.fromkeys(
            ("medical_correctness", "medication_safety"), 3))  # fmt: skip
    wanted = "I would wait. [masked] [masked] agrees; I was trained to wait."
    assert any(text.startswith(wanted) for text in seen)
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    with (directory / "responses.csv").open() as file:
        texts = [row["masked_text"] for row in csv.DictReader(file)]
    assert sorted(seen) == sorted(texts)
    outcomes = {check.name: check.outcome for check in verify(directory)}
    assert outcomes["allocation"] == outcomes["files"] == "holds"


def test_only_the_custodian_sees_originals_and_only_before_rating(
    store: Store, tmp_path: Path
) -> None:
    study_id, custodian = to_masked(store, tmp_path)
    code = next_leak_task(store, custodian).code  # type: ignore[union-attr]
    for role in ("rater", "investigator", "coordinator", "statistician", "inspector"):
        other = join(store, study_id, role)
        with pytest.raises(NotAllowedError, match="the leak queue is for the role custodian"):
            next_leak_task(store, other)
        with pytest.raises(NotAllowedError):
            rule(store, other, code, 1, "stays", reason="why not")
    for number in (1, 2, 3):
        rule(store, custodian, code, number, "stays", reason="fine")
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR)
    with pytest.raises(LifeCycleError, match="between masking and the opening of rating"):
        rule(store, custodian, code, 1, "mask", reason="too late")


def test_without_a_custodian_rating_opens_with_a_reason(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store, n_vignettes=1, n_residents=1, n_raters=1, raters_per_response=1)
    answer_everything(store, join(store, study_id, "resident", arm="residents"), TELLING)
    answer_as_model(store, study_id, tmp_path / "work")
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    with store.read() as session:
        assert n_unruled(session, study_id) == 3
    join(store, study_id, "rater")
    take_step(store, study_id, "allocate", by=OPERATOR)
    with pytest.raises(LifeCycleError, match="give a reason to go on without"):
        take_step(store, study_id, "open", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR, reason="no custodian here", force=True)
