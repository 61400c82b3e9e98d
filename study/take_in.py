"""Taking a model's responses in, on the same footing as a clinician's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.canonical import canonical, sha256_hex
from study.errors import TakeInError
from study.faults import faults_in_words
from study.people import Person, people_of
from study.randomness import public_id
from study.registration import (
    RegisteredStudy,
    guard_injected,
    load_study,
    require_state,
    study_row,
)
from study.store import Store
from study.tables import ModelRunRow, ResponseRow


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sampling(_Strict):
    """How the model was asked to write."""

    temperature: float
    top_p: float
    max_tokens: int
    seed: int | None
    n_samples: int
    pick: Literal["first", "seeded"]


class RunManifest(_Strict):
    """`run.json` of a responses directory."""

    schema_: Literal["safemed.responses/1"] = Field(alias="schema")
    study_id: str
    respondent_id: str
    tasks_sha256: str
    responses_sha256: str
    samples_sha256: str | None = None
    """Of every sample, where more than one a task was asked for; they stay with the run."""
    model: str
    weights_sha256: str
    engine: str
    sampling: Sampling
    code_version: str
    started_at: datetime
    finished_at: datetime
    elapsed_s: float
    n_completed: int
    n_failed: int


class ModelResponse(_Strict):
    """One line of `responses.jsonl`."""

    vignette_id: str
    text_sha256: str
    prompt_sha256: str
    status: Literal["completed", "failed"]
    failure: (
        Literal[
            "endpoint_unreachable",
            "endpoint_error",
            "timeout",
            "bad_reply",
            "empty",
            "reasoning_not_closed",
            "length_limit",
        ]
        | None
    )
    detail: str | None
    text: str | None
    reasoning: str | None
    finish_reason: str | None
    seed: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    asked_at: datetime
    elapsed_s: float

    @model_validator(mode="after")
    def _text_or_failure(self) -> ModelResponse:
        if self.status == "completed" and (not (self.text or "").strip() or self.failure):
            raise ValueError("a completed response has a text and no failure")
        if self.status == "failed" and (self.text is not None or self.failure is None):
            raise ValueError("a failed response has a failure and no text: it must not be rated")
        return self


def take_in(store: Store, study_id: str, directory: Path, *, by: Actor) -> int:
    """Take one model run's responses in, all of them or none, and return how many.

    Args:
        store: The database.
        study_id: A study in which answering is open.
        directory: Holds `run.json` and `responses.jsonl`, as `docs/contracts.md` defines them.
        by: Who takes them in.

    Raises:
        TakeInError: Naming the file, the line and the remedy; nothing is taken in then.
    """
    manifest, responses = read_responses(directory)
    with store.write() as session:
        guard_injected(session, store, study_id)
        study = load_study(session, study_id)
        require_state(
            study_row(session, study_id), "answering", otherwise=TakeInError, what="taking in"
        )
        respondent = _respondent(session, study_id, manifest)
        _check_checkpoint(study, respondent, manifest)
        _check_against_study(study, responses)
        now = store.clock.now()
        session.add(
            ModelRunRow(
                run_id=public_id(store.source, "run"),
                study_id=study_id,
                person_id=respondent.person_id,
                manifest=manifest.model_dump(mode="json", by_alias=True),
                taken_in_at=now,
            )
        )
        session.add_all(
            _response_row(store, study_id, respondent, response, now) for response in responses
        )
        record(
            session, store.clock, study_id, by, "take in responses", respondent.person_id,
            {
                "answers_sha256": answers_sha256(responses),
                "weights_sha256": manifest.weights_sha256,
                "n_completed": manifest.n_completed,
                "n_failed": manifest.n_failed,
            },
        )  # fmt: skip
    return len(responses)


def read_responses(directory: Path) -> tuple[RunManifest, tuple[ModelResponse, ...]]:
    """Read and check a responses directory by itself.

    Raises:
        TakeInError: If a file is missing, changed, malformed or does not add up.
    """
    try:
        written = (directory / "responses.jsonl").read_bytes()
        manifest = RunManifest.model_validate_json((directory / "run.json").read_bytes())
    except FileNotFoundError as error:
        raise TakeInError(
            f"{error.filename} is missing; name a directory that `safemed model respond` finished"
        ) from None
    except ValidationError as error:
        raise TakeInError(
            f"{directory / 'run.json'} cannot be used:\n{faults_in_words(error)}"
        ) from error
    if sha256_hex(written) != manifest.responses_sha256:
        raise TakeInError(
            f"{directory / 'responses.jsonl'} was changed after the run: its digest is not the one "
            "in run.json. Take the untouched directory, or run `safemed model respond` again"
        )
    responses = tuple(
        _parse_line(directory, number, line)
        # Only "\n" ends a line: a text may hold other characters that Unicode counts as breaks.
        for number, line in enumerate(written.decode("utf-8").rstrip("\n").split("\n"), start=1)
    )
    counts = Counter(response.status for response in responses)
    if (counts["completed"], counts["failed"]) != (manifest.n_completed, manifest.n_failed):
        raise TakeInError(
            f"{directory / 'run.json'} counts {manifest.n_completed} completed and "
            f"{manifest.n_failed} failed; the lines hold {counts['completed']} and "
            f"{counts['failed']}"
        )
    return manifest, responses


def answers_sha256(responses: Sequence[ModelResponse]) -> str:
    """Digest of what was answered, without what a clock measured.

    The audit of a simulated study must be the same in every run of one seed; the digest of the
    whole file, clock readings included, stays in the run's manifest.
    """
    clock_free = [r.model_dump(mode="json", exclude={"asked_at", "elapsed_s"}) for r in responses]
    return sha256_hex(canonical(clock_free))


def _parse_line(directory: Path, number: int, line: str) -> ModelResponse:
    try:
        return ModelResponse.model_validate(json.loads(line))
    except json.JSONDecodeError as error:
        raise TakeInError(f"{directory / 'responses.jsonl'} line {number} is not JSON") from error
    except ValidationError as error:
        raise TakeInError(
            f"{directory / 'responses.jsonl'} line {number} cannot be used:\n"
            f"{faults_in_words(error)}"
        ) from error


def _respondent(session: Session, study_id: str, manifest: RunManifest) -> Person:
    if manifest.study_id != study_id:
        raise TakeInError(
            f"these responses are for the study {manifest.study_id}, not for {study_id}"
        )
    models = people_of(session, study_id, "model")
    found = next((p for p in models if p.person_id == manifest.respondent_id), None)
    if found is None:
        raise TakeInError(
            f"respondent {manifest.respondent_id} is not a model of this study; answer the tasks "
            "that `safemed tasks` wrote for it"
        )
    taken = session.scalars(
        select(ModelRunRow.run_id).where(ModelRunRow.person_id == found.person_id)
    ).first()
    if taken is not None:
        raise TakeInError("this model's responses were taken in already; they cannot be replaced")
    return found


def _check_checkpoint(study: RegisteredStudy, respondent: Person, manifest: RunManifest) -> None:
    """The checkpoint that answers is the one that the protocol froze before it saw a vignette."""
    declared = study.protocol.arm(respondent.arm or "").checkpoint
    if declared is not None and manifest.weights_sha256 != declared:
        raise TakeInError(
            f"run.json: weights_sha256 is {manifest.weights_sha256!r}; the protocol froze "
            f"{declared!r} for the arm {respondent.arm!r}. Answer with that checkpoint, or amend"
        )


def _check_against_study(study: RegisteredStudy, responses: Sequence[ModelResponse]) -> None:
    expected = study.protocol.vignettes
    seen = Counter(response.vignette_id for response in responses)
    faults = [f"{v} is answered {n} times" for v, n in seen.items() if n > 1]
    faults += [f"{v} is not a vignette of this study" for v in seen if v not in expected]
    faults += [f"{v} has no line, not even a failure" for v in expected if v not in seen]
    for response in responses:
        if response.vignette_id in expected:
            text = study.vignettes[response.vignette_id].stimulus(study.protocol.language)
            if response.text_sha256 != sha256_hex(text.encode()):
                faults.append(f"{response.vignette_id} was asked with other words than people saw")
    if faults:
        raise TakeInError("responses.jsonl does not fit the study: " + "; ".join(faults))


def _response_row(
    store: Store, study_id: str, respondent: Person, response: ModelResponse, now: datetime
) -> ResponseRow:
    return ResponseRow(
        response_id=public_id(store.source, "r"),
        study_id=study_id,
        person_id=respondent.person_id,
        vignette_id=response.vignette_id,
        status="submitted" if response.status == "completed" else "failed",
        failure=response.failure,
        text=response.text,
        reasoning=response.reasoning,
        prompt_tokens=response.prompt_tokens,
        completion_tokens=response.completion_tokens,
        submitted_at=now,
    )
