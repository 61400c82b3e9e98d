"""The versions that go into a manifest."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def code_version() -> str:
    """The installed version of safemed."""
    return library_version("safemed")


def library_version(name: str) -> str:
    """The installed version of a distribution, or `not installed`."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
