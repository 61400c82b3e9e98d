"""Small files of our own in each published layout."""

from __future__ import annotations

import csv
import json
from pathlib import Path

FIVE = {"A": "Aspirin", "B": "Heparin", "C": "Insulin", "D": "Digoxin", "E": "Warfarin"}


def jsonl(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def medqa_us(path: Path) -> Path:
    return jsonl(path, [
        {"question": "Which drug thins the blood by mouth?", "answer": "Warfarin",
         "options": FIVE, "meta_info": "step1", "answer_idx": "E"},
        {"question": "Which hormone lowers glucose?", "answer": "Insulin",
         "options": FIVE, "meta_info": "step2&3", "answer_idx": "C"},
    ])  # fmt: skip


def medqa_us_four(path: Path) -> Path:
    four = {k: v for k, v in FIVE.items() if k != "E"}
    return jsonl(path, [
        {"question": "Which hormone lowers glucose?", "answer": "Insulin", "options": four,
         "meta_info": "step1", "answer_idx": "C", "metamap_phrases": ["hormone", "glucose"]},
    ])  # fmt: skip


def medqa_mainland(path: Path) -> Path:
    return jsonl(path, [
        {"question": "降低血糖的激素是", "options": {
            "A": "甲状腺素", "B": "肾上腺素", "C": "胰岛素", "D": "生长激素", "E": "糖皮质激素"},
         "answer": "胰岛素", "meta_info": "卫生法规", "answer_idx": "C"},
    ])  # fmt: skip


def medqa_taiwan(path: Path) -> Path:
    return jsonl(path, [
        {"question": "下列何者為口服抗凝血劑？", "options": {
            "A": "肝素", "B": "華法林", "C": "胰島素", "D": "毛地黃"},
         "answer": "華法林", "meta_info": "taiwanese_test_Q", "answer_idx": "B"},
    ])  # fmt: skip


def cmexam(path: Path, *, annotated: bool = False) -> Path:
    more = ["Disease Group", "Clinical Department", "Medical Discipline", "Area of Competency",
            "Difficulty level"]  # fmt: skip
    rows = [
        ["口服抗凝药是", "A 肝素\nB 华法林\nC 胰岛素\nD 地高辛\nE 阿司匹林", "B", "略"],
        [
            "属于抗血小板药的有",
            "A 阿司匹林\nB 氯吡格雷\nC 华法林\nD 肝素\nE 以上都不是",
            "AB",
            "略",
        ],
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Question", "Options", "Answer", "Explanation", *(annotated * more)])
        for row in rows:
            writer.writerow(row + annotated * ["循环", "内科", "药学", "治疗", "2"])
    return path


def cmb_rows() -> list[dict]:
    def row(kind: str, subject: str, question: str, question_type: str, answer: str) -> dict:
        return {
            "exam_type": kind, "exam_class": "执业", "exam_subject": subject, "question": question,
            "answer": answer, "question_type": question_type,
            "option": {"A": "华法林", "B": "肝素", "C": "胰岛素", "D": "地高辛", "E": ""},
        }  # fmt: skip

    return [
        row("医师考试", "内科", "口服抗凝药是", "单项选择题", "A"),
        row("药师考试", "药学", "抗凝药有", "多项选择题", "AB"),
        row("护理考试", "护理学", "降糖的是", "单项选择题", "C"),
    ]


def cmb_val(path: Path) -> Path:
    path.write_text(json.dumps(cmb_rows(), ensure_ascii=False), encoding="utf-8")
    return path


def cmb_test(folder: Path) -> Path:
    """Items without answers, and the answers beside them, as the test is published."""
    rows = [{"id": n, **row} for n, row in enumerate(cmb_rows(), start=1)]
    answers = [
        {"id": r["id"], "exam_type": r["exam_type"], "answer": r.pop("answer")} for r in rows
    ]
    path = folder / "CMB-test-choice-question-merge.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    beside = folder / "CMB-test-choice-answer.json"
    beside.write_text(json.dumps(answers, ensure_ascii=False), encoding="utf-8")
    return path


def pediabench(path: Path) -> Path:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append(["题型", "疾病组", "问题", "正确回答", "难度系数"])
    sheet.append(["选择题", "新生儿疾病", "早产儿常用\nA. 咖啡因\nB. 华法林\nC. 地高辛", "A", 1])
    sheet.append(["选择题", "感染", "抗菌药有 A.青霉素 B.头孢曲松 C.华法林", "AB", 2])
    sheet["C3"] = "抗菌药有\nA.青霉素 B.头孢曲松 C.华法林"
    book.save(path)
    return path


def plain(path: Path) -> Path:
    return jsonl(path, [
        {"id": "p1", "question": "Which is a loop diuretic?", "answer": "B",
         "options": ["Thiazide", "Furosemide", "Amiloride"], "strata": {"subject": "renal"}},
        {"id": "p2", "question": "Which are opioids?", "answer": ["A", "C"], "multiple": True,
         "options": {"A": "Morphine", "B": "Ibuprofen", "C": "Fentanyl"}},
    ])  # fmt: skip
