"""Where a study's export and report lie, once it is unblinded."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app import services

SHAPES = ("codebook", "plain", "redcap", "odm", "public")
"""What `safemed export` writes besides the frozen dataset; the console writes each once."""


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """What has been written about one study."""

    export: Path | None
    """Directory of the frozen dataset."""
    report: Path | None
    """The self-contained report."""
    shapes: Mapping[str, Path] = field(default_factory=dict)
    """Directory of each other shape that is written."""


def home(study_id: str) -> Path:
    """The directory the console writes this study's export and report to."""
    return services.current().files / "files" / study_id


def study_files(study_id: str) -> StudyFiles:
    """The study's files: the console's own, else those a demonstration left beside the database."""
    own = home(study_id)
    shapes = {shape: own / shape for shape in SHAPES if (own / shape).is_dir()}
    for place in (own, services.current().files):
        export = place / "export"
        if _study_of(export / "manifest.json") == study_id:
            report = place / "report" / "report.html"
            return StudyFiles(export, report if report.is_file() else None, shapes)
    return StudyFiles(None, None)


def zipped(directory: Path) -> bytes:
    """The directory's files as one archive; times are left out, so equal files give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in directory.rglob("*") if p.is_file()):
            archive.writestr(
                zipfile.ZipInfo(str(path.relative_to(directory))),
                path.read_bytes(),
                zipfile.ZIP_DEFLATED,
            )
    return buffer.getvalue()


def _study_of(manifest: Path) -> str | None:
    try:
        written = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return written.get("study_id") if isinstance(written, dict) else None
