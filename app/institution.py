"""The institution whose accounts may sign people in: read from one file of the installation."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FILE = "SAFEMED_OIDC"
"""Environment variable that names the file; without it nobody is offered this way in."""
LOCAL = ("127.0.0.1", "::1", "localhost")
PROMPTS = ("login", "select_account")
MAX_LABEL = 40
REQUIRED = ("issuer", "client_id", "secret_file", "label")


class InstitutionError(Exception):
    """The file cannot be used; the message names it, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class Institution:
    """An OpenID Connect provider and how this installation is known to it."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str
    """What people call it, on the button."""
    base_url: str | None
    """Where the provider sends people back to; None on this machine alone, at any port."""
    prompt: str = "login"
    """`login` asks for the password again, so that a shared computer signs nobody else in."""


def institution_of_environment(host: str) -> Institution | None:
    """The institution that `SAFEMED_OIDC` names, or None.

    Args:
        host: Address that is listened on.

    Raises:
        InstitutionError: If the file, the secret or `SAFEMED_BASE_URL` cannot be used.
    """
    named = os.environ.get(FILE)
    if not named:
        return None
    base_url = os.environ.get("SAFEMED_BASE_URL") or None
    if base_url is None and host not in LOCAL:
        raise InstitutionError(
            f"{FILE} is set, but not where the provider sends people back to; set SAFEMED_BASE_URL "
            "to the address people use, for example https://study.example"
        )
    if base_url is not None:
        require_encrypted(base_url, "SAFEMED_BASE_URL")
    return read_institution(Path(named), base_url=base_url)


def read_institution(path: Path, *, base_url: str | None = None) -> Institution:
    """Read the file.

    Args:
        path: TOML with `issuer`, `client_id`, `secret_file`, `label` and perhaps `prompt`; the
            secret's file is named absolutely or from there.
        base_url: Where people reach the app; None on this machine alone.

    Raises:
        InstitutionError: Naming what is missing, unknown or cannot be used.
    """
    values = _values(path)
    require_encrypted(values["issuer"], f"issuer in {path}")
    if len(values["label"]) > MAX_LABEL:
        raise InstitutionError(f"label in {path} is longer than {MAX_LABEL} characters; shorten it")
    prompt = values.get("prompt", "login")
    if prompt not in PROMPTS:
        raise InstitutionError(f"prompt in {path} is {prompt!r}; it may be {' or '.join(PROMPTS)}")
    return Institution(
        issuer=values["issuer"],
        client_id=values["client_id"],
        client_secret=_secret(path.parent / values["secret_file"]),
        label=values["label"],
        base_url=base_url.rstrip("/") if base_url else None,
        prompt=prompt,
    )


def require_encrypted(url: str, what: str) -> None:
    """Refuse an address that is not https, this machine's own excepted.

    Raises:
        InstitutionError: Naming what the address is of.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in LOCAL:
        return
    raise InstitutionError(f"{what} is {url!r}; it must begin with https://")


def _values(path: Path) -> dict[str, str]:
    try:
        written: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InstitutionError(f"{path}, named by {FILE}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InstitutionError(f"{path} is not TOML: {error}") from None
    unknown = sorted(written.keys() - {*REQUIRED, "prompt"})
    if unknown:
        raise InstitutionError(f"{path} has unknown keys {unknown}; known: {[*REQUIRED, 'prompt']}")
    bad = [key for key in REQUIRED if not written.get(key)]
    bad += [key for key, value in written.items() if not isinstance(value, str)]
    if bad:
        raise InstitutionError(f"{path} needs words for {', '.join(bad)}")
    return written


def _secret(path: Path) -> str:
    try:
        mode = path.stat().st_mode & 0o777
        secret = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InstitutionError(f"{path}, the secret_file: {error.strerror}") from None
    if mode & 0o077:
        raise InstitutionError(
            f"{path} may be read by others (mode {mode:04o}); run `chmod 600 {path}`"
        )
    if not secret:
        raise InstitutionError(f"{path} is empty; write the client secret into it")
    return secret
