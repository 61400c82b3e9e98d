"""The de-identified public bundle: what of a frozen dataset may lie where anybody can read it.

It has the frozen dataset's shape, so that the analysis reads it, and a schema of its own, so that
nobody takes one for the other. Nothing joins its random names to the old ones: the table is thrown
away. What remains identifying is said in the bundle's `README.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from study.canonical import Cell, canonical
from study.export import PUBLIC_SCHEMA, table_entries, write_bundle
from study.exports.codebook import add_codebook
from study.exports.frozen import Frozen, Named
from study.exports.places import fresh_directory
from study.exports.public_columns import (
    EMPTIED,
    PREFIXES,
    TREATMENTS,
    Treatment,
    treatment_of,
)
from study.exports.public_readme import Choices, readme
from study.exports.small_cells import SMALLEST_CELL, Merge, merged_strata
from study.frozen_table import Row, Table
from study.randomness import ALPHABET, Source, SystemSource, public_id
from study.signing import Signer

WORD = re.compile(r"[\w-]+")
PSEUDONYM = re.compile(rf"[{ALPHABET}]{{4}}")
"""What people of a study call one another; the subject of a deviation may be anything else too."""
REMOVED = "[removed]"
LEAVES = "leave analysis"
SECOND_PERSON = "named in the frozen dataset"


@dataclass(slots=True)
class _Names:
    """The new name of everything that had one; it lives as long as the bundle is being made."""

    source: Source
    known: frozenset[str]
    """Every old name, also of what is not published."""
    new: dict[str, str] = field(default_factory=dict)

    def of(self, old: str, column: str) -> str:
        """The random new name; of a response that is missing, made of its parts."""
        if old.startswith("missing:"):
            _, respondent, vignette_id = old.split(":", 2)
            return f"missing:{self.of(respondent, 'respondent_id')}:{vignette_id}"
        if old not in self.new:
            self.new[old] = public_id(self.source, PREFIXES.get(column, "person"))
        return self.new[old]

    def within(self, text: str) -> str:
        """A text in which somebody may have written an old name."""
        return WORD.sub(
            lambda word: self.new.get(word[0], REMOVED) if word[0] in self.known else word[0], text
        )


def write_public(
    frozen: Frozen, out: Path, *, choices: Choices | None = None, code_version: str,
    signer: Signer | None = None, pseudonyms: frozenset[str] = frozenset(),
    source: Source | None = None,
) -> Path:  # fmt: skip
    """Write the bundle: tables, manifest, protocol, codebook and a README of what remains.

    Args:
        frozen: A frozen dataset.
        out: A directory to make.
        choices: Whether comments stay and texts go; by default neither.
        code_version: Of the program, for the manifest.
        signer: Who signs the manifest; None leaves it unsigned.
        pseudonyms: What people are called on the screens, which no dataset holds; taken out of
            free text as old names are.
        source: Of the new names; the operating system's by default.

    Raises:
        StudyError: If `out` holds something already.
    """
    choices = choices or Choices()
    kept = _without_leavers(frozen)
    strata, merges = merged_strata(_clinicians(kept))
    names = _Names(source or SystemSource(), _old_names(frozen) | pseudonyms)
    tables = _tables(kept, choices, strata, names)
    manifest = _manifest(frozen, tables, choices, merges, names, code_version)
    public = Frozen(manifest, frozen.protocol, tables)
    with fresh_directory(out) as directory:
        write_bundle(directory, canonical(frozen.protocol), tables, manifest, signer)
        add_codebook(public, directory)
        words = readme(frozen, public, choices, merges)
        (directory / "README.md").write_text(words, encoding="utf-8")
    return out


def _clinicians(frozen: Frozen) -> list[tuple[str, str | None]]:
    return [
        (str(r["arm"]), None if r["stratum"] is None else str(r["stratum"]))
        for r in frozen.rows("respondents")
        if r["kind"] == "clinician"
    ]


def _without_leavers(frozen: Frozen) -> Frozen:
    """Without any record of who withdrew from the analysis too, and without ratings of theirs."""
    gone = {r["person_id"] for r in frozen.rows("withdrawals") if r["disposition"] == LEAVES}
    codes = {r["blinding_code"] for r in frozen.rows("responses") if r["respondent_id"] in gone} - {
        None
    }

    def stays(row: Named) -> bool:
        people = {row.get(column) for column in ("respondent_id", "rater_id", "adjudicator_id",
                                                 "first_id", "second_id")}  # fmt: skip
        return not (people - {None}) & gone and row.get("blinding_code") not in codes

    kept = {
        name: Table(
            table.columns,
            tuple(row for row, named in zip(table.rows, frozen.rows(name), strict=True)
                  if stays(named)),
        )
        for name, table in frozen.tables.items()
    }  # fmt: skip
    return Frozen(frozen.manifest, frozen.protocol, kept)


def _tables(
    frozen: Frozen, choices: Choices, strata: Mapping[tuple[str, str | None], str | None],
    names: _Names,
) -> dict[str, Table]:  # fmt: skip
    """Every table that is published, rows ordered by the new names."""
    dimensions = frozenset(str(d["id"]) for d in frozen.dimensions)
    renamed = {
        name: _renamed(frozen, name, dimensions, names, strata)
        for name in frozen.tables
        if name in TREATMENTS
    }
    tables = {}
    for name, table in frozen.tables.items():
        if name in EMPTIED:
            tables[name] = Table(table.columns, ())
        elif name in renamed:
            how = [treatment_of(name, column, dimensions) for column, _ in table.columns]
            rows = [_freed(row, how, choices, names) for row in renamed[name]]
            tables[name] = Table(table.columns, tuple(_ordered(name, table, rows)))
    return tables


def _renamed(
    frozen: Frozen, name: str, dimensions: frozenset[str], names: _Names,
    strata: Mapping[tuple[str, str | None], str | None],
) -> list[Row]:  # fmt: skip
    """Rows with new names and merged strata, and nothing of what is always left out."""

    def cell(column: str, value: Cell, row: Named) -> Cell:
        how = treatment_of(name, column, dimensions)
        if how is Treatment.RENAMED and value is not None:
            return names.of(str(value), column)
        if how is Treatment.MERGED:
            return strata.get((str(row["arm"]), None if value is None else str(value)))
        return None if how is Treatment.LEFT_OUT else value

    return [
        tuple(cell(column, row[column], row) for column, _ in frozen.tables[name].columns)
        for row in frozen.rows(name)
    ]


def _freed(row: Row, how: Sequence[Treatment], choices: Choices, names: _Names) -> Row:
    """A row whose free text is left out by choice, and else holds no old name."""

    def cell(value: Cell, treatment: Treatment) -> Cell:
        if treatment not in (Treatment.TEXT, Treatment.COMMENT) or value is None:
            return value
        stays = choices.texts if treatment is Treatment.TEXT else choices.comments
        return names.within(str(value)) if stays else None

    return tuple(cell(value, treatment) for value, treatment in zip(row, how, strict=True))


def _old_names(frozen: Frozen) -> frozenset[str]:
    """Every name of the frozen dataset, also of people whom no published table holds."""
    found = {str(e["actor"]) for e in frozen.rows("audit") if str(e["actor"]).startswith("p_")}
    subjects = {str(row["subject"]) for row in frozen.rows("deviations") if row["subject"]}
    found |= {subject for subject in subjects if PSEUDONYM.fullmatch(subject)}
    for name, columns in TREATMENTS.items():
        renamed = [column for column, how in columns.items() if how is Treatment.RENAMED]
        found |= {str(row[c]) for row in frozen.rows(name) for c in renamed if row[c] is not None}
    return frozenset(found)


def _ordered(name: str, table: Table, rows: Sequence[Row]) -> list[Row]:
    """Rows by their first columns: the old order would tell which row was which."""
    columns = [column for column, _ in table.columns]
    first = ["rater_id", "position"] if name == "assignments" else []
    places = [columns.index(column) for column in [*first, *columns]]

    def key(row: Row) -> list[tuple[bool, float, str]]:
        cells = [row[place] for place in places]
        return [(c is None, c if isinstance(c, int | float) else 0, str(c)) for c in cells]

    return sorted(rows, key=key)


def _manifest(
    frozen: Frozen, tables: Mapping[str, Table], choices: Choices, merges: Sequence[Merge],
    names: _Names, code_version: str,
) -> dict[str, Any]:  # fmt: skip
    """The frozen dataset's manifest without people, seeds and audit, and with what was done."""
    given = frozen.manifest
    kept = ("study_id", "title", "simulated", "simulated_note", "protocol_sha256", "locked_at")
    return {
        "schema": PUBLIC_SCHEMA,
        **{key: given[key] for key in kept},
        "code_version": code_version,
        "audit_head": None,
        "n_audit_events": 0,
        "unblindings": [_event(e, names) for e in given["unblindings"]],
        "code_breaks": [
            {**_event(e, names), "code": names.new.get(str(e["code"]), REMOVED)}
            for e in given.get("code_breaks", ())
        ],
        "seeds": [],
        "public": {
            "from_manifest_sha256": frozen.manifest_sha256,
            "smallest_cell": SMALLEST_CELL,
            "merged_strata": [
                {"arm": m.arm, "strata": list(m.strata), "into": m.into} for m in merges
            ],
            "left_out": _left_out(frozen, choices),
            "tables_left_out": [name for name in frozen.tables if name not in tables],
        },
        "tables": table_entries(tables),
    }


def _event(event: Mapping[str, Any], names: _Names) -> dict[str, Any]:
    """An unblinding or code-break: its time and reason, and roles in place of people."""
    role = re.search(r"\(([^()]*)\)$", str(event["by"]))
    second = SECOND_PERSON if event["second_person"] else None
    return {
        "at": event["at"],
        "reason": names.within(str(event["reason"])),
        "by": role[1] if role else REMOVED,
        "second_person": second,
    }


def _left_out(frozen: Frozen, choices: Choices) -> list[str]:
    """Columns without their values, as `table.column`."""
    gone = {Treatment.LEFT_OUT}
    gone |= set() if choices.texts else {Treatment.TEXT}
    gone |= set() if choices.comments else {Treatment.COMMENT}
    dimensions = frozenset(str(d["id"]) for d in frozen.dimensions)
    return [
        f"{name}.{column}"
        for name, table in frozen.tables.items()
        if name in TREATMENTS
        for column, _ in table.columns
        if treatment_of(name, column, dimensions) in gone
    ]
