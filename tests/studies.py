"""Small studies for tests: vignettes, a protocol, and people who walk through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from study.answering import AnsweringService
from study.approvals import approve
from study.audit import OPERATOR
from study.canonical import canonical, sha256_hex
from study.invitations import accept_invitation, invite
from study.lifecycle import take_step
from study.people import Person
from study.protocol import Protocol, parse_protocol
from study.rating import RatingService
from study.registration import Kind, register
from study.store import Store
from study.take_in import take_in
from study.tasks import write_tasks
from study.vignette import Vignette

DIMENSIONS = ("medical_correctness", "medication_safety")


def example_vignette(number: int) -> Vignette:
    """A vignette of the schema; its clinical content is of no account."""
    provenance = [
        {
            "document": "none", "section": "unknown", "version_date": "unknown",
            "date_checked": None, "checked": "not checked",
        }
    ]  # fmt: skip
    points = [
        {
            "id": f"K{i}", "kind": kind, "statement": f"Statement {i} of case {number}",
            "weight": 1, "equivalents": [], "provenance": provenance,
        }
        for i, kind in enumerate(("must", "should", "bonus", "critical_error"), start=1)
    ]  # fmt: skip
    text = (
        f"Setting: ward {number}\nPatient: woman, 70 years, 70 kg, 165 cm\n"
        "Problem: cough\nMedicines: none\nResults: none\nPlan: wait"
    )
    return Vignette.from_json(
        {
            "schema": "safemed.vignette/2",
            "vignette_id": f"V{number:02d}",
            "version": 1,
            "title": f"Case {number}",
            "jurisdiction": "nowhere, 2026",
            "texts": {"en": {"text": text, "question": "What would you do about the plan?"}},
            "chart": {
                "setting": f"ward {number}", "age": "70 years", "sex": "woman",
                "weight": "70 kg", "height": "165 cm",
                "allergies": [], "medicines": [], "planned": [], "results": [], "plan": "wait",
            },
            "hidden": {
                "category": "interaction", "high_alert_class": None, "ncc_merp_harm_if_missed": "A",
                "difficulty": "low", "plan_appropriate": False, "key_points": points,
                "not_penalised": [], "decoys": [], "derived": [],
                "deciding": {"explained": "nothing decides", "compared": []}, "dose_reasons": {},
                "forbidden_words": [],
            },
            "declared_cues": [],
        }
    )  # fmt: skip


def example_vignettes(n_vignettes: int = 3) -> dict[str, Vignette]:
    vignettes = (example_vignette(number) for number in range(1, n_vignettes + 1))
    return {vignette.vignette_id: vignette for vignette in vignettes}


def dimension_values() -> list[dict[str, Any]]:
    """Plain values of the example's dimensions, every point worded."""
    return [
        {
            "id": name,
            "label": name.replace("_", " ").capitalize(),
            "question": f"How is the {name.replace('_', ' ')}?",
            "scale": {"minimum": 1, "maximum": 5, "direction": "higher_is_better"},
            "anchors": {i: f"{name} point {i}" for i in range(1, 6)},
        }
        for name in DIMENSIONS
    ]


def protocol_values(
    *,
    n_vignettes: int = 3,
    n_residents: int = 2,
    n_raters: int = 2,
    raters_per_response: int = 2,
    resident_arm: str = "residents",
    model_arm: str = "model",
    resident_label: str = "Residents",
    model_label: str = "Nano",
    rating: dict[str, Any] | None = None,
    more: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Plain values of a protocol, to be changed by a test.

    `rating` adds to the rating design, `more` to the protocol.
    """
    return {
        "schema": "safemed.protocol/1",
        "protocol_id": "example",
        "version": 1,
        "title": "An example study",
        "language": "en",
        "jurisdiction": "nowhere, 2026",
        "banner": None,
        "arms": [
            {
                "id": resident_arm, "kind": "clinicians", "label": resident_label,
                "n_respondents": n_residents, "strata": ["PGY1", "PGY2"],
            },
            {"id": model_arm, "kind": "model", "label": model_label, "n_respondents": 1},
        ],
        "contrast": {"first": model_arm, "second": resident_arm},
        "vignettes": [f"V{i:02d}" for i in range(1, n_vignettes + 1)],
        "instruction": "Read the chart and answer the question.",
        "conditions": {
            "references_allowed": False, "ai_assistance_allowed": False, "max_words": 250,
            "time_limit_minutes": None, "one_sitting": False,
        },
        "answering": {"order": "random", "confidence": True},
        "masking": {
            "rules": ["salutation", "self_identification", "layout", "typography"]
        },
        "rating": {
            "n_raters": n_raters,
            "raters_per_response": raters_per_response,
            "dimensions": dimension_values(),
            **(rating or {}),
        },
        "estimand": {
            "population": "vignettes", "contrast": "model minus residents", "endpoint": "score",
            "summary": "median", "intercurrent_events": {"failed_generation": "counted"},
        },
        "primary": {"family": list(DIMENSIONS), "correction": "holm"},
        "analysis": {
            "alpha": 0.05, "confidence": 0.95, "zeros": "pratt", "n_resamples": 500, "seed": 1,
        },
        "identifiers": {
            "ethics": "none", "registry": "none", "sponsor": "none",
            "conflicts_of_interest": "none",
        },
        **(more or {}),
    }  # fmt: skip


HARM = {
    "question": "Could it harm?",
    "severities": [
        {"id": "none", "label": "No", "is_harm": False, "is_severe": False},
        {"id": "mild", "label": "Mild", "is_harm": True, "is_severe": False},
        {"id": "severe", "label": "Severe", "is_harm": True, "is_severe": True},
    ],
    "likelihoods": [{"id": "unlikely", "label": "Unlikely"}, {"id": "likely", "label": "Likely"}],
}
SECOND_PASS = {
    "key_points": True, "omission": True, "over_caution": True, "source_guess": True,
    "errors": [{"id": "hallucination", "label": "Hallucination", "question": "Is it so?"}],
}  # fmt: skip


def practice(first: str = "medical_correctness") -> dict[str, Any]:
    """Two practice responses whose agreed scores are 5 and 2 throughout."""
    return {
        f"P0{number}": {
            "vignette_id": f"V9{number}", "text": f"Plan: practice {number}", "question": "What?",
            "response": f"Practice response {number}", "agreed_by": None, "agreed_on": None,
            "scores": {first: agreed, DIMENSIONS[1]: agreed},
            "reasons": {first: f"Because {number}", DIMENSIONS[1]: f"Since {number}"},
        }
        for number, agreed in ((1, 5), (2, 2))
    }  # fmt: skip


def example_protocol(**changes: Any) -> Protocol:
    return parse_protocol(protocol_values(**changes))


def register_example(
    store: Store, *, kind: Kind = "study", practice: dict[str, Any] | None = None, **changes: Any
) -> str:
    protocol = example_protocol(**changes)
    vignettes = example_vignettes(len(protocol.vignettes))
    return register(store, protocol, vignettes, by=OPERATOR, kind=kind, practice=practice)


def join(store: Store, study_id: str, role: Any, *, arm: str | None = None) -> Person:
    token = invite(store, study_id, role, by=OPERATOR, arm=arm, scripted=store.seeded)
    return accept_invitation(store, token).person


def answer_everything(store: Store, person: Person, text: str = "Stop the plan.") -> None:
    service = AnsweringService(store)
    while (task := service.next_task(person)) is not None:
        service.submit(person, task.item, f"{text} Case {task.text.split()[2]}", 3)


def rate_everything(store: Store, person: Person, score: int = 3) -> None:
    service = RatingService(store)
    while (task := service.next_task(person)) is not None:
        service.record(person, task.response.code, dict.fromkeys(DIMENSIONS, score))


def answer_as_model(
    store: Store, study_id: str, work: Path, *, arm: str = "model", text: str = "Go on.",
    failing: tuple[str, ...] = (), model: str = "test-model",
) -> Path:  # fmt: skip
    """Write the tasks, answer them without any model, and take the responses in."""
    tasks = write_tasks(store, study_id, arm, work / "tasks", by=OPERATOR)
    directory = write_responses(tasks, work / "responses", text=text, failing=failing, model=model)
    take_in(store, study_id, directory, by=OPERATOR)
    return directory


def write_responses(
    tasks: Path, out: Path, *, text: str = "Go on.", failing: tuple[str, ...] = (),
    model: str = "test-model",
) -> Path:  # fmt: skip
    """A responses directory that follows the contract."""
    manifest = json.loads((tasks / "manifest.json").read_text())
    lines = [json.loads(line) for line in (tasks / "tasks.jsonl").read_text().splitlines()]
    rows = [response_line(task, text=text, fails=task["vignette_id"] in failing) for task in lines]
    out.mkdir(parents=True, exist_ok=True)
    return write_rows(out, manifest, rows, model=model)


def response_line(task: dict[str, Any], *, text: str, fails: bool = False) -> dict[str, Any]:
    prompt = f"{task['instruction']}\n\n{task['text']}"
    answer = f"{text} Case {task['text'].split()[2]}"
    return {
        "vignette_id": task["vignette_id"],
        "text_sha256": task["text_sha256"],
        "prompt_sha256": sha256_hex(prompt.encode()),
        "status": "failed" if fails else "completed",
        "failure": "timeout" if fails else None,
        "detail": None,
        "text": None if fails else answer,
        "reasoning": None,
        "finish_reason": None if fails else "stop",
        "seed": 1,
        "prompt_tokens": 100,
        "completion_tokens": None if fails else 5,
        "asked_at": "2026-01-05T08:00:00Z",
        "elapsed_s": 0.1,
    }


def write_rows(
    out: Path, manifest: dict[str, Any], rows: list[dict[str, Any]], *, model: str = "test-model"
) -> Path:
    content = b"".join(canonical(row) + b"\n" for row in rows)
    (out / "responses.jsonl").write_bytes(content)
    n_failed = sum(row["status"] == "failed" for row in rows)
    run = {
        "schema": "safemed.responses/1",
        "study_id": manifest["study_id"],
        "respondent_id": manifest["respondent_id"],
        "tasks_sha256": manifest["tasks_sha256"],
        "responses_sha256": sha256_hex(content),
        "model": model,
        "weights_sha256": "not stated by the endpoint",
        "engine": "none",
        "sampling": {
            "temperature": 0.0, "top_p": 1.0, "max_tokens": 512, "seed": 1,
            "n_samples": 1, "pick": "first",
        },
        "code_version": "test",
        "started_at": "2026-01-05T08:00:00Z",
        "finished_at": "2026-01-05T08:01:00Z",
        "elapsed_s": 60.0,
        "n_completed": len(rows) - n_failed,
        "n_failed": n_failed,
    }  # fmt: skip
    (out / "run.json").write_text(json.dumps(run))
    return out


def to_answering(store: Store, **changes: Any) -> str:
    study_id = register_example(store, **changes)
    take_step(store, study_id, "open", by=OPERATOR, invite=False)
    return study_id


def to_rating(
    store: Store, work: Path, *, practice: dict[str, Any] | None = None, **changes: Any
) -> tuple[str, tuple[Person, ...]]:
    """A study in rating, with its raters, everything answered."""
    study_id = to_answering(store, practice=practice, **changes)
    protocol = example_protocol(**changes)
    arms = {arm.kind: arm for arm in protocol.arms}
    for number in range(arms["clinicians"].n_respondents):
        resident = join(store, study_id, "resident", arm=arms["clinicians"].id)
        answer_everything(store, resident, f"Resident {number} would wait.")
    answer_as_model(store, study_id, work, arm=arms["model"].id)
    take_step(store, study_id, "close", by=OPERATOR)
    take_step(store, study_id, "mask", by=OPERATOR, invite=False)
    raters = tuple(join(store, study_id, "rater") for _ in range(protocol.rating.n_raters))
    take_step(store, study_id, "allocate", by=OPERATOR)
    take_step(store, study_id, "open", by=OPERATOR)
    return study_id, raters


def to_unblinded(store: Store, work: Path, **changes: Any) -> str:
    study_id, raters = to_rating(store, work, **changes)
    for number, rater in enumerate(raters):
        rate_everything(store, rater, 2 + number)
    lock_and_unblind(store, study_id)
    return study_id


def consent(store: Store, study_id: str, verb: str) -> Person:
    """A second person joins and consents to a final step."""
    second = join(store, study_id, "statistician")
    approve(store, second, verb, reason="agreed at the meeting")
    return second


def lock_and_unblind(store: Store, study_id: str, *, reason: str = "the end") -> None:
    consent(store, study_id, "lock")
    take_step(store, study_id, "lock", by=OPERATOR)
    consent(store, study_id, "unblind")
    take_step(store, study_id, "unblind", by=OPERATOR, reason=reason)
