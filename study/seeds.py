"""Sealed seeds: 256 bits drawn when a step first needs them, revealed at unblinding."""

from __future__ import annotations

from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.canonical import sha256_hex
from study.store import Store
from study.tables import SealedSeedRow

SEALER = Actor("sealed seed", "system")


def sealed_seed(session: Session, store: Store, study_id: str, purpose: str) -> bytes:
    """The study's seed for one purpose, drawn and sealed on first use.

    Only its SHA-256 goes into the audit: a seed that anyone could read would let a rater compute
    the allocation.
    """
    found = session.get(SealedSeedRow, (study_id, purpose))
    if found is not None:
        return found.seed
    seed = store.source.token_bytes(32)
    session.add(
        SealedSeedRow(study_id=study_id, purpose=purpose, seed=seed, drawn_at=store.clock.now())
    )
    record(
        session, store.clock, study_id, SEALER, "seal seed", purpose, {"sha256": sha256_hex(seed)}
    )
    return seed
