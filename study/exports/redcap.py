"""REDCap: a data dictionary of 18 columns, and data that import into it.

A record is one response; its ratings are instances of the repeating instrument `rating`. REDCap
knows one missing value, the blank, and so a blank is missing here; the one exception is
`masked_text` beside a blinding code, where a blank is a text of which masking left nothing. Nothing
else is changed: line breaks, quotes and Unicode stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from study.canonical import Cell
from study.csv_files import write_csv
from study.errors import BundleError
from study.exports.frozen import Frozen, Named
from study.exports.places import fresh_directory
from study.exports.scores import CONFIDENCE, STATUS, better_end, points_of

DICTIONARY_COLUMNS = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note",
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max",
    "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
    "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
"""The header of REDCap's data dictionary, word for word and in its order."""
RESPONSE, RATING = "response", "rating"
RESERVED = (
    "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance",
    "redcap_data_access_group", "redcap_survey_identifier", "response_complete", "rating_complete",
)  # fmt: skip
LONGEST_NAME = 26
"""REDCap takes up to 100 characters and advises 26, which statistics programs keep apart."""
LONGEST_RECORD = 100
COMPLETE, INCOMPLETE = "2", "0"
README = """This folder goes into a new REDCap project.

1. Designer, Data Dictionary: upload data_dictionary.csv.
2. Project Setup, Repeating instruments: tick the instrument "rating" (or import
   repeating_instruments.csv by the API).
3. Data Import Tool: upload data.csv, date format Y-M-D. Leave "blank values overwrite" off.

One record is one response; its ratings are the instances of "rating". Times are UTC; the field
whose name ends in _exact holds them to the millisecond. A blank is a missing value. The frozen
dataset that this was made from stays the record: it alone is signed and has digests.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the data dictionary, and where its values come from."""

    column: str
    """Of the frozen dataset's table."""
    form: str
    kind: str
    label: str
    choices: Sequence[tuple[str, str]] = ()
    note: str = ""
    validation: str = ""
    identifier: bool = False
    required: bool = False
    exact: bool = False
    """Whether a time is written as it stands instead of in REDCap's shape."""

    @property
    def wanted_name(self) -> str:
        """The name before it is made to fit."""
        return f"{self.column}_exact" if self.exact else self.column


def write_redcap(frozen: Frozen, out: Path) -> Path:
    """Write `data_dictionary.csv`, `data.csv`, `repeating_instruments.csv` and `README.txt`.

    Args:
        frozen: A frozen dataset.
        out: A directory to make.

    Raises:
        BundleError: If a rating is of no response, or two records would bear one name.
        StudyError: If `out` holds something already.
    """
    fields = _fields(frozen)
    names = field_names(fields)
    header, rows = _data(frozen, fields, names)
    with fresh_directory(out) as directory:
        dictionary = [_dictionary_row(f, n) for f, n in zip(fields, names, strict=True)]
        write_csv(directory / "data_dictionary.csv", DICTIONARY_COLUMNS, dictionary)
        write_csv(directory / "data.csv", header, rows)
        label = f"[{names[[f.column for f in fields].index('rater_id')]}]"
        write_csv(
            directory / "repeating_instruments.csv", ("form_name", "custom_form_label"),
            [(RATING, label)],
        )  # fmt: skip
        note = f"\n{frozen.note}\n" if frozen.note else ""
        (directory / "README.txt").write_text(README + note, encoding="utf-8")
    return out


def _fields(frozen: Frozen) -> list[Field]:
    arms = [(arm["id"], arm["label"]) for arm in frozen.protocol["arms"]]
    kinds = sorted({str(r["failure"]) for r in frozen.rows("responses") if r["failure"]})
    utc = "UTC, to the second"
    return [
        Field("record_id", RESPONSE, "text", "Record: one response"),
        Field("response_id", RESPONSE, "text", "Response"),
        Field("vignette_id", RESPONSE, "text", "Vignette"),
        Field("respondent_id", RESPONSE, "text", "Respondent"),
        Field("arm", RESPONSE, "radio", "Arm", arms),
        Field("status", RESPONSE, "radio", "Status", STATUS),
        Field("failure", RESPONSE, "radio" if kinds else "text", "Kind of failed generation",
              [(kind, kind.replace("_", " ")) for kind in kinds]),
        Field("blinding_code", RESPONSE, "text", "Blinding code"),
        Field("text", RESPONSE, "notes", "Response as submitted", identifier=True),
        Field("masked_text", RESPONSE, "notes", "Response as raters saw it", identifier=True,
              note="blank beside a blinding code: masking left nothing"),
        Field("n_masking_changes", RESPONSE, "text", "Changes made by masking",
              validation="integer"),
        Field("confidence", RESPONSE, "radio", "Confidence of the clinician", CONFIDENCE),
        Field("position", RESPONSE, "text", "Place in the clinician's order",
              validation="integer"),
        Field("submitted_at", RESPONSE, "text", "Submitted at", note=utc,
              validation="datetime_seconds_ymd"),
        Field("submitted_at", RESPONSE, "text", "Submitted at, exactly", exact=True),
        Field("prompt_tokens", RESPONSE, "text", "Tokens of the prompt", validation="integer"),
        Field("completion_tokens", RESPONSE, "text", "Tokens of the answer",
              validation="integer"),
        Field("rating_id", RATING, "text", "Rating"),
        Field("rater_id", RATING, "text", "Rater"),
        Field("position", RATING, "text", "Place in the rater's order", validation="integer"),
        Field("revision", RATING, "text", "Revision", validation="integer",
              note="1 for the first submission"),
        Field("final", RATING, "yesno", "The rating that is analysed"),
        *(
            Field(str(d["id"]), RATING, "radio", str(d.get("question") or d["label"]),
                  points_of(d), note=f"{d['label']}: {better_end(d)}", required=True)
            for d in frozen.dimensions
        ),
        Field("comment", RATING, "notes", "Comment", identifier=True),
        Field("submitted_at", RATING, "text", "Rated at", note=utc,
              validation="datetime_seconds_ymd"),
        Field("submitted_at", RATING, "text", "Rated at, exactly", exact=True),
    ]  # fmt: skip


def field_names(fields: Sequence[Field]) -> list[str]:
    """Names that REDCap takes: lower case, letters, digits and single underscores, each once."""
    names: list[str] = []
    for field in fields:
        wanted = fitted(field.wanted_name)
        if wanted in names:
            wanted = fitted(f"{field.form}_{field.wanted_name}")
        name, number = wanted, 1
        while name in names or name in RESERVED:
            number += 1
            name = f"{wanted[: LONGEST_NAME - 4]}_{number}"
        names.append(name)
    return names


def fitted(words: str) -> str:
    """Words as a field name: it starts with a letter and does not end with an underscore."""
    name = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", words.lower())).strip("_")
    name = name if name[:1].isalpha() else f"v_{name}"
    return name[:LONGEST_NAME].rstrip("_")


def _dictionary_row(field: Field, name: str) -> list[str]:
    table = "responses" if field.form == RESPONSE else "ratings"
    source = (
        "" if field.column == "record_id" else f"SafeMed frozen dataset: {table}.{field.column}"
    )
    return [
        name, field.form, "", field.kind, as_label(field.label),
        " | ".join(f"{code}, {as_choice(words)}" for code, words in field.choices),
        as_label(field.note), field.validation, "", "", "y" if field.identifier else "", "",
        "y" if field.required else "", "", "", "", "",
        "" if field.column == "record_id" else source,
    ]  # fmt: skip


def as_label(words: str) -> str:
    """Words that REDCap shows as they are: no tag, no piped field, one line."""
    plain = re.sub(r"<(?=\S)", "< ", " ".join(words.split()))
    return plain.replace("[", "(").replace("]", ")")


def as_choice(words: str) -> str:
    """A label within a list of choices, which a bar would cut in two."""
    return as_label(words.replace("|", "/"))


def _data(
    frozen: Frozen, fields: Sequence[Field], names: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Header and rows: every response, and after it its ratings, none left out."""
    header = [
        names[0], "redcap_repeat_instrument", "redcap_repeat_instance", *names[1:],
        f"{RESPONSE}_complete", f"{RATING}_complete",
    ]  # fmt: skip
    ratings = _ratings_by_code(frozen)
    records = Counter[str]()
    rows = []
    for response in frozen.rows("responses"):
        record = record_name(str(response["response_id"]))
        records[record] += 1
        done = COMPLETE if response["status"] == "submitted" else INCOMPLETE
        rows.append([record, "", "", *_values(fields, RESPONSE, response), done, ""])
        own = ratings.pop(response["blinding_code"], []) if response["blinding_code"] else []
        rows += [
            [record, RATING, str(instance), *_values(fields, RATING, rating), "", COMPLETE]
            for instance, rating in enumerate(own, start=1)
        ]
    twice = [record for record, count in records.items() if count > 1]
    if twice or ratings:
        raise BundleError(
            f"records of one name: {twice or 'none'}; codes rated without a response: "
            f"{sorted(map(str, ratings)) or 'none'}. Nothing was written; export again"
        )
    return header, rows


def _ratings_by_code(frozen: Frozen) -> dict[Cell, list[Named]]:
    by_code: dict[Cell, list[Named]] = {}
    rows = frozen.rows("ratings")
    for row in sorted(rows, key=lambda r: (str(r["rater_id"]), int(r["revision"] or 0))):
        by_code.setdefault(row["blinding_code"], []).append(row)
    return by_code


def record_name(response_id: str) -> str:
    """A response's id in the characters that REDCap takes for a record."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", response_id)
    if len(name) > LONGEST_RECORD:
        raise BundleError(
            f"{response_id} has {len(name)} characters; REDCap names a record with at most "
            f"{LONGEST_RECORD}"
        )
    return name


def _values(fields: Sequence[Field], form: str, row: Mapping[str, Cell]) -> list[str]:
    return [_value(field, row[field.column]) if field.form == form else "" for field in fields[1:]]


def _value(field: Field, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if field.validation == "datetime_seconds_ymd":
        return str(cell)[:19].replace("T", " ")
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
