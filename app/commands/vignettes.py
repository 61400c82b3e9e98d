"""Verbs of a set of vignettes: coverage, sheets, marking, review, awaiting, rubric."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.output import AsJson, say

if TYPE_CHECKING:
    from study.vignette import Vignette

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

VignettesPath = Annotated[
    Path | None,
    typer.Option("--vignettes", help="Directory of vignettes; the shipped ones by default."),
]
ReadingsPath = Annotated[
    Path | None,
    typer.Option("--readings", help="Directory of readings; the shipped ones by default."),
]
Into = Annotated[
    Path | None,
    typer.Option("--into", help="Markdown file between whose marks the tables are written."),
]


@app.command()
def coverage(vignettes: VignettesPath = None, into: Into = None) -> None:
    """Say what a set of vignettes covers: categories, texts, decoys, sources."""
    from study.coverage import coverage as tables

    _print_or_write(tables(list(_load(vignettes).values())), "coverage", into)


@app.command()
def sheets(
    out: Annotated[Path, typer.Argument(help="New directory for what a reader may see.")],
    reader: Annotated[str, typer.Option("--reader", help="Short name of the reader, such as A.")],
    vignettes: VignettesPath = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="A vignette id; all by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the texts for an independent reader, without the key, and a file for the answers."""
    from study.readings import write_sheets

    chosen = [v for name, v in _load(vignettes).items() if not only or name in only]
    path = write_sheets(chosen, out, reader=reader)
    say(
        as_json,
        {"sheets": len(chosen), "reading": str(path)},
        [f"{len(chosen)} sheets in {out}; the answers go into {path}."],
    )


@app.command()
def marking(
    reading: Annotated[Path, typer.Argument(help="A reading that was filled in.")],
    out: Annotated[Path, typer.Argument(help="New file for the marks.")],
    vignettes: VignettesPath = None,
    as_json: AsJson = False,
) -> None:
    """Write a marks file with every key point undecided, for whoever holds the key."""
    from study.readings import load_reading, write_marking_sheet

    write_marking_sheet(load_reading(reading), _load(vignettes), out)
    say(as_json, {"marks": str(out)}, [f"Mark each key point true or false in {out}."])


@app.command()
def review(
    vignettes: VignettesPath = None, readings: ReadingsPath = None, into: Into = None
) -> None:
    """Compare two readings or more with the key; status 1 while a vignette is unsettled."""
    from app.resources import shipped
    from study.reading_report import review as tables
    from study.reading_report import unsettled
    from study.readings import load_readings

    at_hand = _load(vignettes)
    known = load_readings(readings or shipped("readings"))
    _print_or_write(tables(at_hand, known), "review", into)
    open_ones = unsettled(at_hand, known)
    for sentence in open_ones:
        typer.echo(sentence, err=True)
    raise typer.Exit(1 if open_ones else 0)


@app.command()
def awaiting(vignettes: VignettesPath = None, into: Into = None, as_json: AsJson = False) -> None:
    """List every reference of a key that a clinician has still to read in its source."""
    from study.reading_report import awaiting_clinician, unread_references

    at_hand = _load(vignettes)
    if as_json:
        say(True, {"awaiting": unread_references(at_hand)}, [])
    else:
        _print_or_write(awaiting_clinician(at_hand), "awaiting", into)


@app.command()
def rubric(
    protocol: Annotated[Path, typer.Argument(help="Protocol whose dimensions are practised.")],
    calibration: Annotated[
        Path | None,
        typer.Option("--calibration", help="Directory of calibration; the shipped by default."),
    ] = None,
    into: Into = None,
) -> None:
    """Write the rubric with an example for every score, and the scored calibration responses."""
    from app.resources import shipped
    from study.calibration import load_calibration, rubric_tables
    from study.protocol import load_protocol

    loaded = load_protocol(protocol)
    practised, _ = load_calibration(calibration or shipped("calibration"), loaded)
    _print_or_write(rubric_tables(practised, loaded), "rubric", into)


def _load(directory: Path | None) -> dict[str, Vignette]:
    from app.resources import shipped
    from study.vignette import load_vignettes

    return load_vignettes(directory or shipped("vignettes"))


def _print_or_write(tables: str, name: str, into: Path | None) -> None:
    from app.generated import replace_generated

    if into is None:
        typer.echo(tables)
    else:
        replace_generated(into, name, tables)
        typer.echo(f"Written into {into}.")
