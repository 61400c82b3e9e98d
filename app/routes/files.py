"""The export and the report, for an investigator after unblinding; for anyone else, nothing."""

from __future__ import annotations

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


async def send(request: Request) -> Response:
    """`report.html` or `export.zip`; 404 whatever the reason, so that nothing can be learnt."""
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
        return HTMLResponse(
            files.report.read_bytes(),
            headers={"content-security-policy": REPORT_POLICY, "cache-control": "no-store"},
        )
    if name == "export.zip" and files.export is not None:
        return Response(
            zipped(files.export),
            media_type="application/zip",
            headers={
                "content-disposition": f'attachment; filename="{study_id}-export.zip"',
                "cache-control": "no-store",
            },
        )
    return None
