"""Putting a safety benchmark to a model and its answers to the judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from model.canonical import file_sha256
from model.endpoint import Sampling
from model.evaluation.answers import Answer
from model.evaluation.asking import Asking
from model.evaluation.evaluate import (
    Benchmark,
    Desk,
    JudgeAll,
    Progress,
    Summary,
    Target,
    describe,
    evaluate,
)
from model.evaluation.samples import Question
from model.safety import policy
from model.safety.judges import (
    NOT_STATED,
    Judge,
    refuse_reward_judges,
    refuse_reward_scale,
    refuse_rule,
    reward_judges,
    rule_verdict,
)
from model.safety.medsafetybench import NAME, files_of, read_medsafetybench
from model.safety.scales import MEDSAFETYBENCH, Scale
from model.safety.verdicts import Verdict, missing, verdict_of

JUDGE_SAMPLING = Sampling(temperature=0.0, max_tokens=1024)
ENSEMBLE = "mean over all judges, where every one gave a score"
OneJudge = Callable[[Question, Answer], Awaitable[Verdict]]


def evaluate_medsafetybench(
    data: Path, target: Target, judges: Sequence[Judge], out: Path, *, split: str = "test",
    trained: Sequence[Path] = (), limit: int | None = None, asking: Asking | None = None,
    progress: Progress | None = None,
) -> Summary:  # fmt: skip
    """Med-Safety-Bench on one model, by several judges.

    Args:
        data: Directory as published.
        target: The model under test.
        judges: Models, or the rule for nano.
        out: Directory of the evaluation; that of a killed run goes on.
        split: `test` or `train`.
        trained: Training manifests of the model; whoever gave a reward there may not judge.
        limit: Only so many of the requests; said in the result's identity.
        asking: Timeout, concurrency, retries.
        progress: Is told one line now and then.

    Raises:
        ItemError: If the data cannot be used.
        JudgeError: If a judge may not grade.
        EvaluationError: If the run cannot start or go on.
    """
    asking = asking or Asking()
    scale = refuse_reward_scale(MEDSAFETYBENCH)
    refuse_rule(judges, target.model)
    refuse_reward_judges(judges, reward_judges(trained))
    questions = read_medsafetybench(data, split=split)[:limit]
    identity = {
        "split": split,
        "limit": limit,
        "data_sha256": {
            str(path.relative_to(data)): file_sha256(path) for path in files_of(data, split)
        },
        "rubric": policy.VERSION,
        "rubric_sha256": policy.rubric_sha256(),
        "ensemble": ENSEMBLE,
        "reward_judges": list(reward_judges(trained)) if trained else NOT_STATED,
        "judges": [_judge_identity(judge, asking) for judge in judges],
    }
    return evaluate(
        Benchmark(NAME, "safety", questions, scale, identity), target, out, asking=asking,
        judging=lambda desk: _judge_all(judges, scale, desk),
        progress=progress,
    )  # fmt: skip


def _judge_identity(judge: Judge, asking: Asking) -> dict[str, Any]:
    if judge.endpoint is None:
        return {"name": judge.name, "weights_sha256": None, "engine": "a rule, no model"}
    served = describe(judge.name, judge.endpoint, asking)
    return {
        "name": judge.name,
        "weights_sha256": served.weights_sha256,
        "engine": served.engine,
        "temperature": JUDGE_SAMPLING.temperature,
        "max_tokens": JUDGE_SAMPLING.max_tokens,
    }


def _judge_all(judges: Sequence[Judge], scale: Scale, desk: Desk) -> JudgeAll:
    each = [_one_judge(judge, scale, desk) for judge in judges]

    async def judge_all(question: Question, answer: Answer) -> Sequence[Verdict]:
        from inspect_ai.util import collect

        return await collect(*(judge(question, answer) for judge in each))

    return judge_all


def _one_judge(judge: Judge, scale: Scale, desk: Desk) -> OneJudge:
    async def by_rule(question: Question, answer: Answer) -> Verdict:
        if answer.text is None:
            return _nothing_to_judge(judge, answer)
        return rule_verdict(answer.text, scale)

    if judge.endpoint is None:
        return by_rule
    model = desk.model(judge.name, judge.endpoint, JUDGE_SAMPLING)

    async def by_model(question: Question, answer: Answer) -> Verdict:
        if answer.text is None:
            return _nothing_to_judge(judge, answer)
        name = f"{question.sample_id} {judge.name}"
        prompt = policy.judge_prompt(question.request, answer.text, secret=desk.secret, name=name)
        said = await desk.ask(model, judge.name, question.sample_id, prompt.text)
        return verdict_of(judge.name, said, code=prompt.code, scale=scale)

    return by_model


def _nothing_to_judge(judge: Judge, answer: Answer) -> Verdict:
    return missing(judge.name, "target_failed", f"{answer.failure}: {answer.detail}")
