"""Telling how a training run is doing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
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


def write_metrics(path: Path, n_steps: int, say: Callable[[str], object]) -> Any:
    """A trainer callback that appends every logged figure to a JSON lines file.

    After a kill, lines beyond the step that is gone on from are dropped first. Now and then it says
    how long the rest will take.
    """
    from transformers import TrainerCallback

    class WriteMetrics(TrainerCallback):
        """One line a log."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            """Drop what a killed run logged beyond its last saved step."""
            self.began, self.begun_at = time.monotonic(), state.global_step
            lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            kept = [line for line in lines if json.loads(line)["step"] <= state.global_step]
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

        def on_log(
            self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any
        ) -> None:
            """Append the figures; every twentieth of the run, say the time left."""
            figures = {name: v for name, v in (logs or {}).items() if isinstance(v, int | float)}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **figures}) + "\n")
            done = state.global_step - self.begun_at
            is_step = "loss" in figures or "reward" in figures
            if is_step and done > 0 and n_steps >= 20 and state.global_step % (n_steps // 20) == 0:
                left = (time.monotonic() - self.began) / done * (n_steps - state.global_step)
                say(f"step {state.global_step} of {n_steps}: about {_in_words(left)} left")

    return WriteMetrics()


def write_tensorboard(directory: Path) -> Any:
    """A trainer callback that shows every logged figure to TensorBoard, under the metric's name.

    After a kill, TensorBoard drops what was logged beyond the step that is gone on from.
    """
    from torch.utils.tensorboard import SummaryWriter
    from transformers import TrainerCallback

    class WriteTensorBoard(TrainerCallback):
        """One point a figure and log."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            """Begin a file of events."""
            self.writer = SummaryWriter(str(directory), purge_step=state.global_step + 1)

        def on_log(
            self, args: Any, state: Any, control: Any, logs: Any = None, **others: Any
        ) -> None:
            """Add the figures."""
            for name, value in (logs or {}).items():
                if isinstance(value, int | float):
                    self.writer.add_scalar(name, value, state.global_step)
            self.writer.flush()

        def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            """End the file."""
            self.writer.close()

    return WriteTensorBoard()


def _in_words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
