"""The same surface over an engine elsewhere: vLLM on this machine, or any endpoint by its URL."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from model.endpoint import KEY_VARIABLE
from model.serve import wire
from model.serve.checkpoint import Served
from model.serve.metrics import Counting, Metrics
from model.serve.requests import RequestError

_TIMEOUT = httpx.Timeout(10.0, read=600.0)
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Upstream:
    """The engine behind this surface."""

    url: str
    """Up to and including `/v1`."""
    served: Served | None = None
    """What is known of the model and the engine may not say: its weights' digest, above all."""
    metrics_url: str | None = None
    health_url: str | None = None


def create_forwarding_app(upstream: Upstream) -> Starlette:
    """Make the application. Requests go on as they are; nothing asked or answered is logged."""
    metrics = Metrics()
    if upstream.served is not None:
        metrics.name_model(upstream.served)
    passing = Passing(upstream, metrics)
    return Starlette(
        routes=[
            Route("/v1/models", passing.models, methods=["GET"]),
            Route("/v1/chat/completions", passing.complete, methods=["POST"]),
            Route("/health", passing.health, methods=["GET"]),
            Route("/metrics", passing.metrics, methods=["GET"]),
        ],
        exception_handlers={RequestError: wire.refused, Exception: wire.broken},
        middleware=[Middleware(Counting, metrics=metrics, paths=wire.PATHS)],
        lifespan=passing.lifespan,
    )


class Passing:
    """Hands requests on and answers back."""

    def __init__(self, upstream: Upstream, metrics: Metrics) -> None:
        self._upstream = upstream
        self._metrics = metrics
        self._url = upstream.url.rstrip("/")
        self._client: httpx.AsyncClient

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Keep connections while the server runs."""
        key = os.environ.get(KEY_VARIABLE)
        async with httpx.AsyncClient(
            timeout=_TIMEOUT,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # A proxy meant for the outside must not be asked for this very machine.
            trust_env=(urlsplit(self._url).hostname or "") not in _LOCAL,
            limits=httpx.Limits(max_connections=None),
        ) as self._client:
            yield

    async def models(self, request: Request) -> Response:
        """What the engine lists, and what is known of the model besides."""
        found = await self._get(f"{self._url}/models")
        try:
            listed = found.json()
            entries = listed["data"]
            for entry in entries:
                self._add_known(entry)
        except (ValueError, KeyError, TypeError) as error:
            raise _unreachable("its list of models cannot be read", 502) from error
        return JSONResponse(listed, status_code=found.status_code)

    def _add_known(self, entry: dict[str, Any]) -> None:
        served = self._upstream.served
        if served is not None and entry["id"] == served.name:
            entry["owned_by"] = served.engine
            entry["weights_sha256"] = served.weights_sha256
            entry["stand_in"] = served.stand_in

    async def health(self, request: Request) -> Response:
        """Ready when the engine is."""
        asked = self._upstream.health_url or f"{self._url}/models"
        status = (await self._get(asked)).status_code
        if status != 200:
            raise _unreachable(f"it answers with HTTP {status}", 503)
        return JSONResponse({"status": "ready"})

    async def metrics(self, request: Request) -> Response:
        """Counts of this surface, and the engine's own where it has some."""
        if self._upstream.metrics_url is None:
            return self._metrics.answer()
        return self._metrics.answer((await self._get(self._upstream.metrics_url)).content)

    async def complete(self, request: Request) -> Response:
        """Hand a request on; a stream comes back as one.

        Raises:
            RequestError: If the engine does not answer.
        """
        content = await wire.read_body(request)
        sent = self._client.build_request(
            "POST", f"{self._url}/chat/completions", content=content,
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        try:
            found = await self._client.send(sent, stream=True)
            kind = found.headers.get("content-type", "application/json")
            if kind.startswith("text/event-stream"):
                return StreamingResponse(
                    _events(found), status_code=found.status_code, media_type=kind
                )
            await found.aread()
        except httpx.HTTPError as error:
            raise _failed(error) from error
        self._count(found.content)
        return Response(found.content, status_code=found.status_code, media_type=kind)

    async def _get(self, url: str) -> httpx.Response:
        try:
            return await self._client.get(url)
        except httpx.HTTPError as error:
            raise _failed(error) from error

    def _count(self, content: bytes) -> None:
        """Tokens of a whole answer; a stream is not read on its way."""
        try:
            usage = json.loads(content)["usage"]
            for kind in ("prompt", "completion"):
                self._metrics.tokens.labels(kind).inc(int(usage[f"{kind}_tokens"]))
        except (ValueError, KeyError, TypeError):
            return


async def _events(found: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in found.aiter_bytes():
            yield piece
    except httpx.HTTPError as error:
        yield wire.event(_failed(error).as_json())
    finally:
        await found.aclose()


def _failed(error: httpx.HTTPError) -> RequestError:
    if isinstance(error, httpx.TimeoutException):
        return _unreachable("it did not answer in time", 504)
    return _unreachable(f"{error or type(error).__name__}", 502)


def _unreachable(why: str, status: int) -> RequestError:
    return RequestError(
        f"the engine behind this server does not answer: {why}",
        code="engine_unreachable", status=status,
    )  # fmt: skip
