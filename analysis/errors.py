"""What a statistic or a dataset is refused for, by name."""

from __future__ import annotations


class AnalysisError(Exception):
    """Base of the analysis errors; its text names the thing, the value and the remedy."""


class DatasetError(AnalysisError):
    """A frozen dataset cannot be analysed."""


class UndefinedError(AnalysisError):
    """A statistic has no value on these data, and says why."""


class UnattainableError(UndefinedError):
    """So few pairs cannot give an interval of the confidence asked for."""

    def __init__(self, message: str, attainable: float) -> None:
        """Keep the highest confidence that is attainable."""
        super().__init__(message)
        self.attainable = attainable
