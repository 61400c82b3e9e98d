"""The one study database this process serves; set once, when the app is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from study.store import Store

if TYPE_CHECKING:
    from app.oidc import Provider


class NotServingError(RuntimeError):
    """A screen or route ran before the app was made."""


@dataclass(frozen=True, slots=True)
class Services:
    """What screens and routes reach."""

    store: Store
    store_url: str
    files: Path
    """Directory that holds exports and reports."""
    provider: Provider | None = None
    """Of the institution whose accounts may sign people in, where one is configured."""


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


def provider() -> Provider:
    """The provider of the institution whose accounts sign people in.

    Raises:
        NotServingError: If none is configured.
    """
    found = current().provider
    if found is None:
        raise NotServingError("no institution is configured; see the guide for hosts")
    return found


def institution() -> str:
    """What the institution whose accounts sign people in is called; empty where there is none."""
    provider = _current.provider if _current else None
    return provider.institution.label if provider else ""
