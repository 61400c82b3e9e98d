"""What every test may use; under CI a skip is a failure, a missing GPU excepted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from study.clock import SteppingClock
from study.randomness import SeededSource
from study.store import Store, create_store

# A busy machine is no fault of the code: examples may take their time.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

collect_ignore = [] if os.environ.get("SAFEMED_VLLM_PYTHON") else ["live_vllm"]
"""What needs a real vLLM runs by `make test-vllm`, which names its Python."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty study database with the system's clock and secrets."""
    opened = create_store(tmp_path / "study.db")
    yield opened
    opened.close()


@pytest.fixture
def seeded_store(tmp_path: Path) -> Iterator[Store]:
    """A study database with an injected clock and source, as simulation uses."""
    opened = create_store(tmp_path / "seeded.db", clock=SteppingClock(), source=SeededSource(7))
    yield opened
    opened.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Under `.ci/run` what cannot be had is a failure: a skipped check proves nothing."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if os.environ.get("SAFEMED_CI") and report.skipped and not item.get_closest_marker("gpu"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI, which is a failure: {report.longrepr}"
