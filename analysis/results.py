"""Every number of the report, computed once; tables, figures and sentences only arrange them."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.agreement import Agreement, TestRetest, agreement_results, test_retest_results
from analysis.blinded import Blinded, blinded_result
from analysis.dataset import Dataset
from analysis.flow import ArmFlow, flow
from analysis.harmed import Harmed, harm_result
from analysis.primary import DimensionResult, primary_results
from analysis.robustness import RobustRow, robustness_rows


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that the report prints."""

    dataset: Dataset
    flow: tuple[ArmFlow, ...]
    harm: Harmed
    dimensions: tuple[DimensionResult, ...]
    agreement: tuple[Agreement, ...]
    test_retest: tuple[TestRetest, ...]
    blinded: Blinded
    robustness: tuple[RobustRow, ...]


def compute(dataset: Dataset) -> Results:
    """Compute every result of a dataset; what has no value says why instead."""
    return Results(
        dataset=dataset,
        flow=flow(dataset),
        harm=harm_result(dataset),
        dimensions=primary_results(dataset),
        agreement=agreement_results(dataset),
        test_retest=test_retest_results(dataset),
        blinded=blinded_result(dataset),
        robustness=robustness_rows(dataset),
    )
