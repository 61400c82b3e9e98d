"""Listening, and the settings inside the running server."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from app.server import PortError, require_free_port, serve
from study.errors import StorageError
from study.store import create_store
from tests.whole.serving import served

REPORT_SETTINGS = """
import json, sys
from streamlit import config
from app import server
from app.configuration import shipped_settings
def tell(port):
    names = [*shipped_settings(), "server.cookieSecret"]
    print(json.dumps({n: config.get_option(n) for n in names}), file=sys.stderr, flush=True)
"""


def test_a_busy_port_is_named_with_the_remedy_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        for attempt in (
            lambda: require_free_port("127.0.0.1", port),
            # No database is there: the port is refused before one is looked for.
            lambda: serve(str(tmp_path / "none.db"), port=port),
        ):
            with pytest.raises(PortError, match=rf"port {port} .*--port"):
                attempt()


def test_a_missing_database_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none\.db.*safemed register"):
        serve(str(tmp_path / "none.db"), port=0)


def test_shipped_settings_hold_whatever_home_and_environment_say(tmp_path: Path) -> None:
    create_store(tmp_path / "study.db").close()
    home = tmp_path / "home" / ".streamlit"
    home.mkdir(parents=True)
    (home / "config.toml").write_text('[client]\nshowErrorDetails = "full"\n')
    environment = {
        "HOME": str(home.parent),
        "STREAMLIT_CLIENT_SHOW_ERROR_DETAILS": "full",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "true",
        "STREAMLIT_SERVER_ENABLE_AGENT_API": "true",
    }
    with served(
        str(tmp_path / "study.db"), tmp_path, before=REPORT_SETTINGS, environment=environment,
        ready="tell(port)",
    ) as server:  # fmt: skip
        import json

        from app.configuration import shipped_settings

        told = json.loads(next(x for x in server.log_lines() if x.startswith("{")))
    expected = shipped_settings()
    secret = told.pop("server.cookieSecret")
    assert secret == (tmp_path / ".study.db.secret").read_text().strip()
    hosts = expected.pop("server.allowedHosts")
    assert set(hosts) <= set(told.pop("server.allowedHosts"))
    assert told == expected


def test_the_served_app_answers_health_and_keeps_its_doors_shut(tmp_path: Path) -> None:
    create_store(tmp_path / "study.db").close()
    with served(str(tmp_path / "study.db"), tmp_path) as server:
        assert httpx.get(f"{server.base}/health").json() == {"status": "ok"}
        assert httpx.get(f"{server.base}/_stcore/metrics").status_code == 404
        assert httpx.get(f"{server.base}/_stcore/agent/openapi.json").status_code == 404
        page = httpx.get(server.base)
        assert page.status_code == 200 and "sha256-" in page.headers["content-security-policy"]


def test_a_token_in_an_address_never_reaches_the_log(tmp_path: Path) -> None:
    create_store(tmp_path / "study.db").close()
    with served(str(tmp_path / "study.db"), tmp_path) as server:
        httpx.get(f"{server.base}/enter?t=UNGUESSABLETOKEN")
    assert "UNGUESSABLETOKEN" not in server.log.read_text()


def test_ctrl_c_ends_the_server_cleanly(tmp_path: Path) -> None:
    create_store(tmp_path / "study.db").close()
    with served(str(tmp_path / "study.db"), tmp_path) as server:
        server.interrupt()
        assert server.process.wait(timeout=15) in (0, 130)
    assert "Traceback" not in server.log.read_text()
