"""The verb `simulate`: scripted people run a protocol before anybody real does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import AsJson, say
from app.commands.study import FactsPath, ProtocolPath, VignettesPath


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(simulate)


def simulate(
    protocol: ProtocolPath,
    out: Annotated[Path, typer.Option("--out", help="A new or empty directory.")],
    vignettes: VignettesPath = None,
    facts: FactsPath = None,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same tables.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Run a protocol with scripted people and nano, to its report, before launch.

    Everything it writes is marked simulated. It shows whether the protocol can be walked to its
    end and what its tables will look like; its scores are planted and say nothing.
    """
    from app.commands.demo import Progress
    from app.demo.run import summary_of
    from app.demo.study_run import lay_ground, run_whole_study
    from app.vignettes import checked_study
    from study.clock import SteppingClock
    from study.errors import StudyError
    from study.randomness import SeededSource
    from study.store import create_store

    loaded, at_hand, _ = checked_study(protocol, vignettes, facts)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudyError(f"{out} is not an empty directory; name a new one with --out")
    out.mkdir(parents=True, exist_ok=True)
    store = create_store(out / "study.db", clock=SteppingClock(), source=SeededSource(seed))
    progress = Progress(is_silent=as_json)
    run_whole_study(lay_ground(store, out, seed=seed, progress=progress, vignettes=at_hand), loaded)
    store.close()
    found = summary_of(out)
    say(as_json, found.as_json(), [
        f"{found.n_vignettes} vignettes, {found.n_respondents} respondents, "
        f"{found.n_responses} responses, {found.n_ratings} ratings, all simulated",
        f"Frozen dataset  {found.export}",
        f"Report          {found.report}",
    ])  # fmt: skip
