"""Results on the investigator's console: dataset, report and every other shape, after unblinding.

Each is written by the command that the terminal has, and served by our own route, which asks again
who is there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from html import escape

import streamlit as st

from app import services
from app.files import SHAPES, StudyFiles, home, study_files
from study.overview import Progress
from study.people import Person

PROBLEM = "_files_problem"
WRITE_S = 600
LINKS = {
    "codebook": ("codebook.html", "Codebook"),
    "plain": ("plain.zip", "Plain CSV"),
    "redcap": ("redcap.zip", "REDCap"),
    "odm": ("odm.zip", "CDISC ODM"),
    "public": ("public.zip", "Public bundle"),
}
"""What is fetched of each shape, and what the console calls it."""
PUBLIC_WORDS = (
    "The public bundle is de-identified, not anonymous: texts can be recognised. Its README says "
    "what was done and what risk remains; read it before you give the bundle to anybody."
)


def show(person: Person, now: Progress) -> None:
    """What is written, to open or to fetch, and a button for what is not."""
    if now.state != "unblinded":
        return
    found = study_files(person.study_id)
    st.html(f'<div class="sm-console"><h2>Results</h2>{_links(person.study_id, found)}</div>')
    if found.export is None or found.report is None:
        _offer(
            "The frozen dataset and its report are not written yet. It takes up to a minute.",
            "Write dataset and report", lambda: write_files(person.study_id),
        )  # fmt: skip
    elif set(found.shapes) != set(SHAPES):
        _offer(
            "Codebook, plain CSV, REDCap, CDISC ODM and the public bundle are not written yet. It "
            "takes up to a minute.",
            "Write the other shapes", lambda: write_shapes(person.study_id),
        )  # fmt: skip
    words = st.session_state.pop(PROBLEM, None)
    if words:
        st.html(f'<p class="sm-alert" role="alert">{escape(words)}</p>')


def _links(study_id: str, found: StudyFiles) -> str:
    links = []
    if found.report is not None:
        links.append(_link(study_id, "report.html", "Open the report"))
    if found.export is not None:
        links.append(_link(study_id, "export.zip", "Download the dataset"))
    shapes = [_link(study_id, *LINKS[shape]) for shape in SHAPES if shape in found.shapes]
    words = f"<p>{' &emsp; '.join(links)}</p>" if links else ""
    words += f"<p>The dataset as: {' &emsp; '.join(shapes)}</p>" if shapes else ""
    return words + (f'<p class="sm-quiet">{PUBLIC_WORDS}</p>' if "public" in found.shapes else "")


def _link(study_id: str, name: str, words: str) -> str:
    return f'<a href="/files/{study_id}/{name}">{words}</a>'


def _offer(words: str, label: str, write: Callable[[], str | None]) -> None:
    st.html(f'<p class="sm-quiet">{words}</p>')
    if st.button(label, type="primary", key="write"):
        with st.spinner("Writing. Up to a minute."):
            problem = write()
        if problem:
            st.session_state[PROBLEM] = problem
        st.rerun()


def write_files(study_id: str) -> str | None:
    """Export and analyse as the commands do, and return what went wrong, if anything.

    In a process of its own: the statistics' libraries would slow every screen of this one.
    """
    out, store = home(study_id), services.current().store_url
    export, report = str(out / "export"), str(out / "report")
    commands = (
        ["export", study_id, "--store", store, "--out", export],
        ["analyze", export, "--out", report],
    )
    return _run(commands) or write_shapes(study_id)


def write_shapes(study_id: str) -> str | None:
    """Write every shape that is not there yet, and return what went wrong, if anything.

    The public bundle is taken from the database: the study's key signs it, its audit says so.
    """
    out, found = home(study_id), study_files(study_id)
    for shape in (shape for shape in SHAPES if shape not in found.shapes):
        shutil.rmtree(out / shape, ignore_errors=True)
        source = ["--from", str(found.export)]
        if shape == "public":
            source = [study_id, "--store", services.current().store_url]
        problem = _run([["export", *source, "--format", shape, "--out", str(out / shape)]])
        if problem:
            return problem
    return None


def _run(commands: Sequence[list[str]]) -> str | None:
    """Run commands in turn; the last line of what one says when it fails."""
    for command in commands:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "app", *command],
                capture_output=True, text=True, timeout=WRITE_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"Writing took longer than {WRITE_S // 60} minutes and was stopped."
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no reason was given"]
            return f"`safemed {command[0]}` ended with: {lines[-1]}"
    return None
