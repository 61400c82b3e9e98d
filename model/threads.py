"""How many processor threads torch uses, and how they wait for one another."""

from __future__ import annotations

import os
from typing import Any


def torch_with_threads(threads: int) -> Any:
    """Import torch and fix its number of threads.

    Threads that wait for one another by spinning are a little faster alone and many times slower
    beside other work: on two shared cores a training step took 6 s spinning and 1 s sleeping
    (2026-11-20). So they sleep, unless the environment says otherwise. OpenMP reads this when it
    is loaded, hence before torch is imported for the first time.

    Args:
        threads: Processor threads; part of what makes two runs the same.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(threads)
    return torch
