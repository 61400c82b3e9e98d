"""CDISC ODM 1.3.2: responses and ratings with their metadata, code lists and audit records.

The file is transactional: a corrected rating is the same form of the same rater again, with
`TransactionType="Update"` and the reason in its audit record. Each row of the tables `responses`
and `ratings` is one `FormData`; each cell one `ItemData`, with `IsNull="Yes"` where it is missing.
"""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from study.exports.frozen import Frozen
from study.exports.odm_data import add_admin_data, add_clinical_data
from study.exports.odm_metadata import add_study
from study.exports.odm_names import NAMESPACE
from study.exports.places import fresh_directory

FILE = "odm.xml"


def write_odm(frozen: Frozen, out: Path) -> Path:
    """Write `odm.xml`.

    Args:
        frozen: A frozen dataset.
        out: A directory to make.

    Raises:
        BundleError: If a rating is of no response.
        StudyError: If `out` holds something already.
    """
    content = odm_bytes(frozen)
    with fresh_directory(out) as directory:
        (directory / FILE).write_bytes(content)
    return out


def odm_bytes(frozen: Frozen) -> bytes:
    """The whole file; one frozen dataset gives one sequence of bytes."""
    manifest = frozen.manifest
    exported = [e for e in frozen.rows("audit") if e["action"] == "export"]
    at = str((exported[-1]["at"] if exported else None) or manifest["locked_at"])
    root = etree.Element(
        f"{{{NAMESPACE}}}ODM",
        {
            "FileType": "Transactional",
            "Granularity": "All",
            "FileOID": f"{manifest['study_id']}.{str(manifest['audit_head'])[:12]}",
            "CreationDateTime": at,
            "ODMVersion": "1.3.2",
            "Originator": "SafeMed",
            "SourceSystem": "SafeMed",
            "SourceSystemVersion": str(manifest["code_version"]),
        },
        nsmap={None: NAMESPACE},
    )
    if manifest["simulated_note"]:
        root.set("Description", str(manifest["simulated_note"]))
    add_study(root, frozen)
    add_admin_data(root, frozen)
    add_clinical_data(root, frozen)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written
