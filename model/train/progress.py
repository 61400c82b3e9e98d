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


def say_reward(say: Callable[[str], object], n_steps: int) -> Any:
    """A trainer callback that says reward and divergence at every step, and held-out rewards."""
    from transformers import TrainerCallback

    class SayReward(TrainerCallback):
        """One line a logged step."""

        def on_log(
            self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any
        ) -> None:
            """Say step, reward and KL."""
            where = f"step {state.global_step} of {n_steps}"
            if logs and "reward" in logs:
                say(f"{where}: reward {logs['reward']:.2f}, KL {logs.get('kl', 0.0):.4f}")
            elif logs and "eval_reward" in logs:
                say(f"{where}: held-out reward {logs['eval_reward']:.2f}")

    return SayReward()
