"""Time the console, the export and its verification on a study of 10,000 responses.

The records are written in bulk, with the audit event that each would have left; everything else
(dealing, masking, allocation, lock, unblinding) is done by the study's own steps.

    python -m benchmarks.bench_scale [--vignettes 80] [--residents 124] [--raters 30]
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import OPERATOR, event_sha256
from study.canonical import sha256_hex
from study.export import export
from study.lifecycle import take_step
from study.people import Person
from study.randomness import public_id
from study.sign_in import Entry
from study.store import Store, create_store
from study.tables import (
    AnswerItemRow,
    AuditEventRow,
    RaterAssignmentRow,
    RatingRow,
    RatingScoreRow,
    ResponseRow,
)
from study.verify import verify
from tests.campaign.client import Tab
from tests.studies import DIMENSIONS, answer_as_model, join, lock_and_unblind, to_answering
from tests.whole.serving import served
from tests.whole.studies import enter

RATERS_PER_RESPONSE = 3
T = TypeVar("T")
Event = tuple[Person, str, str, dict[str, Any], datetime]
"""Who, what, about what, details, when."""


def main(arguments: list[str] | None = None) -> None:
    """Build the study, and print what each act takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vignettes", type=int, default=80)
    parser.add_argument("--residents", type=int, default=124)
    parser.add_argument("--raters", type=int, default=30)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        url, work = str(Path(directory) / "study.db"), Path(directory)
        store = create_store(url)
        study_id, investigator = _to_rated(store, work, options)
        _console(url, work, investigator)
        lock_and_unblind(store, study_id)
        bundle = _timed(
            "export", lambda: export(store, study_id, work / "export", by=OPERATOR, code_version="")
        )
        checks = _timed("verify", lambda: verify(bundle))
        assert [check for check in checks if check.outcome == "fault"] == []
        store.close()


def _to_rated(store: Store, work: Path, options: argparse.Namespace) -> tuple[str, Entry]:
    study_id = to_answering(
        store, n_vignettes=options.vignettes, n_residents=options.residents,
        n_raters=options.raters, raters_per_response=RATERS_PER_RESPONSE,
    )  # fmt: skip
    residents = [
        join(store, study_id, "resident", arm="residents") for _ in range(options.residents)
    ]
    with store.write() as session:
        _answer(session, store, residents)
    answer_as_model(store, study_id, work / "work")
    take_step(store, study_id, "close", by=OPERATOR)
    _timed("mask", lambda: take_step(store, study_id, "mask", by=OPERATOR, invite=False))
    raters = [join(store, study_id, "rater") for _ in range(options.raters)]
    investigator = enter(store, study_id, "investigator")
    _timed("allocate", lambda: take_step(store, study_id, "allocate", by=OPERATOR))
    take_step(store, study_id, "open", by=OPERATOR)
    with store.write() as session:
        n_ratings = _rate(session, store, raters)
    n_responses = options.vignettes * (options.residents + 1)
    print(f"{n_responses:,} responses, {n_ratings:,} ratings, {os.cpu_count()} cores")
    return study_id, investigator


def _console(url: str, work: Path, investigator: Entry) -> None:
    """The investigator's page in a fresh server: drawn for the first time, then looked at again.

    The first look of all imports what draws; another tab's first look is what people wait for.
    """
    with served(url, work) as server:
        for what in ("console, server fresh", "console, new tab"):
            with Tab(server.base, investigator.session_token) as tab:
                _timed(what, tab.load)
                _timed("console, next look", tab.load)


def _timed(what: str, act: Callable[[], T]) -> T:
    began = time.perf_counter()
    done = act()
    print(f"{what:20s} {time.perf_counter() - began:7.2f} s", flush=True)
    return done


def _answer(session: Session, store: Store, residents: Iterable[Person]) -> None:
    """Every vignette answered by every resident."""
    at, events = store.clock.now(), []
    for resident in residents:
        mine = select(AnswerItemRow).where(AnswerItemRow.person_id == resident.person_id)
        for item in session.scalars(mine):
            text = f"Resident {resident.pseudonym} would wait. Case {item.vignette_id}."
            response = ResponseRow(
                response_id=public_id(store.source, "r"), study_id=resident.study_id,
                person_id=resident.person_id, vignette_id=item.vignette_id, status="submitted",
                text=text, confidence=3, submitted_at=at,
            )  # fmt: skip
            session.add(response)
            details = {"vignette_id": item.vignette_id, "text_sha256": sha256_hex(text.encode())}
            events.append((resident, "submit answer", response.response_id, details, at))
    _append(session, events)


def _rate(session: Session, store: Store, raters: Iterable[Person]) -> int:
    """Every allocated response rated, one a minute, whole days of them."""
    chance, events = random.Random(1), []
    end = store.clock.now()
    for rater in raters:
        mine = select(RaterAssignmentRow).where(RaterAssignmentRow.rater_id == rater.person_id)
        queue = list(session.scalars(mine.order_by(RaterAssignmentRow.position)))
        for place, assignment in enumerate(queue):
            rating = RatingRow(
                rating_id=public_id(store.source, "rating"), study_id=rater.study_id,
                assignment_id=assignment.assignment_id, revision=1, comment="",
                submitted_at=end - timedelta(minutes=len(queue) - place),
            )  # fmt: skip
            session.add(rating)
            session.flush()
            session.add_all(
                RatingScoreRow(
                    rating_id=rating.rating_id, dimension=name, score=chance.randint(1, 5)
                )
                for name in DIMENSIONS
            )
            events.append(
                (rater, "submit rating", rating.rating_id, {"code": assignment.code}, end)
            )
    _append(session, events)
    return len(events)


def _append(session: Session, events: Iterable[Event]) -> None:
    """Events at the end of the chain, as `record` appends one."""
    events = list(events)
    study_id = events[0][0].study_id
    last = session.scalars(
        select(AuditEventRow)
        .where(AuditEventRow.study_id == study_id)
        .order_by(AuditEventRow.number.desc())
        .limit(1)
    ).one()
    number, previous = last.number, last.sha256
    for person, action, subject, details, at in events:
        number += 1
        row = AuditEventRow(
            study_id=study_id, number=number, at=at, actor=person.person_id, role=person.role,
            action=action, subject=subject, details=details, previous_sha256=previous,
        )  # fmt: skip
        row.sha256 = previous = event_sha256(row)
        session.add(row)


if __name__ == "__main__":
    main()
