"""What a statistic or a dataset is refused for, by name."""

from __future__ import annotations


class AnalysisError(Exception):
    """Base of the analysis errors; its text names the thing, the value and the remedy."""


class DatasetError(AnalysisError):
    """A frozen dataset cannot be analysed."""


class UndefinedError(AnalysisError):
    """A statistic has no value on these data, and says why."""


class NoIntervalError(UndefinedError):
    """A statistic has a value on these data and no interval, and says why."""

    def __init__(self, message: str, value: float) -> None:
        """Keep the value, which may be printed."""
        super().__init__(message)
        self.value = value


class UnattainableError(NoIntervalError):
    """So few pairs cannot give an interval of the confidence asked for."""

    def __init__(self, message: str, value: float, attainable: float) -> None:
        """Keep the estimate and the highest confidence that is attainable."""
        super().__init__(message, value)
        self.attainable = attainable
