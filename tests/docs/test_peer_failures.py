"""The page of failures met elsewhere names tests that exist and can fail."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "peer_failures.md").read_text(encoding="utf-8")


def test_every_failure_of_another_system_has_a_test_that_is_there_and_asserts() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]
    assert len(rows) == 28
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert named, row
        for path, name in named:
            found = _function(ROOT / path, name)
            assert found is not None, f"{path} has no {name}"
            assert _can_fail(found), f"{name} asserts nothing"


def _function(path: Path, name: str) -> ast.FunctionDef | None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return next((node for node in functions if node.name == name), None)


def _can_fail(function: ast.FunctionDef) -> bool:
    """Whether it asserts something or expects an error."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "raises":
            return True
        if isinstance(node, ast.Name) and node.id == "expect":  # Playwright's
            return True
    return False
