"""A walk as W3C PROV: things are entities, acts are activities, people are agents.

W3C PROV-DM (Recommendation, 2013) and PROV-JSON (member submission, 2013), by the library `prov`.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from app.trace.graph import DONE, PEOPLE, Node, Walk

NAMESPACE = "urn:safemed:"


def to_prov(walk: Walk) -> Any:
    """The walk as a `prov` document."""
    from prov.model import ProvDocument

    document = ProvDocument()
    document.add_namespace("safemed", NAMESPACE)
    records = {node.key: _record(document, node) for node in (walk.start, *walk.up, *walk.down)}
    for later, earlier in walk.links:
        _link(document, (later, records[later.key]), (earlier, records[earlier.key]))
    return document


def prov_json(walk: Walk) -> str:
    """The walk as PROV-JSON."""
    return str(to_prov(walk).serialize(format="json", indent=1)) + "\n"


def _record(document: Any, node: Node) -> Any:
    name = f"safemed:{quote(node.kind.replace(' ', '-'))}/{quote(node.id, safe='')}"
    facts = {f"safemed:{key}": _plain(v) for key, v in node.facts.items() if v is not None}
    attributes = {"prov:label": f"{node.kind} {node.id}", **facts}
    if node.kind in DONE:
        return document.activity(name, other_attributes=attributes)
    if node.kind in PEOPLE:
        return document.agent(name, other_attributes=attributes)
    return document.entity(name, attributes)


def _link(document: Any, later: tuple[Node, Any], earlier: tuple[Node, Any]) -> None:
    (one, record), (other, source) = later, earlier
    if other.kind in PEOPLE:
        document.wasAttributedTo(record, source)
    elif one.kind in DONE and other.kind in DONE:
        document.wasInformedBy(record, source)
    elif one.kind in DONE:
        document.used(record, source)
    elif other.kind in DONE:
        document.wasGeneratedBy(record, source)
    else:
        document.wasDerivedFrom(record, source)


def _plain(value: Any) -> Any:
    """PROV knows texts, numbers and truth values; anything else is written as JSON."""
    if isinstance(value, str | int | float | bool):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
