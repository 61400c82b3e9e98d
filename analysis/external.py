"""A ratings table from anywhere, in the shape of a frozen dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.canonical import canonical, sha256_hex
from analysis.dataset import Dataset, dataset_of
from analysis.errors import DatasetError
from analysis.ratings_file import Cells, Columns, frame_cells, in_words, read_cells, score

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("vignette", "arm", "rater", "score")
KNOWN = (
    *NEEDED,
    "respondent",
    "dimension",
    "repeat",
    "position",
    "duration",
    "category",
    "stratum",
)
MOST_VIGNETTES = 5_000


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale of every dimension of a table."""

    minimum: float = 1
    maximum: float = 5
    step: float = 1
    lower_is_better: tuple[str, ...] = ()
    """Dimensions on which less is better."""


@dataclass(frozen=True, slots=True)
class _Rating:
    row: int
    vignette: str
    arm: str
    respondent: str
    rater: str
    dimension: str
    score: float | None
    repeat: int
    position: int | None
    duration: float | None
    """Seconds."""
    category: str | None
    stratum: str | None


def dataset_from_ratings(
    table: pd.DataFrame | Path, *, columns: Columns, first: str | None, second: str | None,
    contrasts: Sequence[tuple[str, str]], protocol: Mapping[str, Any], scale: Scale,
) -> Dataset:  # fmt: skip
    """See `analysis.dataset.from_ratings`."""
    cells = read_cells(table) if isinstance(table, Path) else frame_cells(table)
    ratings = _ratings(cells, columns)
    arms = list(dict.fromkeys(r.arm for r in ratings))
    pairs = _pairs(arms, first, second, contrasts, protocol)
    dimensions = list(dict.fromkeys(r.dimension for r in ratings))
    stated = _protocol(arms, dimensions, pairs, protocol, scale)
    _check_scores(cells, ratings, stated)
    _check_once(cells, ratings)
    tables = _tables(ratings, dimensions)
    manifest = {
        "schema": "safemed.ratings/1", "study_id": Path(cells.name).stem, "title": stated["title"],
        "simulated": bool(protocol.get("simulated_note")),
        "simulated_note": protocol.get("simulated_note"),
        "protocol_sha256": sha256_hex(canonical(stated)), "code_version": "not known",
        "audit_head": None, "n_audit_events": 0, "locked_at": None, "unblindings": [], "seeds": [],
        "tables": {"ratings": {"rows": len(cells.rows), "sha256": cells.sha256,
                               "columns": list(cells.columns)}},
    }  # fmt: skip
    return dataset_of(manifest, stated, tables)


def _ratings(cells: Cells, columns: Columns) -> list[_Rating]:
    unknown = sorted(set(columns) - set(KNOWN))
    if unknown:
        raise DatasetError(
            f"columns names {', '.join(unknown)}; what a column can be is {', '.join(KNOWN)}"
        )
    place: dict[str, int] = {}
    for meaning in KNOWN:
        written = columns.get(meaning, meaning)
        if meaning in NEEDED or meaning in columns or written in cells.columns:
            place[meaning] = cells.column(written)
    found: list[_Rating] = []
    faults: list[str] = []
    for number, row in enumerate(cells.rows, start=cells.first_row):
        try:
            found.append(_rating(number, {m: row[p] for m, p in place.items()}))
        except ValueError as error:
            faults.append(f"row {number}: {error}")
    if faults:
        raise DatasetError(f"{cells.name} cannot be analysed: {in_words(faults)}")
    _check_vignettes(cells, found)
    return found


def _rating(number: int, cell: Mapping[str, str]) -> _Rating:
    for name in ("vignette", "arm", "rater"):
        if not cell[name]:
            raise ValueError(f"{name} is blank")
    try:
        value = score(cell["score"])
    except ValueError as error:
        raise ValueError(f"score {cell['score']!r} is {error}") from error
    return _Rating(
        row=number, vignette=cell["vignette"], arm=cell["arm"],
        respondent=cell.get("respondent") or cell["arm"], rater=cell["rater"],
        dimension=cell.get("dimension") or "score", score=value,
        repeat=_whole("repeat", cell.get("repeat")) or 0,
        position=_whole("position", cell.get("position")),
        duration=_seconds(cell.get("duration")),
        category=cell.get("category") or None, stratum=cell.get("stratum") or None,
    )  # fmt: skip


def _whole(name: str, cell: str | None) -> int | None:
    if not cell:
        return None
    if cell.lower() in ("true", "false"):
        return int(cell.lower() == "true")
    try:
        return int(cell)
    except ValueError as error:
        raise ValueError(f"{name} {cell!r} is no whole number") from error


def _seconds(cell: str | None) -> float | None:
    try:
        return score(cell or "")
    except ValueError as error:
        raise ValueError(f"duration {cell!r} is {error}; it is a number of seconds") from error


def _check_vignettes(cells: Cells, ratings: Sequence[_Rating]) -> None:
    n_vignettes = len({r.vignette for r in ratings})
    if n_vignettes > MOST_VIGNETTES:
        raise DatasetError(
            f"{cells.name} has {n_vignettes:,} vignettes; more than {MOST_VIGNETTES:,} are "
            "refused: the pairs of differences behind the Hodges-Lehmann interval would not fit"
        )


def _pairs(
    arms: Sequence[str], first: str | None, second: str | None,
    contrasts: Sequence[tuple[str, str]], protocol: Mapping[str, Any],
) -> list[tuple[str, str]]:  # fmt: skip
    """The declared pairs of arms, the main one first."""
    declared = list(contrasts)
    if first and second:
        declared.insert(0, (first, second))
    elif not declared and "contrast" in protocol:
        main = protocol["contrast"]
        declared = [(main["first"], main["second"])]
        declared += [(c["first"], c["second"]) for c in protocol.get("contrasts", [])]
    if not declared:
        raise DatasetError(
            f"the table's arms are {', '.join(map(repr, arms))}; say which is taken from which, "
            "with --model-arm and --human-arm (every difference is the first minus the second)"
        )
    for pair in declared:
        for arm in pair:
            if arm not in arms:
                raise DatasetError(
                    f"the arm {arm!r} has no row in the table; its arms are "
                    f"{', '.join(map(repr, arms))}"
                )
        if pair[0] == pair[1]:
            raise DatasetError(f"a contrast compares {pair[0]!r} with itself")
    return list(dict.fromkeys(declared))


def _protocol(
    arms: Sequence[str], dimensions: Sequence[str], pairs: Sequence[tuple[str, str]],
    given: Mapping[str, Any], scale: Scale,
) -> dict[str, Any]:  # fmt: skip
    """What a protocol would have said; what the given one says comes first."""
    labels = {arm["id"]: arm.get("label", arm["id"]) for arm in given.get("arms", [])}
    contrasts = [{"first": one, "second": other} for one, other in pairs]
    analysis = {
        "alpha": 0.05, "confidence": 0.95, "zeros": "pratt", "n_resamples": 10_000, "seed": 1,
    } | dict(given.get("analysis", {}))  # fmt: skip
    stated = {
        "title": given.get("title", "Ratings from elsewhere"),
        "arms": [{"id": a, "kind": "unknown", "label": labels.get(a, a)} for a in arms],
        "contrast": contrasts[0], "contrasts": contrasts[1:],
        "rating": {"dimensions": _dimensions(dimensions, given, scale)},
        "primary": {"family": list(dimensions), "correction": "holm"} | given.get("primary", {}),
        "analysis": analysis,
        "estimand": given.get("estimand", {
            "population": "not stated", "contrast": "not stated", "endpoint": "not stated",
            "summary": "not stated", "intercurrent_events": {},
        }),
    }  # fmt: skip
    return stated | {k: given[k] for k in ("margin", "jurisdiction", "conditions") if k in given}


def _dimensions(
    names: Sequence[str], given: Mapping[str, Any], scale: Scale
) -> list[dict[str, Any]]:
    stated = {d["id"]: d for d in given.get("rating", {}).get("dimensions", [])}
    unknown = sorted(set(scale.lower_is_better) - set(names))
    if unknown:
        raise DatasetError(
            f"lower is better on {', '.join(unknown)}, which the table has not; its dimensions are "
            f"{', '.join(names)}"
        )
    return [
        {
            "id": name,
            "label": stated.get(name, {}).get("label", name.replace("_", " ").capitalize()),
            "scale": stated.get(name, {}).get("scale", {
                "minimum": scale.minimum, "maximum": scale.maximum, "step": scale.step,
                "direction": "lower_is_better" if name in scale.lower_is_better
                else "higher_is_better",
            }),
        }
        for name in names
    ]  # fmt: skip


def _check_scores(cells: Cells, ratings: Sequence[_Rating], protocol: Mapping[str, Any]) -> None:
    scales = {d["id"]: d["scale"] for d in protocol["rating"]["dimensions"]}
    faults = list(_off_scale(ratings, scales))
    if faults:
        raise DatasetError(
            f"{cells.name} cannot be analysed: {in_words(faults)}. Another scale is named with "
            "--scale, such as --scale 0..10 or --scale 1..5:0.5"
        )
    if all(r.score is None for r in ratings):
        raise DatasetError(f"{cells.name} has no score at all: every one is blank")


def _off_scale(
    ratings: Sequence[_Rating], scales: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    for rating in ratings:
        scale = scales[rating.dimension]
        low, high, step = scale["minimum"], scale["maximum"], scale.get("step", 1)
        if rating.score is None:
            continue
        steps = (rating.score - low) / step
        if not low <= rating.score <= high or abs(steps - round(steps)) > 1e-9:
            yield (
                f"row {rating.row}: score {rating.score:g} is off the scale {low:g} to {high:g} "
                f"by {step:g}"
            )


def _check_once(cells: Cells, ratings: Sequence[_Rating]) -> None:
    rows: dict[tuple[object, ...], list[_Rating]] = defaultdict(list)
    for r in ratings:
        rows[r.vignette, r.arm, r.respondent, r.rater, r.dimension, r.repeat].append(r)
    faults = [
        f"rows {', '.join(str(r.row) for r in same)}: rater {same[0].rater} scored {same[0].arm} "
        f"{same[0].respondent} on {same[0].vignette}, {same[0].dimension}, {len(same)} times "
        f"({', '.join('blank' if r.score is None else f'{r.score:g}' for r in same)})"
        for same in rows.values()
        if len(same) > 1
    ]
    if faults:
        raise DatasetError(f"{cells.name} cannot be analysed: {in_words(faults)}")


def _tables(
    ratings: Sequence[_Rating], dimensions: Sequence[str]
) -> dict[str, tuple[dict[str, Any], ...]]:
    arms_of: dict[str, set[str]] = defaultdict(set)
    for r in ratings:
        arms_of[r.respondent].add(r.arm)

    def person(r: _Rating) -> str:
        return r.respondent if len(arms_of[r.respondent]) == 1 else f"{r.arm}/{r.respondent}"

    vignettes: dict[str, dict[str, Any]] = {}
    responses: dict[str, dict[str, Any]] = {}
    people: dict[str, dict[str, Any]] = {}
    rated: dict[tuple[str, str, int], dict[str, Any]] = {}
    for r in ratings:
        name = person(r)
        code = f"{r.vignette}|{name}"
        vignettes.setdefault(r.vignette, {"vignette_id": r.vignette, "category": r.category})
        people.setdefault(name, {"respondent_id": name, "arm": r.arm, "stratum": r.stratum})
        responses.setdefault(code, {
            "response_id": code, "vignette_id": r.vignette, "respondent_id": name, "arm": r.arm,
            "status": "submitted", "failure": None, "blinding_code": code, "masked_text": None,
        })  # fmt: skip
        row = rated.setdefault((code, r.rater, r.repeat), {
            "rating_id": f"row {r.row}", "rater_id": r.rater, "blinding_code": code,
            "vignette_id": r.vignette, "position": r.position, "duration": r.duration,
            "final": True, "repeat": r.repeat,
            **dict.fromkeys(dimensions),
        })  # fmt: skip
        row[r.dimension] = r.score
    given = tuple(row for row in rated.values() if any(row[d] is not None for d in dimensions))
    return {
        "vignettes": tuple(vignettes.values()), "respondents": tuple(people.values()),
        "raters": tuple({"rater_id": rater} for rater in dict.fromkeys(r.rater for r in ratings)),
        "responses": tuple(responses.values()),
        "assignments": tuple(
            {"rater_id": rater, "blinding_code": code}
            for code, rater, repeat in rated
            if not repeat
        ),
        "ratings": given, "marks": (), "guesses": (), "audit": (), "masking_changes": (),
    }  # fmt: skip
