"""Who acted, and the rows themselves with their audit records."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping

from study.canonical import Cell
from study.errors import BundleError
from study.exports.frozen import Frozen, Named
from study.exports.odm_names import (
    EVENT,
    LOCATION,
    METADATA,
    Element,
    add,
    form_oid,
    group_oid,
    item_oid,
    user_oid,
)
from study.frozen_table import Columns

BY_SUBJECT = (
    "submit answer", "import answer", "submit rating", "amend rating", "import rating",
)  # fmt: skip
"""Events whose subject is the row they made."""
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not (its production 2, Char)."""
USER_TYPES = {"investigator": "Investigator", "host": "Sponsor"}


def add_admin_data(root: Element, frozen: Frozen) -> None:
    """`AdminData`: everybody whom the audit names, and the one place where all was recorded."""
    study_id = str(frozen.manifest["study_id"])
    admin = add(root, "AdminData", StudyOID=study_id)
    roles = {str(e["actor"]): str(e["role"]) for e in frozen.rows("audit") if e["actor"]}
    for actor, role in sorted(roles.items()):
        user = add(admin, "User", OID=user_oid(actor), UserType=USER_TYPES.get(role, "Other"))
        add(user, "DisplayName", f"{actor} ({role})")
    place = add(admin, "Location", OID=LOCATION, Name="SafeMed", LocationType="Other")
    registered = [e for e in frozen.rows("audit") if e["action"] == "register"]
    since = str((registered[0] if registered else {}).get("at") or frozen.manifest["locked_at"])
    add(place, "MetaDataVersionRef", StudyOID=study_id, MetaDataVersionOID=METADATA,
        EffectiveDate=since[:10])  # fmt: skip


def add_clinical_data(root: Element, frozen: Frozen) -> None:
    """`ClinicalData`: a subject a respondent, an event a vignette, a form a row.

    Raises:
        BundleError: If a rating is of no response.
    """
    data = add(root, "ClinicalData", StudyOID=str(frozen.manifest["study_id"]),
               MetaDataVersionOID=METADATA)  # fmt: skip
    audit = _events(frozen)
    ratings: dict[Cell, list[Named]] = defaultdict(list)
    rows = frozen.rows("ratings")
    for row in sorted(rows, key=lambda r: (str(r["rater_id"]), int(r["revision"] or 0))):
        ratings[row["blinding_code"]].append(row)
    by_person: dict[str, list[Named]] = defaultdict(list)
    for row in frozen.rows("responses"):
        by_person[str(row["respondent_id"])].append(row)
    for person, responses in by_person.items():
        subject = add(data, "SubjectData", SubjectKey=person, TransactionType="Upsert")
        for response in responses:
            event = add(subject, "StudyEventData", StudyEventOID=EVENT, TransactionType="Upsert",
                        StudyEventRepeatKey=str(response["vignette_id"]))  # fmt: skip
            _form(event, frozen, "responses", response, audit)
            code = response["blinding_code"]
            for rating in ratings.pop(code, []) if code else []:
                _form(event, frozen, "ratings", rating, audit)
    if ratings:
        raise BundleError(
            f"codes rated without a response: {sorted(map(str, ratings))}. Nothing was written; "
            "export again"
        )


def _events(frozen: Frozen) -> dict[str, Named]:
    """The event that made each row, by the row's id; a model's run stands for its responses."""
    events = frozen.rows("audit")
    by_subject = {str(e["subject"]): e for e in events if e["action"] in BY_SUBJECT}
    runs = {str(e["subject"]): e for e in events if e["action"] == "take in responses"}
    for row in frozen.rows("responses"):
        run = runs.get(str(row["respondent_id"]))
        if run is not None and row["status"] != "missing":
            by_subject.setdefault(str(row["response_id"]), run)
    return by_subject


def _form(
    event: Element, frozen: Frozen, table: str, row: Named, audit: Mapping[str, Named]
) -> None:
    """One row; a correction updates the rater's own earlier form, and says why."""
    form = add(event, "FormData", FormOID=form_oid(table))
    key = str(row["response_id" if table == "responses" else "rating_id"])
    if table == "ratings":
        form.set("FormRepeatKey", f"{row['rater_id']}/{row['blinding_code']}")
    is_correction = table == "ratings" and int(row["revision"] or 1) > 1
    form.set("TransactionType", "Update" if is_correction else "Insert")
    if key in audit:
        _audit_record(form, audit[key])
    group = add(form, "ItemGroupData", ItemGroupOID=group_oid(table))
    _items(group, table, frozen.tables[table].columns, row)


def _audit_record(form: Element, event: Named) -> None:
    made = add(form, "AuditRecord")
    add(made, "UserRef", UserOID=user_oid(str(event["actor"])))
    add(made, "LocationRef", LocationOID=LOCATION)
    add(made, "DateTimeStamp", str(event["at"]))
    reason = json.loads(str(event["details"])).get("reason") if event["details"] else None
    if reason:
        add(made, "ReasonForChange", NOT_IN_XML.sub("\ufffd", str(reason)))
    add(made, "SourceID", f"audit event {event['number']}: {event['sha256']}")


def _items(group: Element, table: str, columns: Columns, row: Named) -> None:
    """Every column; a missing value is null, an empty text is a text."""
    for column, _ in columns:
        cell = row[column]
        item = add(group, "ItemData", ItemOID=item_oid(table, column))
        if cell is None:
            item.set("IsNull", "Yes")
            continue
        written = str(cell).lower() if isinstance(cell, bool) else str(cell)
        fitting, n_replaced = NOT_IN_XML.subn("\ufffd", written)
        item.set("Value", fitting)
        if n_replaced:
            note = add(item, "Annotation", SeqNum="1")
            add(note, "Comment", f"{n_replaced} characters that XML cannot hold stand as U+FFFD; "
                                 "the frozen dataset has them")  # fmt: skip
