"""The file that names an institution: what it may say, and who may read its secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.institution import (
    FILE,
    InstitutionError,
    institution_of_environment,
    read_institution,
)
from tests.oidc import CLIENT_ID, CLIENT_SECRET, LABEL, installation_file

ISSUER = "https://id.hospital.example"


def test_the_file_is_read_with_its_secret_which_no_log_will_show(tmp_path: Path) -> None:
    found = read_institution(installation_file(tmp_path, ISSUER), base_url="https://study.example/")
    assert (found.issuer, found.client_id, found.label) == (ISSUER, CLIENT_ID, LABEL)
    assert found.client_secret == CLIENT_SECRET
    assert found.base_url == "https://study.example"
    assert found.prompt == "login"
    assert CLIENT_SECRET not in repr(found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "http://id.hospital.example"}, "must begin with https://"),
        ({"issuer": "id.hospital.example"}, "must begin with https://"),
        ({"issuer": ""}, "needs words for issuer"),
        ({"label": "L" * 41}, "longer than 40 characters"),
        ({"prompt": "none"}, "may be login or select_account"),
        ({"secret_file": "missing"}, "the secret_file: No such file"),
        ({"scopes": "openid email"}, "unknown keys"),
    ],
)
def test_a_fault_in_the_file_is_named_with_its_remedy(
    tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(InstitutionError, match=words):
        read_institution(installation_file(tmp_path, **{"issuer": ISSUER, **changes}))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = installation_file(tmp_path, ISSUER)
    (tmp_path / "oidc.secret").chmod(mode)
    with pytest.raises(InstitutionError, match="run `chmod 600"):
        read_institution(file)


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    file = installation_file(tmp_path, ISSUER)
    (tmp_path / "oidc.secret").write_text("\n")
    with pytest.raises(InstitutionError, match="is empty"):
        read_institution(file)


@pytest.mark.parametrize("written", ["issuer = ", "issuer = 1\nclient_id = 'a'"])
def test_what_is_not_toml_or_not_words_is_refused(tmp_path: Path, written: str) -> None:
    file = tmp_path / "oidc.toml"
    file.write_text(written)
    with pytest.raises(InstitutionError, match=r"not TOML|needs words"):
        read_institution(file)


def test_without_the_variable_there_is_no_institution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FILE, raising=False)
    assert institution_of_environment("127.0.0.1") is None


def test_a_served_study_needs_an_encrypted_address_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(FILE, str(installation_file(tmp_path, ISSUER)))
    monkeypatch.delenv("SAFEMED_BASE_URL", raising=False)
    assert institution_of_environment("127.0.0.1") is not None
    with pytest.raises(InstitutionError, match="set SAFEMED_BASE_URL"):
        institution_of_environment("0.0.0.0")
    monkeypatch.setenv("SAFEMED_BASE_URL", "http://study.example")
    with pytest.raises(InstitutionError, match="SAFEMED_BASE_URL is 'http:"):
        institution_of_environment("0.0.0.0")
    monkeypatch.setenv("SAFEMED_BASE_URL", "https://study.example")
    found = institution_of_environment("0.0.0.0")
    assert found is not None and found.base_url == "https://study.example"


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FILE, str(tmp_path / "missing.toml"))
    with pytest.raises(
        InstitutionError, match=r"missing\.toml, named by SAFEMED_OIDC: No such file"
    ):
        institution_of_environment("127.0.0.1")
