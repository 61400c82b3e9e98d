"""From a frozen dataset to results, tables, figures and the report."""

from __future__ import annotations

import json
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis.attempts import NotComputed
from analysis.dataset import open_export
from analysis.differences import Differences
from analysis.errors import AnalysisError
from analysis.figures import Drawing, all_figures, titled
from analysis.report import figure_html, report_html, table_html
from analysis.results import Results, compute
from analysis.tables import Table, all_tables, write_csv

SCHEMA = "safemed.results/1"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class AnalysisRun:
    """Where the results lie."""

    directory: Path
    report: Path
    results: Path


def analyze(
    export: Path, out: Path, *, progress: Callable[[str], None] | None = None
) -> AnalysisRun:
    """Compute everything and write it; only `run.json` differs between two runs on one dataset.

    Args:
        export: A frozen dataset.
        out: Directory of the results; made if missing, its own files replaced.
        progress: Told what happens.

    Raises:
        DatasetError: If the dataset cannot be analysed.
        AnalysisError: If the results cannot be written.
    """
    say = progress or (lambda _words: None)
    began, started_at = time.monotonic(), datetime.now(UTC)
    say("verifying the frozen dataset")
    dataset = open_export(export)
    say("computing tests, effect sizes and agreement")
    results = compute(dataset)
    tables, figures = all_tables(results), all_figures(results)
    say("writing tables, figures and the report")
    try:
        for name in ("tables", "figures"):
            (out / name).mkdir(parents=True, exist_ok=True)
        (out / "results.json").write_text(_results_json(results), encoding="utf-8")
        _write_tables(out / "tables", tables)
        _write_figures(out / "figures", figures)
        (out / "report.html").write_text(report_html(results, tables, figures), encoding="utf-8")
        images = _write_images(out / "figures", figures)
        _write_run(out, began, started_at, images)
    except OSError as error:
        raise AnalysisError(f"results could not be written to {out}: {error.strerror}") from error
    say(f"report: {out / 'report.html'}")
    return AnalysisRun(out, out / "report.html", out / "results.json")


def _results_json(results: Results) -> str:
    dataset = results.dataset
    content = {
        "schema": SCHEMA,
        "study_id": dataset.manifest["study_id"],
        "simulated": dataset.manifest["simulated"],
        "simulated_note": dataset.simulated_note,
        "contrast": {"first": dataset.first.id, "second": dataset.second.id},
        "protocol_sha256": dataset.manifest["protocol_sha256"],
        "code_version": dataset.manifest["code_version"],
        "audit_head": dataset.manifest["audit_head"],
        "unblindings": dataset.manifest["unblindings"],
        "tables": {n: t["sha256"] for n, t in dataset.manifest["tables"].items()},
        "rules": dataset.protocol["analysis"],
        "family": dataset.protocol["primary"]["family"],
        "flow": [asdict(arm) for arm in results.flow],
        "dimensions": [_plain(result) for result in results.dimensions],
        "agreement": [_plain(row) for row in results.agreement],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """Frozen results as JSON values; what was not computed keeps its reason."""
    if isinstance(value, Differences):
        return {
            "vignettes": list(value.vignettes),
            "values": value.values.tolist(),
            "first_mean": value.first_mean,
            "second_mean": value.second_mean,
            "excluded": [asdict(gone) for gone in value.excluded],
        }
    if isinstance(value, NotComputed):
        shown = {} if value.value is None else {"value": value.value}
        return {**shown, "not_computed": value.reason}
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


def _write_tables(directory: Path, tables: tuple[Table, ...]) -> None:
    for table in tables:
        write_csv(table, directory / f"{table.name}.csv")
        (directory / f"{table.name}.html").write_text(table_html(table), encoding="utf-8")


def _write_figures(directory: Path, figures: Mapping[str, Drawing]) -> None:
    for name, figure in figures.items():
        (directory / f"{name}.html").write_text(figure_html(figure), encoding="utf-8")


def _write_images(directory: Path, figures: Mapping[str, Drawing]) -> str:
    """Static images where a browser is on the machine; says what became of them."""
    if not any(shutil.which(browser) for browser in BROWSERS):
        return "no static images: there is no Chromium on this machine"
    import plotly.io

    drawn = [titled(figure) for figure in figures.values()]
    files = [directory / f"{name}.png" for name in figures]
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
    packages = ("numpy", "scipy", "plotly", "pyarrow")
    run = {
        "schema": "safemed.analysis-run/1",
        "started_at": started_at.isoformat().replace("+00:00", "Z"),
        "elapsed_s": round(time.monotonic() - began, 3),
        "images": images,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }
    (out / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
