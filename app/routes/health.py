"""Whether the app can do its work."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse

from app import services
from study.errors import StorageError
from study.store import is_alive


async def health(_request: Request) -> JSONResponse:
    """200 while the database answers, 503 otherwise; nothing else is told."""
    try:
        alive = await run_in_threadpool(is_alive, services.store())
    except StorageError:
        alive = False
    words = "ok" if alive else "the study database does not answer"
    return JSONResponse(
        {"status": words}, 200 if alive else 503, headers={"cache-control": "no-store"}
    )
