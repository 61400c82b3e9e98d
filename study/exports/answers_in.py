"""Clinicians' answers gathered on paper or with another tool, taken in whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.canonical import sha256_hex
from study.errors import LifeCycleError
from study.exports.answer_checks import (
    Answer,
    arm_of,
    check_known,
    check_new,
    checked_answers,
    known_respondents,
    or_none,
)
from study.exports.plain_table import Faults, PlainTable, read_plain
from study.people import Person, add_person, person_of_row
from study.protocol import Protocol
from study.randomness import public_id
from study.registration import (
    guard_injected,
    load_study,
    require_role,
    require_state,
    study_row,
)
from study.store import Store
from study.tables import AnswerItemRow, PersonRow, ResponseRow

REQUIRED = ("respondent", "vignette_id", "text")
OPTIONAL = ("status", "confidence", "position", "answered_at", "arm", "stratum", "site")
MAY_IMPORT = ("host", "investigator", "coordinator")


@dataclass(frozen=True, slots=True)
class ImportedAnswers:
    """What came in."""

    n_responses: int
    enrolled: Mapping[str, str]
    """The file's name of each respondent made, to the new person's id. Nothing else keeps it."""


def import_responses(
    store: Store, study_id: str, path: Path, *, by: Actor, enrol: bool = False
) -> ImportedAnswers:
    """Take clinicians' answers in from a plain CSV, all of them or none.

    Args:
        store: The database.
        study_id: A study in which answering is open.
        path: The CSV; `docs/contracts.md` lists its columns.
        by: Who imports: the operator, an investigator or a coordinator.
        enrol: Whether respondents whom the study does not know are made, under a random pseudonym
            and with the arm, stratum and site of the file. Their consent is on paper, not here.

    Raises:
        PlainTableError: Naming every fault by row and column; nothing was imported then.
        LifeCycleError: If answering is not open.
        NotAllowedError: If the role may not import.
    """
    require_role(by.role, *MAY_IMPORT, what="importing responses")
    table = read_plain(path, REQUIRED, OPTIONAL)
    with store.write() as session:
        guard_injected(session, store, study_id)
        require_state(
            study_row(session, study_id), "answering", otherwise=LifeCycleError, what="importing"
        )
        protocol = load_study(session, study_id).protocol
        faults = Faults(table.name)
        answers = checked_answers(table, protocol, store.clock.now(), faults)
        known = known_respondents(session, study_id, answers, faults, enrol=enrol)
        for name, person in known.items():
            check_known(session, person, answers[name], faults)
        if enrol:
            check_new(session, study_id, protocol, answers, set(known), faults)
        faults.refuse()
        made = {
            name: _enrol(session, store, study_id, protocol, answers[name], by)
            for name in answers
            if name not in known
        }
        n_responses = 0
        for name, person in {**known, **made}.items():
            for answer in answers[name]:
                n_responses += _add(session, store, person, answer, table, by)
        record(
            session, store.clock, study_id, by, "import responses", table.sha256,
            {"n_responses": n_responses, "n_enrolled": len(made)},
        )  # fmt: skip
    return ImportedAnswers(n_responses, {name: person.person_id for name, person in made.items()})


def _enrol(
    session: Session, store: Store, study_id: str, protocol: Protocol,
    answers: Sequence[Answer], by: Actor,
) -> Person:  # fmt: skip
    """A respondent under a random pseudonym, with the vignettes in the order of the file."""
    row = answers[0].row
    arm = arm_of(row, [a.id for a in protocol.arms if a.kind == "clinicians"])
    stratum, site = (or_none(row[column]) for column in ("stratum", "site"))
    person = add_person(
        session, store, study_id, "resident", arm=arm, stratum=stratum, site=site,
        scripted=store.seeded,
    )  # fmt: skip
    person.joined_at = store.clock.now()
    listed = [a.vignette_id for a in sorted(answers, key=lambda a: a.position or 0)]
    rest = [] if protocol.answering.vignettes_each else protocol.vignettes
    for position, vignette_id in enumerate(dict.fromkeys([*listed, *rest]), start=1):
        _deal(session, store, person, vignette_id, position)
    record(
        session, store.clock, study_id, by, "enrol by import", person.person_id,
        {"role": "resident", "scripted": person.scripted, "consent": "not recorded here"},
    )  # fmt: skip
    return person_of_row(person)


def _deal(
    session: Session, store: Store, person: PersonRow, vignette_id: str, position: int
) -> None:
    session.add(
        AnswerItemRow(
            item=public_id(store.source, "a"), person_id=person.person_id,
            vignette_id=vignette_id, position=position, draft_text="", draft_revision=0,
        )
    )  # fmt: skip


def _add(
    session: Session, store: Store, person: Person, answer: Answer, table: PlainTable, by: Actor
) -> int:
    """Write one answer; a vignette left unanswered leaves no record, as on the screen."""
    if answer.text is None:
        return 0
    response = ResponseRow(
        response_id=public_id(store.source, "r"), study_id=person.study_id,
        person_id=person.person_id, vignette_id=answer.vignette_id, status="submitted",
        text=answer.text, confidence=answer.confidence,
        submitted_at=answer.answered_at or store.clock.now(),
    )  # fmt: skip
    session.add(response)
    session.flush()
    record(
        session, store.clock, person.study_id, by, "import answer", response.response_id,
        {
            "vignette_id": answer.vignette_id,
            "text_sha256": sha256_hex(answer.text.encode()),
            "file_sha256": table.sha256,
            "row": answer.row.number,
            "time_is_the_file_s": answer.answered_at is not None,
        },
    )  # fmt: skip
    return 1
