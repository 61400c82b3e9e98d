"""The ASGI application: Streamlit's pages and our routes, behind one stack of middleware."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from app import services
from app.configuration import (
    apply_settings,
    installation_secret,
    public_hosts,
    shipped_settings,
    store_directory,
    trusted_header,
)
from app.faults import log_fault
from app.institution import institution_of_environment
from study.store import open_store

if TYPE_CHECKING:
    from streamlit.starlette import App

    from app.oidc import Provider

SCRIPT = Path(__file__).parent / "main.py"


def create_app(store_url: str, *, host: str = "127.0.0.1") -> App:
    """Make the application for one study database.

    Args:
        store_url: Path or SQLAlchemy address of a database that exists.
        host: Address it is listened on, which people may use as its name.

    Raises:
        StorageError: If the database is missing or of an older revision.
        InstitutionError: If `SAFEMED_OIDC` names what cannot be used.
    """
    provider = _provider(host)
    store = open_store(store_url)
    services.use(services.Services(store, store_url, store_directory(store_url), provider))
    hosts = public_hosts(host)
    apply_settings(cookie_secret=installation_secret(store_url), allowed_hosts=hosts)

    from starlette.middleware import Middleware
    from streamlit.starlette import App

    from app.middleware import (
        BlockedPaths,
        CalmFaults,
        KnownHostOnly,
        RateLimits,
        SecurityHeaders,
        TrustedIdentity,
    )
    from app.refusals import LoggedRefusals
    from app.routes.table import routes

    known = [*shipped_settings()["server.allowedHosts"], *hosts]
    return App(
        SCRIPT,
        routes=routes(),
        middleware=[
            Middleware(KnownHostOnly, hosts=known),
            Middleware(SecurityHeaders, script_hashes=inline_script_hashes()),
            Middleware(CalmFaults),
            Middleware(RateLimits, trusted_header=trusted_header()),
            Middleware(LoggedRefusals),
            Middleware(BlockedPaths),
            Middleware(TrustedIdentity),
        ],
        on_script_error=report_fault,
    )


def _provider(host: str) -> Provider | None:
    institution = institution_of_environment(host)
    if institution is None:
        return None
    from app.oidc import Provider

    return Provider(institution)


def report_fault(error: Exception) -> bool:
    """Show a fault of the program calmly, and log where it was but none of the values in it."""
    from app.screens.states import fault

    log_fault("a screen", error)
    fault()
    return True


def inline_script_hashes() -> tuple[str, ...]:
    """Hashes of the scripts written into Streamlit's own page, for the content policy."""
    import streamlit

    page = Path(streamlit.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    return tuple(
        "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
        for script in scripts
    )
