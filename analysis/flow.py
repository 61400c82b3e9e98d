"""The flow of the study: what was planned, answered, failed, missing and rated, by arm."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from analysis.dataset import Dataset


@dataclass(frozen=True, slots=True)
class ArmFlow:
    """Counts of one arm."""

    arm: str
    label: str
    n_respondents: int
    n_planned: int
    """Respondents who joined, times vignettes."""
    n_submitted: int
    n_failed: int
    """Failed generations; recorded, never rated."""
    n_missing: int
    """Vignettes left unanswered."""
    n_ratings_planned: int
    n_ratings: int
    failures: tuple[tuple[str, int], ...]
    """Kind of failure and how often."""

    @property
    def n_ratings_missing(self) -> int:
        """Allocated and not given."""
        return self.n_ratings_planned - self.n_ratings


def flow(dataset: Dataset) -> tuple[ArmFlow, ...]:
    """Counts for each arm, in the protocol's order."""
    return tuple(_arm_flow(dataset, arm.id, arm.label) for arm in dataset.arms.values())


def _arm_flow(dataset: Dataset, arm: str, label: str) -> ArmFlow:
    responses = [row for row in dataset.tables["responses"] if row["arm"] == arm]
    status = Counter(str(row["status"]) for row in responses)
    codes = {row["blinding_code"] for row in responses} - {None}
    assigned = [row for row in dataset.tables["assignments"] if row["blinding_code"] in codes]
    return ArmFlow(
        arm=arm,
        label=label,
        n_respondents=len({row["respondent_id"] for row in responses}),
        n_planned=len(responses),
        n_submitted=status["submitted"],
        n_failed=status["failed"],
        n_missing=status["missing"],
        n_ratings_planned=len(assigned),
        n_ratings=sum(row["blinding_code"] in codes for row in dataset.final_ratings()),
        failures=tuple(
            sorted(Counter(str(r["failure"]) for r in responses if r["failure"]).items())
        ),
    )
