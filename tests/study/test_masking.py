from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from study.masking import mask_text, unmask_text
from study.masking_rules import RULES
from study.vignette import load_vignettes

ALL = tuple(RULES)
DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("## Plan\n**Stop** the drug.", "Plan\nStop the drug."),
        ("1. Stop\n2) Recheck\n* Call", "- Stop\n- Recheck\n- Call"),
        ("Dear colleague,\nStop it.\n\nKind regards,\nJane Doe", "Stop it."),
        ("As an AI language model, I would stop it.", "I would stop it."),
        ("As a resident, I would stop it.", "I would stop it."),
        ("I'm an AI assistant but would stop it.", "[masked] but would stop it."),
        ("SafeMed-R1 says: stop.", "[masked] says: stop."),
        ("Don\u2019t give 5\u00a0\u00b5g \u2014 wait\u2026  \n", "Don't give 5 microg - wait..."),
        ("Stop.\n\n\n\nRecheck.", "Stop.\n\nRecheck."),
        ("<p>Stop <b>it</b>.</p><ul><li>Recheck</li></ul>", "Stop it.\n- Recheck"),
        ("eGFR &lt; 30 &amp; falling", "eGFR < 30 & falling"),
        ("| Drug | Dose |\n|---|:---:|\n| A | 5 mg |", "Drug; Dose\nA; 5 mg"),
        ("> Hold it.\n>\n> Recheck.", "Hold it.\n\nRecheck."),
        ("See [the label](https://example.org/a).", "See the label."),
        ("Certainly! Here is my assessment:\nStop it.", "Stop it."),
        ("Great question! Hello,\nStop it. Let me know if you need more detail.", "Stop it."),
        ("Stop it.\nI hope this helps!\nThank you.", "Stop it."),
        ("Hi Dr. Miller,\nStop it.", "Stop it."),
        ("Good morning!\nDear colleague,\nStop it.", "Stop it."),
        ("Give 5mg, 2.5ml and 50mcg/kg over 24h", "Give 5 mg, 2.5 mL and 50 microg/kg over 24 h"),
        (
            "eGFR \u2265 30 mL/min/1.73 m\u00b2, platelets 150 \u00d7 10\u2079/L",
            "eGFR >= 30 mL/min/1.73 m2, platelets 150 x 10^9/L",
        ),
    ],
)
def test_layout_and_typography_are_made_uniform(written: str, masked: str) -> None:
    assert mask_text(written, ALL).text == masked


@pytest.mark.parametrize(
    "clinical",
    [
        "HLA-B*15:02 and HLA-A*31:01 before carbamazepine",
        "As a resident of a nursing home, she is frail.",
        "Dose 0.5 mg/kg; max 2 g/day; INR 2-3; K+ 3.1; 5 mg x 2",
        "Claudication after 100 m; continue.",
        "Give 1 g*3/day",
        "eGFR >= 30 but < 45 mL/min/1.73 m2",
        "> 30 mL/min: continue\n> 5 days: stop",
        "Hi-flow oxygen at 60 %, then reassess.",
        "Good morning dose of insulin, less at night.",
        "Hello sign on the chest film.",
        "Sure start of the bleeding, then stop.",
        "Stop it. Let me know if her potassium rises.",
        "Feel free to give paracetamol.",
        "Give 5 mg if HR < 50 or > 120; p<0.05",
        "CYP2D6, HbA1c 7, 25OH vitamin D, q8h, L5 radiculopathy",
        "Regards dosing: unchanged.",
    ],
)
def test_no_clinical_word_is_changed(clinical: str) -> None:
    assert mask_text(clinical, ALL).text == clinical


CLINICAL_TOKEN = re.compile(r"[A-Za-z]{3,}|\d+(?:\.\d+)?")


@given(
    st.lists(
        st.sampled_from(
            ["stop", "warfarin", "5 mg", "INR 2.5", "**hold**", "- ", "\n", "1. ", "`K+`", " "]
        ),
        max_size=30,
    )
)
def test_masking_keeps_every_word_and_number_of_marked_up_text(parts: list[str]) -> None:
    written = " ".join(parts)
    without_markers = re.sub(r"(?m)^[ \t]*\d{1,2}[.)][ \t]+(?=\S)", "", written)
    kept = CLINICAL_TOKEN.findall(mask_text(written, ALL).text)
    assert kept == CLINICAL_TOKEN.findall(without_markers)


MESSY = st.one_of(
    st.text(alphabet=st.sampled_from("ab *_#`-\n\t.1)\u2019\u00a0\u2026IDear,"), max_size=80),
    st.lists(
        st.sampled_from(
            ["Dear all,\n", "Hello. ", "Hi!", "Sure!", "> ", "| ", " | ", "|---|", "<p>", "</p>",
             "<br>", "<li>", "&amp;", "lt;", "5mg", "m\u00b2", " ", "\n", "**", "*", "stop", "- ",
             "Regards", "I hope this helps.", "As an AI, ", "I am a resident", "Qwen3", "mcg"]
        ),
        max_size=12,
    ).map("".join),
)  # fmt: skip


@given(MESSY)
def test_the_recorded_changes_rebuild_the_original(written: str) -> None:
    masked = mask_text(written, ALL)
    assert unmask_text(masked.text, masked.changes) == written


def test_rules_that_the_protocol_does_not_name_do_not_run() -> None:
    assert mask_text("## **Plan**", ["typography"]).text == "## **Plan**"


@given(MESSY)
def test_masking_a_masked_text_changes_nothing_more(written: str) -> None:
    once = mask_text(written, ALL).text
    assert mask_text(once, ALL).changes == ()


@pytest.mark.parametrize("written", ["Hello.", "Dear colleague,", "Hope this helps!"])
def test_a_response_that_is_only_a_greeting_is_not_made_blank(written: str) -> None:
    assert mask_text(written, ALL).text == written


def words(text: str) -> list[str]:
    """Words and numbers of a text; names of one unit are one word."""
    plain = unicodedata.normalize("NFKC", text).replace("^", "").replace("\u03bcg", "microg")
    return re.findall(r"[a-z]+|\d+(?:\.\d+)?", re.sub(r"\bmcg\b", "microg", plain.lower()))


@cache
def clinical_texts() -> tuple[str, ...]:
    """Every sentence that ships: charts, questions, key points, practice and drug facts."""
    vignettes = [*load_vignettes(DATA / "vignettes").values()]
    texts = [
        text
        for v in vignettes
        for text in (
            v.texts["en"].text, v.texts["en"].question, *(p.statement for p in v.hidden.key_points)
        )
    ]  # fmt: skip
    for path in sorted((DATA / "drug_facts").glob("*.yaml")):
        texts += strings_in(yaml.safe_load(path.read_text(encoding="utf-8")))
    return tuple(text for text in texts if " " in text)


def strings_in(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings_in(part)]


def test_no_word_or_number_of_any_shipped_clinical_text_is_changed() -> None:
    texts = clinical_texts()
    assert len(texts) > 3_000
    for text in texts:
        assert words(mask_text(text, ALL).text) == words(text)


@pytest.mark.parametrize(
    "wrapped",
    [
        "Certainly! Here is my assessment:\n## Plan\n{}\n\nI hope this helps!",
        "Dear colleague,\n{}\n\nKind regards,\nJane Doe",
        "<p>{}</p>",
        "> {}",
        "| {} |",
        "1. **{}**",
        "Hello Dr. Miller,\n```\n{}\n```\nLet me know if you need anything else.",
    ],
)
def test_what_stands_around_a_clinical_text_goes_and_every_word_of_it_stays(wrapped: str) -> None:
    added = {"plan"} if "## Plan" in wrapped else set()
    for text in clinical_texts()[::40]:
        kept = words(mask_text(wrapped.replace("{}", text), ALL).text)
        assert (kept[1:] if added else kept) == words(text)
