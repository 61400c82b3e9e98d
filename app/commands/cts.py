"""Verbs of the ledger of training rows, from import to recall."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.commands.output import AsJson, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
LedgerPath = Annotated[Path, typer.Option("--ledger", help="Directory of the ledger.")]
Desk = Annotated[
    str | None, typer.Option("--store", help="A study database, whose review desk is meant.")
]
DeskStudy = Annotated[
    str | None, typer.Option("--study", help="Which study of it; the only one if none.")
]
Specialty = Annotated[str | None, typer.Option("--specialty", help="Of the rows; all if none.")]
DEFAULT = Path("ledger")


@app.callback()
def cts() -> None:
    """Keep the Clinical Trust Signals of training rows: who said what about each."""


@app.command("import")
def import_(
    rows: Annotated[list[Path], typer.Argument(help="Files of candidate rows.")],
    source: Annotated[str, typer.Option("--source", help="Where they come from.")] = "",
    licence: Annotated[str, typer.Option("--licence", help="Under which licence.")] = "",
    layout: Annotated[
        Literal["jsonl", "alpaca", "sharegpt", "messages"], typer.Option("--layout")
    ] = "jsonl",
    corpus: Annotated[Literal["knowledge", "guard", "ethics"], typer.Option("--corpus")] = (
        "knowledge"
    ),
    specialty: Annotated[str, typer.Option("--specialty")] = "general",
    language: Annotated[str, typer.Option("--language")] = "en",
    generator: Annotated[str, typer.Option("--generator", help="Who or what wrote them.")] = (
        "not stated"
    ),
    ledger: LedgerPath = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take candidate rows in, whole files at a time; a row's own fields go before the options."""
    from model.cts.importing import Origin, import_file
    from model.cts.ledger import create_ledger

    opened = create_ledger(ledger)
    origin = Origin(source, licence, corpus, specialty, language, generator)
    counts = {str(path): import_file(opened, path, layout, origin) for path in rows}
    say(as_json, {"imported": counts, "head": opened.head}, [
        *(f"{n} rows of {path}" for path, n in counts.items()), f"Ledger head {opened.head}"
    ])  # fmt: skip


@app.command()
def reanswer(
    endpoint: Annotated[str, typer.Option("--endpoint", help="Up to and including /v1.")],
    model: Annotated[str, typer.Option("--model", help="Name of the strong model.")],
    ledger: LedgerPath = DEFAULT,
    judge: Annotated[
        str | None,
        typer.Option("--judge", help="Model that says whether answers agree; a rule if none."),
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency")] = 8,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Of a call, in seconds.")] = 120,
    rows: Annotated[int | None, typer.Option("--rows", help="At most so many rows.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a strong model each row again, up to five times; goes on after a kill."""
    from model.cts.ledger import Ledger
    from model.cts.reanswer import reanswer as ask_again
    from model.cts.reanswer import same_by_judge, same_by_rule
    from model.endpoint import Endpoint

    opened = Ledger(ledger)
    with Endpoint(endpoint, timeout_s=timeout_s) as client:
        agree = same_by_judge(client, judge) if judge else same_by_rule
        done = ask_again(opened, client, model, agree=agree, concurrency=concurrency, n_rows=rows)
    say(as_json, asdict(done), [
        f"{done.n_calls} calls about {done.n_rows} rows: {done.n_agreed} agreed, "
        f"{done.n_docketed} missed five times and wait for the panel."
    ])  # fmt: skip


@app.command()
def batch(
    out: Annotated[Path, typer.Option("--out", help="A new file.")],
    specialty: Specialty = None,
    rows: Annotated[int, typer.Option("--rows", help="At most so many.")] = 100,
    docket: Annotated[bool, typer.Option("--docket", help="The panel's docket instead.")] = False,
    store: Desk = None,
    study: DeskStudy = None,
    ledger: LedgerPath = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Write rows that wait for reviews, for the clinician auditors of a specialty.

    With `--store` they are put on the review desk of a study at once.
    """
    from model.cts.ledger import Ledger
    from model.cts.reviews import write_batch

    n = write_batch(Ledger(ledger), out, specialty=specialty, n_rows=rows, docket=docket)
    if store is not None:
        from app.review_desk import put_on_desk

        put_on_desk(store, study, out)
    say(as_json, {"batch": str(out), "rows": n}, [f"{n} rows written to {out}"])


@app.command("take-in")
def take_in(
    reviews: Annotated[
        list[Path] | None, typer.Argument(help="Files of reviews (JSON lines).")
    ] = None,
    store: Desk = None,
    study: DeskStudy = None,
    ledger: LedgerPath = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Take reviews in, whole files at a time; with `--store`, what the desk has that is new."""
    from app.review_desk import Taken, take_from_desk
    from model.cts.ledger import Ledger
    from model.cts.reviews import take_in as take_reviews_in

    opened = Ledger(ledger)
    n = sum(take_reviews_in(opened, path) for path in reviews or [])
    new = take_from_desk(store, study, opened) if store is not None else Taken(0, 0)
    say(as_json, {
        "taken_in": n + new.n_reviews, "verdicts": new.n_verdicts, "head": opened.head,
    }, [f"{n + new.n_reviews} reviews, {new.n_verdicts} verdicts. Head {opened.head}"])  # fmt: skip


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", help="A new directory.")],
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="Vignettes or benchmarks no row may hold."),
    ] = None,
    ledger: LedgerPath = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Build a dataset of the kept rows, split, under one Merkle root; the firewall goes first."""
    from app.resources import shipped
    from model.cts.build import build as build_dataset
    from model.cts.ledger import Ledger

    made = build_dataset(Ledger(ledger), out, against=against or [shipped("vignettes")])
    counts = dict(sorted(made.counts.items()))
    say(as_json, {"dataset": str(out), "merkle_root": made.merkle_root, "outcomes": counts}, [
        *(f"{n:>9,}  {words}" for words, n in counts.items()),
        f"{sum(counts.values()):>9,}  candidates, {made.n_kept:,} of them kept",
        f"Merkle root {made.merkle_root}",
    ])  # fmt: skip


@app.command()
def verify(
    dataset: Annotated[
        Path | None, typer.Argument(help="A dataset that build wrote; the ledger alone if none.")
    ] = None,
    ledger: LedgerPath = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Check the ledger's journal and shards, and a dataset's rows against its root."""
    from model.cts.build import dataset_faults
    from model.cts.ledger import Ledger
    from model.cts.ledger import faults as ledger_faults

    found = list(ledger_faults(Ledger(ledger)))
    if dataset is not None:
        found += dataset_faults(dataset)
    say(as_json, {"faults": found}, found or ["No fault found."])
    raise typer.Exit(1 if found else 0)


@app.command()
def trace(
    row_id: Annotated[str, typer.Argument(help="r_ and 32 digits.")],
    dataset: Annotated[list[Path] | None, typer.Option("--dataset")] = None,
    ledger: LedgerPath = DEFAULT,
) -> None:
    """Show one row's life, from its source to the datasets that hold it."""
    from model.cts.ledger import Ledger
    from model.cts.trace import Index
    from model.cts.trace import trace as trace_row

    life = trace_row(Index(Ledger(ledger)), row_id, dataset or [])
    typer.echo(json.dumps(asdict(life), ensure_ascii=False, indent=2))


@app.command()
def recall(
    row_id: Annotated[str, typer.Argument(help="The row to be recalled.")],
    dataset: Annotated[list[Path], typer.Option("--dataset", help="That build wrote.")],
    export: Annotated[list[Path] | None, typer.Option("--export")] = None,
    training: Annotated[
        list[Path] | None, typer.Option("--training", help="Manifests of training runs.")
    ] = None,
    run: Annotated[list[Path] | None, typer.Option("--run", help="run.json of responses.")] = None,
    as_json: AsJson = False,
) -> None:
    """Name the checkpoints that learned from a row, and the responses they gave."""
    from model.cts.trace import recall as recall_row

    found = list(
        recall_row(
            row_id, datasets=dataset, exports=export or [], trainings=training or [],
            runs=run or [],
        )
    )  # fmt: skip
    say(as_json, {"row_id": row_id, "touched": [asdict(t) for t in found]}, [
        f"{t.checkpoint_sha256[:16]}  {t.manifest}: {len(t.responses)} runs of responses"
        for t in found
    ] or ["No checkpoint of those named learned from this row."])  # fmt: skip


@app.command()
def export(
    dataset: Annotated[Path, typer.Argument(help="A dataset that build wrote.")],
    out: Annotated[Path, typer.Option("--out", help="A new directory.")],
    layout: Annotated[Literal["trl", "swift", "llamafactory"], typer.Option("--layout")] = "trl",
    as_json: AsJson = False,
) -> None:
    """Write a dataset in a trainer's layout, with provenance beside it line for line."""
    from model.cts.export import export as export_dataset

    counts = export_dataset(dataset, out, layout)
    say(as_json, {"out": str(out), "rows": counts}, [f"{n} rows: {s}" for s, n in counts.items()])


@app.command()
def report(
    dataset: Annotated[
        list[Path] | None, typer.Option("--dataset", help="That build wrote, to be reconciled.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A new directory of JSON and CSV.")
    ] = None,
    ledger: LedgerPath = DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Show the way from candidates to kept rows, and how far clinician auditors agree."""
    from app.cts_report import as_json as report_json
    from app.cts_report import as_lines, cts_report, write_report
    from model.cts.ledger import Ledger

    opened = Ledger(ledger)
    found = cts_report(opened, dataset or [])
    if out is not None:
        write_report(found, opened, out)
    say(as_json, report_json(found), as_lines(found))
    raise typer.Exit(1 if found.differences else 0)


@app.command()
def firewall(
    rows: Annotated[list[Path], typer.Argument(help="Training rows (JSON lines), files or more.")],
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against", help="Vignettes or benchmarks; the shipped vignettes by default."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Refuse training rows that hold, or nearly hold, what the model is to be tested with."""
    from app.resources import shipped
    from model.cts.firewall import check
    from model.cts.texts import rows_of

    texts = [row for path in rows for row in rows_of(path)]
    n_texts = check(texts, against or [shipped("vignettes")])
    say(
        as_json,
        {"rows": len(texts), "texts": n_texts, "overlaps": 0},
        [f"{len(texts)} rows share no text with {n_texts} texts: exact, thirteen words, nearly."],
    )
