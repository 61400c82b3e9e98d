"""Amendments: a later version of the protocol, whole, numbered, with a reason.

What has begun to act cannot change any more: vignettes once people answer, dimensions once people
rate, anything once the data are locked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from study.audit import Actor, record
from study.calibration import check_practice
from study.errors import LifeCycleError, ProtocolError
from study.protocol import Protocol, parse_protocol
from study.registration import IN_FORCE, guard_injected, load_study, n_amendments, study_row
from study.store import Store
from study.tables import RegistrationRow
from study.tables_custody import AmendmentRow

Change = tuple[str, Any, Any]
"""Path in the protocol, the value before and the value after."""

ORDER = ("registered", "answering", "responses closed", "masked", "rating")
"""States in which a protocol can be amended at all."""
LAST_STATE: Mapping[str, str] = {
    "version": "rating",
    "title": "rating",
    "banner": "rating",
    "identifiers": "rating",
    "consent": "rating",
    "margin": "rating",
    "contrasts": "rating",
    "estimand": "rating",
    "primary": "rating",
    "analysis": "rating",
    "sites": "masked",
    "rating": "masked",
    "masking": "responses closed",
    "arms": "answering",
}
"""The last state in which a part of the protocol may change; any other part only while registered.
"""
NEVER = ("protocol_id", "schema")
GROWS_LATER: Mapping[str, str] = {
    "rating.n_raters": "rating",
    "rating.raters_per_response": "rating",
}
"""Numbers that may still rise after their part is closed."""
ARM_MAY_CHANGE = ("label", "n_respondents", "strata")
"""Of an arm, once people answer."""


def amend(store: Store, study_id: str, protocol: Protocol, *, by: Actor, reason: str) -> int:
    """Replace the protocol by a later version and return the amendment's number.

    Args:
        store: The database.
        study_id: The study.
        protocol: The whole new version; its `version` is one more than the present one.
        by: Who amends.
        reason: Written into the audit and the report.

    Raises:
        LifeCycleError: If the reason is empty or the study is past the state in which a part that
            changed may change; every such part is named.
        ProtocolError: If nothing changed, the version did not rise by one, or a vignette is not
            among those registered.
    """
    with store.write() as session:
        guard_injected(session, store, study_id)
        return amend_within(session, store, study_id, protocol, by=by, reason=reason)


def amend_within(
    session: Session, store: Store, study_id: str, protocol: Protocol, *, by: Actor, reason: str
) -> int:
    """Amend inside the caller's transaction; see `amend`."""
    if not reason.strip():
        raise LifeCycleError("an amendment needs a reason; it is printed with the results")
    study = load_study(session, study_id)
    parse_protocol(protocol.as_json(), vignettes_present=set(study.vignettes))
    check_practice(protocol, session.get_one(RegistrationRow, study_id).practice)
    changes = tuple(changes_between(study.protocol.as_json(), protocol.as_json()))
    _check_version(study.protocol, protocol, changes)
    _check_state(study_row(session, study_id).state, changes)
    return _append(session, store, study_id, protocol, changes, by=by, reason=reason.strip())


def changes_between(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """What differs between two protocols, leaf by leaf, in the order of the file."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            where = f"{path}.{key}" if path else key
            yield from changes_between(before.get(key), after.get(key), where)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changes_between(one, other, f"{path}[{place}]")
    elif before != after:
        yield path, before, after


def _check_version(before: Protocol, after: Protocol, changes: tuple[Change, ...]) -> None:
    if all(path == "version" for path, _, _ in changes):
        raise ProtocolError("the amended protocol changes nothing but its version")
    if after.version != before.version + 1:
        raise ProtocolError(
            f"version: the amended protocol says {after.version}; the present one is "
            f"{before.version}, so write {before.version + 1}"
        )


def _check_state(state: str, changes: tuple[Change, ...]) -> None:
    if state not in ORDER:
        raise LifeCycleError(f"the study is {state!r}: no part of a protocol changes after locking")
    late = [path for path, old, new in changes if not _may_change(path, old, new, state)]
    if late:
        raise LifeCycleError(
            f"the study is in {state!r}, and these parts cannot change any more: "
            + ", ".join(late)
            + ". Log a deviation instead, or register another study"
        )


def _may_change(path: str, old: Any, new: Any, state: str) -> bool:
    part = path.split(".")[0].split("[")[0]
    if part in NEVER:
        return False
    if part == "arms" and state != "registered" and path.split(".")[-1] not in ARM_MAY_CHANGE:
        return False
    last = LAST_STATE.get(part, "registered")
    if path in GROWS_LATER and new > old:
        last = GROWS_LATER[path]
    return ORDER.index(state) <= ORDER.index(last)


def _append(
    session: Session, store: Store, study_id: str, protocol: Protocol,
    changes: tuple[Change, ...], *, by: Actor, reason: str,
) -> int:  # fmt: skip
    number = n_amendments(session, study_id) + 1
    session.info.pop(IN_FORCE, None)
    session.add(
        AmendmentRow(
            study_id=study_id,
            number=number,
            protocol=protocol.as_json(),
            protocol_sha256=protocol.sha256,
            reason=reason,
            amended_by=by.name,
            amended_at=store.clock.now(),
        )
    )
    details = {
        "number": number,
        "version": protocol.version,
        "protocol_sha256": protocol.sha256,
        "changed": [path for path, _, _ in changes],
        "reason": reason,
    }
    record(session, store.clock, study_id, by, "amend", study_id, details)
    return number
