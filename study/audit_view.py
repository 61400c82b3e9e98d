"""The audit as somebody blinded may read it: every event and digest, nothing that tells an arm.

Until unblinding the details of an event are shown only where they cannot betray the allocation;
what is hidden is said to be hidden. Subjects that name a person are shown as pseudonyms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from study.audit import events_of, verify_chain
from study.errors import AuditError
from study.people import Person
from study.registration import require_role, study_row
from study.store import Store
from study.tables import AuditEventRow, PersonRow

READERS = ("inspector", "investigator", "coordinator", "statistician", "custodian")
PLAIN_DETAILS: Mapping[str, tuple[str, ...]] = {
    "register": ("protocol_sha256", "vignettes_sha256", "kind", "simulated", "public_key"),
    "amend": ("number", "version", "protocol_sha256", "changed", "reason"),
    "mark simulated": ("because",),
    "seal seed": ("sha256",),
    "open": ("state",),
    "close": ("state", "reason", "outstanding"),
    "mask": ("state",),
    "allocate": ("state", "reason", "outstanding"),
    "lock": ("state", "reason", "outstanding", "second_person", "second_person_reason"),
    "approve": ("reason",),
    "code break": ("reason", "second_person", "second_person_reason"),
    "log deviation": ("kind",),
    "consent": ("version", "text_sha256"),
    "withdraw": ("disposition",),
    "end sessions": ("count",),
    "sign in": ("by",),
    "join": ("role", "scripted"),
    "invite": ("scripted",),
}
"""Details that are shown before unblinding, by action; those of any other action are hidden."""
HIDDEN_ACTORS = ("take in responses", "submit answer", "import answer", "import responses")
"""Events whose time and actor would tell which answers are a model's: the actor is hidden."""


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One event of the chain as it may be read."""

    number: int
    at: datetime
    who: str
    action: str
    details: str
    sha256: str


@dataclass(frozen=True, slots=True)
class AuditView:
    """The chain, whether it holds, and its head."""

    events: tuple[ShownEvent, ...]
    """Newest first."""
    n_events: int
    holds: bool
    fault: str
    receipt: str
    """Number and digest of the last event, to be written down outside."""


def audit_view(store: Store, person: Person, *, limit: int = 200) -> AuditView:
    """The audit without the allocation.

    Args:
        store: The database.
        person: Who reads.
        limit: Newest events shown; the whole chain is checked whatever it is.

    Raises:
        NotAllowedError: If the person's role does not read the audit.
    """
    require_role(person.role, *READERS, what="the audit")
    with store.read() as session:
        events = events_of(session, person.study_id)
        try:
            head, fault = verify_chain(events), ""
        except AuditError as error:
            head, fault = events[-1].sha256, str(error)
        names = _pseudonyms(session, person.study_id)
        is_open = study_row(session, person.study_id).state == "unblinded"
        shown = tuple(_shown(event, names, is_open=is_open) for event in events[-limit:][::-1])
        return AuditView(shown, len(events), not fault, fault, f"{len(events)}:{head}")


def _shown(event: AuditEventRow, names: Mapping[str, str], *, is_open: bool) -> ShownEvent:
    who = f"{names.get(event.actor, event.actor)} ({event.role})"
    if not is_open and event.action in HIDDEN_ACTORS:
        who = "hidden until unblinding"
    return ShownEvent(
        event.number, event.at, who, _action(event, is_open=is_open),
        _details(event, names, is_open=is_open), event.sha256,
    )  # fmt: skip


def _action(event: AuditEventRow, *, is_open: bool) -> str:
    # An answer submitted and a model's responses taken in would otherwise tell the arms apart.
    return "answers came in" if not is_open and event.action in HIDDEN_ACTORS else event.action


def _details(event: AuditEventRow, names: Mapping[str, str], *, is_open: bool) -> str:
    details: dict[str, Any] = dict(event.details)
    if not is_open:
        allowed = PLAIN_DETAILS.get(event.action, ())
        hidden = set(details) - set(allowed)
        details = {name: details[name] for name in allowed if name in details}
        if hidden:
            details["hidden"] = "until unblinding"
    return "; ".join(
        f"{name}: {names.get(str(value), value)}" for name, value in details.items() if value
    )


def _pseudonyms(session: Session, study_id: str) -> dict[str, str]:
    query = select(PersonRow.person_id, PersonRow.pseudonym).where(PersonRow.study_id == study_id)
    return {person_id: pseudonym for person_id, pseudonym in session.execute(query)}
