from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from study.audit import OPERATOR
from study.clock import SteppingClock
from study.errors import (
    InvitationError,
    NotAllowedError,
    RealPersonEnrolledError,
    SignInError,
    StudyError,
)
from study.invitations import accept_invitation, invite, look_up_invitation
from study.overview import study_card
from study.randomness import SeededSource
from study.sign_in import person_of_session, sign_in, sign_out, switch_role
from study.store import Store, create_store
from tests.studies import join, register_example, to_answering


def at(store: Store, moment: datetime) -> Store:
    """The same database seen at another time, by a clock that stands in for the system's."""
    return replace(store, clock=SteppingClock(moment, timedelta(0)))


def test_looking_at_a_link_consumes_nothing(store: Store) -> None:
    token = invite(store, register_example(store), "rater", by=OPERATOR)
    for _ in range(3):
        assert look_up_invitation(store, token).role == "rater"
    assert accept_invitation(store, token).person.role == "rater"


def test_a_used_link_says_so_and_names_the_remedy(store: Store) -> None:
    token = invite(store, register_example(store), "rater", by=OPERATOR)
    accept_invitation(store, token)
    for act in (look_up_invitation, accept_invitation):
        with pytest.raises(InvitationError, match="has been used; come back with your return code"):
            act(store, token)


def test_an_unknown_link_says_so(store: Store) -> None:
    with pytest.raises(InvitationError, match="not known; check that the whole link was copied"):
        look_up_invitation(store, "NOSUCHTOKEN")


def test_an_expired_link_says_when(store: Store) -> None:
    token = invite(store, register_example(store), "rater", by=OPERATOR, days_valid=30)
    later = at(store, datetime.now(UTC) + timedelta(days=31))
    with pytest.raises(InvitationError, match="expired on"):
        look_up_invitation(later, token)


def test_the_return_code_signs_in_on_another_device(store: Store) -> None:
    entry = accept_invitation(store, invite(store, register_example(store), "rater", by=OPERATOR))
    assert entry.return_code is not None
    untidy = f" {entry.return_code.lower().replace('-', ' ')} "
    again = sign_in(store, untidy)
    assert again.person == entry.person
    assert again.session_token != entry.session_token
    assert person_of_session(store, again.session_token) == entry.person


def test_only_digests_of_secrets_are_in_the_database(sqlite_store: Store, tmp_path: Path) -> None:
    token = invite(sqlite_store, register_example(sqlite_store), "rater", by=OPERATOR)
    entry = accept_invitation(sqlite_store, token)
    sqlite_store.close()
    written = b"".join(path.read_bytes() for path in tmp_path.glob("study.db*"))
    assert entry.return_code is not None
    secret_half = entry.return_code.replace("-", "")[6:]
    for secret in (token, entry.session_token, secret_half):
        assert secret.encode() not in written


def test_a_wrong_code_has_one_wording_whichever_part_is_wrong(store: Store) -> None:
    entry = accept_invitation(store, invite(store, register_example(store), "rater", by=OPERATOR))
    assert entry.return_code is not None
    wordings = set()
    for code in ("ABCDEF-GHJKMN-PQRSTV", entry.return_code[:-1] + "?", ""):
        with pytest.raises(SignInError) as caught:
            sign_in(store, code)
        wordings.add(str(caught.value))
    assert len(wordings) == 1


def test_five_wrong_tries_block_the_code_for_a_while(store: Store) -> None:
    entry = accept_invitation(store, invite(store, register_example(store), "rater", by=OPERATOR))
    assert entry.return_code is not None
    for _ in range(5):
        with pytest.raises(SignInError, match="not known"):
            sign_in(store, entry.return_code[:-1] + "?")
    with pytest.raises(SignInError, match="too many wrong tries; try again after"):
        sign_in(store, entry.return_code)


def test_signing_out_ends_the_session(store: Store) -> None:
    entry = accept_invitation(store, invite(store, register_example(store), "rater", by=OPERATOR))
    sign_out(store, entry.session_token)
    assert person_of_session(store, entry.session_token) is None
    sign_out(store, "unknown tokens are no error")


def test_roles_can_be_switched_only_in_a_tryout(store: Store) -> None:
    for kind in ("study", "tryout"):
        study_id = register_example(store, kind=kind)
        entry = accept_invitation(
            store, invite(store, study_id, "resident", by=OPERATOR, arm="residents")
        )
        if kind == "study":
            with pytest.raises(NotAllowedError, match="only in a tryout"):
                switch_role(store, entry.session_token, "rater")
        else:
            other = switch_role(store, entry.session_token, "rater")
            assert other.person.role == "rater"
            assert person_of_session(store, entry.session_token) is None
            back = switch_role(store, other.session_token, "resident")
            assert back.person == entry.person


def test_a_tryout_is_marked_simulated_from_the_start(store: Store) -> None:
    assert study_card(store, register_example(store, kind="tryout")).simulated
    assert not study_card(store, register_example(store)).simulated


def test_a_seeded_source_marks_the_study_simulated_for_good(
    seeded_store: Store, tmp_path: Path
) -> None:
    study_id = register_example(seeded_store)
    assert study_card(seeded_store, study_id).simulated
    system = create_store(tmp_path / "seeded.db")
    join(system, study_id, "rater")
    assert study_card(system, study_id).simulated
    system.close()


def test_an_injected_source_is_refused_once_a_real_person_is_enrolled(
    sqlite_store: Store, tmp_path: Path
) -> None:
    study_id = to_answering(sqlite_store)
    join(sqlite_store, study_id, "resident", arm="residents")
    seeded = create_store(tmp_path / "study.db", source=SeededSource(1))
    with pytest.raises(RealPersonEnrolledError, match="a real person is enrolled"):
        invite(seeded, study_id, "rater", by=OPERATOR)
    seeded.close()
    assert not study_card(sqlite_store, study_id).simulated


def test_a_scripted_person_is_refused_beside_a_real_one(store: Store) -> None:
    study_id = to_answering(store)
    join(store, study_id, "resident", arm="residents")
    with pytest.raises(RealPersonEnrolledError, match="a scripted person is refused"):
        invite(store, study_id, "rater", by=OPERATOR, scripted=True)


def test_an_unknown_study_is_named(store: Store) -> None:
    with pytest.raises(StudyError, match="there is no study 'study_X' here"):
        invite(store, "study_X", "rater", by=OPERATOR)


def test_a_real_person_cannot_join_under_an_injected_source(seeded_store: Store) -> None:
    study_id = to_answering(seeded_store)
    token = invite(seeded_store, study_id, "resident", by=OPERATOR, arm="residents")
    with pytest.raises(RealPersonEnrolledError, match="cannot join while the clock"):
        accept_invitation(seeded_store, token)
