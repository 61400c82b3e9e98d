"""What a newcomer's machine is checked for, and what a skip means."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

SKIPPING = """
import pytest

@pytest.mark.skip(reason="no browser here")
def test_that_cannot_run(): ...

@pytest.mark.gpu
@pytest.mark.skip(reason="no GPU here")
def test_that_needs_a_gpu(): ...
"""


def check_tools(tmp_path: Path, tools: dict[str, str], python: str) -> subprocess.CompletedProcess:
    """Run the check on a machine that has these tools and no others."""
    for name, target in tools.items():
        (tmp_path / name).symlink_to(target)
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "check-tools")],
        env={"PATH": str(tmp_path), "PYTHON": python}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_whole_machine_passes_silently(tmp_path: Path) -> None:
    done = check_tools(tmp_path, {"git": "/bin/true"}, sys.executable)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_missing_is_named_with_the_one_line_that_installs_it(tmp_path: Path) -> None:
    done = check_tools(tmp_path, {}, "no-such-python")
    assert done.returncode == 1
    assert "sudo apt-get install -y git python3" in done.stderr


def test_an_old_python_is_named_with_the_way_to_choose_another(tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text(
        '#!/bin/sh\ncase "$2" in *version_info*) exit 1;; esac\n'
        '[ "$1" = -V ] && echo "Python 3.9.2"\nexit 0\n'
    )
    old.chmod(0o755)
    done = check_tools(tmp_path, {"git": "/bin/true"}, str(old))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "make demo PYTHON=" in done.stderr


def outcome(tmp_path: Path, **environment: str) -> str:
    """The summary of a run with one test that cannot run and one that needs a GPU."""
    (tmp_path / "test_example.py").write_text(SKIPPING)
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    clean = {key: value for key, value in os.environ.items() if key != "SAFEMED_CI"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"),
         "--rootdir", str(tmp_path), "-p", "no:cacheprovider", str(tmp_path)],
        env={**clean, "PYTHONPATH": str(ROOT), **environment}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return run.stdout.strip().splitlines()[-1]


def test_a_skip_is_a_failure_under_ci_but_for_a_missing_gpu(tmp_path: Path) -> None:
    assert outcome(tmp_path).startswith("2 skipped")
    # A skip mark acts before the test begins, so pytest counts the failure as an error.
    assert outcome(tmp_path, SAFEMED_CI="1").startswith("1 skipped, 1 error")
