"""Erasing who somebody is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, text

from study.audit import OPERATOR, events_of, verify_chain
from study.consent import consent_form, sign
from study.errors import NotAllowedError, StudyError
from study.export import export
from study.invitations import accept_invitation, invite
from study.personal_data import erase_personal_data
from study.same_person import decide
from study.sign_in import Browser
from study.store import Store
from study.tables import Base, SignInRow
from study.tables_people import ProviderIdentityRow
from study.verify import verify
from tests.studies import (
    join,
    lock_and_unblind,
    rate_everything,
    to_answering,
    to_rating,
)

NAME, SUBJECT, MARK = "Wilhelmina Quarterstone", "subject-4711", "m" * 43
CONSENT = {
    "consent": {
        "version": "1", "respondents": "You answer.", "raters": "You rate.",
        "withdrawal": "keep submitted",
    }
}  # fmt: skip


def everything(store: Store) -> str:
    """Every cell of every table, as text."""
    with store.engine.connect() as connection:
        return "\n".join(
            str(tuple(row))
            for table in Base.metadata.sorted_tables
            for row in connection.execute(text(f"SELECT * FROM {table.name}"))
        )


def test_no_table_holds_who_it_was_and_the_record_stands(store: Store) -> None:
    study_id = to_answering(store, more=CONSENT)
    token = invite(store, study_id, "resident", by=OPERATOR, arm="residents")
    person = accept_invitation(store, token, Browser(MARK, "Edge on Windows")).person
    sign(store, person, NAME)
    with store.write() as session:
        session.add(
            ProviderIdentityRow(
                issuer="https://id.example", subject=SUBJECT, study_id=study_id,
                person_id=person.person_id, linked_at=datetime(2026, 3, 1, tzinfo=UTC),
            )
        )  # fmt: skip
    with store.read() as session:
        query = select(SignInRow.browser).where(SignInRow.person_id == person.person_id)
        browser = session.scalars(query).one()
    personal = (NAME, SUBJECT, str(browser), "Edge on Windows")
    before = everything(store)
    assert all(words in before for words in personal)
    coordinator = join(store, study_id, "coordinator")
    erase_personal_data(store, coordinator, person.pseudonym, reason="asked for it")
    after = everything(store)
    assert not any(words in after for words in personal)
    assert consent_form(store, person) is None  # that a consent was signed is still known
    with store.read() as session:
        events = events_of(session, study_id)
        verify_chain(events)
        assert (events[-1].action, events[-1].subject) == ("erase personal data", person.person_id)
    with pytest.raises(StudyError, match="erased already"):
        erase_personal_data(store, coordinator, person.pseudonym, reason="again")


def test_an_export_after_erasing_is_as_good_as_one_before(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1)
    for rater in raters:
        rate_everything(store, rater)
    coordinator = join(store, study_id, "coordinator")
    erase_personal_data(store, coordinator, raters[0].pseudonym, reason="asked for it")
    lock_and_unblind(store, study_id)
    bundle = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    assert [check for check in verify(bundle) if check.outcome == "fault"] == []


def test_accounts_that_look_alike_are_decided_before_what_tells_is_erased(store: Store) -> None:
    study_id = to_answering(store, more=CONSENT)
    one, other = (join(store, study_id, "resident", arm="residents") for _ in range(2))
    for person in (one, other):
        sign(store, person, NAME)
    coordinator = join(store, study_id, "coordinator")
    with pytest.raises(StudyError, match="the same signature; decide first"):
        erase_personal_data(store, coordinator, one.pseudonym, reason="asked for it")
    decide(
        store, coordinator, one.person_id, other.person_id, same=False, reason="namesakes, both met"
    )
    erase_personal_data(store, coordinator, one.pseudonym, reason="asked for it")
    assert everything(store).count(NAME) == 1


def test_who_may_not_erase_is_told_and_so_is_who_gives_no_reason_or_no_one(store: Store) -> None:
    study_id = to_answering(store)
    resident = join(store, study_id, "resident", arm="residents")
    coordinator = join(store, study_id, "coordinator")
    with pytest.raises(NotAllowedError, match="erasing personal data"):
        erase_personal_data(store, resident, resident.pseudonym, reason="mine")
    with pytest.raises(StudyError, match="needs a reason"):
        erase_personal_data(store, coordinator, resident.pseudonym, reason=" ")
    with pytest.raises(StudyError, match="nobody of this study is called R99"):
        erase_personal_data(store, coordinator, "R99", reason="asked for it")
