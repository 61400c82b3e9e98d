"""Verbs after a study: export; and `app`, which serves the screens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import DEFAULT_STORE, AsJson, StoreUrl, StudyId, say


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command()(export)
    app.command("app")(app_)


def export(
    out: Annotated[Path, typer.Option("--out", help="Directory of the frozen dataset.")],
    study: StudyId = None,
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Write the frozen dataset of an unblinded study."""
    from app.commands.study import open_named
    from app.resources import code_version
    from study.audit import OPERATOR
    from study.export import export as export_study

    opened, study_id = open_named(store, study)
    export_study(opened, study_id, out, by=OPERATOR, code_version=code_version())
    say(as_json, {"study_id": study_id, "export": str(out)}, [f"Frozen dataset: {out}"])


def app_(
    store: StoreUrl = DEFAULT_STORE,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on.")] = 8501,
) -> None:
    """Serve the screens for residents, raters and investigators."""
    from app.server import serve
    from study.store import create_store

    create_store(store).close()
    serve(store, host=host, port=port)
