"""Who may invite whom: the investigator everybody, the coordinator those who answer and rate."""

from __future__ import annotations

from collections.abc import Mapping

from study.errors import NotAllowedError
from study.invitations import invite
from study.people import Person, Role, actor_of
from study.store import Store

MAY_INVITE: Mapping[Role, tuple[Role, ...]] = {
    "investigator": (
        "resident", "rater", "adjudicator", "coordinator", "investigator", "statistician",
        "custodian", "inspector", "auditor",
    ),
    "coordinator": ("resident", "rater", "adjudicator", "auditor"),
}  # fmt: skip


def invite_as(
    store: Store,
    person: Person,
    role: Role,
    *,
    arm: str | None = None,
    stratum: str | None = None,
    site: str | None = None,
) -> str:
    """Make an invitation in a role that the person may invite to; see `invitations.invite`.

    Raises:
        NotAllowedError: If the person may not invite to that role.
        StudyError: If arm, stratum or site are not the protocol's.
    """
    allowed = MAY_INVITE.get(person.role, ())
    if role not in allowed:
        raise NotAllowedError(
            f"a {person.role} cannot invite a {role}; may invite: {', '.join(allowed) or 'nobody'}"
        )
    return invite(
        store, person.study_id, role, by=actor_of(person), arm=arm, stratum=stratum, site=site
    )
