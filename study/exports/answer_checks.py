"""What a plain table of answers may say; each fault is noted with its row, column and remedy."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.answering import CONFIDENCE, MAX_CHARACTERS
from study.consent import require_consent
from study.errors import ConsentError
from study.exports.plain_table import MISSING, Faults, PlainRow, PlainTable
from study.people import Person, people_of
from study.protocol import Protocol
from study.tables import AnswerItemRow, ResponseRow


@dataclass(frozen=True, slots=True)
class Answer:
    """One checked record."""

    row: PlainRow
    vignette_id: str
    text: str | None
    """None for a vignette that was left unanswered."""
    confidence: int | None
    position: int | None
    answered_at: datetime | None


def checked_answers(
    table: PlainTable, protocol: Protocol, now: datetime, faults: Faults
) -> dict[str, list[Answer]]:
    """Every record by the file's name of its respondent, in the file's order."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    seen = Counter[tuple[str, str]]()
    for row in table.rows:
        name, vignette_id = row["respondent"].strip(), row["vignette_id"].strip()
        if not name:
            faults.add(row, "respondent", "it is blank; say who answered")
            continue
        seen[name, vignette_id] += 1
        if vignette_id not in protocol.vignettes:
            faults.add(
                row, "vignette_id", f"{vignette_id!r} is no vignette of this study; they are "
                f"{', '.join(protocol.vignettes)}",
            )  # fmt: skip
        elif seen[name, vignette_id] > 1:
            faults.add(row, "vignette_id", f"{name} answers {vignette_id} twice; keep one row")
        text = _text(row, protocol, faults)
        answers[name].append(
            Answer(
                row, vignette_id, text,
                _confidence(row, protocol, faults, answered=text is not None),
                faults.number(row, "position"), faults.moment(row, "answered_at", now),
            )
        )  # fmt: skip
    return dict(answers)


def _text(row: PlainRow, protocol: Protocol, faults: Faults) -> str | None:
    text, status = row["text"], row["status"].strip() or "submitted"
    if status == "missing":
        if text.strip() not in MISSING:
            faults.add(row, "text", "the status is missing, yet there is a text; correct one")
        return None
    if status != "submitted":
        faults.add(row, "status", f"{status!r} is unknown; write submitted or missing")
    if not text.strip():
        faults.add(row, "text", "it is blank; write the answer, or missing under status")
    limit, n_words = protocol.conditions.max_words, len(text.split())
    if limit is not None and n_words > limit:
        faults.add(
            row, "text", f"it has {n_words} words; the limit, the same for everyone, is {limit}"
        )
    if len(text) > MAX_CHARACTERS:
        faults.add(row, "text", f"it has {len(text):,} characters; at most {MAX_CHARACTERS:,}")
    return text


def _confidence(row: PlainRow, protocol: Protocol, faults: Faults, *, answered: bool) -> int | None:
    given = faults.number(row, "confidence")
    if given is not None and not protocol.answering.confidence:
        faults.add(row, "confidence", "this study does not ask for it; leave it blank")
    elif given is not None and given not in CONFIDENCE:
        faults.add(row, "confidence", f"{given} is off the scale; give 1 to 5")
    elif given is None and protocol.answering.confidence and answered:
        faults.add(row, "confidence", "it is missing; give 1 to 5")
    return given


def known_respondents(
    session: Session, study_id: str, answers: Mapping[str, Sequence[Answer]], faults: Faults,
    *, enrol: bool,
) -> dict[str, Person]:  # fmt: skip
    """Those of the file who are enrolled already, by their id or pseudonym."""
    residents = people_of(session, study_id, "resident")
    models = people_of(session, study_id, "model")
    by_name = {name: p for p in residents for name in (p.pseudonym, p.person_id)}
    a_model = {name for p in models for name in (p.pseudonym, p.person_id)}
    known = {name: by_name[name] for name in answers if name in by_name}
    for name in answers:
        row = answers[name][0].row
        if name in a_model:
            faults.add(row, "respondent", f"{name} is a model; use `safemed take-in`")
        elif name not in by_name and not enrol:
            faults.add(
                row, "respondent", f"{name!r} is nobody who is enrolled; write the id or pseudonym "
                "of somebody who has joined, or import with --enrol",
            )  # fmt: skip
    twice = [n for n, c in Counter(p.person_id for p in known.values()).items() if c > 1]
    for name in (name for name, person in known.items() if person.person_id in twice):
        faults.add(
            answers[name][0].row, "respondent", f"{name} and another name are one person; use one"
        )
    return known


def check_known(
    session: Session, person: Person, answers: Sequence[Answer], faults: Faults
) -> None:
    """Answers of somebody enrolled: consented, dealt these vignettes, not answered them yet."""
    try:
        require_consent(session, person)
    except ConsentError as error:
        faults.add(answers[0].row, "respondent", f"has not consented, or has withdrawn: {error}")
    dealt = {
        item.vignette_id: item.position
        for item in session.scalars(
            select(AnswerItemRow).where(AnswerItemRow.person_id == person.person_id)
        )
    }
    query = select(ResponseRow.vignette_id).where(ResponseRow.person_id == person.person_id)
    done = set(session.scalars(query))
    for answer in answers:
        vignette_id, row = answer.vignette_id, answer.row
        if vignette_id in done:
            faults.add(row, "vignette_id", f"{vignette_id} is answered already and cannot change")
        elif vignette_id not in dealt:
            faults.add(row, "vignette_id", f"{vignette_id} is not one of this respondent's")
        elif answer.position not in (None, dealt[vignette_id]):
            faults.add(
                row, "position", f"{vignette_id} is number {dealt[vignette_id]} of this "
                "respondent's order; correct it or leave it blank",
            )  # fmt: skip
        for column in ("arm", "stratum", "site"):
            said = row[column].strip()
            if said not in MISSING and said != (getattr(person, column) or ""):
                faults.add(
                    row, column, f"{said!r} is not what was enrolled; correct it or leave it blank"
                )


def check_new(
    session: Session, study_id: str, protocol: Protocol,
    answers: Mapping[str, Sequence[Answer]], known: set[str], faults: Faults,
) -> None:  # fmt: skip
    """Respondents to be made: an arm of clinicians with room, its strata, the protocol's sites."""
    clinicians = {arm.id: arm for arm in protocol.arms if arm.kind == "clinicians"}
    planned = {arm.id: arm.n_respondents for arm in clinicians.values()}
    there = Counter(p.arm for p in people_of(session, study_id, "resident"))
    for name in (name for name in answers if name not in known):
        first = answers[name][0].row
        for column in ("arm", "stratum", "site"):
            if len({a.row[column].strip() for a in answers[name]}) > 1:
                faults.add(first, column, f"{name} has several; write one and the same")
        arm = arm_of(first, list(clinicians))
        if arm not in clinicians:
            faults.add(first, "arm", f"{arm!r} is no arm of clinicians; {', '.join(clinicians)}")
        else:
            there[arm] += 1
            if there[arm] > planned[arm]:
                faults.add(
                    first, "arm", f"{name} would be number {there[arm]} of {arm!r}, the protocol "
                    f"plans {planned[arm]}; leave this respondent out or amend the protocol",
                )  # fmt: skip
            _check_one_of(first, "stratum", clinicians[arm].strata, faults)
        _check_one_of(first, "site", protocol.sites, faults)
        _check_positions(answers[name], faults)


def arm_of(row: PlainRow, clinicians: Sequence[str]) -> str:
    """The arm that the row names; where there is one of clinicians it need not be named."""
    said = row["arm"].strip()
    return clinicians[0] if said in MISSING and len(clinicians) == 1 else said


def _check_one_of(row: PlainRow, column: str, known: Sequence[str], faults: Faults) -> None:
    said = row[column].strip()
    if said not in MISSING and said not in known:
        faults.add(row, column, f"{said!r} is not the protocol's; {', '.join(known) or 'none is'}")


def _check_positions(answers: Sequence[Answer], faults: Faults) -> None:
    given = [answer.position for answer in answers]
    if any(place is not None for place in given) and sorted(place or 0 for place in given) != list(
        range(1, len(given) + 1)
    ):
        faults.add(
            answers[0].row, "position", f"the places are {given}; number this respondent's rows "
            f"1 to {len(given)}, or leave all blank: then the order of the rows counts",
        )  # fmt: skip


def or_none(written: str) -> str | None:
    """A choice, or None where it is missing."""
    return None if written.strip() in MISSING else written.strip()
