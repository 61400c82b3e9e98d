"""A statistic's value, or the reason in words why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from analysis.errors import NoIntervalError, UndefinedError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NotComputed:
    """A statistic without a value, or without an interval, with the reason in words."""

    reason: str
    value: float | None = None
    """The value, where only the interval is missing."""


def attempt(compute_it: Callable[[], T]) -> T | NotComputed:
    """The value, or the reason why there is none."""
    try:
        return compute_it()
    except NoIntervalError as error:
        return NotComputed(str(error), error.value)
    except UndefinedError as error:
        return NotComputed(str(error))
