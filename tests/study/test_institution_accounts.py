"""An institution's account is linked by the person, and signs in that person and nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from study.audit import OPERATOR
from study.errors import InstitutionAccountError, SignInError
from study.export import export
from study.institution_accounts import (
    InstitutionAccount,
    link_account,
    linked_since,
    sign_in_with,
    studies_of,
    unlink_account,
)
from study.sign_in import person_of_session, reissue_return_code
from study.store import Store
from study.tables import AuditEventRow
from study.tables_people import ProviderIdentityRow
from tests.studies import join, register_example, to_unblinded

ACCOUNT = InstitutionAccount("https://id.hospital.example", "subject-QJ7")


def actions(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(AuditEventRow.action).order_by(AuditEventRow.number)))


def test_a_linked_account_signs_the_person_in_with_an_ordinary_session(store: Store) -> None:
    rater = join(store, register_example(store), "rater")
    assert linked_since(store, rater) is None
    link_account(store, rater, ACCOUNT)
    assert linked_since(store, rater) is not None
    entry = sign_in_with(store, ACCOUNT, rater.study_id)
    assert entry.return_code is None
    assert person_of_session(store, entry.session_token) == rater


@pytest.mark.parametrize(
    "other",
    [
        InstitutionAccount(ACCOUNT.issuer, "subject-QJ8"),
        InstitutionAccount("https://id.elsewhere.example", ACCOUNT.subject),
    ],
    ids=["another subject", "the same subject of another issuer"],
)
def test_an_account_that_nobody_linked_signs_nobody_in(
    store: Store, other: InstitutionAccount
) -> None:
    rater = join(store, register_example(store), "rater")
    link_account(store, rater, ACCOUNT)
    assert studies_of(store, other) == ()
    with pytest.raises(SignInError, match="not linked to anybody here; come in as before"):
        sign_in_with(store, other, rater.study_id)


def test_linking_the_same_account_again_changes_nothing(store: Store) -> None:
    rater = join(store, register_example(store), "rater")
    for _ in range(2):
        link_account(store, rater, ACCOUNT)
    assert actions(store).count("link institution account") == 1


def test_one_account_signs_in_one_person_of_a_study(store: Store) -> None:
    study_id = register_example(store)
    first, second = join(store, study_id, "rater"), join(store, study_id, "statistician")
    link_account(store, first, ACCOUNT)
    with pytest.raises(InstitutionAccountError, match="signs in somebody else of this study"):
        link_account(store, second, ACCOUNT)
    assert sign_in_with(store, ACCOUNT, study_id).person == first


def test_a_person_has_one_account_at_a_time(store: Store) -> None:
    rater = join(store, register_example(store), "rater")
    link_account(store, rater, ACCOUNT)
    newer = InstitutionAccount(ACCOUNT.issuer, "subject-QJ8")
    with pytest.raises(InstitutionAccountError, match="unlink that one first"):
        link_account(store, rater, newer)
    unlink_account(store, rater)
    link_account(store, rater, newer)
    assert studies_of(store, ACCOUNT) == ()
    assert sign_in_with(store, newer, rater.study_id).person == rater


def test_one_account_leads_into_every_study_in_which_it_was_linked(store: Store) -> None:
    here, there = register_example(store), register_example(store)
    rater, adjudicator = join(store, here, "rater"), join(store, there, "adjudicator")
    link_account(store, rater, ACCOUNT)
    link_account(store, adjudicator, ACCOUNT)
    assert {(s.study_id, s.role) for s in studies_of(store, ACCOUNT)} == {
        (here, "rater"),
        (there, "adjudicator"),
    }
    assert sign_in_with(store, ACCOUNT, there).person == adjudicator


def test_an_unlinked_account_signs_nobody_in(store: Store) -> None:
    rater = join(store, register_example(store), "rater")
    link_account(store, rater, ACCOUNT)
    for _ in range(2):
        unlink_account(store, rater)
    with pytest.raises(SignInError):
        sign_in_with(store, ACCOUNT, rater.study_id)
    assert actions(store).count("unlink institution account") == 1


def test_a_new_return_code_shuts_the_linked_account_out(store: Store) -> None:
    rater = join(store, register_example(store), "rater")
    link_account(store, rater, ACCOUNT)
    reissue_return_code(store, rater.person_id, by=OPERATOR)
    with pytest.raises(SignInError):
        sign_in_with(store, ACCOUNT, rater.study_id)


def test_the_audit_tells_of_the_link_and_no_record_holds_the_subject(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_unblinded(store, tmp_path)
    person = join(store, study_id, "inspector")
    link_account(store, person, ACCOUNT)
    sign_in_with(store, ACCOUNT, study_id)
    assert actions(store)[-2:] == ["link institution account", "sign in"]
    export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    written = b"".join(p.read_bytes() for p in (tmp_path / "export").rglob("*") if p.is_file())
    assert b"link institution account" in written
    assert ACCOUNT.subject.encode() not in written
    assert ACCOUNT.issuer.encode() not in written
    with store.read() as session:
        assert session.scalars(select(ProviderIdentityRow.subject)).all() == [ACCOUNT.subject]
    assert ACCOUNT.subject not in repr(ACCOUNT)
