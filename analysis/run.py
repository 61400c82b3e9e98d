"""From a frozen dataset to results, tables, figures and the report."""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from analysis.checklists import checklists_md
from analysis.dataset import Dataset, open_export
from analysis.drawing import Drawing, titled
from analysis.errors import AnalysisError
from analysis.figures import all_figures
from analysis.methods import PACKAGES, methods_md
from analysis.ordinal import write_for_r
from analysis.report import figure_html, report_html, table_html
from analysis.results import compute
from analysis.selfcheck import check_tables
from analysis.summary import summary_json
from analysis.table import Table
from analysis.table_files import to_latex, write_csv, write_docx
from analysis.tables import all_tables

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class AnalysisRun:
    """Where the results lie."""

    directory: Path
    report: Path
    summary: Path


def analyze(
    source: Path | Dataset, out: Path, *, progress: Callable[[str], None] | None = None
) -> AnalysisRun:
    """Compute everything and write it; only `run.json` differs between two runs on one dataset.

    Args:
        source: The directory of a frozen dataset, or a dataset.
        out: Directory of the results; made if missing, its own files replaced.
        progress: Told what happens.

    Raises:
        DatasetError: If the dataset cannot be analysed.
        AnalysisError: If a table contradicts itself, or the results cannot be written.
    """
    say = progress or (lambda _words: None)
    began, started_at = time.monotonic(), datetime.now(UTC)
    if isinstance(source, Path):
        say("verifying the frozen dataset")
        dataset = open_export(source)
    else:
        dataset = source
    say("computing tests, effect sizes and agreement")
    results = compute(dataset)
    tables, figures = all_tables(results), all_figures(results)
    check_tables(tables, dataset)
    say("writing tables, figures and the report")
    try:
        for name in ("tables", "figures"):
            (out / name).mkdir(parents=True, exist_ok=True)
        (out / "summary.json").write_text(summary_json(results), encoding="utf-8")
        (out / "methods.md").write_text(methods_md(results), encoding="utf-8")
        (out / "checklists.md").write_text(checklists_md(results), encoding="utf-8")
        write_for_r(dataset, out)
        _write_tables(out / "tables", tables)
        _write_figures(out / "figures", figures)
        (out / "report.html").write_text(report_html(results, tables, figures), encoding="utf-8")
        images = _write_images(out / "figures", figures)
        _write_run(out, began, started_at, images)
    except OSError as error:
        raise AnalysisError(f"results could not be written to {out}: {error.strerror}") from error
    say(f"report: {out / 'report.html'}")
    return AnalysisRun(out, out / "report.html", out / "summary.json")


def _write_tables(directory: Path, tables: tuple[Table, ...]) -> None:
    for table in tables:
        write_csv(table, directory / f"{table.name}.csv")
        (directory / f"{table.name}.html").write_text(table_html(table), encoding="utf-8")
        (directory / f"{table.name}.tex").write_text(to_latex(table), encoding="utf-8")
    write_docx(tables, directory / "tables.docx")


def _write_figures(directory: Path, figures: Mapping[str, Drawing]) -> None:
    for name, figure in figures.items():
        (directory / f"{name}.html").write_text(figure_html(figure), encoding="utf-8")


def _write_images(directory: Path, figures: Mapping[str, Drawing]) -> str:
    """Static images where a browser is on the machine; says what became of them."""
    if not any(shutil.which(browser) for browser in BROWSERS):
        return "no static images: there is no Chromium on this machine"
    import plotly.io

    drawn = [titled(figure) for figure in figures.values()]
    files = [directory / f"{name}.{kind}" for name in figures for kind in ("png", "svg")]
    drawn = [figure for figure in drawn for _ in ("png", "svg")]
    for file in files:
        file.unlink(missing_ok=True)
    try:
        plotly.io.write_images(
            fig=drawn,
            file=[str(file) for file in files],
            width=900,
            height=[figure.layout.height for figure in drawn],
            scale=2,
        )
    except Exception as error:  # a browser that does not start must not cost the report
        return f"no static images: {type(error).__name__}: {error}"
    # The renderer can drop a figure and still return.
    missing = [file.name for file in files if not file.exists()]
    return f"not drawn: {', '.join(missing)}" if missing else "static images written"


def _write_run(out: Path, began: float, started_at: datetime, images: str) -> None:
    run = {
        "schema": "safemed.analysis-run/1",
        "started_at": started_at.isoformat().replace("+00:00", "Z"),
        "elapsed_s": round(time.monotonic() - began, 3),
        "images": images,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }
    (out / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
