"""Writing the tasks file: all that a model gets to read."""

from __future__ import annotations

import json
from pathlib import Path

from study.audit import Actor, record
from study.canonical import sha256_hex
from study.errors import StudyError
from study.people import people_of
from study.protocol import Protocol
from study.registration import load_study, require_state, study_row
from study.store import Store
from study.vignette import Vignette

SCHEMA = "safemed.tasks/1"


def write_tasks(store: Store, study_id: str, arm: str, out: Path, *, by: Actor) -> Path:
    """Write the tasks of one model arm's respondent: the words shown to people, and nothing hidden.

    Args:
        store: The database.
        study_id: A study in which answering is open.
        arm: Id of a model arm.
        out: A directory to make, or an empty one.
        by: Who asks; it is audited.

    Raises:
        StudyError: If the arm is not a model's, answering is not open, or `out` holds something.
    """
    with store.write() as session:
        study = load_study(session, study_id)
        require_state(
            study_row(session, study_id), "answering", otherwise=StudyError, what="writing tasks"
        )
        respondent = next((p for p in people_of(session, study_id, "model") if p.arm == arm), None)
        if respondent is None:
            models = [a.id for a in study.protocol.arms if a.kind == "model"]
            raise StudyError(
                f"{arm!r} is not a model arm of this study; the model arms are {models}"
            )
        lines = "".join(
            _task_line(study.protocol, study.vignettes[v]) for v in study.protocol.vignettes
        )
        tasks_sha256 = sha256_hex(lines.encode())
        manifest = {
            "schema": SCHEMA,
            "study_id": study_id,
            "respondent_id": respondent.person_id,
            "protocol_sha256": study.protocol.sha256,
            "language": study.protocol.language,
            "n_tasks": len(study.protocol.vignettes),
            "tasks_sha256": tasks_sha256,
        }
        _write(out, lines, manifest)
        record(
            session, store.clock, study_id, by, "write tasks", respondent.person_id,
            {"tasks_sha256": tasks_sha256},
        )  # fmt: skip
    return out


def _task_line(protocol: Protocol, vignette: Vignette) -> str:
    text = vignette.stimulus(protocol.language)
    task = {
        "vignette_id": vignette.vignette_id,
        "vignette_version": vignette.version,
        "instruction": protocol.instruction,
        "instruction_sha256": sha256_hex(protocol.instruction.encode()),
        "text": text,
        "text_sha256": sha256_hex(text.encode()),
        "max_words": protocol.conditions.max_words,
    }
    return json.dumps(task, ensure_ascii=False) + "\n"


def _write(out: Path, lines: str, manifest: dict[str, object]) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudyError(f"{out} is not empty; name a new directory for the tasks")
    out.mkdir(parents=True, exist_ok=True)
    (out / "tasks.jsonl").write_text(lines, encoding="utf-8")
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
