"""Export and report: for an investigator after unblinding, and for nobody else."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from starlette.testclient import TestClient

from app.files import SHAPES, home, study_files, zipped
from app.identity import COOKIE
from app.screens.console_files import write_files, write_shapes
from study.audit import events_of
from study.sign_in import Entry
from study.store import Store
from tests.studies import to_answering, to_unblinded
from tests.whole.studies import enter

OTHER_ROLES = ("coordinator", "statistician", "custodian", "inspector", "adjudicator")


def put_files(study_id: str, place: Path) -> None:
    (place / "export").mkdir(parents=True)
    (place / "export" / "manifest.json").write_text(json.dumps({"study_id": study_id}))
    (place / "report").mkdir()
    (place / "report" / "report.html").write_text("<h1>Report</h1>")


def put_shapes(study_id: str) -> None:
    for shape in SHAPES:
        (home(study_id) / shape).mkdir()
    (home(study_id) / "codebook" / "codebook.html").write_text("<h1>Codebook</h1>")


def fetch(client: TestClient, entry: Entry | None, study_id: str) -> list[int]:
    client.cookies.clear()
    if entry is not None:
        client.cookies.set(COOKIE, entry.session_token)
    names = (
        "report.html", "export.zip", "codebook.html", "plain.zip", "redcap.zip", "odm.zip",
        "public.zip", "secret.db", "..%2Fstudy.db",
    )  # fmt: skip
    return [client.get(f"/files/{study_id}/{name}").status_code for name in names]


def test_only_an_investigator_of_the_unblinded_study_gets_its_files(
    client: TestClient, serving: Store, tmp_path: Path
) -> None:
    study_id = to_unblinded(serving, tmp_path / "work", n_vignettes=1)
    put_files(study_id, home(study_id))
    put_shapes(study_id)
    investigator = enter(serving, study_id, "investigator")
    other = enter(serving, to_answering(serving), "investigator")
    rater = enter(serving, study_id, "rater")
    assert fetch(client, investigator, study_id) == [200] * 7 + [404] * 2
    others = [enter(serving, study_id, role) for role in OTHER_ROLES]
    for entry in (other, rater, *others, None):
        assert fetch(client, entry, study_id) == [404] * 9


def test_before_unblinding_even_an_investigator_gets_nothing(
    client: TestClient, serving: Store
) -> None:
    study_id = to_answering(serving)
    put_files(study_id, home(study_id))
    put_shapes(study_id)
    assert fetch(client, enter(serving, study_id, "investigator"), study_id) == [404] * 9


def test_the_report_may_run_its_figures_and_reach_nothing(
    client: TestClient, serving: Store, tmp_path: Path
) -> None:
    study_id = to_unblinded(serving, tmp_path / "work", n_vignettes=1)
    put_files(study_id, home(study_id))
    client.cookies.set(COOKIE, enter(serving, study_id, "investigator").session_token)
    policy = client.get(f"/files/{study_id}/report.html").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "default-src 'none'" in policy and "connect-src" not in policy


def test_a_demonstrations_files_beside_the_database_are_found(
    serving: Store, tmp_path: Path
) -> None:
    put_files("study_DEMO", tmp_path)
    assert study_files("study_DEMO").shapes == {}
    assert study_files("study_DEMO").report == tmp_path / "report" / "report.html"
    assert study_files("study_OTHER").export is None


def test_an_archive_holds_every_file_and_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    put_files("study_A", tmp_path)
    first, second = zipped(tmp_path), zipped(tmp_path)
    assert first == second
    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert names == ["export/manifest.json", "report/report.html"]


def test_what_the_export_command_says_went_wrong_reaches_the_console(
    serving: Store,
) -> None:
    problem = write_files(to_answering(serving))
    assert problem is not None
    assert problem.startswith("`safemed export` ended with: ")
    assert "answering" in problem


def test_the_console_writes_dataset_and_report(serving: Store, tmp_path: Path) -> None:
    study_id = to_unblinded(serving, tmp_path / "work", n_vignettes=3)
    assert write_files(study_id) is None
    found = study_files(study_id)
    assert found.export is not None and found.report is not None
    assert "<html" in found.report.read_text().lower()
    assert set(found.shapes) == set(SHAPES)
    assert (found.shapes["public"] / "signature.json").is_file()
    with serving.read() as session:
        said = [e.subject for e in events_of(session, study_id) if e.action == "export"]
    assert said == ["frozen dataset", "public"]
    assert write_shapes(study_id) is None


def test_the_codebook_runs_no_script_and_reaches_nothing(
    client: TestClient, serving: Store, tmp_path: Path
) -> None:
    study_id = to_unblinded(serving, tmp_path / "work", n_vignettes=1)
    put_files(study_id, home(study_id))
    put_shapes(study_id)
    client.cookies.set(COOKIE, enter(serving, study_id, "investigator").session_token)
    policy = client.get(f"/files/{study_id}/codebook.html").headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'") and "script" not in policy
