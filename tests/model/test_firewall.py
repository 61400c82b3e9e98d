from __future__ import annotations

import pytest
import yaml

from model.cts.firewall import (
    Overlap,
    check,
    near_duplicates,
    overlap,
    rows_of,
    texts_under,
    words_of,
)
from model.errors import FirewallError
from model.train.rows import read_rows
from tests.model.files import NANO, ROOT

CASE = "A woman of seventy on warfarin has two days of burning and the plan is a new tablet"
#       1 2     3  4       5  6        7   8   9    10 11      12  13  14   15 16 17 18


def test_thirteen_shared_words_are_an_overlap_and_twelve_are_not():
    thirteen = " ".join(CASE.split()[2:15])
    twelve = " ".join(CASE.split()[2:14])
    assert overlap([f"before {thirteen} after"], [CASE]) == [Overlap(0, 0, thirteen.lower())]
    assert overlap([f"before {twelve} after"], [CASE]) == []


def test_case_punctuation_and_line_breaks_do_not_hide_an_overlap():
    assert len(overlap([CASE.upper().replace(" ", ",\n— ")], [CASE])) == 1


def test_words_are_found_in_any_script():
    # NFKC joins the ligature and the full-width digits; case folding turns ß into ss.
    assert words_of("Große ﬁbre, １２ 華法林") == ["grosse", "fibre", "12", "華法林"]


def test_a_short_text_overlaps_when_all_of_it_is_found():
    short = "hold the medicine today and repeat the level tomorrow before breakfast"
    assert len(overlap([f"I would {short}, then call."], [short])) == 1


def test_a_result_or_a_name_is_common_property():
    assert overlap(["Creatinine 88 micromol/L"], ["Creatinine 88 micromol/L"]) == []


def test_a_planted_vignette_is_found_and_named(tmp_path):
    (tmp_path / "v.yaml").write_text(yaml.safe_dump({"texts": {"en": {"text": CASE}}}))
    with pytest.raises(FirewallError, match=r"1 training rows hold text .* row 2: “a woman of"):
        check(["harmless", f"Read this. {CASE}."], [tmp_path])


def test_a_path_that_is_missing_is_an_error_and_not_a_pass(tmp_path):
    with pytest.raises(FirewallError, match="is missing"):
        texts_under([tmp_path / "nowhere"])


def test_a_directory_without_text_is_an_error_and_not_a_pass(tmp_path):
    with pytest.raises(FirewallError, match="holds no text"):
        texts_under([tmp_path])


def test_the_shipped_vignettes_are_found_in_rows_that_hold_them():
    vignettes = sorted((ROOT / "data" / "vignettes").glob("*.yaml"))
    texts = [yaml.safe_load(path.read_text())["texts"]["en"]["text"] for path in vignettes]
    assert len(texts) >= 6
    found = overlap(texts, texts_under([ROOT / "data" / "vignettes"]))
    assert {o.row for o in found} == set(range(len(texts)))


def test_no_shipped_row_holds_text_of_a_shipped_vignette():
    rows = [
        f"{row.prompt}\n{row.completion}"
        for name in ("train.jsonl", "held_out.jsonl")
        for row in read_rows(NANO / "corpus" / name)
    ]
    plain = (NANO / "plain_english.txt").read_text(encoding="utf-8").splitlines()
    assert overlap(rows + plain, texts_under([ROOT / "data" / "vignettes"])) == []


CHART = (
    "Woman, 60 years, 64 kg, 163 cm. Four days of burning on urination. Takes warfarin 5 mg once "
    "daily since 2019, metoprolol 50 mg once daily and calcium. Creatinine 62 micromol/L, "
    "potassium 4.3 mmol/L, hemoglobin 118 g/L. Plan: co-trimoxazole twice daily for "
    "three days from tonight."
)


def test_a_chart_with_other_numbers_and_some_other_words_is_nearly_the_same():
    altered = CHART.replace("60", "71").replace("62", "84").replace("burning", "stinging")
    assert overlap([altered], [CHART], n=40) == []
    (found,) = near_duplicates([altered], [CHART])
    assert (found.row, found.text) == (0, 0)


def test_another_chart_with_the_same_headings_is_not():
    other = (
        "Man, 44 years, 80 kg, 180 cm. Cough and fever since Monday. Takes lisinopril 10 mg once "
        "daily since 2020 and nothing else. Creatinine 90 micromol/L, potassium 4.1 mmol/L, white "
        "cells 12 x 10^9/L. Plan: amoxicillin three times daily for five days starting today."
    )
    assert near_duplicates([other], [CHART]) == []


def test_the_shipped_rows_stay_far_below_the_share_that_counts_as_near():
    texts = texts_under([ROOT / "data" / "vignettes"])
    rows = rows_of(NANO / "corpus" / "train.jsonl")
    assert near_duplicates(rows, texts, share=0.35) == []


def test_a_near_duplicate_is_refused_by_row(tmp_path):
    (tmp_path / "v.txt").write_text(CHART)
    with pytest.raises(FirewallError, match=r"row 1: “\d+% of its three-word runs”"):
        check([CHART.replace("60", "71").replace("warfarin", "apixaban")], [tmp_path])
