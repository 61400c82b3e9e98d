"""Verbs of the statistician: analyze a dataset or a ratings table, and plan a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.errors import InputError
from app.commands.output import AsJson, say

if TYPE_CHECKING:
    from analysis.dataset import Dataset
    from analysis.power import Power


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command()(analyze)
    app.command()(power)


def analyze(
    source: Annotated[
        Path, typer.Argument(help="A frozen dataset (a directory), or a CSV of ratings.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Directory of the results.")],
    protocol: Annotated[
        Path | None, typer.Option("--protocol", help="For a CSV: margin, labels, rules (YAML).")
    ] = None,
    columns: Annotated[
        str | None, typer.Option("--columns", help="For a CSV: vignette=case,score=points,...")
    ] = None,
    model_arm: Annotated[
        str | None, typer.Option("--model-arm", help="For a CSV: the arm that comes first.")
    ] = None,
    human_arm: Annotated[
        str | None, typer.Option("--human-arm", help="For a CSV: the arm that is taken away.")
    ] = None,
    contrast: Annotated[
        list[str] | None,
        typer.Option("--contrast", help="For a CSV: a further pair, first:second."),
    ] = None,
    scale: Annotated[
        str | None, typer.Option("--scale", help="For a CSV: low..high or low..high:step.")
    ] = None,
    lower_is_better: Annotated[
        list[str] | None,
        typer.Option("--lower-is-better", help="For a CSV: a dimension where less is better."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="For a CSV: of the bootstraps; 1 by default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compute the results and write summary, tables, figures, methods and the report.

    A CSV has one row a score with the columns vignette, arm, rater, score, and where there are
    respondent, dimension, repeat, position, duration.
    """
    from analysis.run import analyze as analyze_source

    asked = {
        "--protocol": protocol, "--columns": columns, "--model-arm": model_arm,
        "--human-arm": human_arm, "--contrast": contrast, "--scale": scale,
        "--lower-is-better": lower_is_better, "--seed": seed,
    }  # fmt: skip
    run = analyze_source(_source(source, asked), out)
    say(
        as_json,
        {"report": str(run.report), "summary": str(run.summary)},
        [f"Report: {run.report}", f"Every number: {run.summary}"],
    )


def _source(source: Path, asked: dict[str, Any]) -> Path | Dataset:
    """A frozen dataset as it is, or the table that a CSV holds."""
    if not source.is_dir():
        return _ratings(source, asked)
    given = [name for name, value in asked.items() if value is not None]
    if given:
        raise InputError(
            f"{', '.join(given)}: a frozen dataset is analysed by its registered protocol; these "
            "are for a CSV"
        )
    return source


def _ratings(source: Path, asked: dict[str, Any]) -> Dataset:
    from analysis.dataset import from_ratings
    from analysis.external import Scale

    protocol = _protocol(asked["--protocol"])
    if asked["--seed"] is not None:
        protocol["analysis"] = {**protocol.get("analysis", {}), "seed": asked["--seed"]}
    low, high, step = _scale(asked["--scale"])
    return from_ratings(
        source,
        columns=_columns(asked["--columns"]),
        first=asked["--model-arm"],
        second=asked["--human-arm"],
        contrasts=[_pair(words) for words in asked["--contrast"] or []],
        protocol=protocol,
        scale=Scale(low, high, step, tuple(asked["--lower-is-better"] or ())),
    )


def _protocol(path: Path | None) -> dict[str, Any]:
    import yaml

    if path is None:
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no mapping; see the protocol fields in docs/contracts.md")
    return content


def _columns(words: str | None) -> dict[str, str]:
    if not words:
        return {}
    pairs = [pair.partition("=") for pair in words.split(",")]
    bad = ["".join(pair) for pair in pairs if not (pair[0].strip() and pair[2].strip())]
    if bad:
        raise InputError(f"--columns holds {bad[0]!r}; write meaning=name, such as score=points")
    return {meaning.strip(): name.strip() for meaning, _, name in pairs}


def _pair(words: str) -> tuple[str, str]:
    first, colon, second = words.partition(":")
    if not (first and colon and second):
        raise InputError(f"--contrast holds {words!r}; write first:second")
    return first, second


def _scale(words: str | None) -> tuple[float, float, float]:
    if words is None:
        return 1, 5, 1
    ends, _, step = words.partition(":")
    low, dots, high = ends.partition("..")
    try:
        found = float(low), float(high), float(step or 1)
    except ValueError as error:
        raise InputError(f"--scale holds {words!r}; write 1..5 or 1..5:0.5") from error
    if not dots or found[0] >= found[1] or found[2] <= 0:
        raise InputError(f"--scale holds {words!r}; write 1..5 or 1..5:0.5")
    return found


def power(
    margin: Annotated[
        float, typer.Option("--margin", help="Rubric points; what would be a difference at all.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory for power.csv and power.html.")
    ] = None,
    vignettes: Annotated[str, typer.Option("--vignettes", help="Numbers to try.")] = "20,30,40,60",
    residents: Annotated[str, typer.Option("--residents", help="Numbers to try.")] = "5,10,20",
    raters: Annotated[str, typer.Option("--raters", help="Numbers to try.")] = "3",
    effect: Annotated[
        float, typer.Option("--effect", help="True difference, rubric points, before rounding.")
    ] = 0.4,
    family: Annotated[int, typer.Option("--family", help="Dimensions in the family.")] = 4,
    n_studies: Annotated[int, typer.Option("--studies", help="Simulated studies a size.")] = 2_000,
    seed: Annotated[int, typer.Option("--seed", help="Of the simulation.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Plan a study: the chance to show superiority, non-inferiority and equivalence by its size."""
    from dataclasses import asdict

    from analysis.power import simulate

    try:
        cells = simulate(
            n_vignettes=_numbers("--vignettes", vignettes),
            n_residents=_numbers("--residents", residents),
            n_raters=_numbers("--raters", raters),
            effect=effect, margin=margin, seed=seed, n_family=family, n_studies=n_studies,
        )  # fmt: skip
    except ValueError as error:
        raise InputError(str(error)) from error
    if out is not None:
        _write_power(cells, out)
    head = f"{'vignettes':>9} {'residents':>9} {'raters':>6}  superior  non-inferior  equivalent"
    say(
        as_json,
        {"margin": margin, "seed": seed, "sizes": [asdict(cell) for cell in cells]},
        [head, *(_line(cell) for cell in cells)],
    )


def _line(cell: Power) -> str:
    return (
        f"{cell.n_vignettes:>9} {cell.n_residents:>9} {cell.n_raters:>6}  "
        f"{cell.superiority:>8.0%}  {cell.noninferiority:>12.0%}  {cell.equivalence:>10.0%}"
    )


def _numbers(name: str, words: str) -> list[int]:
    try:
        return [int(word) for word in words.split(",")]
    except ValueError as error:
        raise InputError(f"{name} holds {words!r}; write numbers with commas, 20,30") from error


def _write_power(cells: tuple[Power, ...], out: Path) -> None:
    import csv
    from dataclasses import asdict

    from analysis.figures_power import power_curves
    from analysis.report import figure_html

    out.mkdir(parents=True, exist_ok=True)
    with (out / "power.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(asdict(cells[0])), lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(cell) for cell in cells)
    (out / "power.html").write_text(figure_html(power_curves(cells)), encoding="utf-8")
