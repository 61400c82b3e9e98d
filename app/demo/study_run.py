"""One whole simulated study: from the protocol to the report."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.demo.endpoint import served_model
from app.resources import code_version, shipped
from app.simulate.people import (
    SIMULATOR,
    answer_all,
    decide_all,
    join_as,
    join_raters,
    join_residents,
    rate_all,
)
from app.simulate.settings import SimulationSettings, load_settings
from app.vignettes import practice_for
from study.approvals import APPROVED, approve
from study.disputes import put_to_adjudicators
from study.lifecycle import Verb, take_step
from study.people import Person
from study.protocol import Protocol, load_protocol
from study.registration import Kind, register
from study.store import Store
from study.take_in import take_in
from study.tasks import write_tasks
from study.vignette import Vignette, load_vignettes

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a demonstration study stands on."""

    store: Store
    directory: Path
    vignettes: dict[str, Vignette]
    settings: SimulationSettings
    seed: int
    progress: Progress


def lay_ground(
    store: Store, directory: Path, *, seed: int, progress: Progress,
    vignettes: dict[str, Vignette] | None = None,
) -> Ground:  # fmt: skip
    """Load what ships and is common to every demonstration study; the shipped vignettes if none."""
    return Ground(
        store=store,
        directory=directory,
        vignettes=vignettes or load_vignettes(shipped("vignettes")),
        settings=load_settings(shipped("simulation", "default.yaml")),
        seed=seed,
        progress=progress,
    )


def shipped_protocol(name: str, ground: Ground) -> Protocol:
    """A protocol that ships, checked against the vignettes at hand."""
    return load_protocol(
        shipped("protocols", f"{name}.yaml"), vignettes_present=set(ground.vignettes)
    )


def begin_study(ground: Ground, protocol: Protocol, *, kind: Kind = "study") -> str:
    """Register a study and open answering."""
    study_id = register(
        ground.store, protocol, ground.vignettes, by=SIMULATOR, kind=kind,
        practice=practice_for(protocol),
    )  # fmt: skip
    take_step(ground.store, study_id, "open", by=SIMULATOR, invite=False)
    ground.progress(f"registered and opened: {protocol.title}")
    return study_id


def answer_by_people(ground: Ground, study_id: str) -> None:
    """Scripted residents answer every vignette."""
    residents = join_residents(ground.store, study_id)
    answer_all(ground.store, study_id, residents, seed=ground.seed, progress=ground.progress)


def answer_by_model(ground: Ground, study_id: str, *, name: str, arm: str = "model") -> Path:
    """The shipped nano model answers the same tasks through an endpoint; returns the responses."""
    from model.respond import Sampling, respond

    work = ground.directory / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tasks = write_tasks(ground.store, study_id, arm, work / "tasks", by=SIMULATOR)
    ground.progress("starting the nano model behind its endpoint")
    with served_model(shipped("nano", "checkpoint"), work / "endpoint.log") as endpoint:
        summary = respond(
            tasks,
            work / "responses",
            endpoint=endpoint,
            model="safemed-nano",
            sampling=Sampling(temperature=0.0, top_p=1.0, max_tokens=512, seed=ground.seed),
            concurrency=1,
            timeout_s=300,
            progress=ground.progress,
        )
    take_in(ground.store, study_id, work / "responses", by=SIMULATOR)
    ground.progress(
        f"nano's responses taken in: {summary.n_completed} completed, "
        f"{summary.n_failed} failed generations"
    )
    return work / "responses"


def step(ground: Ground, study_id: str, verb: Verb, reason: str = "") -> None:
    """Take one step of the life cycle; where a second person is needed, a scripted one consents."""
    if verb in APPROVED:
        second = join_as(ground.store, study_id, "statistician")
        approve(ground.store, second, verb, reason="scripted consent")
    result = take_step(
        ground.store, study_id, verb, by=SIMULATOR, reason=reason, invite=False,
        force=bool(reason),
    )  # fmt: skip
    ground.progress(f"{verb}: the study is now {result.state}")


def rate_by_people(ground: Ground, study_id: str, raters: tuple[Person, ...]) -> None:
    """Scripted raters rate everything allocated to them."""
    rate_all(
        ground.store, study_id, raters, ground.settings,
        seed=ground.seed, progress=ground.progress,
    )  # fmt: skip


def adjudicate_by_people(ground: Ground, study_id: str, protocol: Protocol) -> None:
    """Scripted adjudicators decide what raters differ on, if the protocol has any."""
    rule = protocol.rating.adjudication
    if rule is None:
        return
    coordinator = join_as(ground.store, study_id, "coordinator")
    adjudicators = [
        join_as(ground.store, study_id, "adjudicator") for _ in range(rule.n_adjudicators)
    ]
    n_disputed = put_to_adjudicators(ground.store, coordinator)
    for adjudicator in adjudicators:
        decide_all(ground.store, adjudicator, seed=ground.seed)
    ground.progress(f"scripted adjudicators have decided {n_disputed} responses in dispute")


def run_whole_study(ground: Ground, protocol: Protocol) -> str:
    """Run a protocol from registration to the frozen dataset and the report, by scripted people.

    Nano answers for every model arm. Writes `export/` and `report/` in the ground's directory.
    """
    from analysis.run import analyze
    from study.export import export
    from study.signing import signer_at

    study_id = begin_study(ground, protocol)
    answer_by_people(ground, study_id)
    models = [arm.id for arm in protocol.arms if arm.kind == "model"]
    for number, arm in enumerate(models):
        name = "model-run" if number == 0 else f"model-run-{number + 1}"
        answer_by_model(ground, study_id, name=name, arm=arm)
    step(ground, study_id, "close")
    step(ground, study_id, "mask")
    raters = join_raters(ground.store, study_id, n_raters=protocol.rating.n_raters)
    step(ground, study_id, "allocate")
    step(ground, study_id, "open")
    rate_by_people(ground, study_id, raters)
    adjudicate_by_people(ground, study_id, protocol)
    step(ground, study_id, "lock")
    step(ground, study_id, "unblind", reason="the planned end of a simulation")
    ground.progress("exporting the frozen dataset")
    export(
        ground.store, study_id, ground.directory / "export",
        by=SIMULATOR, code_version=code_version(),
        signer=signer_at(ground.directory / "signing.key"),
    )  # fmt: skip
    analyze(ground.directory / "export", ground.directory / "report", progress=ground.progress)
    return study_id
