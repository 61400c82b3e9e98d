from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from study.errors import ProtocolError
from study.protocol import load_protocol, parse_protocol
from tests.studies import example_protocol, protocol_values


def test_an_unknown_key_is_named_with_its_path() -> None:
    values = protocol_values()
    values["rating"]["colour"] = "green"
    with pytest.raises(ProtocolError, match=r"rating\.colour: unknown key; remove it"):
        parse_protocol(values)


def test_every_fault_is_named_at_once() -> None:
    values = protocol_values()
    del values["title"]
    values["version"] = "one"
    values["conditions"]["max_words"] = 5
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(values)
    for path in ("title: missing", "version:", "conditions.max_words:"):
        assert path in str(caught.value)


def test_a_missing_vignette_is_named_with_those_at_hand(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(yaml.safe_dump(protocol_values(n_vignettes=3)))
    with pytest.raises(ProtocolError, match=r"V03 not found; there are V01, V02"):
        load_protocol(path, vignettes_present={"V01", "V02"})


def test_an_anchor_that_is_not_worded_is_refused() -> None:
    values = protocol_values()
    del values["rating"]["dimensions"][0]["anchors"][3]
    with pytest.raises(ProtocolError, match=r"anchors must word each of \[1, 2, 3, 4, 5\]"):
        parse_protocol(values)


def test_a_contrast_of_an_unknown_arm_is_refused() -> None:
    values = protocol_values()
    values["contrast"]["first"] = "pharmacists"
    with pytest.raises(ProtocolError, match="contrast names the arm 'pharmacists'"):
        parse_protocol(values)


def test_a_protocol_cannot_ask_to_be_a_tryout() -> None:
    with pytest.raises(ProtocolError, match="kind: unknown key"):
        parse_protocol(protocol_values() | {"kind": "tryout"})


def test_the_digest_survives_a_way_through_json() -> None:
    protocol = example_protocol()
    assert parse_protocol(json.loads(json.dumps(protocol.as_json()))).sha256 == protocol.sha256


def test_the_digest_changes_with_any_word() -> None:
    changed = protocol_values() | {"instruction": "Read the chart, then answer the question."}
    assert parse_protocol(changed).sha256 != example_protocol().sha256


def test_more_ratings_than_raters_are_refused() -> None:
    with pytest.raises(ProtocolError, match="3 ratings per response need as many raters"):
        example_protocol(n_raters=2, raters_per_response=3)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"there is no protocol file .*nowhere\.yaml"):
        load_protocol(tmp_path / "nowhere.yaml")
