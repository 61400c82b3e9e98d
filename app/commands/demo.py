"""The verb `demo`: a whole study on this machine, then the app."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import AsJson, entry_link, say


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", help="Directory of the demonstration.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same tables.")] = 7,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the app after.")] = True,
    port: Annotated[int, typer.Option("--port", help="Port of the app.")] = 8501,
    as_json: AsJson = False,
) -> None:
    """Run a whole simulated study, write its report, and serve studies waiting for you."""
    from app.demo.run import database, prepare_waiting, run_demo

    if serve:
        _check_port(port)
    progress = Progress(is_silent=as_json)
    result = run_demo(out, seed=seed, progress=progress)
    say(
        as_json,
        result.as_json(),
        [
            "",
            f"{result.n_vignettes} vignettes, {result.n_respondents} respondents, "
            f"{result.n_responses} responses, {result.n_failed_generations} failed generations, "
            f"{result.n_ratings} ratings (simulated)",
            f"Frozen dataset  {result.export}",
            f"Report          {result.report}",
        ],
    )
    if not serve:
        return
    links = prepare_waiting(out, seed=seed, progress=progress)
    base = f"http://127.0.0.1:{port}"
    typer.echo(
        "\n".join(
            [
                "",
                "Links, each good once (afterwards the return code you are given signs you in):",
                f"  answer as a resident   {entry_link(base, links.resident)}",
                f"  rate as a rater        {entry_link(base, links.rater)}",
                f"  walk every role        {entry_link(base, links.tryout)}",
                f"  the finished study     {entry_link(base, links.investigator)}",
                "",
                f"Serving {base}; Ctrl-C ends it.",
            ]
        ),
        err=as_json,
    )
    from app.server import serve as serve_app

    serve_app(str(database(out)), host="127.0.0.1", port=port)


def _check_port(port: int) -> None:
    """Refuse a busy port before minutes of work, not after."""
    from app.server import require_free_port

    require_free_port("127.0.0.1", port)


class Progress:
    """Progress lines with the seconds since the start; none when JSON is printed."""

    def __init__(self, *, is_silent: bool) -> None:
        self.began = time.monotonic()
        self.is_silent = is_silent

    def __call__(self, words: str) -> None:
        """Print one line."""
        if not self.is_silent:
            typer.echo(f"{time.monotonic() - self.began:6.1f} s  {words}")
