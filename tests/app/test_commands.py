from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.resources import shipped
from tests.studies import protocol_values

LISTED = {
    "init", "validate", "register", "open", "tasks", "take-in", "close", "mask", "allocate",
    "lock", "unblind", "status", "simulate", "demo", "app", "export", "import", "analyze",
    "power", "verify", "trace", "evidence", "vignettes", "cts", "model", "eval",
}  # fmt: skip
LISTED_EVAL = {
    "exams", "medsafetybench", "medsafety", "medethics", "redteam", "agent", "compare", "report",
}  # fmt: skip
LISTED_MODEL = set(["sft", "measure", "grpo", "plan", "ablate", "serve", "respond"])


def safemed(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


def verbs(help_text: str) -> set[str]:
    return set(re.findall(r"(?m)^  ([a-z][a-z-]*) ", help_text.partition("Commands:")[2]))


def test_help_shows_no_verb_that_the_design_does_not_list() -> None:
    shown = verbs(safemed("--help").stdout)
    assert {"validate", "register", "demo", "app", "analyze", "model"} <= shown <= LISTED
    shown = verbs(safemed("model", "--help").stdout)
    assert {"sft", "serve", "respond"} <= shown <= LISTED_MODEL
    shown = verbs(safemed("eval", "--help").stdout)
    assert {"exams", "medsafetybench", "compare", "report"} <= shown <= LISTED_EVAL


def test_the_command_starts_without_the_heavy_libraries() -> None:
    code = (
        "import sys, app.command\n"
        "heavy = {'torch', 'transformers', 'pingouin', 'statsmodels', 'plotly', 'pandas', "
        "'streamlit', 'inspect_ai', 'openai'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_validate_passes_the_shipped_protocols() -> None:
    for name in ("demonstration", "tryout", "thirty"):
        run = safemed("validate", shipped("protocols", f"{name}.yaml"), "--json")
        assert run.returncode == 0, run.stderr
        assert len(json.loads(run.stdout)["sha256"]) == 64


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "green"}, "colour: unknown key"),
        ({"vignettes": ["V01", "V77"]}, "V77 not found; there are V01"),
    ],
)
def test_a_protocol_with_a_fault_is_refused_by_name(
    tmp_path: Path, change: dict, words: str
) -> None:
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(protocol_values() | change))
    for verb in ("validate", "register"):
        run = safemed(verb, path, cwd=tmp_path)
        assert run.returncode == 2
        assert words in run.stderr
        assert "Traceback" not in run.stderr
    assert not (tmp_path / "safemed.db").exists()


def test_a_study_can_be_walked_from_the_command_line(tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.yaml"
    values = protocol_values(n_vignettes=2, n_residents=1)
    protocol.write_text(yaml.safe_dump(values))
    made = safemed("register", protocol, "--json", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "/enter?t=" in json.loads(made.stdout)["investigator"]
    opened = json.loads(safemed("open", "--json", cwd=tmp_path).stdout)
    assert [i["role"] for i in opened["invitations"]] == ["resident"]
    wrote = safemed("tasks", "--out", tmp_path / "tasks", cwd=tmp_path)
    assert wrote.returncode == 0, wrote.stderr
    early = safemed("lock", cwd=tmp_path)
    assert early.returncode == 2
    assert "'close' comes next" in early.stderr
    status = json.loads(safemed("status", "--json", cwd=tmp_path).stdout)["studies"]
    assert (status[0]["state"], status[0]["n_answers_due"]) == ("answering", 4)


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    run = safemed("status", "--store", tmp_path / "nowhere.db")
    assert run.returncode == 2
    assert "there is no study database at" in run.stderr


def test_a_busy_port_is_named_before_minutes_of_work(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = safemed("demo", "--out", tmp_path / "demo", "--port", port)
    assert run.returncode == 2
    assert str(port) in run.stderr
    assert not (tmp_path / "demo").exists()


def test_validate_without_a_protocol_checks_a_directory_of_vignettes(tmp_path: Path) -> None:
    run = safemed("validate", "--vignettes", shipped("calibration", "vignettes"), "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["vignettes"] == ["V90", "V91", "V92", "V93"]
    vignette = shipped("calibration", "vignettes", "v92.yaml").read_text(encoding="utf-8")
    (tmp_path / "v92.yaml").write_text(vignette.replace("100 mg", "100 g"), encoding="utf-8")
    run = safemed("validate", "--vignettes", tmp_path)
    assert run.returncode == 2
    assert "Doxycycline 100 g twice daily is outside" in run.stderr


def test_register_refuses_what_validate_refuses(tmp_path: Path) -> None:
    for path in shipped("vignettes").glob("v0[1-6].yaml"):
        text = path.read_text(encoding="utf-8").replace("warfarin 5 mg", "warfarin 50 mg")
        text = text.replace("dose: 5 mg", "dose: 50 mg", 1) if path.stem == "v01" else text
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    store = tmp_path / "study.db"
    protocol = shipped("protocols", "demonstration.yaml")
    run = safemed("register", protocol, "--vignettes", tmp_path, "--store", store)
    assert run.returncode == 2
    assert "warfarin 50 mg" in run.stderr
    assert not store.exists()


def test_a_directory_of_one_s_own_walks_the_two_readings(tmp_path: Path) -> None:
    own = shipped("calibration", "vignettes")
    readings = tmp_path / "readings"
    for reader in ("A", "B"):
        sheets = readings / reader
        run = safemed("vignettes", "sheets", sheets, "--reader", reader, "--vignettes", own)
        assert run.returncode == 0, run.stderr
        reading = yaml.safe_load((sheets / "reading.yaml").read_text())
        reading |= {"who": "a scripted reader", "read_on": "2026-11-21"}
        for answer in reading["answers"].values():
            answer["answer"] = "I would not."
        (sheets / "reading.yaml").write_text(yaml.safe_dump(reading))
        marks = readings / f"marks_{reader}.yaml"
        run = safemed("vignettes", "marking", sheets / "reading.yaml", marks, "--vignettes", own)
        assert run.returncode == 0, run.stderr
        written = yaml.safe_load(marks.read_text())
        written |= {"marked_by": "a scripted marker", "marked_on": "2026-11-21"}
        for each in written["marks"].values():
            each["met"] = dict.fromkeys(each["met"], reader == "A")
        marks.write_text(yaml.safe_dump(written))
    run = safemed("vignettes", "review", "--vignettes", own, "--readings", readings)
    assert run.returncode == 1
    assert "V91: readers split on K1, K2: rewrite, read again" in run.stderr


def test_coverage_of_a_directory_names_its_go_vignette() -> None:
    run = safemed("vignettes", "coverage", "--vignettes", shipped("calibration", "vignettes"))
    assert "| interaction | V91 **V92** | V90 |  |" in run.stdout


def test_the_firewall_refuses_rows_that_hold_a_vignette_of_one_s_own(tmp_path: Path) -> None:
    own = shipped("calibration", "vignettes")
    text = yaml.safe_load((own / "v91.yaml").read_text(encoding="utf-8"))["texts"]["en"]["text"]
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"prompt": "Hello.", "completion": "Hello."}) + "\n")
    assert safemed("cts", "firewall", rows, "--against", own).returncode == 0
    rows.write_text(json.dumps({"prompt": text, "completion": "Fine."}) + "\n")
    run = safemed("cts", "firewall", rows, "--against", own)
    assert run.returncode == 2
    assert "1 training rows hold text" in run.stderr


def test_init_writes_a_protocol_that_validate_passes(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    answers = "Doses at night\nnight\n\n\nten\n6\n" + "\n" * 20
    command = [sys.executable, "-m", "app", "init", str(path)]
    run = subprocess.run(command, input=answers, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "'ten' is not a number" in run.stdout
    written = yaml.safe_load(path.read_text())
    assert written["title"] == "Doses at night"
    assert (written["arms"][0]["n_respondents"], len(written["vignettes"])) == (6, 30)
    assert safemed("validate", path).returncode == 0
    again = safemed("init", path, "--yes")
    assert again.returncode == 2
    assert "exists and is left as it is" in again.stderr


def test_a_protocol_is_amended_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "protocol.yaml"
    path.write_text(yaml.safe_dump(protocol_values()))
    made = json.loads(safemed("register", path, "--json", cwd=tmp_path).stdout)
    path.write_text(yaml.safe_dump(protocol_values() | {"version": 2, "title": "Better"}))
    refused = safemed("register", path, "--amends", made["study_id"], cwd=tmp_path)
    assert refused.returncode == 2
    assert "an amendment needs a reason" in refused.stderr
    run = safemed(
        "register", path, "--amends", made["study_id"], "--reason", "clearer", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["amendment"] == 1
    assert json.loads(safemed("status", "--json", cwd=tmp_path).stdout)["studies"][0]["title"] == (
        "Better"
    )


def test_locking_at_the_terminal_asks_the_second_person_for_a_return_code(tmp_path: Path) -> None:
    from study.approvals import approval_for
    from study.audit import OPERATOR
    from study.invitations import accept_invitation, invite
    from study.store import create_store
    from tests.studies import rate_everything, to_rating

    store = create_store(tmp_path / "safemed.db")
    study_id, raters = to_rating(store, tmp_path / "work", n_vignettes=1)
    for rater in raters:
        rate_everything(store, rater)
    entry = accept_invitation(store, invite(store, study_id, "statistician", by=OPERATOR))
    alone = safemed("lock", cwd=tmp_path)
    assert alone.returncode == 2
    assert "a second person has consented to lock" in alone.stderr
    command = [sys.executable, "-m", "app", "lock", "--ask-second-person"]
    wrong = subprocess.run(
        command, input="WRONG1-CODE22-CODE33\n", capture_output=True, text=True, check=False,
        cwd=tmp_path,
    )  # fmt: skip
    assert wrong.returncode == 2 and "return code is not known" in wrong.stderr
    right = subprocess.run(
        command, input=f"{entry.return_code}\n", capture_output=True, text=True, check=False,
        cwd=tmp_path,
    )  # fmt: skip
    assert right.returncode == 0, right.stderr
    assert str(entry.return_code) not in right.stdout + right.stderr
    with store.read() as session:
        assert approval_for(session, study_id, "lock") is None  # spent by the lock
    store.close()
