"""The `safemed` command: verbs for the study, groups for the model."""

from __future__ import annotations

import sys

import typer

from app.commands import (
    analysis,
    bundle,
    cts,
    demo,
    evaluate,
    exporting,
    importing,
    init,
    model,
    results,
    simulate,
    study,
    trace,
    vignettes,
)

app = typer.Typer(
    name="safemed",
    help="Blinded human-against-model clinical studies, from protocol to publication table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
init.add_to(app)
study.add_to(app)
simulate.add_to(app)
results.add_to(app)
exporting.add_to(app)
app.add_typer(
    importing.app, name="import", help="Take plain tables in: answers or ratings from elsewhere."
)
bundle.add_to(app)
analysis.add_to(app)
trace.add_to(app)
demo.add_to(app)
app.add_typer(
    vignettes.app, name="vignettes", help="Cover, hand out, mark and review a set of vignettes."
)
app.add_typer(cts.app, name="cts", help="Guard the training rows.")
app.add_typer(evaluate.app, name="eval", help="Put benchmarks to a model; report and compare.")
app.add_typer(model.app, name="model", help="Train, serve and ask a model.")


INTERRUPTED = 130
"""Exit status after Ctrl-C; typer turns the signal into it, wherever it catches it."""


def main() -> None:
    """Run the command; a fault of the input is one clear message and exit status 2."""
    from app.commands.errors import message_of

    try:
        app()
    except KeyboardInterrupt:
        _say_stopped()
        sys.exit(INTERRUPTED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _say_stopped()
        raise
    except Exception as error:
        words = message_of(error)
        if words is None:
            raise
        print(f"safemed: {words}", file=sys.stderr)
        sys.exit(2)


def _say_stopped() -> None:
    print("Stopped. Nothing was damaged; the same command goes on.", file=sys.stderr)
