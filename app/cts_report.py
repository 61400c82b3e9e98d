"""The ledger's report: the flow by `model`, the agreement of clinician auditors by `analysis`."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.commands.errors import InputError
from model.cts.ledger import Ledger
from model.cts.report import (
    Flow,
    Reviewed,
    against_others,
    dataset_differs,
    flow,
    outcome_of_each,
    reviewed,
    side_by_side,
)
from model.cts.tables import DIMENSIONS, HIGHEST, LOWEST

if TYPE_CHECKING:
    from analysis.review_agreement import ReviewAgreement, ReviewerStanding

SCHEMA = "safemed.cts-report/1"
POINTS = tuple(float(point) for point in range(LOWEST, HIGHEST + 1))
N_RESAMPLES, SEED = 500, 20261121
EVERY = "all specialties"
MOST_AUDITORS = 20
"""That are printed; all are written."""


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One dimension of the rows of one specialty."""

    dimension: str
    specialty: str
    found: ReviewAgreement


@dataclass(frozen=True, slots=True)
class AuditorRow:
    """One clinician auditor on one dimension."""

    auditor: str
    dimension: str
    found: ReviewerStanding


@dataclass(frozen=True, slots=True)
class CtsReport:
    """Everything that the report says."""

    ledger_head: str
    flow: Flow
    agreement: tuple[AgreementRow, ...]
    auditors: tuple[AuditorRow, ...]
    differences: tuple[str, ...]
    """Where a dataset does not reconcile with the ledger."""


def cts_report(ledger: Ledger, datasets: Sequence[Path] = ()) -> CtsReport:
    """Compute the report.

    Args:
        ledger: Whose rows and reviews.
        datasets: Directories that `build` wrote, to be reconciled with the flow.
    """
    reviews = reviewed(ledger)
    differing = tuple(words for d in datasets for words in dataset_differs(ledger, d))
    return CtsReport(
        ledger.head, flow(ledger), tuple(_agreement(reviews)), tuple(_auditors(reviews)), differing
    )


def _agreement(reviews: Reviewed) -> Iterable[AgreementRow]:
    from analysis.review_agreement import review_agreement

    if not len(reviews.row):
        return
    parts = [(EVERY, reviews)]
    parts += [(name, _of(reviews, reviews.specialty == place))
              for place, name in enumerate(reviews.specialties)]  # fmt: skip
    for number, dimension in enumerate(DIMENSIONS):
        for name, part in parts:
            if len(part.row):
                ratings = side_by_side(part, number)
                found = review_agreement(ratings, points=POINTS, n_resamples=N_RESAMPLES, seed=SEED)
                yield AgreementRow(dimension, name, found)


def _of(reviews: Reviewed, chosen: np.ndarray[Any, Any]) -> Reviewed:
    return Reviewed(
        reviews.row[chosen], reviews.auditor[chosen], reviews.scores[chosen],
        reviews.specialty[chosen], reviews.auditors, reviews.specialties,
    )  # fmt: skip


def _auditors(reviews: Reviewed) -> Iterable[AuditorRow]:
    from analysis.review_agreement import reviewer_standing

    own, other = against_others(reviews)
    own_auditor = reviews.auditor[own]
    for place, auditor in enumerate(reviews.auditors):
        every, pairs = reviews.auditor == place, own_auditor == place
        for number, dimension in enumerate(DIMENSIONS):
            scores = reviews.scores[:, number].astype(float)
            found = reviewer_standing(
                scores[every], scores[own[pairs]], scores[other[pairs]], points=POINTS
            )
            yield AuditorRow(auditor, dimension, found)


def as_json(report: CtsReport) -> dict[str, Any]:
    """The report as plain values; what was not computed keeps its reason."""
    from analysis.summary import plain

    return {
        "schema": SCHEMA, "ledger_head": report.ledger_head, "flow": asdict(report.flow),
        "agreement": plain(report.agreement), "auditors": plain(report.auditors),
        "differences": list(report.differences),
    }  # fmt: skip


def as_lines(report: CtsReport) -> list[str]:
    """What a person reads."""
    found = report.flow
    lines = [f"{found.n_candidates:>9,}  candidates"]
    lines += [f"{-s.n_left_here:>9,}  {s.words}" for s in found.steps if s.n_left_here]
    lines += [f"{n:>9,}  {words}" for words, n in found.kept.items()]
    lines += [
        f"{found.n_kept:>9,}  kept",
        f"{found.n_reanswers:,} re-answers, {found.n_reviews:,} reviews ({found.n_edits:,} with "
        f"edits), {found.n_verdicts:,} verdicts",
        "",
        *_agreement_lines(report.agreement),
        "",
        *_auditor_lines(report.auditors),
        *(f"DIFFERS  {words}" for words in report.differences),
    ]
    return lines


def _agreement_lines(rows: Sequence[AgreementRow]) -> list[str]:
    head = f"{'dimension':<26}{'specialty':<22}{'reviews':>9}  {'alpha':<24}{'AC2':<24}exact"
    return [
        head,
        *(
            f"{row.dimension:<26}{row.specialty:<22}{row.found.n_reviews:>9,}  "
            f"{_words(row.found.alpha):<24}{_words(row.found.gwet):<24}{_words(row.found.exact)}"
            for row in rows
        ),
    ]


def _auditor_lines(rows: Sequence[AuditorRow]) -> list[str]:
    """Those whose scores lie furthest from the others', on any dimension."""
    apart = sorted(rows, key=lambda row: -abs(row.found.own_minus_others or 0.0))
    head = f"{'auditor':<16}{'dimension':<26}{'reviews':>9}  own minus others  kappa"
    return [
        f"clinician auditors furthest from the others ({MOST_AUDITORS} at most)",
        head,
        *(
            f"{row.auditor:<16}{row.dimension:<26}{row.found.n_reviews:>9,}  "
            f"{_words(row.found.own_minus_others):>16}  {_words(row.found.kappa)}"
            for row in apart[:MOST_AUDITORS]
        ),
    ]


def _words(value: Any) -> str:
    """A number, an interval, or the reason why there is none."""
    from analysis.wording import interval, number

    if value is None:
        return "\u2013"
    if isinstance(value, float):
        return number(value)
    cell = interval(value)
    return cell if isinstance(cell, str) else cell.text


def write_report(report: CtsReport, ledger: Ledger, out: Path) -> None:
    """Write `report.json`, `flow.csv`, `agreement.csv`, `auditors.csv` and `rows.csv`.

    Raises:
        InputError: If the directory exists.
    """
    if out.exists():
        raise InputError(f"{out} exists; name a new directory")
    out.mkdir(parents=True)
    content = json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n"
    (out / "report.json").write_text(content, encoding="utf-8")
    found = report.flow
    ends = [(s.words, s.n_left_here) for s in found.steps] + list(found.kept.items())
    _csv(out / "flow.csv", ("outcome", "rows"), [("candidates", found.n_candidates), *ends])
    _csv(out / "agreement.csv", ("dimension", "specialty", *AGREEMENT), (
        (row.dimension, row.specialty, *_cells(row.found, AGREEMENT)) for row in report.agreement
    ))  # fmt: skip
    _csv(out / "auditors.csv", ("auditor", "dimension", *STANDING), (
        (row.auditor, row.dimension, *_cells(row.found, STANDING)) for row in report.auditors
    ))  # fmt: skip
    _csv(out / "rows.csv", ("row_id", "outcome"), outcome_of_each(ledger))


AGREEMENT = ("n_items", "n_pairable", "n_reviews", "alpha", "gwet", "icc_nested", "exact",
             "within_one")  # fmt: skip
STANDING = ("n_reviews", "mean", "sd", "n_pairs", "own_minus_others", "kappa", "exact",
            "within_one")  # fmt: skip


def _cells(found: object, names: Sequence[str]) -> list[object]:
    values = (getattr(found, name) for name in names)
    return [v if isinstance(v, int) else _words(v) for v in values]


def _csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
