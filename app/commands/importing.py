"""The group `import`: answers and ratings gathered on paper or with another tool."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import DEFAULT_STORE, AsJson, StoreUrl, StudyId, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Table = Annotated[
    Path, typer.Argument(help="CSV, UTF-8, with a header; docs/contracts.md lists the columns.")
]


@app.command()
def answers(
    file: Table,
    study: StudyId = None,
    enrol: Annotated[
        bool,
        typer.Option(
            "--enrol",
            help="Make respondents whom the study does not know, under random pseudonyms; their "
            "consent is on paper.",
        ),
    ] = False,
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Take clinicians' answers in while answering is open, all or none.

    Every fault is named with its row, column and remedy, and nothing is kept of a file that has
    one. What comes in is marked as imported in the audit.
    """
    from app.commands.study import open_named
    from study.audit import OPERATOR
    from study.exports.answers_in import import_responses

    opened, study_id = open_named(store, study)
    done = import_responses(opened, study_id, file, by=OPERATOR, enrol=enrol)
    lines = [f"Imported {done.n_responses} answers."]
    if done.enrolled:
        lines.append("Write down who is who; nothing else keeps it:")
        lines += [f"  {name} is {person_id}" for name, person_id in done.enrolled.items()]
    say(
        as_json,
        {"study_id": study_id, "n_responses": done.n_responses, "enrolled": dict(done.enrolled)},
        lines,
    )


@app.command()
def ratings(
    file: Table,
    study: StudyId = None,
    store: StoreUrl = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Take ratings of masked responses in while rating is open, all or none.

    Raters and blinding codes are the study's own. Every fault is named with its row, column and
    remedy, and nothing is kept of a file that has one.
    """
    from app.commands.study import open_named
    from study.audit import OPERATOR
    from study.exports.ratings_in import import_ratings

    opened, study_id = open_named(store, study)
    count = import_ratings(opened, study_id, file, by=OPERATOR)
    say(as_json, {"study_id": study_id, "n_ratings": count}, [f"Imported {count} ratings."])
