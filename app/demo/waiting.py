"""The studies that wait for real people once the demonstration is served."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from app.demo.study_run import (
    Ground,
    answer_by_model,
    answer_by_people,
    begin_study,
    rate_by_people,
    shipped_protocol,
    step,
)
from app.simulate.people import SIMULATOR, join_raters
from study.invitations import invite
from study.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Invitations:
    """Tokens of the links that the demonstration prints."""

    resident: str
    rater: str
    tryout: str
    investigator: str

    def as_json(self) -> dict[str, str]:
        """Plain values for the demonstration's own record."""
        return asdict(self)


def make_waiting_studies(ground: Ground, finished: str) -> Invitations:
    """A study answering, one in rating, and the tryout; with a link into each.

    Args:
        ground: With the operating system's clock and secrets: real people may join these.
        finished: Id of the whole study, whose console and report an investigator may see.
    """
    shipped = shipped_protocol("demonstration", ground)
    return Invitations(
        resident=_answering(ground, shipped),
        rater=_rating(ground, shipped),
        tryout=_tryout(ground),
        investigator=invite(ground.store, finished, "investigator", by=SIMULATOR),
    )


def _answering(ground: Ground, shipped: Protocol) -> str:
    protocol = _titled(shipped, "Answering: waiting for a resident")
    study_id = begin_study(ground, protocol)
    residents = protocol.arm("residents")
    return invite(
        ground.store, study_id, "resident",
        by=SIMULATOR, arm=residents.id, stratum=residents.strata[0],
    )  # fmt: skip


def _rating(ground: Ground, shipped: Protocol) -> str:
    protocol = _titled(shipped, "Rating: waiting for a rater")
    study_id = begin_study(ground, protocol)
    answer_by_people(ground, study_id)
    answer_by_model(ground, study_id, name="model-run-rating")
    step(ground, study_id, "close")
    step(ground, study_id, "mask")
    scripted = join_raters(ground.store, study_id, n_raters=protocol.rating.n_raters - 1)
    token = invite(ground.store, study_id, "rater", by=SIMULATOR)
    step(ground, study_id, "allocate", reason="the rater whose link is printed has yet to join")
    step(ground, study_id, "open")
    # Before the real rater joins: from then on the simulator's custody call is refused.
    rate_by_people(ground, study_id, scripted)
    return token


def _tryout(ground: Ground) -> str:
    protocol = shipped_protocol("tryout", ground)
    study_id = begin_study(ground, protocol, kind="tryout")
    answer_by_model(ground, study_id, name="model-run-tryout")
    return invite(
        ground.store, study_id, "resident",
        by=SIMULATOR, arm="residents", stratum=protocol.arm("residents").strata[0],
    )  # fmt: skip


def _titled(protocol: Protocol, title: str) -> Protocol:
    return protocol.model_copy(update={"title": title})
