from __future__ import annotations

import json

import pytest

from model.canonical import canonical, file_sha256, sha256_hex, table_sha256
from tests.model.files import ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "canonical.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["values"])
def test_a_value_has_the_canonical_bytes_of_the_shared_vectors(vector):
    assert canonical(vector["value"]).decode() == vector["canonical"]
    assert sha256_hex(canonical(vector["value"])) == vector["sha256"]


@pytest.mark.parametrize("vector", VECTORS["tables"])
def test_a_table_has_the_digest_of_the_shared_vectors(vector):
    columns = [tuple(column) for column in vector["columns"]]
    assert table_sha256(columns, vector["rows"]) == vector["sha256"]


def test_a_number_that_is_none_cannot_be_written():
    with pytest.raises(ValueError):
        canonical(float("nan"))


def test_a_file_read_in_pieces_has_the_digest_of_its_bytes(tmp_path):
    content = b"x" * (2**20 + 17)
    (tmp_path / "weights").write_bytes(content)
    assert file_sha256(tmp_path / "weights") == sha256_hex(content)
