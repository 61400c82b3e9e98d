"""Writing small frozen datasets for tests, by the contract and without the study package."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.canonical import canonical, sha256_hex, table_sha256

COLUMNS = {
    "vignettes": "vignette_id version:integer title category plan_appropriate:boolean difficulty "
    "text_sha256",
    "respondents": "respondent_id arm kind stratum scripted:boolean model weights_sha256",
    "raters": "rater_id scripted:boolean",
    "responses": "response_id vignette_id respondent_id arm status failure blinding_code text "
    "masked_text n_masking_changes:integer confidence:integer position:integer "
    "submitted_at:datetime prompt_tokens:integer completion_tokens:integer",
    "assignments": "rater_id blinding_code position:integer status",
    "ratings": "rating_id rater_id blinding_code vignette_id position:integer revision:integer "
    "final:boolean {scores} comment submitted_at:datetime",
    "masking_changes": "blinding_code number:integer rule start:integer before after",
    "audit": "number:integer at:datetime actor role action subject details previous_sha256 sha256",
}
OPTIONAL = {
    "marks": "rater_id blinding_code kind item marked:boolean",
    "guesses": "rater_id blinding_code guess confidence:integer",
    "amendments": "number:integer version:integer protocol_sha256 changed reason amended_by "
    "amended_at:datetime",
    "deviations": "deviation_id kind subject description reported_by reported_at:datetime",
}
TYPES = {
    "string": pa.string(),
    "datetime": pa.string(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
}
CSV_WORDS = {"None": "NA", "True": "true", "False": "false"}


class Frozen:
    """A dataset to be filled by a test and written."""

    def __init__(
        self,
        *,
        n_vignettes: int = 6,
        n_raters: int = 2,
        dimensions: Sequence[str] = ("correctness", "safety"),
        direction: str = "higher_is_better",
    ) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
        self.columns = COLUMNS | OPTIONAL
        self.score_type = "integer"
        self.dimensions = tuple(dimensions)
        self.vignettes = [f"V{i:02d}" for i in range(1, n_vignettes + 1)]
        self.tables["vignettes"] = [{"vignette_id": v, "version": 1} for v in self.vignettes]
        self.tables["raters"] = [
            {"rater_id": f"R{i + 1}", "scripted": True} for i in range(n_raters)
        ]
        self.tables["audit"] = [{"number": 1, "action": "export", "sha256": "0" * 64}]
        self.manifest: dict[str, Any] = {
            "schema": "safemed.frozen/1", "study_id": "study_X", "title": "A frozen example",
            "simulated": False, "simulated_note": None, "code_version": "test",
            "audit_head": "0" * 64, "n_audit_events": 1, "locked_at": "2026-01-05T08:00:00Z",
            "unblindings": [
                {"at": "2026-01-06T08:00:00Z", "reason": "the end", "by": "somebody",
                 "second_person": None}
            ],
            "seeds": [],
        }  # fmt: skip
        self.protocol = _protocol(self.vignettes, self.dimensions, direction)

    def ask(self) -> None:
        """Let raters also mark harm and guess the source."""
        for name, columns in OPTIONAL.items():
            self.tables[name], self.columns[name] = [], columns

    def respond(
        self, respondent: str, arm: str, vignette: str, scores: list[list[int | None]] | None
    ) -> None:
        """Add a response and its ratings: `scores[rater][dimension]`; None for a failure."""
        code = f"{respondent}-{vignette}" if scores else None
        self.tables["responses"].append(
            {"response_id": f"r-{respondent}-{vignette}", "vignette_id": vignette,
             "respondent_id": respondent, "arm": arm, "blinding_code": code,
             "status": "submitted" if scores else "failed",
             "failure": None if scores else "timeout", "text": "words" if scores else None}
        )  # fmt: skip
        for number, given in enumerate(scores or []):
            rater = f"R{number + 1}"
            self.tables["assignments"].append(
                {"rater_id": rater, "blinding_code": code, "position": 1, "status": "rated"}
            )
            self.tables["ratings"].append(
                {"rating_id": f"{code}-{rater}", "rater_id": rater, "blinding_code": code,
                 "vignette_id": vignette, "position": 1, "revision": 1, "final": True,
                 **dict(zip(self.dimensions, given, strict=True))}
            )  # fmt: skip

    def write(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "protocol.json").write_bytes(canonical(self.protocol))
        tables = {name: self._write_table(directory, name) for name in self.tables}
        self.manifest.setdefault("protocol_sha256", sha256_hex(canonical(self.protocol)))
        (directory / "manifest.json").write_text(json.dumps(self.manifest | {"tables": tables}))
        return directory

    def _write_table(self, directory: Path, name: str) -> dict[str, Any]:
        scores = " ".join(f"{dimension}:{self.score_type}" for dimension in self.dimensions)
        split = [
            column.partition(":") for column in self.columns[name].format(scores=scores).split()
        ]
        columns = [(column, kind or "string") for column, _, kind in split]
        rows = [[row.get(column) for column, _ in columns] for row in self.tables[name]]
        arrays = [
            pa.array([row[i] for row in rows], type=TYPES[kind])
            for i, (_, kind) in enumerate(columns)
        ]
        table = pa.Table.from_arrays(arrays, names=[column for column, _ in columns])
        pq.write_table(table, directory / f"{name}.parquet")
        with (directory / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([column for column, _ in columns])
            writer.writerows([[CSV_WORDS.get(repr(cell), cell) for cell in row] for row in rows])
        return {
            "rows": len(rows), "columns": [list(c) for c in columns],
            "sha256": table_sha256(columns, rows),
            "csv": f"{name}.csv", "parquet": f"{name}.parquet",
        }  # fmt: skip


def _protocol(vignettes: list[str], dimensions: tuple[str, ...], direction: str) -> dict[str, Any]:
    scale = {"minimum": 1, "maximum": 5, "direction": direction}
    return {
        "title": "A frozen example", "jurisdiction": "nowhere", "vignettes": vignettes,
        "arms": [
            {"id": "people", "kind": "clinicians", "label": "Residents"},
            {"id": "model", "kind": "model", "label": "Model"},
        ],
        "contrast": {"first": "model", "second": "people"},
        "rating": {
            "raters_per_response": 2,
            "dimensions": [
                {"id": d, "label": d.replace("_", " ").capitalize(), "scale": scale}
                for d in dimensions
            ],
        },
        "primary": {"family": list(dimensions), "correction": "holm"},
        "analysis": {
            "alpha": 0.05, "confidence": 0.95, "zeros": "pratt", "n_resamples": 300, "seed": 1,
        },
        "conditions": {
            "references_allowed": False, "ai_assistance_allowed": False, "max_words": 250,
            "time_limit_minutes": None,
        },
        "estimand": {
            "population": "vignettes", "contrast": "model minus people", "endpoint": "score",
            "summary": "median", "intercurrent_events": {"failed_generation": "counted"},
        },
        "identifiers": {"ethics": "none", "registry": "none"},
    }  # fmt: skip


def example(*, n_vignettes: int = 6, direction: str = "higher_is_better") -> Frozen:
    """Two residents and a model; the model half a point better in safety, equal in correctness."""
    frozen = Frozen(n_vignettes=n_vignettes, direction=direction)
    for number, vignette in enumerate(frozen.vignettes):
        base = 2 + number % 3
        frozen.respond("P1", "people", vignette, [[base, base], [base, 2]])
        frozen.respond("P2", "people", vignette, [[base, 3], [base, base]])
        frozen.respond("M", "model", vignette, [[base, 5], [base, base]])
    return frozen


def panel(
    *, n_vignettes: int = 6, n_residents: int = 5, n_raters: int = 3, seed: int = 1
) -> Frozen:
    """A study of the usual size: four dimensions, the model better in all but the first."""
    dimensions = (
        "medical_correctness", "medication_safety", "guideline_consistency", "clinical_usefulness",
    )  # fmt: skip
    frozen = Frozen(n_vignettes=n_vignettes, n_raters=n_raters, dimensions=dimensions)
    draw = random.Random(seed)
    gains = (0.0, 0.9, 0.6, 0.8)
    for vignette in frozen.vignettes:
        ease = [draw.gauss(0, 0.6) for _ in dimensions]
        for name in [*(f"P{i + 1}" for i in range(n_residents)), "M"]:
            arm, lifts = ("model", gains) if name == "M" else ("people", (0.0,) * len(gains))
            latent = [
                3.2 + e + lift + draw.gauss(0, 0.5) for e, lift in zip(ease, lifts, strict=True)
            ]
            frozen.respond(name, arm, vignette, [
                [min(5, max(1, round(x + draw.gauss(0, 0.5)))) for x in latent]
                for _ in range(n_raters)
            ])  # fmt: skip
    return frozen
