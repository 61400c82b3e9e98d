"""Consent before anything else, and leaving the study."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from study.amendments import amend
from study.answering import AnsweringService
from study.audit import OPERATOR, events_of
from study.consent import consent_form, sign, withdraw
from study.errors import ConsentError, LifeCycleError
from study.export import export
from study.lifecycle import take_step
from study.preconditions import answers_due, ratings_due
from study.protocol import parse_protocol
from study.rating import RatingService
from study.rating_notes import flag
from study.sessions import end_sessions, sessions_of
from study.sign_in import Entry, person_of_session, sign_in
from study.store import Store
from tests.studies import (
    answer_as_model,
    answer_everything,
    join,
    lock_and_unblind,
    protocol_values,
    rate_everything,
    to_answering,
    to_rating,
)

CONSENT = {
    "version": "1", "respondents": "You answer.\n\nIt takes an hour.", "raters": "You rate.",
    "withdrawal": "keep submitted",
}  # fmt: skip
NAME = "Wilhelmina Quarterstone"


def test_nothing_is_served_before_the_consent_is_signed(store: Store) -> None:
    study_id = to_answering(store, more={"consent": CONSENT})
    resident = join(store, study_id, "resident", arm="residents")
    service = AnsweringService(store)
    with pytest.raises(ConsentError, match="read and sign the consent first"):
        service.next_task(resident)
    with pytest.raises(ConsentError):
        service.save_draft(resident, "whatever", "text", None, 0)
    form = consent_form(store, resident)
    assert form is not None and form.text.startswith("You answer.")
    with pytest.raises(ConsentError, match="type your name"):
        sign(store, resident, "  ")
    sign(store, resident, NAME)
    assert consent_form(store, resident) is None
    assert service.next_task(resident) is not None
    with pytest.raises(ConsentError, match="signed already"):
        sign(store, resident, NAME)


def test_raters_sign_other_words_and_a_new_version_asks_again(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store, more={"consent": CONSENT})
    rater = join(store, study_id, "rater")
    form = consent_form(store, rater)
    assert form is not None and form.text == "You rate."
    sign(store, rater, NAME)
    again = {**CONSENT, "version": "2", "raters": "You rate, for longer."}
    values = protocol_values(more={"consent": again}) | {"version": 2}
    amend(store, study_id, parse_protocol(values), by=OPERATOR, reason="it takes longer")
    form = consent_form(store, rater)
    assert form is not None and form.version == "2"
    with pytest.raises(ConsentError):
        flag(store, rater, "CODE", "text")


def test_no_name_reaches_the_audit_or_the_export(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1)
    values = protocol_values(n_vignettes=1, more={"consent": CONSENT}) | {"version": 2}
    amend(store, study_id, parse_protocol(values), by=OPERATOR, reason="consent forgotten")
    for rater in raters:
        sign(store, rater, f"{NAME} {rater.pseudonym}")
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    for path in directory.iterdir():
        assert b"Quarterstone" not in path.read_bytes(), path.name
    with store.read() as session:
        assert not any("Quarterstone" in str(e.details) for e in events_of(session, study_id))
    assert "You answer." in (directory / "protocol.json").read_text()


def test_who_withdraws_is_signed_out_and_asked_for_nothing_more(store: Store) -> None:
    from study.invitations import accept_invitation, invite

    study_id = to_answering(store, n_vignettes=2)
    token = invite(store, study_id, "resident", by=OPERATOR, arm="residents", scripted=store.seeded)
    entry = accept_invitation(store, token)
    service = AnsweringService(store)
    task = service.next_task(entry.person)
    assert task is not None
    service.submit(entry.person, task.item, "Stop the plan.", 3)
    with store.read() as session:
        assert answers_due(session, study_id) == 6
    words = withdraw(store, entry.person, "no time")
    assert words.startswith("What you have submitted stays")
    assert person_of_session(store, entry.session_token) is None
    assert entry.return_code is not None
    back = sign_in(store, entry.return_code).person
    with pytest.raises(ConsentError, match="you have withdrawn"):
        service.next_task(back)
    with pytest.raises(ConsentError, match="withdrawn already"):
        withdraw(store, entry.person)
    with store.read() as session:
        assert answers_due(session, study_id) == 5  # of two, one was given


def test_a_study_goes_on_without_who_withdrew(store: Store, tmp_path: Path) -> None:
    study_id = to_answering(store, n_vignettes=1)
    first, second = (join(store, study_id, "resident", arm="residents") for _ in range(2))
    answer_everything(store, first)
    withdraw(store, second)
    answer_as_model(store, study_id, tmp_path)
    assert take_step(store, study_id, "close", by=OPERATOR).state == "responses closed"


def test_ratings_of_who_withdrew_are_no_longer_due(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path, n_vignettes=1)
    service = RatingService(store)
    task = service.next_task(raters[0])
    assert task is not None
    service.record(raters[0], task.response.code, dict.fromkeys(
        ("medical_correctness", "medication_safety"), 3))  # fmt: skip
    with store.read() as session:
        assert ratings_due(session, study_id) == 6
    withdraw(store, raters[0])
    with store.read() as session:
        assert ratings_due(session, study_id) == 4
    with pytest.raises(ConsentError):
        service.next_task(raters[0])


@pytest.mark.parametrize(("disposition", "kept"), [("keep submitted", 6), ("leave analysis", 3)])
def test_the_analysis_reads_what_the_protocol_declares_of_who_withdrew(
    store: Store, tmp_path: Path, disposition: str, kept: int
) -> None:
    consent = {**CONSENT, "withdrawal": disposition}
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1)
    values = protocol_values(n_vignettes=1, more={"consent": consent}) | {"version": 2}
    amend(store, study_id, parse_protocol(values), by=OPERATOR, reason="consent forgotten")
    for rater in raters:
        sign(store, rater, f"{NAME} {rater.pseudonym}")
        rate_everything(store, rater)
    withdraw(store, raters[0])
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    with (directory / "ratings.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 6  # the archive keeps every record
    from analysis.dataset import open_export
    from analysis.withdrawn import withdrawal_sentence

    dataset = open_export(directory)
    assert len(dataset.tables["ratings"]) == kept
    assert withdrawal_sentence(dataset).startswith(" Withdrawals: 1, of whom")
    with pytest.raises(LifeCycleError, match="the data are locked"):
        withdraw(store, raters[1])


def test_a_person_lists_and_ends_the_own_sessions_and_nobody_elses(store: Store) -> None:
    from study.invitations import accept_invitation, invite

    study_id = to_answering(store)

    def enter() -> Entry:
        token = invite(
            store, study_id, "resident", by=OPERATOR, arm="residents", scripted=store.seeded
        )
        return accept_invitation(store, token)

    mine, theirs = enter(), enter()
    other = sign_in(store, mine.return_code)
    listed = sessions_of(store, mine.person, mine.session_token)
    assert sorted(s.is_this for s in listed) == [False, True]
    assert all(mine.session_token not in s.handle for s in listed)
    handle = next(s.handle for s in listed if not s.is_this)
    assert end_sessions(store, theirs.person, theirs.session_token, handle) == 0
    assert end_sessions(store, mine.person, mine.session_token, handle) == 1
    assert person_of_session(store, other.session_token) is None
    assert person_of_session(store, mine.session_token) is not None
    assert person_of_session(store, theirs.session_token) is not None
