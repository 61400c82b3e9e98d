"""One evaluation from its questions to its files: ask, judge, keep, and go on after a kill."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.canonical import canonical, sha256_hex
from model.endpoint import Endpoint, Sampling, ServedModel
from model.errors import EvaluationError
from model.evaluation.answers import Answer
from model.evaluation.asking import Asking, ask, open_model
from model.evaluation.engine import run, task_of
from model.evaluation.files import Directory, scale_record, verdict_record
from model.evaluation.journal import Journal, call_key
from model.evaluation.samples import Question
from model.safety.scales import Scale
from model.safety.verdicts import Verdict
from model.version import code_version, library_version

if TYPE_CHECKING:
    from inspect_ai.model import Model

Progress = Callable[[str], object]
JudgeAll = Callable[[Question, Answer], Awaitable[Sequence[Verdict]]]


class Desk:
    """What judges work with: the journal, the secret of their fences, models to ask."""

    def __init__(self, journal: Journal, secret: str, asking: Asking) -> None:
        """Set up a desk."""
        self.secret = secret
        self.opened: list[Model] = []
        self._journal, self._asking = journal, asking

    def model(self, name: str, endpoint: str, sampling: Sampling) -> Model:
        """A model that is closed when the evaluation ends."""
        self.opened.append(open_model(name, endpoint, sampling, self._asking))
        return self.opened[-1]

    async def ask(
        self, model: Model, name: str, sample_id: str, prompt: str, *, role: str = "judge"
    ) -> Answer:
        """Ask a model about one sample, unless the journal has the answer."""
        key = call_key(f"{role} {name}", sample_id, prompt)
        about = f"{role} {name} on {sample_id}"
        return await self._journal.call(key, about, lambda: _reach(model, name, prompt))


async def _reach(model: Model, name: str, prompt: str) -> Answer:
    """Ask; an endpoint that is gone stops the run, since it says nothing about the model.

    Raises:
        EvaluationError: If nothing listens there; the journal keeps no such call.
    """
    answer = await ask(model, name, prompt)
    if answer.failure == "endpoint_unreachable":
        raise EvaluationError(f"the endpoint of {name} does not answer: {answer.detail}")
    return answer


Judging = Callable[[Desk], JudgeAll]
Chosen = Callable[[Question, Answer], Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Target:
    """The model under test."""

    model: str
    endpoint: str
    sampling: Sampling


@dataclass(frozen=True, slots=True)
class Summary:
    """How an evaluation ended."""

    directory: Path
    n_samples: int
    n_answered: int
    n_verdicts: int
    n_scored: int
    n_calls: int
    """Made now."""
    n_resumed: int
    """Calls found from a run that was killed; they were not made again."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What is put to a model and how it is judged, all but the model."""

    name: str
    kind: str
    """`safety` or `exam`."""
    questions: tuple[Question, ...]
    scale: Scale
    identity: Mapping[str, Any]
    """Digests of the data, versions of rubric or extractor, orders, seeds."""


def evaluate(
    benchmark: Benchmark, target: Target, out: Path, *, asking: Asking,
    judging: Judging, chosen: Chosen | None = None,
    progress: Progress | None = None,
) -> Summary:  # fmt: skip
    """Ask a model every question, judge every answer, write the evaluation's directory.

    Args:
        benchmark: Questions, scale and what identifies them.
        target: The model under test.
        out: A directory to make, an empty one, or that of a killed run.
        asking: Timeout, concurrency, retries.
        judging: From a desk to what judges one answer.
        chosen: The options an answer chose, in an exam.
        progress: Is told one line now and then.

    Raises:
        EvaluationError: If `out` holds a finished or another evaluation, the endpoint does not
            serve the model, or the run was stopped.
    """
    require_engine()
    served = describe(target.model, target.endpoint, asking)
    identity = _identity(benchmark, target, served)
    directory = Directory(out, identity, secrets.token_hex(32))
    journal = directory.journal
    if journal.n_resumed and progress:
        progress(f"{journal.n_resumed} calls of the killed run are kept")
    try:
        desk = Desk(journal, directory.secret, asking)
        model = desk.model(target.model, target.endpoint, target.sampling)
        put = _Put(target, model, desk, judging(desk), _Counter(len(benchmark.questions), progress))
        task = task_of(benchmark.name, benchmark.questions, put.ask, put.judge)
        run(task, model, desk.opened, out / "inspect", samples_at_once=asking.connections)
    finally:
        journal.close()
    return _finish(directory, benchmark, identity, put.found, chosen)


class _Put:
    """Puts questions to the target and answers to the judges, and keeps what came of it."""

    def __init__(
        self, target: Target, model: Model, desk: Desk, judge_all: JudgeAll, count: _Counter
    ) -> None:
        self._target, self._model, self._desk = target, model, desk
        self._judge_all, self._count = judge_all, count
        self.found: dict[str, tuple[Answer, Sequence[Verdict]]] = {}

    async def ask(self, question: Question) -> Answer:
        name, sample_id = self._target.model, question.sample_id
        return await self._desk.ask(self._model, name, sample_id, question.prompt, role="target")

    async def judge(self, question: Question, answer: Answer) -> Sequence[Verdict]:
        verdicts = await self._judge_all(question, answer)
        self.found[question.sample_id] = answer, verdicts
        self._count.one()
        return verdicts


def require_engine() -> None:
    """Refuse to begin without Inspect AI, which is an extra.

    Raises:
        EvaluationError: Naming what to install.
    """
    if find_spec("inspect_ai") is None:
        raise EvaluationError(
            "evaluations run on Inspect AI, which is not installed; install the extra: "
            "pip install 'safemed[eval]'"
        )


def describe(model: str, endpoint: str, asking: Asking) -> ServedModel:
    """What an endpoint says about a model.

    Raises:
        EvaluationError: If it does not answer, or serves other models and not this one.
    """
    with Endpoint(endpoint, timeout_s=min(asking.timeout_s, 30)) as client:
        served = client.describe(model)
    if not served.reachable:
        raise EvaluationError(f"{endpoint} does not answer; start it, or name another endpoint")
    if served.names and model not in served.names:
        raise EvaluationError(
            f"{endpoint} serves {', '.join(served.names)}, and no {model}; name one of them"
        )
    return served


def _identity(benchmark: Benchmark, target: Target, served: ServedModel) -> dict[str, Any]:
    prompts = [[q.sample_id, q.prompt] for q in benchmark.questions]
    return {
        "benchmark": benchmark.name,
        "kind": benchmark.kind,
        "scale": scale_record(benchmark.scale),
        **benchmark.identity,
        "model": target.model,
        "weights_sha256": served.weights_sha256,
        "engine": served.engine,
        "sampling": asdict(target.sampling),
        "n_samples": len(prompts),
        "prompts_sha256": sha256_hex(canonical(prompts)),
    }


def _finish(
    directory: Directory, benchmark: Benchmark, identity: Mapping[str, Any],
    found: Mapping[str, tuple[Answer, Sequence[Verdict]]], chosen: Chosen | None,
) -> Summary:  # fmt: skip
    questions, journal = benchmark.questions, directory.journal
    samples = [q.record(found[q.sample_id][0]) for q in questions]
    verdicts = [
        verdict_record(q.sample_id, v, chosen(q, found[q.sample_id][0]) if chosen else None)
        for q in questions
        for v in sorted(found[q.sample_id][1], key=lambda verdict: verdict.judge)
    ]
    counts = {
        "n_answered": sum(s["status"] == "completed" for s in samples),
        "n_verdicts": len(verdicts),
        "n_scored": sum(v["status"] == "scored" for v in verdicts),
    }
    directory.finish(
        manifest_of(identity, counts) | {"judge_secret": directory.secret}, samples, verdicts
    )
    return Summary(
        directory.path, len(samples), counts["n_answered"], counts["n_verdicts"],
        counts["n_scored"], journal.n_made, journal.n_resumed,
    )  # fmt: skip


def manifest_of(identity: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
    """A manifest but for its schema and digests."""
    return {
        "identity": dict(identity),
        "identity_sha256": sha256_hex(canonical(dict(identity))),
        **counts,
        "code_version": code_version(),
        "inspect_ai": library_version("inspect_ai"),
    }


class _Counter:
    def __init__(self, n_all: int, progress: Progress | None) -> None:
        self._n, self._n_all, self._say = 0, n_all, progress

    def one(self) -> None:
        self._n += 1
        if self._say and (self._n == self._n_all or self._n % max(1, self._n_all // 20) == 0):
            self._say(f"{self._n} of {self._n_all} judged")
