"""The metadata of an ODM file: event, forms, item groups, items, code lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from study.exports.frozen import Frozen
from study.exports.meanings import meaning_of
from study.exports.odm_names import (
    DATA_TYPES,
    EVENT,
    FORMS,
    METADATA,
    Element,
    add,
    code_lists,
    form_oid,
    group_oid,
    item_oid,
    list_oid,
    translated,
)
from study.frozen_table import Table

CODED = (
    ("responses", "arm"), ("responses", "status"), ("responses", "confidence"),
    ("responses", "failure"),
)  # fmt: skip
"""Columns besides the scores whose values are a list's."""


def add_study(root: Element, frozen: Frozen) -> None:
    """`Study` with its one metadata version, elements in the order of the schema."""
    study = add(root, "Study", OID=str(frozen.manifest["study_id"]))
    names = add(study, "GlobalVariables")
    add(names, "StudyName", str(frozen.manifest["title"]))
    note = f" {frozen.note}" if frozen.note else ""
    add(names, "StudyDescription", f"{frozen.manifest['title']}.{note}")
    add(names, "ProtocolName", str(frozen.protocol.get("protocol_id", frozen.manifest["title"])))
    version = add(study, "MetaDataVersion", OID=METADATA, Name="Responses and ratings")
    language = str(frozen.protocol.get("language", "en"))
    add(add(version, "Protocol"), "StudyEventRef", StudyEventOID=EVENT, Mandatory="Yes")
    _event(version)
    for table in FORMS:
        _form(version, table)
    for table in FORMS:
        _group(version, table, frozen.tables[table])
    lists = code_lists([dict(row) for row in frozen.rows("responses")], frozen.protocol)
    questions = {d["id"]: str(d.get("question") or d["label"]) for d in frozen.dimensions}
    for table in FORMS:
        for place, (column, kind) in enumerate(frozen.tables[table].columns):
            length = _length(frozen.tables[table], place, kind)
            item = _item(version, table, column, kind, length)
            asked = questions.get(column) if table == "ratings" else None
            _describe(item, table, column, language, asked, lists)
    for name, (kind, coded) in lists.items():
        _code_list(version, name, kind, coded, language)


def _event(version: Element) -> None:
    """A respondent's vignette; it repeats, keyed by the vignette's id."""
    event = add(
        version, "StudyEventDef", OID=EVENT, Name="Vignette", Repeating="Yes", Type="Common"
    )
    for number, table in enumerate(FORMS, start=1):
        mandatory = "Yes" if table == "responses" else "No"
        add(event, "FormRef", FormOID=form_oid(table), OrderNumber=str(number),
            Mandatory=mandatory)  # fmt: skip


def _form(version: Element, table: str) -> None:
    repeating = "Yes" if table == "ratings" else "No"
    form = add(version, "FormDef", OID=form_oid(table), Name=table, Repeating=repeating)
    add(form, "ItemGroupRef", ItemGroupOID=group_oid(table), Mandatory="Yes")


def _group(version: Element, table: str, content: Table) -> None:
    group = add(version, "ItemGroupDef", OID=group_oid(table), Name=table, Repeating="No")
    for number, (column, _) in enumerate(content.columns, start=1):
        is_key = number == 1
        add(group, "ItemRef", ItemOID=item_oid(table, column), OrderNumber=str(number),
            Mandatory="Yes" if is_key else "No")  # fmt: skip


def _item(version: Element, table: str, column: str, kind: str, length: int | None) -> Element:
    item = add(version, "ItemDef", OID=item_oid(table, column), Name=column,
               DataType=DATA_TYPES[kind])  # fmt: skip
    if length is not None:
        item.set("Length", str(length))
    if kind == "number":
        item.set("SignificantDigits", "6")
    return item


def _describe(
    item: Element, table: str, column: str, language: str, question: str | None,
    lists: Mapping[str, Any],
) -> None:  # fmt: skip
    """Description, question and code list of an item, in that order."""
    translated(item, "Description", meaning_of(table, column), language)
    if question:
        translated(item, "Question", question, language)
    is_coded = question is not None or (table, column) in CODED
    if is_coded and column in lists:
        add(item, "CodeListRef", CodeListOID=list_oid(column))


def _length(content: Table, place: int, kind: str) -> int | None:
    """The longest value; ODM asks a length of texts and numbers."""
    if kind not in ("string", "integer", "number"):
        return None
    return max((len(str(row[place])) for row in content.rows if row[place] is not None), default=1)


def _code_list(
    version: Element, name: str, kind: str, coded: list[tuple[str, str]], language: str
) -> None:
    made = add(version, "CodeList", OID=list_oid(name), Name=name, DataType=kind)
    for number, (value, words) in enumerate(coded, start=1):
        item = add(made, "CodeListItem", CodedValue=value, OrderNumber=str(number))
        translated(item, "Decode", words, language)
