"""Which errors are the input's, and what to print for them."""

from __future__ import annotations


class InputError(Exception):
    """An option that cannot be meant; its text names it, the value and the remedy."""


def message_of(error: BaseException) -> str | None:
    """The sentence to print, or None for a fault of the program itself."""
    from study.errors import StudyError

    module = type(error).__module__.partition(".")[0]
    is_ours = isinstance(error, StudyError) or module in {"app", "model", "analysis", "study"}
    if is_ours:
        return str(error)
    if (
        isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError)
        and error.filename
    ):
        return f"{error.filename}: {error.strerror}"
    return None
