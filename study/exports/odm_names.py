"""Names and small pieces that every part of an ODM file shares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lxml import etree

NAMESPACE = "http://www.cdisc.org/ns/odm/v1.3"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
EVENT, METADATA, LOCATION = "SE.VIGNETTE", "MDV.1", "LOC.SAFEMED"
FORMS = {"responses": "RESPONSE", "ratings": "RATING"}
"""Table of the frozen dataset to the form that carries its rows, one row a form."""
DATA_TYPES = {
    "string": "text", "integer": "integer", "number": "float", "boolean": "boolean",
    "datetime": "datetime",
}  # fmt: skip

Element = Any
"""An lxml element; lxml comes without types."""


def add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    """A child in ODM's namespace, at the end."""
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}", attributes)
    child.text = text
    return child


def translated(parent: Element, tag: str, words: str, language: str) -> None:
    """A text element with its one language."""
    add(add(parent, tag), "TranslatedText", words).set(LANG, language)


def form_oid(table: str) -> str:
    """Of the form of a table."""
    return f"F.{FORMS[table]}"


def group_oid(table: str) -> str:
    """Of the item group of a table."""
    return f"IG.{FORMS[table]}"


def item_oid(table: str, column: str) -> str:
    """Of one column."""
    return f"I.{FORMS[table]}.{column}"


def list_oid(name: str) -> str:
    """Of a code list."""
    return f"CL.{name}"


def user_oid(actor: str) -> str:
    """Of somebody who acted."""
    return f"USR.{actor}"


def code_lists(
    frozen_rows: list[Mapping[str, Any]], protocol: Mapping[str, Any]
) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Code lists by name: data type, and coded values with their words."""
    from study.exports.scores import CONFIDENCE, STATUS, points_of

    kinds = sorted({str(row["failure"]) for row in frozen_rows if row["failure"]})
    lists = {
        "arm": ("text", [(arm["id"], arm["label"]) for arm in protocol["arms"]]),
        "status": ("text", STATUS),
        "confidence": ("integer", CONFIDENCE),
    }
    if kinds:
        lists["failure"] = ("text", [(kind, kind.replace("_", " ")) for kind in kinds])
    for dimension in protocol["rating"]["dimensions"]:
        points = points_of(dimension)
        whole = all(re.fullmatch(r"-?\d+", point) for point, _ in points)
        lists[str(dimension["id"])] = ("integer" if whole else "float", points)
    return lists
