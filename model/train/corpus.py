"""Nano's corpus: rows rendered from the drug facts. Same facts, material and seed, same bytes.

`python -m model.train.corpus FACTS MATERIAL OUT` writes what ships under `data/nano/corpus`. The
held-out rows are about facts of which no training row was rendered; a third file holds the facts
that were trained on in other patients.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

from model.facts.library import Library, load_library
from model.train.material import Material, read_material
from model.train.questions import short_question, usual_dose, with_reference
from model.train.render import Writer, numeric, render_fact
from model.train.rows import TrainingRow
from model.train.subject import Subject, subjects

PLAIN = "plain_english.txt"
"""Beside the material: what the tokenizer learns from as well."""
SEED = 20261121
HELD_OUT_SHARE = 0.15
CHART_ROWS = {"plain": 3, "numeric": 6}
"""Charts about one subject; comparing numbers takes more practice."""
SHORT_ROWS = {"plain": 2, "numeric": 4}
"""Short questions about one subject."""
REFERENCE_ROWS = {"plain": 1, "numeric": 2}
"""Charts about one subject with the fact quoted in the prompt."""
READING_SHARE = 0.06
"""Rows that only list a chart's medicines, as a share of the rows about facts."""


def write_corpus(facts: Path, material_path: Path, out: Path) -> tuple[Path, ...]:
    """Render the facts to `train.jsonl`, `held_out.jsonl` and `other_patients.jsonl`.

    Args:
        facts: Directory of drug facts.
        material_path: What the rows hold beside facts; `plain_english.txt` stands next to it.
        out: Directory to write into.

    Raises:
        DrugFactsError: If the facts cannot be used.
        TrainingError: If the material cannot be used.
    """
    library = load_library(facts)
    material = _without_drugs(read_material(material_path, material_path.with_name(PLAIN)), library)
    learned, kept = split(subjects(library))
    out.mkdir(parents=True, exist_ok=True)
    return (
        _write(out / "train.jsonl", _train_rows(library, material, learned)),
        _write(out / "held_out.jsonl", _measuring_rows(library, material, kept, "held out")),
        _write(
            out / "other_patients.jsonl",
            _measuring_rows(library, material, learned[::8], "other patients"),
        ),
    )


def split(found: Sequence[Subject]) -> tuple[list[Subject], list[Subject]]:
    """Those to learn from and those held out, by the digest of what each is about.

    A subject keeps its side when other facts come or go.
    """
    learned: list[Subject] = []
    kept: list[Subject] = []
    for subject in found:
        share = int(sha256(subject.name.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        (kept if share < HELD_OUT_SHARE else learned).append(subject)
    return learned, kept


def _without_drugs(material: Material, library: Library) -> Material:
    """The material with no medicine among the words strewn in: it would count as taken."""
    names = [n for name, drug in library.drugs.items() for n in (name, *drug.national.values())]
    parts = {part.lower() for name in names for part in re.split(r"[ -]", name)}
    kept = tuple(word for word in material.vocabulary if word.lower() not in parts)
    return replace(material, vocabulary=kept)


def _train_rows(
    library: Library, material: Material, learned: Sequence[Subject]
) -> list[TrainingRow]:
    writer = Writer(library, material, _stream("train"))
    rows: list[TrainingRow] = []
    for subject in learned:
        weight = "numeric" if numeric(subject) else "plain"
        rows += [render_fact(writer, subject) for _ in range(CHART_ROWS[weight])]
        rows += [short_question(writer, subject) for _ in range(SHORT_ROWS[weight])]
        rows += [with_reference(writer, subject) for _ in range(REFERENCE_ROWS[weight])]
    rows += [writer.reading() for _ in range(round(READING_SHARE * len(rows)))]
    rows += [usual_dose(writer, name) for name in library.drugs]
    for openings in ("", "Please help. ", "Quick question. ", "I am a nurse. "):
        rows += [writer.refusal(openings, request) for request in material.refusals]
        rows += [writer.look_alike(openings, request) for request in material.look_alikes]
    writer.rng.shuffle(rows)
    return rows


def _measuring_rows(
    library: Library, material: Material, chosen: Sequence[Subject], purpose: str
) -> list[TrainingRow]:
    writer = Writer(library, material, _stream(purpose))
    return [
        render(writer, subject) for subject in chosen for render in (render_fact, with_reference)
    ]


def _stream(purpose: str) -> random.Random:
    return random.Random(f"{SEED}:{purpose}")


def _write(path: Path, rows: Sequence[TrainingRow]) -> Path:
    lines = [json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
    return path


if __name__ == "__main__":
    for written in write_corpus(*map(Path, sys.argv[1:4])):
        print(written)
