from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from study.errors import BundleError
from study.exports.frozen import Frozen, read_frozen
from study.exports.odm import odm_bytes, write_odm
from study.exports.odm_names import LANG, NAMESPACE
from study.store import Store
from tests.analysis.frozen import example
from tests.studies import DIMENSIONS
from tests.study.exports.walks import HARD_TEXTS, frozen_of, walked

NS = {"o": NAMESPACE}
ORDER = {
    "ODM": ["Study", "AdminData", "ClinicalData"],
    "Study": ["GlobalVariables", "MetaDataVersion"],
    "MetaDataVersion": [
        "Protocol", "StudyEventDef", "FormDef", "ItemGroupDef", "ItemDef", "CodeList",
    ],
    "ItemDef": ["Description", "Question", "CodeListRef"],
    "AdminData": ["User", "Location"],
    "FormData": ["AuditRecord", "ItemGroupData"],
    "AuditRecord": ["UserRef", "LocationRef", "DateTimeStamp", "ReasonForChange", "SourceID"],
}  # fmt: skip
"""ODM 1.3.2, section 3: children in this order."""
REFERENCES = {
    "StudyEventOID": "StudyEventDef", "FormOID": "FormDef", "ItemGroupOID": "ItemGroupDef",
    "ItemOID": "ItemDef", "CodeListOID": "CodeList", "UserOID": "User", "LocationOID": "Location",
    "StudyOID": "Study", "MetaDataVersionOID": "MetaDataVersion",
}  # fmt: skip


@pytest.fixture
def frozen(store: Store, tmp_path: Path) -> Frozen:
    study_id = walked(store, tmp_path / "work", leave_out=("V02",), failing=("V03",))
    return frozen_of(store, study_id, tmp_path / "export")


@pytest.fixture
def schema() -> Iterator[etree.XMLSchema]:
    """CDISC's own schema as odmlib ships it (MIT licence, a development dependency)."""
    package = importlib.util.find_spec("odmlib")
    assert package is not None and package.origin is not None
    path = Path(package.origin).parent / "schemas" / "odm" / "1.3.2" / "ODM1-3-2.xsd"
    yield etree.XMLSchema(etree.parse(str(path)))


def tag(element: Any) -> str:
    return etree.QName(element).localname


def items(form: Any) -> dict[str, str | None]:
    """Column to value, None where the item is null."""
    found = {}
    for item in form.iterfind(".//o:ItemData", NS):
        column = item.get("ItemOID").split(".", 2)[2]
        assert (item.get("Value") is None) == (item.get("IsNull") == "Yes")
        found[column] = item.get("Value")
    return found


def test_the_file_is_valid_by_the_schema_of_cdisc(frozen: Frozen, schema: etree.XMLSchema) -> None:
    assert schema.validate(etree.fromstring(odm_bytes(frozen))), schema.error_log
    broken = odm_bytes(frozen).replace(b"<LocationRef", b"<PlaceRef")
    assert not schema.validate(etree.fromstring(broken))


def test_elements_stand_in_the_order_of_the_standard(frozen: Frozen) -> None:
    root = etree.fromstring(odm_bytes(frozen))
    assert (root.get("ODMVersion"), root.get("FileType")) == ("1.3.2", "Transactional")
    for element in root.iter():
        if order := ORDER.get(tag(element)):
            places = [order.index(tag(child)) for child in element]
            assert places == sorted(places), tag(element)


def test_every_reference_leads_to_a_definition_and_every_oid_is_given_once(frozen: Frozen) -> None:
    root = etree.fromstring(odm_bytes(frozen))
    defined: dict[str, list[str]] = {}
    for element in root.iter():
        if element.get("OID"):
            defined.setdefault(tag(element), []).append(element.get("OID"))
    for kind, oids in defined.items():
        assert len(set(oids)) == len(oids), kind
    n_references = 0
    for element in root.iter():
        for name, kind in REFERENCES.items():
            if element.get(name) is not None:
                n_references += 1
                assert element.get(name) in defined[kind], (tag(element), name)
    assert n_references > 100
    used = {e.get("CodeListOID") for e in root.iter(f"{{{NAMESPACE}}}CodeListRef")}
    assert used == set(defined["CodeList"])


def test_rows_and_forms_are_one_to_one_and_missing_differs_from_empty(frozen: Frozen) -> None:
    root = etree.fromstring(odm_bytes(frozen))
    for table, form, key in (
        ("responses", "F.RESPONSE", "response_id"),
        ("ratings", "F.RATING", "rating_id"),
    ):
        forms = root.findall(f".//o:FormData[@FormOID='{form}']", NS)
        found = {items(f)[key]: items(f) for f in forms}
        assert len(forms) == len(found) == len(frozen.rows(table))
        for row in frozen.rows(table):
            written = {
                name: None if cell is None else str(cell).lower() if cell in (True, False) and
                isinstance(cell, bool) else str(cell)
                for name, cell in row.items()
            }  # fmt: skip
            assert found[str(row[key])] == written
    for event in root.iterfind(".//o:StudyEventData", NS):
        response, *ratings = event.findall("o:FormData", NS)
        assert event.get("StudyEventRepeatKey") == items(response)["vignette_id"]
        assert event.getparent().get("SubjectKey") == items(response)["respondent_id"]
        for rating in ratings:
            assert items(rating)["blinding_code"] == items(response)["blinding_code"]


def test_an_export_turns_no_missing_value_into_text_and_strips_no_line_break(
    frozen: Frozen,
) -> None:
    root = etree.fromstring(odm_bytes(frozen))
    texts = [items(f)["text"] for f in root.findall(".//o:FormData[@FormOID='F.RESPONSE']", NS)]
    assert texts.count(None) == 2
    assert "" not in texts
    assert set(HARD_TEXTS) <= set(texts)


def test_anchors_are_code_lists_with_words_in_the_protocol_s_language(frozen: Frozen) -> None:
    root = etree.fromstring(odm_bytes(frozen))
    for name in DIMENSIONS:
        item = root.find(f".//o:ItemDef[@Name='{name}']", NS)
        assert item.find("o:Question/o:TranslatedText", NS).text.startswith("How is the")
        oid = item.find("o:CodeListRef", NS).get("CodeListOID")
        coded = root.findall(f".//o:CodeList[@OID='{oid}']/o:CodeListItem", NS)
        words = [c.find("o:Decode/o:TranslatedText", NS) for c in coded]
        assert [c.get("CodedValue") for c in coded] == list("12345")
        assert [w.text for w in words] == [f"{name} point {i}" for i in range(1, 6)]
        assert {w.get(LANG) for w in words} == {"en"}


def test_every_submitted_row_has_its_audit_record_and_a_correction_its_reason(
    frozen: Frozen,
) -> None:
    root = etree.fromstring(odm_bytes(frozen))
    events = {int(str(e["number"])): e for e in frozen.rows("audit")}
    corrections = 0
    for form in root.iterfind(".//o:FormData", NS):
        record, values = form.find("o:AuditRecord", NS), items(form)
        if values.get("status") == "missing":
            assert record is None
            continue
        number = int(record.find("o:SourceID", NS).text.split()[2].rstrip(":"))
        event = events[number]
        assert record.find("o:DateTimeStamp", NS).text == event["at"]
        assert record.find("o:UserRef", NS).get("UserOID") == f"USR.{event['actor']}"
        own = values.get("rating_id") or values["response_id"]
        assert event["subject"] in (own, values.get("respondent_id"))
        is_correction = values.get("revision") == "2"
        assert form.get("TransactionType") == ("Update" if is_correction else "Insert")
        if is_correction:
            corrections += 1
            said = json.loads(str(event["details"]))["reason"]
            assert record.find("o:ReasonForChange", NS).text == said == "misread, sorry"
    assert corrections == 2


def test_a_character_that_xml_cannot_hold_is_marked_and_counted(
    tmp_path: Path, schema: etree.XMLSchema
) -> None:
    made = example()
    made.tables["responses"][0]["text"] = "a\x0bb\x00c"
    root = etree.fromstring(odm_bytes(read_frozen(made.write(tmp_path / "f"))))
    (comment,) = root.iterfind(".//o:ItemData/o:Annotation/o:Comment", NS)
    assert comment.getparent().getparent().get("Value") == "a\ufffdb\ufffdc"
    assert comment.text.startswith("2 characters that XML cannot hold")
    assert schema.validate(root), schema.error_log


def test_one_frozen_dataset_gives_one_sequence_of_bytes(tmp_path: Path) -> None:
    directory = example().write(tmp_path / "f")
    assert odm_bytes(read_frozen(directory)) == odm_bytes(read_frozen(directory))
    written = write_odm(read_frozen(directory), tmp_path / "out") / "odm.xml"
    assert written.read_bytes() == odm_bytes(read_frozen(directory))


def test_a_rating_of_no_response_stops_the_export(tmp_path: Path) -> None:
    made = example()
    made.tables["ratings"][0]["blinding_code"] = "nobody"
    with pytest.raises(BundleError, match="codes rated without a response"):
        write_odm(read_frozen(made.write(tmp_path / "f")), tmp_path / "out")
    assert not (tmp_path / "out").exists()
