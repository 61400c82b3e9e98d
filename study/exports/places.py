"""Where an export is written: whole or not at all, and never over something else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from study.errors import StudyError


def require_fresh(out: Path) -> None:
    """Refuse a place that is taken, before any work is done for it.

    Raises:
        StudyError: If `out` holds something already.
    """
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise StudyError(f"{out} holds something already; name a directory that is new or empty")


@contextmanager
def fresh_directory(out: Path) -> Iterator[Path]:
    """A directory beside `out` that takes its name once everything in it is written.

    Raises:
        StudyError: If `out` holds something already, or the place cannot be written.
    """
    require_fresh(out)
    beside = out.with_name(out.name + ".part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        yield beside
        if out.exists():
            out.rmdir()
        beside.rename(out)
    except OSError as error:
        raise StudyError(
            f"the export could not be written to {out}: {error.strerror}; free space or name "
            "another place"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
