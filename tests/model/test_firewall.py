from __future__ import annotations

import pytest
import yaml

from model.cts import near
from model.cts.firewall import (
    Overlap,
    check,
    near_duplicates,
    overlap,
)
from model.cts.texts import rows_of, texts_under
from model.cts.units import short_runs, units_of
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


def test_words_are_found_in_any_script_and_characters_where_there_are_no_spaces():
    # NFKC joins the ligature and the full-width digits; case folding turns ß into ss.
    assert units_of("Große ﬁbre, １２ 華法林") == ["grosse", "fibre", "12", "華", "法", "林"]
    assert units_of("ワルファリン5mg、パンを") == [*"ワルファリン", "5mg", *"パンを"]
    assert units_of("와파린을 복용") == ["와파린을", "복용"]  # Korean has spaces


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


def test_no_part_of_a_shipped_row_is_even_thirty_percent_like_a_text(monkeypatch):
    monkeypatch.setattr(near, "ALIKE_SHARE", 0.3)
    texts = texts_under([ROOT / "data" / "vignettes"])
    assert near_duplicates(rows_of(NANO / "corpus" / "train.jsonl"), texts) == []


def test_a_near_duplicate_is_refused_by_row(tmp_path):
    (tmp_path / "v.txt").write_text(CHART)
    with pytest.raises(FirewallError, match=r"row 1: “\d+% of its three-word runs”"):
        check([CHART.replace("60", "71").replace("warfarin", "apixaban")], [tmp_path])


CHINESE = (
    "女，70岁，长期服用华法林每日5毫克，近两日排尿灼痛，计划今晚起口服复方磺胺甲噁唑三天，肌酐62"
)


def test_thirteen_shared_characters_are_an_overlap_and_twelve_are_not():
    # One unit each: 长期服用华法林每日 (9), 5 (a number), 毫克 (2), 近.
    thirteen, twelve = "长期服用华法林每日5毫克近", "长期服用华法林每日5毫克"
    (found,) = overlap([f"问题：{thirteen}。"], [CHINESE])
    assert found.words.replace(" ", "") == thirteen
    assert overlap([f"问题：{twelve}。"], [CHINESE]) == []


def test_a_few_characters_are_common_property():
    # Ten units would be a short text in words; in characters it is the name of a medicine.
    assert overlap(["口服复方磺胺甲噁唑片剂"], ["复方磺胺甲噁唑片剂"]) == []
    assert near_duplicates(["阿司匹林肠溶片每日一次"], ["阿司匹林肠溶片每日一次"]) == []


def test_a_chinese_chart_with_other_numbers_and_words_is_nearly_the_same():
    altered = CHINESE.replace("70", "81").replace("灼痛", "疼痛").replace("62", "90")
    (found,) = near_duplicates([altered], [CHINESE])
    assert "five-character runs" in found.words
    other = "男，45岁，无药物过敏，血压升高三个月，计划明早开始氨氯地平每日一次并限制食盐摄入，钾4"
    assert near_duplicates([other], [CHINESE]) == []


QUESTION = "Which of these antibiotics raises the effect of warfarin most in an older woman?"


def test_a_short_question_with_a_word_exchanged_is_found_in_a_row_s_prompt():
    asked = QUESTION.replace("older", "elderly")
    assert overlap([asked], [QUESTION]) == []
    # 14 words make 12 runs of three; the last word but one stands in 2 of them: 10 of 14.
    (found,) = near_duplicates([(asked, "Co-trimoxazole. " * 40)], [QUESTION])
    assert found.words == "71% of the three-word runs of either are shared"
    # Joined to a long answer it is a small part of the row, which is why parts are compared.
    assert near_duplicates([asked + " Co-trimoxazole and much else." * 40], [QUESTION]) == []


def test_another_question_about_the_same_things_is_not():
    other = "Which antibiotics may an older woman who takes warfarin be given for her bladder?"
    assert near_duplicates([other], [QUESTION]) == []


def test_minhash_proposes_what_counting_confirms_and_misses_next_to_nothing():
    import random

    rng = random.Random(5)
    words = [f"w{i}" for i in range(400)]
    texts = [" ".join(rng.choices(words, k=30)) for _ in range(60)]
    rows, wanted = [], []
    for number, text in enumerate(texts):
        kept = text.split()
        for place in rng.sample(range(30), k=3 + number % 2):
            kept[place] = "other"
        rows.append(" ".join(kept))
        one, two = short_runs(units_of(rows[-1])), short_runs(units_of(text))
        if len(one & two) / len(one | two) >= 0.5:
            wanted.append((number, number))
    assert 20 < len(wanted) < 60
    assert [(o.row, o.text) for o in near_duplicates(rows, texts)] == wanted
