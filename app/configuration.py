"""Streamlit's settings as shipped, made to hold whatever a home directory or environment says."""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SHIPPED = Path(__file__).parent / ".streamlit" / "config.toml"
WHERE = "shipped with safemed"
WHOLE_TABLES = ("server.trustedUserHeaders",)
"""Settings whose value is itself a table."""


def shipped_settings() -> dict[str, Any]:
    """Every shipped setting by its dotted name."""
    return dict(_flatten(tomllib.loads(SHIPPED.read_text(encoding="utf-8"))))


def apply_settings(*, cookie_secret: str, allowed_hosts: Sequence[str] = ()) -> None:
    """Make the shipped settings hold in this process.

    Args:
        cookie_secret: Of this installation; see `installation_secret`.
        allowed_hosts: Names under which people reach the app, beside this machine's own.
    """
    from streamlit import config

    settings = shipped_settings()
    settings["server.allowedHosts"] = [*settings["server.allowedHosts"], *allowed_hosts]
    settings["server.cookieSecret"] = cookie_secret
    for name, value in settings.items():
        config.set_option(name, value, WHERE)


def public_hosts(host: str) -> tuple[str, ...]:
    """The names people use: the address listened on, and that of `SAFEMED_BASE_URL`."""
    base = urlsplit(os.environ.get("SAFEMED_BASE_URL", "")).hostname
    listened = None if host in ("0.0.0.0", "::", "") else host
    return tuple(name for name in (listened, base) if name)


def installation_secret(store_url: str) -> str:
    """The installation's cookie secret, made once beside the database, for its owner only.

    Args:
        store_url: A path or an SQLAlchemy address of the study database.
    """
    path = _beside(store_url)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    made = secrets.token_hex(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(made + "\n")
    return made


def store_directory(store_url: str) -> Path:
    """The directory of a SQLite database; the working directory for a database server."""
    path = _sqlite_path(store_url)
    return path.parent if path else Path.cwd()


def _beside(store_url: str) -> Path:
    path = _sqlite_path(store_url)
    return path.with_name(f".{path.name}.secret") if path else Path.cwd() / ".safemed.secret"


def _sqlite_path(store_url: str) -> Path | None:
    """The file of a SQLite address; `file:` addresses may carry options."""
    if "://" not in store_url:
        return Path(store_url).resolve()
    if not store_url.startswith("sqlite"):
        return None
    written = store_url.split("://", 1)[1].removeprefix("/").split("?", 1)[0]
    return Path(written.removeprefix("file:")).resolve()


def _flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name not in WHOLE_TABLES:
            yield from _flatten(value, f"{name}.")
        else:
            yield name, value


def trusted_header() -> str | None:
    """The header in which a reverse proxy of the operator's own names the client's address.

    None unless `SAFEMED_CLIENT_HEADER` names one: a header that any client can send proves nothing.
    """
    return os.environ.get("SAFEMED_CLIENT_HEADER") or None
