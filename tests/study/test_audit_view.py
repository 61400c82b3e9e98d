"""The audit as a blinded reader sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.audit import events_of
from study.audit_view import audit_view
from study.errors import NotAllowedError
from study.store import Store
from tests.studies import join, to_rating, to_unblinded


def test_the_log_does_not_betray_the_allocation_to_those_who_may_read_logs(
    store: Store, tmp_path: Path
) -> None:
    """The log betrays the allocation to anyone who may read logs (REDCap; PEER_FAILURES)."""
    study_id, _ = to_rating(
        store, tmp_path, resident_arm="arm_of_people", model_arm="arm_of_machine",
        resident_label="CANARY PEOPLE", model_label="CANARY MACHINE",
    )  # fmt: skip
    view = audit_view(store, join(store, study_id, "inspector"))
    shown = "\n".join(f"{e.who} {e.action} {e.details}" for e in view.events)
    for canary in ("arm_of", "CANARY", "test-model", "weights", "(model)"):
        assert canary not in shown
    with store.read() as session:
        for event in events_of(session, study_id):
            if event.action in ("submit answer", "take in responses"):
                assert event.subject not in shown
    came_in = [e for e in view.events if e.action == "answers came in"]
    assert len({e.who for e in came_in}) == 1 and len(came_in) > 1


def test_the_whole_chain_is_checked_and_its_receipt_shown(store: Store, tmp_path: Path) -> None:
    study_id, _ = to_rating(store, tmp_path)
    view = audit_view(store, join(store, study_id, "inspector"), limit=3)
    assert view.holds and len(view.events) == 3
    number, _, digest = view.receipt.partition(":")
    assert (int(number), digest) == (view.n_events, view.events[0].sha256)


def test_after_unblinding_details_are_open(store: Store, tmp_path: Path) -> None:
    study_id = to_unblinded(store, tmp_path)
    view = audit_view(store, join(store, study_id, "inspector"))
    shown = "\n".join(e.details for e in view.events)
    assert "until unblinding" not in shown and "answers_sha256" in shown


def test_a_rater_or_resident_reads_no_audit(store: Store, tmp_path: Path) -> None:
    _, raters = to_rating(store, tmp_path)
    with pytest.raises(NotAllowedError, match="the audit is for the roles inspector"):
        audit_view(store, raters[0])
