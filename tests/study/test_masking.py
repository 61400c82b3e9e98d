from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.masking import RULES, mask_text, unmask_text

ALL = tuple(RULES)


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
        "eGFR >= 30 but < 45 mL/min/1.73 m^2",
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


@given(st.text(alphabet=st.sampled_from("ab *_#`-\n\t.1)\u2019\u00a0\u2026IDear,"), max_size=80))
def test_the_recorded_changes_rebuild_the_original(written: str) -> None:
    assert unmask_text(mask_text(written, ALL)) == written


def test_rules_that_the_protocol_does_not_name_do_not_run() -> None:
    assert mask_text("## **Plan**", ["typography"]).text == "## **Plan**"


def test_masking_a_masked_text_changes_nothing_more() -> None:
    once = mask_text("Dear all,\n1. **Stop** it\u2014now.\nBest wishes", ALL).text
    assert mask_text(once, ALL).changes == ()


@pytest.mark.parametrize("written", ["Hello.", "Dear colleague,", "Hope this helps!"])
def test_a_response_that_is_only_a_greeting_is_not_made_blank(written: str) -> None:
    assert mask_text(written, ALL).text == written
