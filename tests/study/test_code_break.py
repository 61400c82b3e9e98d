"""Emergency code-breaks: two people, one response, and a mark on everything later."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from study.approvals import approve
from study.audit import OPERATOR, events_of
from study.code_break import break_code, code_breaks, consent_to_break
from study.errors import LifeCycleError, NotAllowedError, StudyError
from study.export import export
from study.rating import RatingService
from study.store import Store
from study.tables import MaskedResponseRow, ResponseRow
from study.tables_rating import HiddenRepeatRow
from tests.studies import join, lock_and_unblind, rate_everything, to_rating


def test_a_code_is_broken_by_two_people_and_every_later_table_carries_the_mark(
    store: Store, tmp_path: Path
) -> None:
    """Unblinding without a trace (PEER_FAILURES)."""
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1)
    task = RatingService(store).next_task(raters[0])
    assert task is not None
    code = task.response.code
    asker, second = (join(store, study_id, role) for role in ("investigator", "statistician"))
    with pytest.raises(LifeCycleError, match="needs a second person"):
        break_code(store, asker, code, reason="an allergy came to light")
    approve(store, asker, "code break", code, reason="I agree with myself")
    with pytest.raises(LifeCycleError, match="somebody else consents"):
        break_code(store, asker, code, reason="an allergy came to light")
    approve(store, second, "code break", code, reason="the patient is in danger")
    origin = break_code(store, asker, code.lower(), reason="an allergy came to light")
    assert origin.arm in ("residents", "model")
    with pytest.raises(LifeCycleError, match="needs a second person"):
        break_code(store, asker, code, reason="once more")  # one consent, one break
    with store.read() as session:
        (event,) = [e for e in events_of(session, study_id) if e.action == "code break"]
    assert "arm" not in event.details and origin.respondent_id not in str(event.details)
    for rater in raters:
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    directory = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    from analysis.dataset import open_export
    from study.verify import verify

    assert all(check.outcome != "fault" for check in verify(directory))
    note = open_export(directory).unblinding_note
    assert f"Codes broken before: {code} at" in note and "an allergy came to light" in note


def test_consent_to_one_code_breaks_no_other(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path, n_vignettes=1)
    service = RatingService(store)
    codes = []
    while (task := service.next_task(raters[0])) is not None:
        codes.append(task.response.code)
        service.record(raters[0], task.response.code, dict.fromkeys(
            ("medical_correctness", "medication_safety"), 3))  # fmt: skip
    custodian, second = (join(store, study_id, role) for role in ("custodian", "inspector"))
    approve(store, second, "code break", codes[0], reason="needed")
    with pytest.raises(LifeCycleError):
        break_code(store, custodian, codes[1], reason="needed")
    with pytest.raises(StudyError, match="no response has the code 'NOSUCH'"):
        break_code(store, custodian, "NOSUCH", reason="needed")
    with pytest.raises(NotAllowedError, match="for the roles investigator, custodian"):
        break_code(store, raters[0], codes[0], reason="curious")
    assert break_code(store, custodian, codes[0], reason="needed").vignette_id == "V01"


def masked_codes(store: Store) -> list[str]:
    with store.read() as session:
        return sorted(session.scalars(select(MaskedResponseRow.code)))


def test_what_waits_and_what_is_broken_is_listed_without_what_it_hides(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(store, tmp_path, n_vignettes=1)
    asker, second = (join(store, study_id, role) for role in ("custodian", "statistician"))
    code = masked_codes(store)[0]
    assert consent_to_break(store, second, f" {code.lower()} ", reason="an allergy") == code
    waiting = code_breaks(store, asker)
    assert [(e.code, e.reason) for e in waiting.consented] == [(code, "an allergy")]
    assert waiting.broken == ()
    origin = break_code(store, asker, code, reason="a patient")
    after = code_breaks(store, second)
    assert after.consented == ()
    [event] = after.broken
    assert (event.code, event.reason) == (code, "a patient")
    assert event.by == f"{asker.pseudonym} (custodian)"
    assert origin.respondent_id not in str(after)
    with pytest.raises(NotAllowedError, match="the list of code-breaks is for"):
        code_breaks(store, raters[0])


def test_consent_to_a_code_that_hides_nothing_is_refused(store: Store, tmp_path: Path) -> None:
    study_id, raters = to_rating(store, tmp_path, n_vignettes=1)
    second = join(store, study_id, "statistician")
    with pytest.raises(StudyError, match="no response has the code 'NOSUCH'"):
        consent_to_break(store, second, "NOSUCH", reason="needed")
    with pytest.raises(LifeCycleError, match="needs a reason"):
        consent_to_break(store, second, masked_codes(store)[0], reason=" ")
    with pytest.raises(NotAllowedError, match="consenting to a code-break is for"):
        consent_to_break(store, raters[0], masked_codes(store)[0], reason="curious")
    assert code_breaks(store, second).consented == ()


def test_a_hidden_repeat_is_broken_by_the_code_its_rater_sees(store: Store, tmp_path: Path) -> None:
    study_id, _ = to_rating(
        store, tmp_path, n_vignettes=3, rating={"repeats": {"per_rater": 1, "min_distance": 2}}
    )
    asker, second = (join(store, study_id, role) for role in ("investigator", "statistician"))
    with store.read() as session:
        repeat, behind = session.execute(
            select(HiddenRepeatRow.code, ResponseRow.vignette_id).join(
                ResponseRow, ResponseRow.response_id == HiddenRepeatRow.response_id
            )
        ).first() or ("", "")
    consent_to_break(store, second, repeat, reason="needed")
    assert break_code(store, asker, repeat, reason="needed").vignette_id == behind
