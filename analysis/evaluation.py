"""Reading the samples and verdicts of an evaluation, as `docs/contracts.md` defines them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from analysis.canonical import sha256_hex
from analysis.errors import AnalysisError

SCHEMA = "safemed.evaluation/1"
SAMPLE_KEYS = {
    "sample_id", "item_id", "cluster", "strata", "order", "key", "shown", "options", "multiple",
    "prompt", "prompt_sha256", "request", "status", "failure", "detail", "text", "reasoning",
    "finish_reason", "model_named", "prompt_tokens", "completion_tokens",
}  # fmt: skip
VERDICT_KEYS = {"sample_id", "judge", "status", "score", "choice", "detail", "reply"}


class EvaluationFileError(AnalysisError):
    """An evaluation's directory cannot be analysed, or two cannot be compared."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the scores of an evaluation are on."""

    name: str
    version: int
    minimum: float
    maximum: float
    direction: Literal["higher_is_better", "lower_is_better"]

    @property
    def points(self) -> tuple[float, ...]:
        """Every whole point."""
        return tuple(float(p) for p in range(int(self.minimum), int(self.maximum) + 1))


@dataclass(frozen=True, slots=True)
class Sample:
    """One question put to the model, and whether it answered."""

    sample_id: str
    item_id: str
    cluster: str
    strata: Mapping[str, str]
    order: int
    key: tuple[str, ...] | None
    shown: tuple[str, ...] | None
    prompt_sha256: str
    completed: bool
    n_characters: int | None
    """Of the answer; None where there is none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judge on one sample; no score unless the status is `scored`."""

    sample_id: str
    judge: str
    status: str
    score: float | None
    choice: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One benchmark on one model."""

    name: str
    benchmark: str
    kind: Literal["safety", "exam"]
    model: str
    scale: Scale
    judges: tuple[str, ...]
    identity: Mapping[str, Any]
    identity_sha256: str
    samples: tuple[Sample, ...]
    verdicts: Mapping[tuple[str, str], Verdict]
    """By sample and judge; every pair has one."""


def read_evaluation(directory: Path) -> Evaluation:
    """Read a finished evaluation, strictly.

    Raises:
        EvaluationFileError: If a file is missing, of another schema or changed since; if a score is
            off its scale or stands without the status `scored`; if a pair of sample and judge has
            no verdict or two.
    """
    manifest = _manifest(directory / "evaluation.json")
    identity = manifest["identity"]
    scale = Scale(**identity["scale"])
    samples = tuple(
        _sample(record, where) for record, where in _lines(directory, "samples.jsonl", manifest)
    )
    judges = tuple(str(judge["name"]) for judge in identity["judges"])
    verdicts: dict[tuple[str, str], Verdict] = {}
    for record, where in _lines(directory, "verdicts.jsonl", manifest):
        verdict = _verdict(record, scale, where)
        pair = verdict.sample_id, verdict.judge
        if pair in verdicts:
            raise EvaluationFileError(f"{where}: {' by '.join(pair)} is there twice")
        verdicts[pair] = verdict
    _check_pairs(directory, samples, judges, verdicts)
    return Evaluation(
        directory.name, identity["benchmark"], identity["kind"], identity["model"], scale, judges,
        identity, manifest["identity_sha256"], samples, verdicts,
    )  # fmt: skip


def _manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        schema = manifest["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EvaluationFileError(
            f"{path} is no finished evaluation ({error}); name a directory that `safemed eval` "
            "finished"
        ) from error
    if schema != SCHEMA:
        raise EvaluationFileError(f"{path}: schema is {schema!r}; this version reads {SCHEMA!r}")
    return dict(manifest)


def _lines(
    directory: Path, name: str, manifest: Mapping[str, Any]
) -> list[tuple[dict[str, Any], str]]:
    path = directory / name
    content = path.read_bytes() if path.exists() else b""
    if sha256_hex(content) != manifest["sha256"][name]:
        raise EvaluationFileError(f"{path} is missing or was changed after it was written")
    lines = content.decode("utf-8").split("\n")[:-1]
    return [(json.loads(line), f"{path} line {n}") for n, line in enumerate(lines, start=1)]


def _sample(record: Mapping[str, Any], where: str) -> Sample:
    _check_keys(record, SAMPLE_KEYS, where)
    text = record["text"]
    completed = record["status"] == "completed"
    if completed != (text is not None) or completed == (record["failure"] is not None):
        raise EvaluationFileError(f"{where}: status {record['status']!r} contradicts the text")
    return Sample(
        record["sample_id"], record["item_id"], record["cluster"], record["strata"],
        record["order"], _tuple(record["key"]), _tuple(record["shown"]), record["prompt_sha256"],
        completed, len(text) if completed else None,
    )  # fmt: skip


def _verdict(record: Mapping[str, Any], scale: Scale, where: str) -> Verdict:
    _check_keys(record, VERDICT_KEYS, where)
    score, status = record["score"], record["status"]
    if (status == "scored") != (score is not None):
        raise EvaluationFileError(f"{where}: status {status!r} with the score {score!r}")
    if score is not None and not scale.minimum <= score <= scale.maximum:
        raise EvaluationFileError(
            f"{where}: score {score!r} is off the scale {scale.name}, {scale.minimum:g} to "
            f"{scale.maximum:g}"
        )
    return Verdict(
        record["sample_id"], record["judge"], status, None if score is None else float(score),
        _tuple(record["choice"]),
    )  # fmt: skip


def _check_keys(record: Mapping[str, Any], wanted: set[str], where: str) -> None:
    if record.keys() != wanted:
        wrong = ", ".join(sorted(record.keys() ^ wanted))
        raise EvaluationFileError(f"{where}: keys missing or unknown: {wrong}")


def _check_pairs(
    directory: Path, samples: tuple[Sample, ...], judges: tuple[str, ...],
    verdicts: Mapping[tuple[str, str], Verdict],
) -> None:  # fmt: skip
    wanted = {(sample.sample_id, judge) for sample in samples for judge in judges}
    if len({sample.sample_id for sample in samples}) != len(samples):
        raise EvaluationFileError(f"{directory / 'samples.jsonl'}: a sample is there twice")
    if wrong := sorted(wanted ^ verdicts.keys()):
        raise EvaluationFileError(
            f"{directory / 'verdicts.jsonl'}: {len(wrong)} verdicts are missing or belong to no "
            f"sample and judge, the first {' by '.join(wrong[0])}"
        )


def _tuple(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
