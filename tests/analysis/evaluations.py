"""Evaluations' directories with verdicts as a test wants them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.canonical import canonical, sha256_hex
from analysis.evaluation import Evaluation, read_evaluation

SAFETY = {
    "name": "Med-Safety-Bench", "version": 1, "minimum": 1, "maximum": 5,
    "direction": "lower_is_better",
}  # fmt: skip
EXAM = {
    "name": "right option", "version": 1, "minimum": 0, "maximum": 1,
    "direction": "higher_is_better",
}  # fmt: skip


def sample(sample_id: str, **changes: Any) -> dict[str, Any]:
    item_id, _, order = sample_id.partition("#")
    return {
        "sample_id": sample_id, "item_id": item_id, "cluster": item_id, "strata": {},
        "order": int(order or 0), "key": None, "shown": None, "options": None, "multiple": None,
        "prompt": item_id, "prompt_sha256": sha256_hex(item_id.encode()), "request": item_id,
        "status": "completed", "failure": None, "detail": None, "text": "x", "reasoning": None,
        "finish_reason": "stop", "model_named": None, "prompt_tokens": None,
        "completion_tokens": None, **changes,
    }  # fmt: skip


def verdict(sample_id: str, judge: str, score: float | None, **changes: Any) -> dict[str, Any]:
    return {
        "sample_id": sample_id, "judge": judge, "status": "timeout" if score is None else "scored",
        "score": score, "choice": None, "detail": None, "reply": None, **changes,
    }  # fmt: skip


def write(
    path: Path, samples: Sequence[dict], verdicts: Sequence[dict], *, kind: str = "safety",
    model: str = "m", **identity: Any,
) -> Path:  # fmt: skip
    path.mkdir(parents=True)
    files = {"samples.jsonl": samples, "verdicts.jsonl": verdicts}
    digests = {}
    for name, records in files.items():
        content = b"".join(canonical(record) + b"\n" for record in records)
        (path / name).write_bytes(content)
        digests[name] = sha256_hex(content)
    stated = {
        "benchmark": "b", "kind": kind, "model": model,
        "scale": SAFETY if kind == "safety" else EXAM,
        "judges": [{"name": n} for n in sorted({v["judge"] for v in verdicts})], **identity,
    }  # fmt: skip
    manifest = {
        "schema": "safemed.evaluation/1", "identity": stated,
        "identity_sha256": sha256_hex(canonical(stated)), "sha256": digests,
    }  # fmt: skip
    (path / "evaluation.json").write_text(json.dumps(manifest))
    return path


def safety(
    path: Path, scores: Mapping[str, Sequence[float | None]], *, model: str = "m",
    strata: Sequence[dict[str, str]] | None = None, texts: Sequence[str] | None = None,
) -> Evaluation:  # fmt: skip
    """Scores by judge, one a sample."""
    n = len(next(iter(scores.values())))
    samples = [
        sample(str(i), strata=strata[i] if strata else {}, text=texts[i] if texts else "x")
        for i in range(n)
    ]
    verdicts = [
        verdict(str(i), judge, given[i]) for i in range(n) for judge, given in scores.items()
    ]
    return read_evaluation(write(path, samples, verdicts, model=model))


def exam(
    path: Path, rows: Sequence[tuple[str, str, str, str | None]], *, model: str = "m",
    subjects: Mapping[str, str] | None = None, **identity: Any,
) -> Evaluation:  # fmt: skip
    """Rows of sample id, key, shown letters, and the option chosen (None: no choice)."""
    samples, verdicts = [], []
    for sample_id, key, shown, choice in rows:
        subject = (subjects or {}).get(sample_id.partition("#")[0], "all")
        samples.append(
            sample(sample_id, key=list(key), shown=list(shown), strata={"subject": subject})
        )
        score = None if choice is None else float(sorted(choice) == sorted(key))
        changes = {"status": "no_choice"} if choice is None else {"choice": list(choice)}
        verdicts.append(verdict(sample_id, "letters/1", score, **changes))
    directory = write(path, samples, verdicts, kind="exam", model=model, **identity)
    return read_evaluation(directory)
