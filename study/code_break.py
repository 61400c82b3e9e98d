"""Emergency code-break: who wrote one response, for one stated reason, with a second person.

Everything computed afterwards carries the mark. The event names the code and never the arm: whoever
reads the audit learns that a code was broken, not what it hid.
"""

from __future__ import annotations

from study.approvals import approval_for
from study.audit import record
from study.custody import Origin
from study.errors import LifeCycleError, StudyError
from study.people import Person, actor_of
from study.registration import guard_injected, require_role, study_row
from study.store import Store
from study.tables import MaskedResponseRow, PersonRow, ResponseRow

BREAKERS = ("investigator", "custodian")
VERB = "code break"


def break_code(store: Store, person: Person, code: str, *, reason: str) -> Origin:
    """Learn whose response a code hides.

    Args:
        store: The database.
        person: Who breaks the code: an investigator or the custodian.
        code: The blinding code.
        reason: Printed on every later table.

    Raises:
        NotAllowedError: If the person's role may not.
        LifeCycleError: If no second person has consented to breaking this very code, or the study
            is unblinded already.
        StudyError: If there is no such code, or no reason.
    """
    require_role(person.role, *BREAKERS, what="breaking a code")
    if not reason.strip():
        raise StudyError("breaking a code needs a reason; it is printed on every later table")
    with store.write() as session:
        guard_injected(session, store, person.study_id)
        if study_row(session, person.study_id).state == "unblinded":
            raise LifeCycleError("the study is unblinded; its export names every arm")
        found = (
            session.query(MaskedResponseRow)
            .filter_by(study_id=person.study_id, code=code.strip().upper())
            .one_or_none()
        )
        if found is None:
            raise StudyError(f"no response has the code {code!r}; check it letter by letter")
        consent = approval_for(session, person.study_id, VERB, found.code, not_by=person.person_id)
        if consent is None:
            raise LifeCycleError(
                f"breaking the code {found.code} needs a second person: somebody else consents "
                "first, signed in as themselves"
            )
        response = session.get_one(ResponseRow, found.response_id)
        respondent = session.get_one(PersonRow, response.person_id)
        record(
            session, store.clock, person.study_id, actor_of(person), VERB, found.code,
            {"reason": reason.strip(), "second_person": consent.approved_by,
             "second_person_reason": consent.reason},
        )  # fmt: skip
        return Origin(response.vignette_id, respondent.pseudonym, respondent.arm or "")
