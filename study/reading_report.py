"""What two independent readings showed, as Markdown; and what still awaits a clinician."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from study.coverage import table
from study.readings import Comparison, Readings, compare
from study.vignette import KeyPoint, Vignette


def review(vignettes: Mapping[str, Vignette], readings: Readings) -> str:
    """Readers, agreement by vignette and what was changed.

    Raises:
        ReadingError: If marks do not cover the key points.
    """
    compared = [compare(vignette, readings) for vignette in vignettes.values()]
    parts = (
        ("Readers", _readers(readings)),
        ("Each vignette as it stands now", _agreement(vignettes, compared)),
        ("Where an answer and the key differ", _differences(vignettes, compared)),
        ("What was changed", _changes(readings)),
    )
    return "\n".join(f"## {title}\n\n{body}" for title, body in parts)


def unsettled(vignettes: Mapping[str, Vignette], readings: Readings) -> list[str]:
    """What must happen before the vignettes may be used, one sentence a vignette."""
    sentences = []
    for vignette in vignettes.values():
        compared = compare(vignette, readings)
        if not compared.is_settled:
            sentences.append(f"{vignette.vignette_id}: {_state(compared)}")
    return sentences


def unread_references(vignettes: Mapping[str, Vignette]) -> list[dict[str, str]]:
    """One item a reference that nobody read in its source: what a clinician has to work through."""
    return [
        {
            "vignette_id": name,
            "key_point": point.id,
            "kind": point.kind,
            "statement": point.statement,
            "document": source.document,
            "section": source.section,
            "checked": source.checked,
        }
        for name, vignette in vignettes.items()
        for point in vignette.hidden.key_points
        for source in point.provenance
        if source.checked != "source text read"
    ]


def awaiting_clinician(vignettes: Mapping[str, Vignette]) -> str:
    """The references that nobody read in their source, as a table."""
    columns = ("vignette_id", "key_point", "kind", "statement", "document", "checked")
    rows = [[item[column] for column in columns] for item in unread_references(vignettes)]
    return table(["vignette", "point", "kind", "statement", "document", "how checked"], rows)


def _readers(readings: Readings) -> str:
    rows = [[r.reader, r.kind, r.who, r.read_on, len(r.answers)] for r in readings.readings]
    marked = "; ".join(f"{m.reader} by {m.marked_by} on {m.marked_on}" for m in readings.marks)
    return table(["reader", "kind", "who", "read on", "answers"], rows) + f"\nMarked: {marked}.\n"


def _agreement(vignettes: Mapping[str, Vignette], compared: Sequence[Comparison]) -> str:
    rows = []
    for comparison in compared:
        points = vignettes[comparison.vignette_id].hidden.key_points
        rows.append(
            [
                comparison.vignette_id, " ".join(comparison.readers), comparison.n_older,
                *(_met(comparison, points, kind) for kind in ("must", "should", "bonus")),
                " ".join(comparison.errors_made) or "none", _state(comparison),
            ]
        )  # fmt: skip
    header = (
        "id", "readers", "earlier readings", "must", "should", "bonus", "critical errors", "state",
    )  # fmt: skip
    return table(header, rows)


def _met(comparison: Comparison, points: Sequence[KeyPoint], kind: str) -> str:
    """How many points of the kind each reader has, of how many."""
    ids = [point.id for point in points if point.kind == kind]
    by_reader = [
        str(sum(comparison.met[i][place] for i in ids)) for place in range(len(comparison.readers))
    ]
    return f"{', '.join(by_reader)} of {len(ids)}" if by_reader else ""


def _state(comparison: Comparison) -> str:
    faults = []
    if len(comparison.readers) < 2:
        faults.append(f"{len(comparison.readers)} readings of this text and key, wanted two")
    if comparison.split_musts:
        faults.append(f"readers split on {', '.join(comparison.split_musts)}: rewrite, read again")
    if comparison.missed_musts:
        faults.append(f"no reader has {', '.join(comparison.missed_musts)}: rewrite, read again")
    return "; ".join(faults) or "settled"


def _differences(vignettes: Mapping[str, Vignette], compared: Sequence[Comparison]) -> str:
    rows = []
    for comparison in compared:
        for point in vignettes[comparison.vignette_id].hidden.key_points:
            met = comparison.met[point.id]
            wanted = point.kind != "critical_error"
            against = [r for r, has in zip(comparison.readers, met, strict=True) if has != wanted]
            if against:
                verb = "lacks" if wanted else "made"
                rows.append(
                    [comparison.vignette_id, point.id, point.kind, point.statement,
                     f"{', '.join(against)} {verb} it"]
                )  # fmt: skip
    return table(["id", "point", "kind", "statement", "answers"], rows)


def _changes(readings: Readings) -> str:
    return table(
        ["id", "found", "changed"], ([c.vignette_id, c.found, c.changed] for c in readings.changes)
    )
