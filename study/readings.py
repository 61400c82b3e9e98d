"""The two-reading workflow: answers of readers who never saw the key, compared with it.

A reader gets sheets that hold what a resident would see, answers them, and hands in one reading
file. Whoever holds the key then marks each answer against it. Both files name the digests of the
text and of the key they belong to, so that a rewritten vignette asks for new readings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from study.canonical import canonical, sha256_hex
from study.errors import ReadingError
from study.faults import faults_in_words
from study.vignette import Vignette, VignetteId

LANGUAGE = "en"
Words = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Answer(_Strict):
    """A reader's answer to one vignette."""

    text_sha256: Digest
    """Of the text that was read."""
    answer: Words


class Reading(_Strict):
    """One reader's answers of one round."""

    schema_: Literal["safemed.reading/1"] = Field(alias="schema")
    reader: Words
    """A short name of its own, such as `A`."""
    kind: Literal["clinician", "other person", "language model"]
    who: Words
    """What can be said of the reader, and what the reader could not see."""
    read_on: Annotated[date, Field(strict=False)]
    answers: dict[VignetteId, Answer]


class Marked(_Strict):
    """One answer held against the key."""

    text_sha256: Digest
    key_sha256: Digest
    """Of the key points that were marked."""
    met: dict[str, bool]
    """By key point; for a critical error, whether it was made."""
    note: str = ""


class Marks(_Strict):
    """One reading held against the key."""

    schema_: Literal["safemed.reading-marks/1"] = Field(alias="schema")
    reader: Words
    marked_by: Words
    marked_on: Annotated[date, Field(strict=False)]
    marks: dict[VignetteId, Marked]


class Change(_Strict):
    """What a reading led to."""

    vignette_id: VignetteId
    found: Words
    changed: Words


class Changes(_Strict):
    """What all readings led to, in the order in which it happened."""

    schema_: Literal["safemed.reading-changes/1"] = Field(alias="schema")
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Readings:
    """A directory of readings, marks and changes."""

    readings: tuple[Reading, ...]
    marks: tuple[Marks, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the readers made of one vignette as it stands now."""

    vignette_id: str
    readers: tuple[str, ...]
    """Those whose marks belong to this text and this key."""
    n_older: int
    """Readings of an earlier text or key."""
    met: Mapping[str, tuple[bool, ...]]
    """By key point, in the order of `readers`."""
    split_musts: tuple[str, ...]
    """Key points of kind must on which the readers differ."""
    missed_musts: tuple[str, ...]
    """Key points of kind must that no reader has."""
    errors_made: tuple[str, ...]
    """Critical errors that a reader made."""

    @property
    def is_settled(self) -> bool:
        """Two readers at least, and every must in all of their answers."""
        return len(self.readers) >= 2 and not self.split_musts and not self.missed_musts


def key_sha256(vignette: Vignette) -> str:
    """Digest of the key points as far as an answer is marked by them."""
    points = [
        [point.id, point.kind, point.statement, point.equivalents]
        for point in vignette.hidden.key_points
    ]
    return sha256_hex(canonical(points))


def write_sheets(vignettes: Sequence[Vignette], out: Path, *, reader: str) -> Path:
    """Write what a reader may see, and a reading file to fill in.

    Args:
        vignettes: Those to be read.
        out: A new directory; it gets one text a vignette and `reading.yaml`.
        reader: Short name of the reader.

    Raises:
        ReadingError: If the directory holds something already: an answer could be lost.
    """
    if out.exists() and any(out.iterdir()):
        raise ReadingError(f"{out} is not empty; choose a new directory for the sheets")
    out.mkdir(parents=True, exist_ok=True)
    for vignette in vignettes:
        sheet = out / f"{vignette.vignette_id}.txt"
        sheet.write_text(vignette.stimulus(LANGUAGE) + "\n", encoding="utf-8")
    blank = {
        "schema": "safemed.reading/1",
        "reader": reader,
        "kind": "clinician",
        "who": "",
        "read_on": None,
        "answers": {
            v.vignette_id: {"text_sha256": v.text_sha256(LANGUAGE), "answer": ""} for v in vignettes
        },
    }
    path = out / "reading.yaml"
    path.write_text(yaml.safe_dump(blank, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def write_marking_sheet(reading: Reading, vignettes: Mapping[str, Vignette], path: Path) -> None:
    """Write a marks file to fill in: every key point of every answer, undecided.

    Raises:
        ReadingError: If the file exists, or an answer belongs to another text.
    """
    if path.exists():
        raise ReadingError(f"{path} exists; marks are not written over")
    for name, answer in reading.answers.items():
        if name not in vignettes:
            raise ReadingError(f"reading {reading.reader}: there is no vignette {name}")
        if answer.text_sha256 != vignettes[name].text_sha256(LANGUAGE):
            raise ReadingError(
                f"reading {reading.reader}: the text of {name} changed since it was read; "
                "have it read again"
            )
    blank = {
        "schema": "safemed.reading-marks/1",
        "reader": reading.reader,
        "marked_by": "",
        "marked_on": None,
        "marks": {
            name: {
                "text_sha256": answer.text_sha256,
                "key_sha256": key_sha256(vignettes[name]),
                "met": {point.id: None for point in vignettes[name].hidden.key_points},
                "note": "",
            }
            for name, answer in reading.answers.items()
        },
    }
    path.write_text(yaml.safe_dump(blank, sort_keys=False, allow_unicode=True), encoding="utf-8")


def load_readings(directory: Path) -> Readings:
    """Read every reading, marks and changes file under a directory.

    Raises:
        ReadingError: With every fault at once; also for marks without their reading.
    """
    faults: list[str] = []
    found: dict[type[_Strict], list[_Strict]] = {Reading: [], Marks: [], Changes: []}
    for path in sorted(directory.rglob("*.yaml")):
        try:
            item = _parsed(path)
        except ReadingError as error:
            faults.append(str(error))
        else:
            found[type(item)].append(item)
    readings = _of(found, Reading)
    known = {(r.reader, name, a.text_sha256) for r in readings for name, a in r.answers.items()}
    for marks in _of(found, Marks):
        faults += [
            f"marks of {marks.reader}: there is no answer of that reader to that text of {name}"
            for name, marked in marks.marks.items()
            if (marks.reader, name, marked.text_sha256) not in known
        ]
    if faults:
        raise ReadingError("readings cannot be used:\n- " + "\n- ".join(faults))
    changes = tuple(change for file in _of(found, Changes) for change in file.changes)
    return Readings(tuple(readings), tuple(_of(found, Marks)), changes)


def compare(vignette: Vignette, readings: Readings) -> Comparison:
    """Compare what the readers answered with the key as it stands now.

    Raises:
        ReadingError: If marks do not cover the key points.
    """
    text, key = vignette.text_sha256(LANGUAGE), key_sha256(vignette)
    current: dict[str, Marked] = {}
    n_older = 0
    for marks in readings.marks:
        marked = marks.marks.get(vignette.vignette_id)
        if marked is None:
            continue
        if (marked.text_sha256, marked.key_sha256) == (text, key):
            current[marks.reader] = marked
        else:
            n_older += 1
    points = vignette.hidden.key_points
    for reader, marked in current.items():
        if set(marked.met) != {point.id for point in points}:
            raise ReadingError(
                f"marks of {reader} for {vignette.vignette_id} are about {sorted(marked.met)}; "
                f"the key has {sorted(point.id for point in points)}"
            )
    met = {p.id: tuple(marked.met[p.id] for marked in current.values()) for p in points}
    musts = [point.id for point in points if point.kind == "must"]
    return Comparison(
        vignette_id=vignette.vignette_id,
        readers=tuple(current),
        n_older=n_older,
        met=met,
        split_musts=tuple(m for m in musts if any(met[m]) and not all(met[m])),
        missed_musts=tuple(m for m in musts if met[m] and not any(met[m])),
        errors_made=tuple(p.id for p in points if p.kind == "critical_error" and any(met[p.id])),
    )


_File = TypeVar("_File", bound=_Strict)
_SCHEMAS: dict[str, type[_Strict]] = {
    "safemed.reading/1": Reading,
    "safemed.reading-marks/1": Marks,
    "safemed.reading-changes/1": Changes,
}


def load_reading(path: Path) -> Reading:
    """Read one reading file.

    Raises:
        ReadingError: If it cannot be used, or is something else.
    """
    item = _parsed(path)
    if not isinstance(item, Reading):
        raise ReadingError(f"{path.name} is no reading but {type(item).__name__.lower()}")
    return item


def _parsed(path: Path) -> _Strict:
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReadingError(f"{path.name} is not readable YAML: {error}") from error
    schema = written.get("schema") if isinstance(written, dict) else None
    if schema not in _SCHEMAS:
        raise ReadingError(f"{path.name}: schema is {schema!r}, wanted one of {sorted(_SCHEMAS)}")
    try:
        return _SCHEMAS[schema].model_validate(written)
    except ValidationError as error:
        raise ReadingError(f"{path.name}: {faults_in_words(error)}") from error


def _of(found: Mapping[type[_Strict], list[_Strict]], kind: type[_File]) -> list[_File]:
    return [item for item in found[kind] if isinstance(item, kind)]
