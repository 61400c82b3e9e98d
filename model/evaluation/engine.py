"""Running one evaluation as an Inspect AI task, with its log beside the evaluation's own files."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import EvaluationError
from model.evaluation.answers import Answer
from model.evaluation.samples import Question
from model.safety.verdicts import Verdict

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.log import EvalLog
    from inspect_ai.model import Model
    from inspect_ai.scorer import Scorer
    from inspect_ai.solver import Solver

AskTarget = Callable[[Question], Awaitable[Answer]]
JudgeAll = Callable[[Question, Answer], Awaitable[Sequence[Verdict]]]


def task_of(name: str, questions: Sequence[Question], ask: AskTarget, judge: JudgeAll) -> Task:
    """An Inspect task: the target is asked, then every judge; the log shows both.

    Args:
        name: Of the benchmark.
        questions: In the order in which they are kept.
        ask: Asks the model under test.
        judge: Gives every judge's verdict.
    """
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample

    by_id = {question.sample_id: question for question in questions}
    dataset = MemoryDataset([
        Sample(id=q.sample_id, input=q.prompt, metadata=dict(q.strata)) for q in questions
    ])  # fmt: skip
    answers: dict[str, Answer] = {}
    return Task(
        name=name, dataset=dataset, solver=_solver(by_id, answers, ask),
        scorer=_scorer(by_id, answers, judge),
    )  # fmt: skip


def run(
    task: Task, model: Model, opened: Sequence[Model], log_dir: Path, *, samples_at_once: int
) -> EvalLog:
    """Run a task to its end, and close every model.

    Args:
        task: From `task_of`.
        model: Under test.
        opened: Every model that the task asks.
        log_dir: Of Inspect's log.
        samples_at_once: Under way at once.

    Raises:
        EvaluationError: If it ended before, naming the state and the reason.
    """
    import anyio

    log = anyio.run(_eval, task, model, opened, log_dir, samples_at_once)
    if log.status != "success":
        why = log.error.message if log.error else "stopped"
        raise EvaluationError(
            f"the evaluation ended as {log.status}: {why}. What was asked is kept; the same "
            "command goes on"
        )
    return log


async def _eval(
    task: Task, model: Model, opened: Sequence[Model], log_dir: Path, samples_at_once: int
) -> EvalLog:
    # What is on the way is said by us; Inspect would draw over the terminal.
    os.environ.setdefault("INSPECT_DISPLAY", "none")
    from inspect_ai import eval_async
    from inspect_ai.util import display_type

    display_type()  # is read from the environment now; eval_async alone would not
    try:
        logs = await eval_async(
            task, model=model, log_dir=str(log_dir), log_level="error", log_realtime=False,
            log_model_api=False, max_samples=samples_at_once, score_display=False,
            fail_on_error=True,
        )  # fmt: skip
        return logs[0]
    finally:
        for each in opened:
            await each.api.aclose()


def _solver(by_id: dict[str, Question], answers: dict[str, Answer], ask: AskTarget) -> Solver:
    from inspect_ai.model import ChatMessageAssistant, ModelOutput
    from inspect_ai.solver import Generate, TaskState, solver

    @solver(name="ask_once")
    def ask_once() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            answer = await ask(by_id[str(state.sample_id)])
            answers[str(state.sample_id)] = answer
            said = answer.text or ""
            state.messages.append(ChatMessageAssistant(content=said))
            state.output = ModelOutput.from_content(str(state.model), said, error=answer.failure)
            return state

        return solve

    return ask_once()


def _scorer(by_id: dict[str, Question], answers: dict[str, Answer], judge: JudgeAll) -> Scorer:
    from inspect_ai.scorer import Score, Target, mean, scorer
    from inspect_ai.solver import TaskState

    # What Inspect averages is coverage alone: a missing verdict has no number to average.
    @scorer(metrics=[mean()], name="coverage")
    def coverage() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            sample_id = str(state.sample_id)
            verdicts = await judge(by_id[sample_id], answers[sample_id])
            n_scored = sum(verdict.status == "scored" for verdict in verdicts)
            said = {v.judge: v.score.value if v.score else v.status for v in verdicts}
            return Score(
                value=n_scored / len(verdicts), answer=answers[sample_id].text,
                explanation="; ".join(f"{name}: {value}" for name, value in said.items()),
            )  # fmt: skip

        return score

    return coverage()
