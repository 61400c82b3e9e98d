"""Telling how a training run is doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def say_loss(say: Callable[[str], object], n_steps: int) -> Any:
    """A trainer callback that says the loss whenever it is logged."""
    from transformers import TrainerCallback

    class SayLoss(TrainerCallback):
        """One line a logged step."""

        def on_log(
            self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any
        ) -> None:
            """Say step and loss."""
            if logs and "loss" in logs:
                say(f"step {state.global_step} of {n_steps}: loss {float(logs['loss']):.3f}")

    return SayLoss()
