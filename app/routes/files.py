"""Exports and the report, for an investigator after unblinding; for anyone else, nothing."""

from __future__ import annotations

from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from app import services
from app.files import study_files, zipped
from app.routes.guards import person_of
from study.overview import study_card

REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; frame-ancestors 'none'"
)
CODEBOOK_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


async def send(request: Request) -> Response:
    """The report, the codebook or an archive; 404 whatever the reason, so nothing can be learnt."""
    person = await person_of(request)
    study_id, name = request.path_params["study"], request.path_params["name"]
    found: Response | None = None
    if person is not None and person.role == "investigator" and person.study_id == study_id:
        found = await run_in_threadpool(_find, study_id, name)
    return found or PlainTextResponse("Not found", 404, headers={"cache-control": "no-store"})


def _find(study_id: str, name: str) -> Response | None:
    if study_card(services.store(), study_id).state != "unblinded":
        return None
    files = study_files(study_id)
    if name == "report.html" and files.report is not None:
        return _page(files.report, REPORT_POLICY)
    if name == "codebook.html" and "codebook" in files.shapes:
        return _page(files.shapes["codebook"] / "codebook.html", CODEBOOK_POLICY)
    archives = {"export.zip": files.export} | {
        f"{shape}.zip": directory for shape, directory in files.shapes.items()
    }
    directory = archives.get(name)
    return None if directory is None else _archive(directory, f"{study_id}-{name}")


def _page(path: Path, policy: str) -> Response | None:
    if not path.is_file():
        return None
    return HTMLResponse(
        path.read_bytes(),
        headers={"content-security-policy": policy, "cache-control": "no-store"},
    )


def _archive(directory: Path, filename: str) -> Response:
    return Response(
        zipped(directory),
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="{filename}"',
            "cache-control": "no-store",
        },
    )
