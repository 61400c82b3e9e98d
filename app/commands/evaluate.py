"""Verbs of evaluation: put benchmarks to a served model, report and compare what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.commands.errors import InputError
from app.commands.output import AsJson, say

if TYPE_CHECKING:
    from model.evaluation.asking import Asking
    from model.evaluation.evaluate import Summary, Target

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Out = Annotated[Path, typer.Option("--out", help="A new directory, or a killed run's.")]
EndpointUrl = Annotated[str | None, typer.Option("--endpoint", help="Up to and including /v1.")]
Model = Annotated[str | None, typer.Option("--model", help="Name of the served model.")]
Temperature = Annotated[float, typer.Option("--temperature")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", help="Of an answer.")]
SampleSeed = Annotated[int | None, typer.Option("--sampling-seed", help="Sent with each request.")]
Limit = Annotated[int | None, typer.Option("--limit", help="Only so many items; said in reports.")]
Concurrency = Annotated[int, typer.Option("--concurrency", help="Calls under way, a model.")]
Timeout = Annotated[float, typer.Option("--timeout-s", help="Of one attempt at a call.")]
Retries = Annotated[int, typer.Option("--retries", help="Of a call that got no reply.")]
Resamples = Annotated[int, typer.Option("--resamples", help="Of the bootstrapped intervals.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the bootstrapped intervals.")]
Layout = Literal["medqa", "cmexam", "cmb", "pediabench", "jsonl"]


@app.command()
def exams(
    data: Annotated[Path, typer.Argument(help="File of items, or with --rescore a finished run.")],
    out: Out,
    layout: Annotated[Layout, typer.Option("--layout", help="Of the file.")] = "jsonl",
    endpoint: EndpointUrl = None,
    model: Model = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the exam in results.")] = None,
    track: Annotated[
        str | None, typer.Option("--track", help="Of CMB-Exam: physician, pharmacist, nurse.")
    ] = None,
    orders: Annotated[
        int, typer.Option("--orders", help="How often an item is shown, its options reordered.")
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Of the orders.")] = 0,
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Score stored answers again; asks no model.")
    ] = False,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 2048,
    sampling_seed: SampleSeed = None,
    limit: Limit = None,
    concurrency: Concurrency = 8,
    timeout_s: Timeout = 300.0,
    retries: Retries = 3,
    as_json: AsJson = False,
) -> None:
    """Put a multiple-choice exam to a model, its options in one order or several."""
    from model.exams.grading import evaluate_exam
    from model.exams.grading import rescore as score_again
    from model.exams.layouts import read_exam

    if rescore:
        counts = score_again(data, out)
        say(as_json, {"evaluation": str(out), **counts}, [
            f"{counts['n_scored']} of {counts['n_verdicts']} answers have a choice: {out}"
        ])  # fmt: skip
        return
    exam = read_exam(data, layout, name=name, track=track)
    done = evaluate_exam(
        exam, _target(model, endpoint, temperature, max_tokens, sampling_seed), out,
        n_orders=orders, seed=seed, limit=limit, asking=_asking(concurrency, timeout_s, retries),
        progress=None if as_json else typer.echo,
    )  # fmt: skip
    _say_done(as_json, done)


@app.command()
def medsafetybench(
    data: Annotated[Path, typer.Argument(help="Directory with train and test, as published.")],
    out: Out,
    judge: Annotated[
        list[str], typer.Option("--judge", help="MODEL@ENDPOINT, or rule:nano-decision/1; repeat.")
    ],
    endpoint: EndpointUrl = None,
    model: Model = None,
    split: Annotated[Literal["test", "train"], typer.Option("--split")] = "test",
    trained: Annotated[
        list[Path] | None,
        typer.Option("--trained", help="manifest.json of each training run of the model; repeat."),
    ] = None,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 512,
    sampling_seed: SampleSeed = None,
    limit: Limit = None,
    concurrency: Concurrency = 8,
    timeout_s: Timeout = 300.0,
    retries: Retries = 3,
    as_json: AsJson = False,
) -> None:
    """Put Med-Safety-Bench's harmful requests to a model and its answers to several judges."""
    from model.safety.grading import evaluate_medsafetybench
    from model.safety.judges import read_judges

    done = evaluate_medsafetybench(
        data, _target(model, endpoint, temperature, max_tokens, sampling_seed), read_judges(judge),
        out, split=split, trained=trained or (), limit=limit,
        asking=_asking(concurrency, timeout_s, retries),
        progress=None if as_json else typer.echo,
    )  # fmt: skip
    _say_done(as_json, done)


@app.command()
def report(
    evaluations: Annotated[list[Path], typer.Argument(help="Directories of finished evaluations.")],
    people: Annotated[
        Path | None,
        typer.Option("--people", help="CSV of people's scores: sample_id, rater, score."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A new file of results (JSON).")] = None,
    resamples: Resamples = 2000,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Report evaluations: scores with intervals, coverage, agreement, and what is missing."""
    from analysis.evaluation import read_evaluation
    from app.evaluation import overall_of, report_of

    if people is not None and len(evaluations) != 1:
        raise InputError("--people belongs to one evaluation; name it alone")
    found = [
        report_of(read_evaluation(path), people, n_resamples=resamples, seed=seed)
        for path in evaluations
    ]
    together = overall_of(found)
    values = {
        "evaluations": [each.values for each in found],
        "overall": together.values if together else None,
    }
    lines = [line for each in found for line in (*each.lines, "")]
    _say_results(as_json, out, values, lines + (together.lines if together else []))


@app.command()
def compare(
    first: Annotated[list[Path], typer.Option("--first", help="Evaluations of one model; repeat.")],
    second: Annotated[
        list[Path], typer.Option("--second", help="Of the other, in the same order; repeat.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="A new file of results (JSON).")] = None,
    resamples: Resamples = 2000,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Compare two models on the same items: differences with intervals, exact tests, Holm."""
    from analysis.evaluation import read_evaluation
    from app.evaluation import comparison_of

    if len(first) != len(second):
        raise InputError(f"--first names {len(first)} evaluations and --second {len(second)}")
    pairs = [(read_evaluation(a), read_evaluation(b)) for a, b in zip(first, second, strict=True)]
    found = comparison_of(pairs, n_resamples=resamples, seed=seed)
    _say_results(as_json, out, found.values, found.lines)


def _target(
    model: str | None, endpoint: str | None, temperature: float, max_tokens: int, seed: int | None
) -> Target:
    from model.endpoint import Sampling
    from model.evaluation.evaluate import Target

    if not model or not endpoint:
        raise InputError("name the model under test with --model and --endpoint")
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed)
    return Target(model, endpoint.rstrip("/"), sampling)


def _asking(concurrency: int, timeout_s: float, retries: int) -> Asking:
    from model.evaluation.asking import Asking

    return Asking(timeout_s, concurrency, retries)


def _say_done(as_json: bool, done: Summary) -> None:
    counts = {
        "n_samples": done.n_samples, "n_answered": done.n_answered,
        "n_verdicts": done.n_verdicts, "n_scored": done.n_scored,
        "n_calls": done.n_calls, "n_resumed": done.n_resumed,
    }  # fmt: skip
    say(as_json, {"evaluation": str(done.directory), **counts}, [
        f"{done.n_answered} of {done.n_samples} answered, {done.n_scored} of {done.n_verdicts} "
        f"verdicts have a score: {done.directory}",
        f"safemed eval report {done.directory}",
    ])  # fmt: skip


def _say_results(
    as_json: bool, out: Path | None, values: dict[str, object], lines: list[str]
) -> None:
    if out is not None:
        if out.exists():
            raise InputError(f"{out} exists and is left as it is; name another file")
        text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
        out.write_text(text, encoding="utf-8")
    say(as_json, values, lines)
