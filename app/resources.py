"""Where what ships with the package lies."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path


def shipped(*parts: str) -> Path:
    """A file or directory of the packaged `data`.

    Raises:
        FileNotFoundError: If it does not ship.
    """
    path = Path(str(files("data"))).joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"{'/'.join(parts)} does not ship with this version of safemed")
    return path


def code_version() -> str:
    """The installed version of safemed."""
    try:
        return version("safemed")
    except PackageNotFoundError:
        return "not installed"
