"""Where times come from: the operating system, or a stepping clock for simulation and tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Gives aware UTC times."""

    def now(self) -> datetime:
        """The present time, aware UTC."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The operating system's clock."""

    def now(self) -> datetime:
        """The present time, aware UTC, in whole microseconds."""
        return datetime.now(UTC)


@dataclass(slots=True)
class SteppingClock:
    """A clock that moves on by one step at each look; for simulation and tests only."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 1, 5, 8, tzinfo=UTC))
    step: timedelta = timedelta(seconds=1)

    def now(self) -> datetime:
        """The moment after the last one."""
        self.moment += self.step
        return self.moment


def as_text(moment: datetime) -> str:
    """An aware UTC time as ISO 8601 ending in `Z`, as the file contracts write it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
