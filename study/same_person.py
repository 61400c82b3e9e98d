"""One human being behind two accounts: found before the lock, decided by a person, never by itself.

Candidates are accounts of one study that share a browser or a signature. What is decided is kept;
two accounts that are the same human being count as one, and whose ratings leave is in the table.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import record
from study.deviations import note_deviation
from study.errors import StudyError
from study.people import Person, actor_of
from study.registration import guard_injected, require_role
from study.store import Store
from study.tables import PersonRow, SignInRow
from study.tables_people import PersonalDataRow, SamePersonRow

DECIDERS = ("coordinator", "investigator")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two accounts that may be one human being."""

    first: str
    """Pseudonym."""
    second: str
    why: str
    first_id: str
    second_id: str


def candidates(session: Session, study_id: str) -> tuple[Candidate, ...]:
    """Pairs that await a decision, by pseudonym."""
    names = {
        person_id: pseudonym
        for person_id, pseudonym in session.execute(
            select(PersonRow.person_id, PersonRow.pseudonym).where(
                PersonRow.study_id == study_id, PersonRow.role.in_(("resident", "rater"))
            )
        )
    }
    decided = {
        frozenset(pair)
        for pair in session.execute(
            select(SamePersonRow.first_id, SamePersonRow.second_id).where(
                SamePersonRow.study_id == study_id
            )
        )
    }
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    for why, groups in (
        ("the same signature", _by_name(session, names)),
        ("the same browser", _by_browser(session, names)),
    ):
        for group in groups:
            for one, other in combinations(sorted(group), 2):
                found[frozenset((one, other))].append(why)
    pairs = (
        (*sorted(pair, key=lambda i: names[i]), " and ".join(why))
        for pair, why in found.items()
        if pair not in decided
    )
    return tuple(
        sorted(
            (Candidate(names[a], names[b], why, a, b) for a, b, why in pairs),
            key=lambda c: (c.first, c.second),
        )
    )


def decide(
    store: Store, person: Person, first_id: str, second_id: str, *, same: bool, reason: str
) -> None:
    """Decide a pair, once; `same` is a deviation, and the analysis counts the two as one.

    Raises:
        NotAllowedError: If the person's role does not decide.
        StudyError: If no reason is given, or the pair awaits no decision.
    """
    require_role(person.role, *DECIDERS, what="deciding about two accounts")
    if not reason.strip():
        raise StudyError("a decision about two accounts needs a reason")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        pair = {first_id, second_id}
        waiting = candidates(session, person.study_id)
        found = next((c for c in waiting if {c.first_id, c.second_id} == pair), None)
        if found is None:
            raise StudyError("this pair awaits no decision; reload the page")
        session.add(
            SamePersonRow(
                first_id=found.first_id, second_id=found.second_id, study_id=person.study_id,
                same=same, reason=reason.strip(), decided_by=person.person_id,
                decided_at=store.clock.now(),
            )
        )  # fmt: skip
        record(
            session, store.clock, person.study_id, actor_of(person), "decide two accounts",
            f"{found.first} {found.second}", {"same": same},
        )  # fmt: skip
        if same:
            note_deviation(
                session, store, person.study_id, actor_of(person), "one person, two accounts",
                f"{found.first} {found.second}",
                "two accounts of one human being; where both rated one response, the first counts",
            )  # fmt: skip


def is_same(session: Session, first_id: str, second_id: str) -> bool:
    """Whether two accounts were decided to be one human being."""
    for pair in ((first_id, second_id), (second_id, first_id)):
        row = session.get(SamePersonRow, pair)
        if row is not None and row.same:
            return True
    return False


def _by_name(session: Session, names: dict[str, str]) -> Iterable[set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for row in session.scalars(select(PersonalDataRow).where(PersonalDataRow.person_id.in_(names))):
        for words in (row.signature, row.name, row.email):
            if words and words.strip():
                groups[_normal(words)].add(row.person_id)
    return groups.values()


def _by_browser(session: Session, names: dict[str, str]) -> Iterable[set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    query = select(SignInRow.person_id, SignInRow.browser).where(
        SignInRow.person_id.in_(names), SignInRow.browser.is_not(None)
    )
    for person_id, browser in session.execute(query):
        groups[str(browser)].add(person_id)
    return groups.values()


def _normal(words: str) -> str:
    """Letters alone, without accents or case: a second signature is rarely typed alike."""
    plain = unicodedata.normalize("NFKD", words).casefold()
    return "".join(c for c in plain if c.isalnum() or c == "@")
