from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from study.export_tables import all_tables
from study.registration import load_study
from study.store import Store
from tests.studies import DIMENSIONS, to_unblinded

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/*.md")])


def test_the_data_dictionary_names_every_table_and_column_in_order(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_unblinded(store, tmp_path)
    with store.read() as session:
        tables = all_tables(session, load_study(session, study_id))
    page = (ROOT / "docs" / "data_dictionary.md").read_text()
    sections = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", page))
    assert [name for name in sections if name in tables] == list(tables)
    asked_for = {
        "marks", "guesses", "harms", "calibrations", "adjudications", "repeat_ratings", "cue_pairs",
        "conduct",
    }  # fmt: skip
    assert sections.keys() - tables.keys() == asked_for
    for name, table in tables.items():
        documented = re.findall(r"(?m)^\| (\(?[\w ]+\)?) \|", sections[name])[1:]
        written = [column for column, _ in table.columns]
        at = written.index(DIMENSIONS[0]) if name == "ratings" else None
        if at is not None:
            written[at : at + len(DIMENSIONS)] = ["(one column a dimension)"]
        assert documented == written, name


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_words_that_the_glossary_replaces_are_not_used_for_columns(
    store: Store, tmp_path: Path
) -> None:
    study_id = to_unblinded(store, tmp_path)
    with store.read() as session:
        tables = all_tables(session, load_study(session, study_id))
    columns = {column for table in tables.values() for column, _ in table.columns}
    assert not columns & {"case", "prompt", "participant", "user", "annotator", "source", "group"}


def test_the_glossary_defines_the_words_the_code_is_built_of() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text()
    words = set(re.findall(r"(?m)^\| ([\w -]+) \|", page))
    for module in ("vignette", "rating", "allocation"):
        assert module in words
        assert (ROOT / "study" / f"{module}.py").exists()


def test_commands_in_the_investigators_guide_exist() -> None:
    from typer.main import get_command

    from app.command import app

    command = get_command(app)
    guide = (ROOT / "docs" / "guides" / "investigator.md").read_text()
    for words in re.findall(r"(?m)^safemed ([a-z-]+)(?: ([a-z]+) )?", guide):
        verb = command.commands[words[0]]
        if words[0] == "model":
            assert words[1] in verb.commands


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.fail("git cannot list the tracked files; run the tests in a checkout")
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_no_package_index_and_no_machine_path_is_committed() -> None:
    # A folder of a web address may be called home; a path of a machine begins with it.
    machine = r"(?<!\w)/(?:home/\w+/|work/\w+)"
    forbidden = re.compile(rf"index-url|find-links|https?://\S+/simple\b|{machine}")
    allowed = {"tests/docs/test_docs.py"}
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".json", ".jsonl", ".txt", ""}:
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            if str(path.relative_to(ROOT)) not in allowed:
                assert not forbidden.search(text), path


def test_constraints_pin_exact_versions() -> None:
    for name in ("constraints.txt", "constraints-serve.txt"):
        lines = (ROOT / name).read_text().splitlines()
        pins = [line for line in lines if line and not line.startswith("#")]
        assert pins
        for pin in pins:
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+-]+", pin), pin
            assert "+" not in pin
