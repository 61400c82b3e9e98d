"""The one study database this process serves; set once, when the app is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from study.store import Store


class NotServingError(RuntimeError):
    """A screen or route ran before the app was made."""


@dataclass(frozen=True, slots=True)
class Services:
    """What screens and routes reach."""

    store: Store
    store_url: str
    files: Path
    """Directory that holds exports and reports."""


_current: Services | None = None


def use(services: Services | None) -> None:
    """Serve these from now on; one process serves one database."""
    global _current
    _current = services


def current() -> Services:
    """The services of this process.

    Raises:
        NotServingError: If none were set.
    """
    if _current is None:
        raise NotServingError("no study database is being served; start with `safemed app`")
    return _current


def store() -> Store:
    """The study database."""
    return current().store
