"""Counts of a server in Prometheus' text format. No word that is asked or answered is in them."""

from __future__ import annotations

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.serve.checkpoint import Served

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_TEXTS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """One server's counts, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "safemed_requests", "Requests that were answered.", ["path", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "safemed_request_seconds", "From a request to the last byte of its answer.", ["path"],
            buckets=_SECONDS, registry=self.registry,
        )  # fmt: skip
        self.tokens = Counter(
            "safemed_tokens", "Tokens read (prompt) and written (completion).", ["kind"],
            registry=self.registry,
        )  # fmt: skip
        self.batches = Histogram(
            "safemed_batch_texts", "Texts that the embedded engine writes together.",
            buckets=_TEXTS, registry=self.registry,
        )  # fmt: skip
        self._waiting = Gauge(
            "safemed_requests_waiting", "Requests nobody has begun to answer.",
            registry=self.registry,
        )  # fmt: skip
        self._model = Gauge(
            "safemed_model", "1 for the model that is served.",
            ["name", "engine", "weights_sha256", "stand_in"], registry=self.registry,
        )  # fmt: skip

    def watch_waiting(self, count: Callable[[], int]) -> None:
        """Ask `count` whenever the number of waiting requests is wanted."""
        self._waiting.set_function(count)

    def name_model(self, served: Served) -> None:
        """Say what is served."""
        self._model.labels(
            served.name, served.engine, served.weights_sha256, str(served.stand_in).lower()
        ).set(1)

    def answer(self, more: bytes = b"") -> Response:
        """The text of `/metrics`, with what an engine behind this server says of itself."""
        return Response(generate_latest(self.registry) + more, media_type=_CONTENT_TYPE)


class Counting:
    """Counts requests by known path and status, and how long each took."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        """Wrap an application.

        Args:
            app: Answers.
            metrics: Where to count.
            paths: Counted by name; any other is `other`, or a stranger could add names at will.
        """
        self._app = app
        self._metrics = metrics
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self._paths else "other"
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.requests.labels(path, str(status)).inc()
            self._metrics.seconds.labels(path).observe(time.perf_counter() - began)
