"""Erasing who somebody is; the scientific record names nobody and stays as it is.

What is erased: name, email and signature, links to an institution's account, and what recognises a
browser. What stays: the pseudonymous records, that a consent was signed (version, digest, time) and
that data were erased, by whom and why.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from study.audit import record
from study.errors import StudyError
from study.people import Person, actor_of
from study.registration import guard_injected, require_role
from study.same_person import DECIDERS, candidates
from study.store import Store
from study.tables import PersonRow, SignInRow
from study.tables_people import PersonalDataRow, ProviderIdentityRow


def erase_personal_data(store: Store, person: Person, pseudonym: str, *, reason: str) -> None:
    """Erase what the study knows of who a person is, once and for good.

    Args:
        store: The database.
        person: A coordinator or an investigator.
        pseudonym: Of whom it is about, in the same study.
        reason: Such as the person's request.

    Raises:
        NotAllowedError: If the person's role does not erase.
        StudyError: If no reason is given, nobody has the pseudonym, the data are erased already, or
            one of the person's accounts awaits a decision that rests on these data.
    """
    require_role(person.role, *DECIDERS, what="erasing personal data")
    if not reason.strip():
        raise StudyError("erasing personal data needs a reason, such as the person's request")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        row = _of_pseudonym(session, person.study_id, pseudonym)
        _refuse_undecided(session, person.study_id, pseudonym)
        kept = session.get(PersonalDataRow, row.person_id)
        if kept is not None and kept.erased_at is not None:
            raise StudyError(f"the personal data of {pseudonym} are erased already")
        _erase(session, store, row.person_id, kept)
        record(
            session, store.clock, person.study_id, actor_of(person), "erase personal data",
            row.person_id, {"reason": reason.strip()},
        )  # fmt: skip


def _of_pseudonym(session: Session, study_id: str, pseudonym: str) -> PersonRow:
    query = select(PersonRow).where(
        PersonRow.study_id == study_id, PersonRow.pseudonym == pseudonym
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        raise StudyError(f"nobody of this study is called {pseudonym}; reload the page")
    return row


def _refuse_undecided(session: Session, study_id: str, pseudonym: str) -> None:
    for pair in candidates(session, study_id):
        if pseudonym in (pair.first, pair.second):
            raise StudyError(
                f"{pair.first} and {pair.second} share {pair.why}; decide first whether they are "
                "one human being, then erase"
            )


def _erase(session: Session, store: Store, person_id: str, kept: PersonalDataRow | None) -> None:
    if kept is None:
        kept = PersonalDataRow(person_id=person_id)
        session.add(kept)
    kept.name = kept.email = kept.signature = None
    kept.erased_at = store.clock.now()
    session.execute(delete(ProviderIdentityRow).where(ProviderIdentityRow.person_id == person_id))
    session.execute(
        update(SignInRow).where(SignInRow.person_id == person_id).values(browser=None, device=None)
    )
