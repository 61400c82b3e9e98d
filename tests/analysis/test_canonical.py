from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.canonical import canonical, sha256_hex, table_sha256

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "canonical.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["values"])
def test_values_have_the_bytes_and_digest_of_the_shared_vectors(vector: dict) -> None:
    assert canonical(vector["value"]).decode() == vector["canonical"]
    assert sha256_hex(canonical(vector["value"])) == vector["sha256"]


@pytest.mark.parametrize("vector", VECTORS["tables"])
def test_tables_have_the_digest_of_the_shared_vectors(vector: dict) -> None:
    columns = [tuple(column) for column in vector["columns"]]
    assert table_sha256(columns, vector["rows"]) == vector["sha256"]
