"""One human being behind two accounts; lost return codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.amendments import amend
from study.audit import OPERATOR
from study.consent import sign
from study.errors import LifeCycleError, NotAllowedError, SignInError, StudyError
from study.export import export
from study.invitations import accept_invitation, invite
from study.lifecycle import take_step
from study.protocol import parse_protocol
from study.same_person import candidates, decide
from study.sign_in import (
    Browser,
    person_of_session,
    reissue_return_code,
    sign_in,
)
from study.store import Store
from tests.studies import (
    consent,
    join,
    lock_and_unblind,
    protocol_values,
    rate_everything,
    to_answering,
    to_rating,
)
from tests.study.test_consent import CONSENT


def test_one_person_with_two_accounts_does_not_inflate_agreement(
    store: Store, tmp_path: Path
) -> None:
    """One person with two accounts inflates agreement (Medieval; PEER_FAILURES)."""
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1, n_raters=3,
                                 raters_per_response=3)  # fmt: skip
    values = protocol_values(n_vignettes=1, n_raters=3, raters_per_response=3,
                             more={"consent": CONSENT}) | {"version": 2}  # fmt: skip
    amend(store, study_id, parse_protocol(values), by=OPERATOR, reason="consent forgotten")
    for rater, name in zip(raters, ("Ann Bee", "ann  BEE", "Carl Dee"), strict=True):
        sign(store, rater, name)
        rate_everything(store, rater)
    consent(store, study_id, "lock")
    with pytest.raises(LifeCycleError, match=r"accounts that look alike is decided \(1 open\)"):
        take_step(store, study_id, "lock", by=OPERATOR, reason="hurry", force=True)
    with store.read() as session:
        (pair,) = candidates(session, study_id)
    assert pair.why == "the same signature"
    assert {pair.first_id, pair.second_id} == {raters[0].person_id, raters[1].person_id}
    coordinator = join(store, study_id, "coordinator")
    with pytest.raises(StudyError, match="needs a reason"):
        decide(store, coordinator, pair.first_id, pair.second_id, same=True, reason=" ")
    with pytest.raises(NotAllowedError):
        decide(store, raters[2], pair.first_id, pair.second_id, same=True, reason="I know")
    decide(store, coordinator, pair.second_id, pair.first_id, same=True, reason="she said so")
    with store.read() as session:
        assert candidates(session, study_id) == ()
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    from analysis.dataset import open_export

    ratings = open_export(directory).tables["ratings"]
    assert len(ratings) == 2 * 3  # three responses; of the two accounts only the first counts
    assert pair.second_id not in {row["rater_id"] for row in ratings}


def test_two_accounts_in_one_browser_are_a_question_and_two_people_may_share_one(
    store: Store,
) -> None:
    study_id = to_answering(store)
    for _ in range(2):
        token = invite(
            store, study_id, "resident", by=OPERATOR, arm="residents", scripted=store.seeded
        )
        accept_invitation(store, token, Browser("m" * 43, "Firefox on Linux"))
    with store.read() as session:
        (pair,) = candidates(session, study_id)
    assert pair.why == "the same browser"
    coordinator = join(store, study_id, "coordinator")
    decide(store, coordinator, pair.first_id, pair.second_id, same=False, reason="ward computer")
    with store.read() as session:
        assert candidates(session, study_id) == ()


def test_a_lost_return_code_is_replaced_and_the_old_one_is_dead(store: Store) -> None:
    study_id = to_answering(store)
    token = invite(store, study_id, "resident", by=OPERATOR, arm="residents", scripted=store.seeded)
    entry = accept_invitation(store, token)
    assert entry.return_code is not None
    code = reissue_return_code(store, entry.person.person_id, by=OPERATOR)
    assert person_of_session(store, entry.session_token) is None
    with pytest.raises(SignInError, match="this return code is not known"):
        sign_in(store, entry.return_code)
    assert sign_in(store, code).person == entry.person
    with pytest.raises(SignInError, match="send a new invitation instead"):
        reissue_return_code(store, "p_nobody", by=OPERATOR)
