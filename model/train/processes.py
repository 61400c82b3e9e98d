"""A run that several processes share (`torchrun`, `accelerate launch`): one writes, all train."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from model.errors import TrainingError


def is_first() -> bool:
    """Whether this process writes what the run leaves; alone it does."""
    return int(os.environ.get("RANK", "0")) == 0


def are_several() -> bool:
    """Whether the launcher started more than one."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def share_of(size: int) -> int:
    """How much of a batch each process takes.

    Raises:
        TrainingError: If the batch cannot be shared evenly.
    """
    n = int(os.environ.get("WORLD_SIZE", "1"))
    if size % n:
        raise TrainingError(
            f"a batch of {size} cannot be shared by {n} processes; start another number of them"
        )
    return size // n


@contextmanager
def first_alone(device: str) -> Iterator[None]:
    """The first process runs what is inside before the others do.

    Args:
        device: `cpu`, where processes speak by gloo, or `auto`.
    """
    if not are_several():
        yield
        return
    with _state(device).main_process_first():
        yield


def part(device: str) -> None:
    """Wait until all are done, and let go of one another."""
    if are_several():
        state = _state(device)
        state.wait_for_everyone()
        state.destroy_process_group()


def _state(device: str) -> Any:
    from accelerate import PartialState

    return PartialState(cpu=True, backend="gloo") if device == "cpu" else PartialState()
