"""Amendments: what has begun to act cannot change any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from study.amendments import amend, changes_between
from study.audit import OPERATOR
from study.errors import LifeCycleError, ProtocolError
from study.export import export
from study.protocol import Protocol, parse_protocol
from study.registration import load_study
from study.store import Store, open_store
from study.verify import verify
from tests.studies import (
    example_protocol,
    lock_and_unblind,
    protocol_values,
    rate_everything,
    register_example,
    to_answering,
    to_rating,
    to_unblinded,
)


def changed(version: int = 2, **changes: Any) -> Protocol:
    """The example protocol with some parts replaced."""
    return parse_protocol({**protocol_values(), "version": version, **changes})


def test_an_amendment_replaces_the_protocol_and_keeps_the_reason(store: Store) -> None:
    study_id = to_answering(store)
    margin = {"points": 0.5, "reason": "half a step"}
    assert amend(store, study_id, changed(margin=margin), by=OPERATOR, reason="forgotten") == 1
    with store.read() as session:
        protocol = load_study(session, study_id).protocol
    assert protocol.margin is not None and protocol.margin.points == 0.5
    assert protocol.version == 2


def test_an_amendment_made_by_another_process_counts_at_once(store: Store) -> None:
    """Protocols are kept in memory once read; which one is in force is asked each time."""
    study_id = to_answering(store)
    another = open_store(store.engine.url.render_as_string(hide_password=False))
    with another.read() as session:
        assert load_study(session, study_id).protocol.version == 1
    amend(store, study_id, changed(title="Renamed"), by=OPERATOR, reason="a better title")
    with another.read() as session:
        assert load_study(session, study_id).protocol.title == "Renamed"
    another.close()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"instruction": "Answer in verse."}, "instruction"),
        ({"vignettes": ["V02", "V01", "V03"]}, r"vignettes\[0\], vignettes\[1\]"),
        ({"answering": {"order": "declared", "confidence": True}}, "answering.order"),
        ({"protocol_id": "another"}, "protocol_id"),
    ],
)
def test_items_are_not_edited_while_the_study_runs(
    store: Store, changes: dict[str, Any], named: str
) -> None:
    """Randomisation, items or scales edited while the study runs (PEER_FAILURES)."""
    study_id = to_answering(store)
    with pytest.raises(LifeCycleError, match=f"cannot change any more: {named}"):
        amend(store, study_id, changed(**changes), by=OPERATOR, reason="I changed my mind")
    with store.read() as session:
        assert load_study(session, study_id).protocol == example_protocol()


def test_scales_are_not_edited_while_raters_rate(store: Store, tmp_path: Path) -> None:
    study_id, _ = to_rating(store, tmp_path)
    values = protocol_values()
    values["rating"]["dimensions"][0]["anchors"][1] = "Quite wrong"
    amended = changed(rating=values["rating"])
    with pytest.raises(LifeCycleError, match=r"rating\.dimensions\[0\]\.anchors\.1"):
        amend(store, study_id, amended, by=OPERATOR, reason="clearer")


def test_nothing_changes_after_the_lock(store: Store, tmp_path: Path) -> None:
    study_id = to_unblinded(store, tmp_path)
    with pytest.raises(LifeCycleError, match="no part of a protocol changes after locking"):
        amend(store, study_id, changed(title="Better"), by=OPERATOR, reason="nicer")


def test_an_amendment_needs_a_reason_a_change_and_the_next_version(store: Store) -> None:
    study_id = register_example(store)
    with pytest.raises(LifeCycleError, match="needs a reason"):
        amend(store, study_id, changed(title="Better"), by=OPERATOR, reason=" ")
    with pytest.raises(ProtocolError, match="changes nothing but its version"):
        amend(store, study_id, changed(), by=OPERATOR, reason="why not")
    with pytest.raises(ProtocolError, match="says 3; the present one is 1, so write 2"):
        amend(store, study_id, changed(3, title="Better"), by=OPERATOR, reason="nicer")


def test_an_amended_study_exports_its_last_protocol_and_verifies(
    store: Store, tmp_path: Path
) -> None:
    study_id, raters = to_rating(store, tmp_path / "work")
    amend(store, study_id, changed(title="Better"), by=OPERATOR, reason="a clearer title")
    for rater in raters:
        rate_everything(store, rater)
    lock_and_unblind(store, study_id)
    bundle = export(store, study_id, tmp_path / "export", by=OPERATOR, code_version="test")
    outcomes = {check.name: check for check in verify(bundle)}
    assert outcomes["files"].outcome == outcomes["audit"].outcome == "holds"
    assert "a clearer title" in (bundle / "amendments.csv").read_text()
    assert '"title":"Better"' in (bundle / "protocol.json").read_text()


def test_changes_are_named_leaf_by_leaf() -> None:
    before = {"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": [1]}
    after = {"a": 1, "b": {"c": [1, 3], "d": "y"}, "e": [1, 2], "f": None}
    assert list(changes_between(before, after)) == [
        ("b.c[1]", 2, 3), ("b.d", "x", "y"), ("e", [1], [1, 2]),
    ]  # fmt: skip
