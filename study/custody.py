"""The one call by which a simulator learns which response hides behind a blinding code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from study.allocating import repeated_codes
from study.audit import Actor, record
from study.registration import admit_simulation
from study.store import Store
from study.tables import MaskedResponseRow, PersonRow, ResponseRow


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose response a code hides; in a simulated study only."""

    vignette_id: str
    respondent_id: str
    arm: str


def origins_for_simulation(store: Store, study_id: str, *, by: Actor) -> Mapping[str, Origin]:
    """Blinding code to origin, for scripted raters; audited, and marks the study simulated.

    Raises:
        RealPersonEnrolledError: If a real person is enrolled.
    """
    with store.write() as session:
        admit_simulation(session, store, study_id, what="the simulator's look behind the codes")
        rows = session.execute(
            select(
                MaskedResponseRow.code,
                ResponseRow.vignette_id,
                ResponseRow.person_id,
                PersonRow.arm,
            )
            .join(ResponseRow, ResponseRow.response_id == MaskedResponseRow.response_id)
            .join(PersonRow, PersonRow.person_id == ResponseRow.person_id)
            .where(MaskedResponseRow.study_id == study_id)
            .order_by(MaskedResponseRow.code)
        ).all()
        record(
            session,
            store.clock,
            study_id,
            by,
            "custody call",
            "origins for simulation",
            {"n_codes": len(rows)},
        )
        repeats = repeated_codes(session, study_id)
    origins = {code: Origin(vignette, person, arm or "") for code, vignette, person, arm in rows}
    return origins | {repeat: origins[own] for repeat, own in repeats.items()}
