"""Reading a frozen dataset: every digest verified, every rule of the contract checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.checks import check_audit, check_rows
from analysis.errors import DatasetError
from analysis.frozen_files import OPTIONAL, Row, read_manifest, read_protocol, read_table
from analysis.withdrawn import without_doubles, without_withdrawn

if TYPE_CHECKING:
    import pandas as pd

    from analysis.external import Scale


@dataclass(frozen=True, slots=True)
class Dimension:
    """One rubric dimension, with its scale and direction."""

    id: str
    label: str
    minimum: float
    maximum: float
    higher_is_better: bool
    step: float = 1

    @property
    def points(self) -> tuple[float, ...]:
        """The scale's points in order."""
        n_steps = round((self.maximum - self.minimum) / self.step)
        return tuple(round(self.minimum + place * self.step, 9) for place in range(n_steps + 1))


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of the study."""

    id: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two arms; every difference is the first minus the second."""

    first: Arm
    second: Arm


@dataclass(frozen=True, slots=True)
class Margin:
    """A margin declared beforehand, with its reason; claims against it are their own family."""

    points: float
    reason: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A verified frozen dataset, or a ratings table from elsewhere in the same shape."""

    manifest: Mapping[str, Any]
    protocol: Mapping[str, Any]
    tables: Mapping[str, tuple[Row, ...]]
    """Those of the contract; `marks` and `guesses` are empty where nobody was asked."""
    arms: Mapping[str, Arm]
    dimensions: tuple[Dimension, ...]

    @property
    def simulated_note(self) -> str | None:
        """The sentence every page, table and figure must carry, or None."""
        note = self.manifest["simulated_note"]
        return str(note) if self.manifest["simulated"] else None

    @property
    def unblinding_note(self) -> str:
        """When and why the arms were joined to the ratings; every table carries it."""
        if not self.manifest["unblindings"]:
            return "Computed from a table that names the arms; no lock or unblinding is recorded."
        events = [f"{e['at']} ({e['reason']})" for e in self.manifest["unblindings"]]
        broken = [
            f"{e['code']} at {e['at']} ({e['reason']})"
            for e in self.manifest.get("code_breaks", ())
        ]
        words = f"Computed after unblinding at {'; '.join(events)}."
        words += " From the de-identified public bundle." if self.is_public else ""
        return f"{words} Codes broken before: {'; '.join(broken)}." if broken else words

    @property
    def is_public(self) -> bool:
        """Whether this is a de-identified public bundle, which has no audit."""
        return "public" in self.manifest

    @property
    def vignettes(self) -> tuple[str, ...]:
        """Ids of the study's vignettes, in the order of their table."""
        return tuple(str(row["vignette_id"]) for row in self.tables["vignettes"])

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """Every declared pair of arms, the main one first."""
        main = self.protocol["contrast"]
        others = [c for c in self.protocol.get("contrasts", []) if dict(c) != dict(main)]
        return tuple(
            Contrast(self.arms[pair["first"]], self.arms[pair["second"]])
            for pair in (main, *others)
        )

    @property
    def first(self) -> Arm:
        """The main contrast's arm from which the other is taken away."""
        return self.contrasts[0].first

    @property
    def second(self) -> Arm:
        """The main contrast's arm that is taken away."""
        return self.contrasts[0].second

    @property
    def margin(self) -> Margin | None:
        """What the protocol calls a difference that matters, if it says so; there is no default."""
        stated = self.protocol.get("margin")
        return None if stated is None else Margin(float(stated["points"]), str(stated["reason"]))

    def final_ratings(self) -> tuple[Row, ...]:
        """Each rater's last own rating of each response at its first presentation."""
        return tuple(r for r in self.tables["ratings"] if r["final"] and not r.get("repeat"))


def open_export(directory: Path) -> Dataset:
    """Read and verify a frozen dataset.

    Args:
        directory: Written by `safemed export`; see `docs/contracts.md`.

    Raises:
        DatasetError: If a file is missing or changed, the study was not locked or unblinded, or the
            ratings break the contract; the message names the rows and values.
    """
    manifest = read_manifest(directory)
    protocol = read_protocol(directory, manifest["protocol_sha256"])
    try:
        scores = [str(d["id"]) for d in protocol["rating"]["dimensions"]]
    except (KeyError, TypeError) as error:
        raise _lacks(f"{directory / 'protocol.json'}", error) from error
    tables = {
        name: read_table(directory, name, entry, scores)
        for name, entry in manifest["tables"].items()
    }
    tables = {name: () for name in OPTIONAL} | tables
    dataset = dataset_of(manifest, protocol, tables, name=f"{directory / 'protocol.json'}")
    check_audit(dataset)
    check_rows(dataset)
    return without_doubles(without_withdrawn(dataset))


def from_ratings(
    table: pd.DataFrame | Path, *, columns: Mapping[str, str] | None = None,
    first: str | None = None, second: str | None = None,
    contrasts: Sequence[tuple[str, str]] = (), protocol: Mapping[str, Any] | None = None,
    scale: Scale | None = None,
) -> Dataset:  # fmt: skip
    """A ratings table from anywhere, one row a score.

    Args:
        table: A data frame or a CSV file.
        columns: From what a column means to its name: vignette, arm, rater, score; and where there
            are, respondent, dimension, repeat, position, duration, category, stratum. A column of
            that very name need not be listed. Without respondents an arm has one; without
            dimensions there is one, `score`.
        first: Arm from which the other is taken away, such as the model's.
        second: Arm that is taken away.
        contrasts: Further declared pairs; every pair and dimension enter one family.
        protocol: What the analysis plan leaves to a protocol: `margin`, `analysis`, `primary`,
            labels; as in `docs/contracts.md`.
        scale: Of every dimension; 1 to 5 by default.

    Raises:
        DatasetError: Naming every row that cannot be right, with its value and the remedy.
    """
    from analysis.external import Scale as DefaultScale
    from analysis.external import dataset_from_ratings

    return dataset_from_ratings(
        table, columns=columns or {}, first=first, second=second, contrasts=contrasts,
        protocol=protocol or {}, scale=scale or DefaultScale(),
    )  # fmt: skip


def dataset_of(
    manifest: Mapping[str, Any], protocol: Mapping[str, Any],
    tables: Mapping[str, tuple[Row, ...]], *, name: str = "the protocol",
) -> Dataset:  # fmt: skip
    """A dataset from its parts, the protocol checked.

    Raises:
        DatasetError: If the protocol lacks or contradicts what the analysis reads.
    """
    try:
        dimensions = tuple(_dimension(d) for d in protocol["rating"]["dimensions"])
        arms = {a["id"]: Arm(a["id"], a["kind"], a["label"]) for a in protocol["arms"]}
        _check_protocol(protocol, arms, dimensions)
    except (KeyError, TypeError) as error:
        raise _lacks(name, error) from error
    return Dataset(manifest, protocol, tables, arms, dimensions)


def _lacks(name: str, error: KeyError | TypeError) -> DatasetError:
    return DatasetError(
        f"{name} lacks {error}, which the analysis reads; see the frozen dataset in "
        "docs/contracts.md"
    )


def _dimension(written: Mapping[str, Any]) -> Dimension:
    scale = written["scale"]
    if scale["direction"] not in ("higher_is_better", "lower_is_better"):
        raise DatasetError(
            f"the dimension {written['id']} has the direction {scale['direction']!r}; a scale says "
            "higher_is_better or lower_is_better"
        )
    return Dimension(
        id=written["id"],
        label=written["label"],
        minimum=scale["minimum"],
        maximum=scale["maximum"],
        step=scale.get("step", 1),
        higher_is_better=scale["direction"] == "higher_is_better",
    )


def _check_protocol(
    protocol: Mapping[str, Any], arms: Mapping[str, Arm], dimensions: tuple[Dimension, ...]
) -> None:
    margin = protocol.get("margin")
    if margin is not None and not (margin["points"] > 0 and str(margin["reason"]).strip()):
        raise DatasetError(
            f"the margin is {margin['points']!r} with the reason {margin['reason']!r}; a margin is "
            "a number of rubric points above 0 and has a reason"
        )
    family = protocol["primary"]["family"]
    for contrast in (protocol["contrast"], *protocol.get("contrasts", [])):
        for side in ("first", "second"):
            if contrast[side] not in arms:
                raise DatasetError(
                    f"the contrast's {side} arm is {contrast[side]!r}; the protocol's arms are "
                    f"{', '.join(arms)}"
                )
    unknown = sorted(set(family) - {dimension.id for dimension in dimensions})
    if unknown or not family:
        raise DatasetError(
            f"the primary family is {family}; it must name dimensions of the protocol"
        )
    settings = protocol["analysis"]
    for name in ("alpha", "confidence", "zeros", "n_resamples", "seed"):
        settings[name]
    if settings["seed"] < 0:
        raise DatasetError(f"analysis.seed is {settings['seed']}; a seed is 0 or more")
