"""Logging a fault of the program without any of the values in it."""

from __future__ import annotations

import logging
from pathlib import Path

ROOT = Path(__file__).parents[1]
log = logging.getLogger("safemed.app")


def log_fault(where: str, error: BaseException) -> None:
    """Log the kind of fault and its place.

    The message is left out: an exception's text, a statement's parameters or a variable could
    hold what nobody may see before unblinding, and logs are read by more people than the study's.
    """
    log.error("fault in %s: %s at %s", where, type(error).__name__, _place(error))


def _place(error: BaseException) -> str:
    """The innermost line of ours, and the innermost of all."""
    ours, innermost, step = "unknown", "unknown", error.__traceback__
    while step is not None:
        path = Path(step.tb_frame.f_code.co_filename)
        innermost = f"{path.name}:{step.tb_lineno}"
        if path.is_relative_to(ROOT) and "site-packages" not in path.relative_to(ROOT).parts:
            ours = f"{path.relative_to(ROOT)}:{step.tb_lineno}"
        step = step.tb_next
    return ours if ours.endswith(innermost) else f"{ours} ({innermost})"
