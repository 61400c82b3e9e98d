from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.dataset import from_ratings, open_export
from analysis.errors import DatasetError
from analysis.external import Scale
from analysis.multiplicity import adjust
from analysis.results import compute
from tests.analysis.frozen import panel

ARMS: dict[str, Any] = {"first": "model", "second": "people"}
HEADER = "vignette,arm,respondent,rater,dimension,score\n"
GOOD = (
    "V1,model,M,R1,safety,4\nV1,people,P1,R1,safety,3\nV2,model,M,R1,safety,5\n"
    "V2,people,P1,R1,safety,2\n"
)


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "ratings.csv"
    path.write_bytes(text.encode(encoding))
    return path


def frame(seed: int = 1, n_vignettes: int = 8, people: int = 3, raters: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        (f"V{v}", "model" if p == 0 else "people", f"P{p}", f"R{r}", "safety",
         int(rng.integers(1, 6)))
        for v in range(n_vignettes) for p in range(people + 1) for r in range(raters)
    ]  # fmt: skip
    return pd.DataFrame(
        rows, columns=["vignette", "arm", "respondent", "rater", "dimension", "score"]
    )


def refused(tmp_path: Path, text: str, **changed: Any) -> str:
    with pytest.raises(DatasetError) as caught:
        from_ratings(table(tmp_path, text), **{**ARMS, **changed})
    return str(caught.value)


def test_a_table_gives_the_same_numbers_as_the_frozen_dataset_it_was_taken_from(
    tmp_path: Path,
) -> None:
    frozen = panel(n_vignettes=10)
    export = open_export(frozen.write(tmp_path / "export"))
    arm = {r["blinding_code"]: r["arm"] for r in frozen.tables["responses"]}
    who = {r["blinding_code"]: r["respondent_id"] for r in frozen.tables["responses"]}
    long = pd.DataFrame([
        {"case": row["vignette_id"], "group": arm[row["blinding_code"]],
         "person": who[row["blinding_code"]], "judge": row["rater_id"], "what": d, "points": row[d]}
        for row in frozen.tables["ratings"] for d in frozen.dimensions
    ])  # fmt: skip
    external = from_ratings(
        long,
        columns={"vignette": "case", "arm": "group", "respondent": "person", "rater": "judge",
                 "dimension": "what", "score": "points"},
        protocol={"analysis": frozen.protocol["analysis"]}, **ARMS,
    )  # fmt: skip
    for ours, theirs in zip(compute(external).dimensions, compute(export).dimensions, strict=True):
        assert ours.test == theirs.test
        assert ours.p_adjusted == theirs.p_adjusted
        assert ours.rank_biserial == theirs.rank_biserial
        mixed, same = ours.sensitivity.mixed_random, theirs.sensitivity.mixed_random
        assert mixed.value == pytest.approx(same.value, abs=1e-6)  # type: ignore[union-attr]
        assert mixed.se == pytest.approx(same.se, rel=1e-4)  # type: ignore[union-attr]


def test_a_table_without_respondents_or_dimensions_works() -> None:
    short = frame(people=1).drop(columns=["respondent", "dimension"])
    results = compute(from_ratings(short, **ARMS))
    assert [d.dimension.id for d in results.dimensions] == ["score"]
    assert results.flow[0].n_respondents == 1


def test_half_points_and_other_scales_work() -> None:
    halves = frame()
    halves["score"] = halves["score"] * 2 - 0.5
    dataset = from_ratings(halves, scale=Scale(0, 10, 0.5), **ARMS)
    assert dataset.dimensions[0].points[:3] == (0, 0.5, 1)
    assert compute(dataset).agreement[0].n_raters == 2


def test_three_arms_give_every_declared_pair_in_one_family() -> None:
    three = frame(people=2)
    three.loc[three["respondent"] == "P2", "arm"] = "other"
    dataset = from_ratings(three, contrasts=[("model", "other")], **ARMS)
    results = compute(dataset)
    assert [(r.contrast.first.id, r.contrast.second.id) for r in results.dimensions] == [
        ("model", "people"), ("model", "other"),
    ]  # fmt: skip
    p = [r.test.p_value for r in results.dimensions]  # type: ignore[union-attr]
    assert [r.p_adjusted for r in results.dimensions] == list(adjust(p))


def test_two_models_are_compared_without_a_human_arm() -> None:
    models = frame(people=1).replace({"arm": {"people": "other-model"}})
    results = compute(from_ratings(models, first="model", second="other-model"))
    assert results.dimensions[0].differences.values.size == 8  # type: ignore[union-attr]
    assert "several" in results.dimensions[0].sensitivity.generalised.reason  # type: ignore[union-attr]


def test_raters_nested_in_vignettes_are_analysed() -> None:
    nested = frame(raters=2)
    nested["rater"] = nested["vignette"] + nested["rater"]
    results = compute(from_ratings(nested, **ARMS))
    assert results.dimensions[0].differences.values.size == 8  # type: ignore[union-attr]


def test_hidden_repeats_stay_out_of_the_main_analysis() -> None:
    once = frame()
    again = once[once["vignette"] == "V0"].assign(repeat=1, score=1)
    both = pd.concat([once.assign(repeat=0), again])
    first, second = compute(from_ratings(once, **ARMS)), compute(from_ratings(both, **ARMS))
    assert first.dimensions[0].test == second.dimensions[0].test
    assert second.test_retest[0].n_pairs == len(again)


def test_a_name_used_in_both_arms_is_two_people() -> None:
    clash = frame(people=1)
    clash["respondent"] = "same"
    dataset = from_ratings(clash, **ARMS)
    assert {r["respondent_id"] for r in dataset.tables["respondents"]} == {
        "model/same", "people/same",
    }  # fmt: skip


def test_semicolons_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    text = (HEADER + GOOD).replace(",", ";")
    assert len(from_ratings(table(tmp_path, text, "utf-8-sig"), **ARMS).vignettes) == 2


def test_a_blank_score_is_a_missing_rating_and_not_a_nought(tmp_path: Path) -> None:
    dataset = from_ratings(table(tmp_path, HEADER + GOOD + "V3,model,M,R1,safety,\n"), **ARMS)
    assert len(dataset.final_ratings()) == 4
    assert len(dataset.tables["responses"]) == 5


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("V3,model,M,R1,safety,four\n", "row 6: score 'four' is text"),
        ("V3,model,M,R1,safety,04.03.2026\n", "row 6: score '04.03.2026' is a date, which spread"),
        ("V3,model,M,R1,safety,3-Apr\n", "row 6: score '3-Apr' is a date"),
        ('V3,model,M,R1,safety,"1,004"\n', "'1,004' is a number with thousands separators"),
        ('V3,model,M,R1,safety,"3,5"\n', "'3,5' is a number with a decimal comma"),
        ("V3,,M,R1,safety,4\n", "row 6: arm is blank"),
        ("V3,model,M,R1,safety,7\n", "row 6: score 7 is off the scale 1 to 5 by 1"),
        ("V3,model,M,R1,safety,3.5\n", "row 6: score 3.5 is off the scale"),
        ("V1,model,M,R1,safety,2\n", "rows 2, 6: rater R1 scored model M on V1, safety, 2 times "
         "(4, 2)"),
        ("V3,model,M,R1\n", "row 6 has 4 cells where the header has 6"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_right_is_named_with_its_value(
    tmp_path: Path, line: str, words: str
) -> None:
    assert words in refused(tmp_path, HEADER + GOOD + line)


def test_every_bad_row_is_named_at_once(tmp_path: Path) -> None:
    bad = "V3,model,M,R1,safety,x\nV3,people,P1,R1,safety,y\n"
    words = refused(tmp_path, HEADER + GOOD + bad)
    assert "row 6" in words and "row 7" in words


def test_a_file_of_another_encoding_names_the_row(tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes((HEADER + GOOD).encode() + "V3,model,Zoé,R1,safety,4\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="row 6 is not UTF-8: 'V3,model,Zo"):
        from_ratings(path, **ARMS)


def test_a_file_that_mixes_encodings_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_bytes(
        (HEADER + "V0,model,Zoé,R1,safety,4\n").encode()
        + "V3,model,Zoé,R1,safety,4\n".encode("latin-1")
    )
    with pytest.raises(DatasetError, match="row 3 is not UTF-8, though earlier rows are: the file"):
        from_ratings(path, **ARMS)


def test_a_spreadsheet_file_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"PK\x03\x04\0\0\0\0")
    with pytest.raises(DatasetError, match="is no plain text"):
        from_ratings(path, **ARMS)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"first": "robot"}, "the arm 'robot' has no row in the table; its arms are 'model', "),
        ({"first": None}, "say which is taken from which, with --model-arm and --human-arm"),
        ({"second": "model"}, "compares 'model' with itself"),
        ({"columns": {"score": "points"}}, "has no column 'points'"),
        ({"columns": {"colour": "x"}}, "columns names colour"),
        ({"scale": Scale(lower_is_better=("speed",))}, "lower is better on speed"),
        ({"protocol": {"margin": {"points": 0, "reason": "x"}}}, "the margin is 0"),
        ({"protocol": {"margin": {"points": 0.5, "reason": " "}}}, "has a reason"),
    ],
)  # fmt: skip
def test_what_was_asked_wrongly_is_named_with_the_remedy(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    assert words in refused(tmp_path, HEADER + GOOD, **changed)


def test_an_arm_without_a_row_is_refused(tmp_path: Path) -> None:
    only = "".join(line for line in GOOD.splitlines(keepends=True) if ",model," in line)
    assert "the arm 'people' has no row" in refused(tmp_path, HEADER + only)


def test_a_table_too_large_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.ratings_file.MOST_ROWS", 10)
    with pytest.raises(DatasetError, match="has 64 rows; tables above 10 rows are refused"):
        from_ratings(frame(), **ARMS)
    monkeypatch.setattr("analysis.ratings_file.MOST_ROWS", 10_000)
    monkeypatch.setattr("analysis.external.MOST_VIGNETTES", 5)
    with pytest.raises(DatasetError, match="has 8 vignettes; more than 5 are refused"):
        from_ratings(frame(), **ARMS)


def test_an_empty_table_and_a_table_of_blanks_are_refused(tmp_path: Path) -> None:
    assert "no row below its header" in refused(tmp_path, HEADER)
    blank = HEADER + "V1,model,M,R1,safety,\nV1,people,P,R1,safety,NA\n"
    assert "has no score at all" in refused(tmp_path, blank)
