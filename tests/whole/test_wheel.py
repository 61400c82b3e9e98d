"""The wheel, unpacked outside the checkout, is all that a demonstration needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOW_SETTINGS = """
import json, app, app.server
from streamlit import config
from app.configuration import apply_settings
apply_settings(cookie_secret="x" * 32)
print(json.dumps({
    "app": app.__file__,
    "traceback": config.get_option("client.showErrorDetails"),
    "collect": config.get_option("runner.postScriptGC"),
    "headers": config.get_option("server.trustedUserHeaders"),
}))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content in a directory of its own; libraries come from the environment."""
    built = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = built.glob("*.whl")
    place = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(wheel).extractall(place)
    return place


def run(unpacked: Path, cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_the_wheel_runs_the_demonstration_outside_the_checkout(
    unpacked: Path, tmp_path: Path
) -> None:
    finished = run(unpacked, tmp_path, "-m", "app", "demo", "--no-serve", "--json")
    assert finished.returncode == 0, finished.stderr
    printed = json.loads(finished.stdout)
    assert printed["n_vignettes"] == 6
    assert (tmp_path / printed["report"]).is_file()


def test_the_wheel_carries_the_settings_that_keep_tracebacks_from_raters(
    unpacked: Path, tmp_path: Path
) -> None:
    shown = json.loads(run(unpacked, tmp_path, "-c", SHOW_SETTINGS).stdout)
    assert Path(shown["app"]).is_relative_to(unpacked)
    assert shown["traceback"] == "none"
    assert shown["collect"] is False
    assert shown["headers"] == {"x-study-user": "study_user"}
