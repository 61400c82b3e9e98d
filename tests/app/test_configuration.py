"""The settings that ship, and the installation's secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.configuration import (
    SHIPPED,
    installation_secret,
    public_hosts,
    shipped_settings,
    store_directory,
)

ROOT = Path(__file__).parents[2]


def test_the_checkout_and_the_package_hold_the_same_settings() -> None:
    assert (ROOT / ".streamlit" / "config.toml").read_bytes() == SHIPPED.read_bytes()


def test_every_shipped_setting_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    known = config.get_config_options()
    assert set(shipped_settings()) - set(known) == set()


def test_no_traceback_no_statistics_and_no_second_way_in_are_shipped() -> None:
    settings = shipped_settings()
    assert settings["client.showErrorDetails"] == "none"
    assert settings["browser.gatherUsageStats"] is False
    assert settings["server.enableAgentApi"] is False
    assert settings["runner.postScriptGC"] is False
    assert settings["server.trustedUserHeaders"] == {"x-study-user": "study_user"}


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    url = str(tmp_path / "study.db")
    made = installation_secret(url)
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(made) == 64  # 32 random bytes in hexadecimal
    assert installation_secret(f"sqlite:///{url}") == made
    assert installation_secret(str(tmp_path / "other.db")) != made


@pytest.mark.parametrize(
    "url", ["{}/study.db", "sqlite:///{}/study.db", "sqlite:///file:{}/study.db?mode=ro&uri=true"]
)
def test_the_directory_of_a_database_is_found_in_every_spelling(url: str, tmp_path: Path) -> None:
    assert store_directory(url.format(tmp_path)) == tmp_path


def test_the_base_address_names_a_host_people_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEMED_BASE_URL", "https://study.example:8443/path")
    assert public_hosts("0.0.0.0") == ("study.example",)
    monkeypatch.delenv("SAFEMED_BASE_URL")
    assert public_hosts("192.0.2.1") == ("192.0.2.1",)
