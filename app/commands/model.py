"""Verbs of the model: sft, measure, serve, respond."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from app.commands.errors import InputError
from app.commands.output import AsJson, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
SigningKey = Annotated[
    Path,
    typer.Option(
        "--signing-key", envvar="SAFEMED_SIGNING_KEY",
        help="File of the private key that signs the manifest; made at first use.",
    ),
]  # fmt: skip
KEY = Path("safemed-signing.key")


@app.command()
def sft(
    run: Annotated[Path, typer.Argument(help="The run's TOML.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of the checkpoint.")],
    signing_key: SigningKey = KEY,
    as_json: AsJson = False,
) -> None:
    """Fine-tune (or train from scratch) on prompt and completion rows."""
    from model.signing import signer_at
    from model.train.processes import is_first
    from model.train.sft import sft as train

    signer = signer_at(signing_key)
    train(run, out=out, progress=None if as_json else typer.echo, signer=signer)
    if not is_first():
        return
    say(
        as_json,
        {"checkpoint": str(out), "public_key": signer.public_key},
        [f"Checkpoint: {out}", f"Signed by {signer.public_key}"],
    )


@app.command()
def grpo(
    run: Annotated[Path, typer.Argument(help="Recipe (TOML).")],
    out: Annotated[Path, typer.Option("--out", help="A new directory, or a killed run's.")],
    signing_key: SigningKey = KEY,
    as_json: AsJson = False,
) -> None:
    """Train a checkpoint against red-team prompts and their benign twins; keep the best."""
    from model.signing import signer_at
    from model.train.grpo import grpo as train
    from model.train.processes import is_first

    signer = signer_at(signing_key)
    checkpoint = train(run, out=out, progress=None if as_json else typer.echo, signer=signer)
    if not is_first():
        return
    say(
        as_json,
        {"checkpoint": str(checkpoint), "public_key": signer.public_key},
        [f"Checkpoint: {checkpoint}", f"Signed by {signer.public_key}"],
    )


@app.command()
def plan(
    run: Annotated[Path, typer.Argument(help="Recipe (TOML) with [hardware].")],
    as_json: AsJson = False,
) -> None:
    """Say what a run will need, before anyone rents a machine: memory, tokens, hours, launch."""
    from dataclasses import asdict

    from model.train.plan import as_text
    from model.train.plan import plan as plan_run

    found = plan_run(run)
    say(as_json, asdict(found), as_text(found))
    raise typer.Exit(0 if found.fits else 1)


@app.command()
def ablate(
    ablation: Annotated[Path, typer.Argument(help="Recipe, conditions and seeds (TOML).")],
    out: Annotated[Path, typer.Option("--out", help="A new directory, or a killed ablation's.")],
    as_json: AsJson = False,
) -> None:
    """Train with something left out, several seeds each, and show what that costs."""
    import json

    from analysis.summary import plain
    from app.ablation_table import ablation_rows, ablation_table
    from model.train.ablation import ablate as train_all
    from model.train.ablation import results

    read, runs = train_all(ablation, out=out, progress=None if as_json else typer.echo)
    rows = ablation_rows(runs)
    written = {**results(read, runs), "table": plain(rows)}
    table = ablation_table(rows)
    (out / "results.json").write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    (out / "table.md").write_text(table + "\n", encoding="utf-8")
    say(as_json, written, ["", table])


@app.command()
def measure(
    rows: Annotated[Path, typer.Argument(help="Measuring rows (JSON lines).")],
    out: Annotated[Path, typer.Option("--out", help="File of the counts (JSON).")],
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="Directory; the shipped nano by default.")
    ] = None,
    threads: Annotated[int, typer.Option("--threads", help="Processor threads.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Count how often a checkpoint decides as held-out rows do, by kind of fact."""
    from app.decisions import decision_table
    from app.resources import shipped
    from model.train.decisions import count_decisions, write_decisions

    directory = checkpoint or shipped("nano", "checkpoint")
    found = count_decisions(
        directory, rows, threads=threads, progress=None if as_json else typer.echo
    )
    write_decisions(found, out, checkpoint=directory, rows_path=rows)
    say(as_json, {"decisions": str(out)}, [decision_table([out])])


@app.command()
def serve(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Directory of a checkpoint, or a known name; the shipped nano if none."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", help="embedded, vllm, or the URL of an endpoint with /v1.")
    ] = "embedded",
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8000,
    threads: Annotated[int, typer.Option("--threads", help="Processor threads.")] = 2,
    vllm_python: Annotated[
        str | None,
        typer.Option(
            "--vllm-python", envvar="SAFEMED_VLLM_PYTHON", help="Python of vLLM's environment."
        ),
    ] = None,
    tensor_parallel: Annotated[
        int | None, typer.Option("--tensor-parallel", help="GPUs to spread the model over.")
    ] = None,
    context: Annotated[
        int | None, typer.Option("--context", help="Tokens of prompt and answer, for vLLM.")
    ] = None,
    log: Annotated[Path, typer.Option("--log", help="Where vLLM's log goes.")] = Path("vllm.log"),
) -> None:
    """Serve a model behind one OpenAI-compatible endpoint, whichever engine writes."""
    from app.resources import shipped
    from model.serve.known import KNOWN
    from model.serve.listening import Place
    from model.serve.server import needs, serve_url
    from model.serve.server import serve as serve_embedded

    name, place = model or str(shipped("nano", "checkpoint")), Place(host, port)
    if engine.startswith(("http://", "https://")):
        serve_url(_named(model), engine, place)
    elif engine == "vllm":
        from model.serve.vllm_server import VllmOptions, serve_vllm

        options = VllmOptions(vllm_python, tensor_parallel, context, threads, log)
        serve_vllm(name, place, options)
    elif engine != "embedded":
        raise InputError(f"--engine is {engine!r}; it is embedded, vllm or an http address")
    elif name in KNOWN:
        needs(KNOWN[name])
    else:
        serve_embedded(Path(name), host=host, port=port, threads=threads)


def _named(model: str | None) -> str:
    if model is None:
        raise InputError("MODEL is missing: an endpoint by URL serves what it lists; name one")
    return model


@app.command()
def respond(
    tasks: Annotated[Path, typer.Argument(help="Directory that `safemed tasks` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of the responses.")],
    endpoint: Annotated[str, typer.Option("--endpoint", help="Up to and including /v1.")],
    model: Annotated[str, typer.Option("--model", help="Name of the served model.")],
    temperature: Annotated[float, typer.Option("--temperature")] = 0.0,
    top_p: Annotated[float, typer.Option("--top-p")] = 1.0,
    max_tokens: Annotated[int, typer.Option("--max-tokens")] = 512,
    seed: Annotated[int | None, typer.Option("--seed")] = None,
    samples: Annotated[int, typer.Option("--samples", help="Of each task.")] = 1,
    pick: Annotated[
        Literal["first", "seeded"],
        typer.Option("--pick", help="Which sample is the response: the first, or by the seed."),
    ] = "first",
    concurrency: Annotated[int, typer.Option("--concurrency")] = 4,
    timeout_s: Annotated[float, typer.Option("--timeout-s")] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Ask a served model every task; failures are recorded, never turned into text."""
    from model.respond import Sampling
    from model.respond import respond as ask

    summary = ask(
        tasks, out, endpoint=endpoint, model=model,
        sampling=Sampling(
            temperature=temperature, top_p=top_p, max_tokens=max_tokens, seed=seed,
            n_samples=samples, pick=pick,
        ),
        concurrency=concurrency, timeout_s=timeout_s,
        progress=None if as_json else typer.echo,
    )  # fmt: skip
    say(
        as_json,
        {"responses": str(out), "n_completed": summary.n_completed, "n_failed": summary.n_failed},
        [f"{summary.n_completed} completed, {summary.n_failed} failed: {out}"],
    )
