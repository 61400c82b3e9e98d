"""Emergency code-breaks: two people, one response, and a mark on everything later."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.approvals import approve
from study.audit import OPERATOR, events_of
from study.code_break import break_code
from study.errors import LifeCycleError, NotAllowedError, StudyError
from study.export import export
from study.rating import RatingService
from study.store import Store
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
