from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.errors import ItemError
from model.exams.layouts import read_exam
from tests.model.exams import layouts


def read(path: Path, layout: str, **more: str) -> list[tuple]:
    return [
        (len(i.options), "".join(i.key), i.multiple, i.language, i.strata["subject"])
        for i in read_exam(path, layout, **more).items
    ]


def test_medqa_of_the_united_states_with_five_and_with_four_options(tmp_path: Path) -> None:
    assert read(layouts.medqa_us(tmp_path / "US" / "test.jsonl"), "medqa") == [
        (5, "E", False, "en", "step1"), (5, "C", False, "en", "step2&3"),
    ]  # fmt: skip
    four = layouts.medqa_us_four(tmp_path / "US" / "4_options" / "phrases_no_exclude_test.jsonl")
    assert read(four, "medqa") == [(4, "C", False, "en", "step1")]


def test_medqa_of_mainland_china_and_of_taiwan(tmp_path: Path) -> None:
    assert read(layouts.medqa_mainland(tmp_path / "test.jsonl"), "medqa") == [
        (5, "C", False, "zh", "卫生法规")
    ]
    assert read(layouts.medqa_taiwan(tmp_path / "tw.jsonl"), "medqa") == [
        (4, "B", False, "zh", "taiwanese_test_Q")
    ]


def test_cmexam_plain_and_annotated_with_several_answers(tmp_path: Path) -> None:
    assert read(layouts.cmexam(tmp_path / "val.csv"), "cmexam") == [
        (5, "B", False, "zh", "not stated"), (5, "AB", True, "zh", "not stated"),
    ]  # fmt: skip
    annotated = layouts.cmexam(tmp_path / "test_with_annotations.csv", annotated=True)
    item = read_exam(annotated, "cmexam").items[0]
    assert item.strata == {
        "subject": "药学", "department": "内科", "disease_group": "循环", "competency": "治疗",
        "difficulty": "2",
    }  # fmt: skip


def test_cmb_exam_by_track_with_the_answers_beside_the_test(tmp_path: Path) -> None:
    wanted = [
        (4, "A", False, "zh", "内科"),
        (4, "AB", True, "zh", "药学"),
        (4, "C", False, "zh", "护理学"),
    ]
    assert read(layouts.cmb_val(tmp_path / "CMB-val-merge.json"), "cmb") == wanted
    test = layouts.cmb_test(tmp_path)
    assert read(test, "cmb") == wanted
    for n, track in enumerate(("physician", "pharmacist", "nurse")):
        assert read(test, "cmb", track=track) == [wanted[n]]
    with pytest.raises(ItemError, match="holds no item of the track dentist"):
        read(test, "cmb", track="dentist")


def test_pediabench_s_workbook_with_options_below_the_question(tmp_path: Path) -> None:
    path = layouts.pediabench(tmp_path / "Multiple Choice.xlsx")
    assert read(path, "pediabench") == [
        (3, "A", False, "zh", "新生儿疾病"), (3, "AB", True, "zh", "感染"),
    ]  # fmt: skip
    second = read_exam(path, "pediabench").items[1]
    assert (second.question, second.options) == ("抗菌药有", ("青霉素", "头孢曲松", "华法林"))


def test_plain_items_of_one_s_own(tmp_path: Path) -> None:
    assert read(layouts.plain(tmp_path / "mine.jsonl"), "jsonl") == [
        (3, "B", False, "en", "renal"), (3, "AC", True, "en", "not stated"),
    ]  # fmt: skip


def spoiled(path: Path, before: str, after: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("make", "layout", "before", "after", "words"),
    [
        (layouts.medqa_us, "medqa", '"answer_idx": "E"', '"answer_idx": ""', "item 1.*no key"),
        (layouts.medqa_us, "medqa", '"answer_idx": "E"', '"answer_idx": "A"', "not the text of"),
        (layouts.medqa_us, "medqa", '"answer_idx"', '"key"', "no column answer_idx"),
        (layouts.medqa_us, "medqa", "Which hormone lowers glucose?", "", "item 2: the question"),
        (layouts.medqa_us, "medqa", '"Aspirin"', '"Heparin"', "two options have the same text"),
        (layouts.cmexam, "cmexam", "Answer", "answer", "no column Answer"),
        (layouts.cmexam, "cmexam", ",B,略", ",,略", "item 1: the item has no key"),
        (layouts.cmexam, "cmexam", ",B,略", ",nan,略", "item 1: the item has no key"),
        (layouts.cmexam, "cmexam", ",B,略", ",F,略", "the key is 'F'"),
        (layouts.cmexam, "cmexam", "C 胰岛素", "胰岛素", "has no letter of its own"),
        (layouts.cmb_val, "cmb", "单项选择题", "选择", "question_type is '选择'"),
        (layouts.cmb_val, "cmb", '"answer": "C"', '"answer": "AC"', "though one answer is asked"),
        (layouts.cmb_val, "cmb", '"answer": "C"', '"answer": ""', "item 3: the item has no key"),
        (layouts.plain, "jsonl", '"id": "p2"', '"id": "p1"', "p1 is there twice"),
        (layouts.plain, "jsonl", '"answer": "B"', '"anser": "B"', "unknown key 'anser'|no key"),
        (layouts.plain, "jsonl", '{"id": "p2"', '"id": "p2"', "line 2 is no JSON"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path, make, layout, before, after, words) -> None:
    path = spoiled(make(tmp_path / "items"), before, after)
    with pytest.raises(ItemError, match=words):
        read_exam(path, layout)


def test_the_same_item_twice_is_refused_whatever_its_white_space(tmp_path: Path) -> None:
    row = {"question": "Which is it?", "options": ["x", "y"], "answer": "A"}
    again = row | {"question": "Which  is it? "}
    path = layouts.jsonl(tmp_path / "mine.jsonl", [row, again])
    with pytest.raises(ItemError, match=r"mine-00002 is the same item as .*mine-00001"):
        read_exam(path, "jsonl")


def test_mixed_encodings_are_named_by_line(tmp_path: Path) -> None:
    path = layouts.cmexam(tmp_path / "val.csv")
    path.write_bytes(path.read_bytes() + "药,A 甲\tB 乙,A,略\n".encode("gb18030"))
    with pytest.raises(ItemError, match=r"line 12: byte .* is not UTF-8"):
        read_exam(path, "cmexam")


def test_answers_of_another_version_are_not_joined(tmp_path: Path) -> None:
    path = layouts.cmb_test(tmp_path)
    beside = tmp_path / "CMB-test-choice-answer.json"
    answers = json.loads(beside.read_text())
    beside.write_text(json.dumps([*answers, {"id": 9, "answer": "A"}]))
    with pytest.raises(ItemError, match="4 answers to the 3 items"):
        read_exam(path, "cmb")
    beside.write_text(json.dumps(answers[:2]))
    with pytest.raises(ItemError, match="item 3: the item has no key"):
        read_exam(path, "cmb")


def test_a_workbook_with_other_columns_is_refused_with_the_names_it_has(tmp_path: Path) -> None:
    path = layouts.pediabench(tmp_path / "Multiple Choice.xlsx")
    with pytest.raises(ItemError, match="is no workbook"):
        read_exam(layouts.plain(tmp_path / "not.xlsx"), "pediabench")
    csv = tmp_path / "other.csv"
    csv.write_text("stem,key\nx,A\n")
    with pytest.raises(ItemError, match=r"no column .*题目.*; its columns are stem, key"):
        read_exam(csv, "pediabench")
    with pytest.raises(ItemError, match="layout 'excel' is unknown"):
        read_exam(path, "excel")
