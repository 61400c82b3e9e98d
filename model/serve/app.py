"""The embedded engine's routes: `/v1/models`, `/v1/chat/completions`, `/health`, `/metrics`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from dataclasses import replace

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from model.serve import wire
from model.serve.batching import Batcher
from model.serve.checkpoint import Served
from model.serve.engine import Engine, Generated
from model.serve.metrics import Counting, Metrics
from model.serve.requests import ChatRequest, RequestError, read_chat_request


def create_app(engine: Engine) -> Starlette:
    """Make the application over one loaded model. Nothing that is asked or answered is logged."""
    checkpoint, metrics, started = engine.checkpoint, Metrics(), int(time.time())
    batcher = Batcher(engine, began=metrics.batches.observe)
    metrics.watch_waiting(lambda: batcher.n_waiting)
    metrics.name_model(
        Served(checkpoint.name, engine.name, checkpoint.weights_sha256, checkpoint.stand_in)
    )
    answering = Answering(engine, batcher, metrics)

    async def models(request: Request) -> JSONResponse:
        entry = {
            "id": checkpoint.name,
            "object": "model",
            "created": started,
            "owned_by": engine.name,
            "weights_sha256": checkpoint.weights_sha256,
            "stand_in": checkpoint.stand_in,
            "max_model_len": engine.context,
        }
        return JSONResponse({"object": "list", "data": [entry]})

    async def health(request: Request) -> JSONResponse:
        return JSONResponse({"status": "ready"})

    async def counts(request: Request) -> Response:
        return metrics.answer()

    return Starlette(
        routes=[
            Route("/v1/models", models, methods=["GET"]),
            Route("/v1/chat/completions", answering.complete, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/metrics", counts, methods=["GET"]),
        ],
        exception_handlers={RequestError: wire.refused, Exception: wire.broken},
        middleware=[Middleware(Counting, metrics=metrics, paths=wire.PATHS)],
    )


class Answering:
    """Chat completions, whole or while they are written."""

    def __init__(self, engine: Engine, batcher: Batcher, metrics: Metrics) -> None:
        self._engine = engine
        self._name = engine.checkpoint.name
        self._batcher = batcher
        self._metrics = metrics

    async def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            RequestError: If it cannot be answered.
        """
        body = wire.decoded(await wire.read_body(request))
        asked = read_chat_request(body, model=self._name)
        tokens = await asyncio.to_thread(self._engine.encode, asked.messages)
        room = _room(asked, len(tokens), self._engine.context)
        asked = replace(asked, settings=replace(asked.settings, max_tokens=room))
        if asked.stream:
            return self._stream(asked, tokens)
        answers = await asyncio.wrap_future(self._batcher.submit(tokens, asked.settings))
        self._count(len(tokens), answers)
        return JSONResponse(wire.completion(self._name, len(tokens), answers))

    def _stream(self, asked: ChatRequest, tokens: Sequence[int]) -> Response:
        loop = asyncio.get_running_loop()
        said: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue()

        # The engine tells from its own thread.
        def heard(choice: int, piece: str) -> None:
            loop.call_soon_threadsafe(said.put_nowait, (choice, piece))

        answers = self._batcher.submit(tokens, asked.settings, heard)
        answers.add_done_callback(lambda _: loop.call_soon_threadsafe(said.put_nowait, None))
        return StreamingResponse(
            self._events(asked, len(tokens), said, answers), media_type="text/event-stream"
        )

    async def _events(
        self, asked: ChatRequest, n_prompt: int, said: asyncio.Queue[tuple[int, str] | None],
        answers: Future[list[Generated]],
    ) -> AsyncIterator[bytes]:  # fmt: skip
        chunks = wire.Chunks(self._name)
        while (piece := await said.get()) is not None:
            yield chunks.text(*piece)
        if answers.exception() is not None:
            # The status line is long gone; OpenAI's clients raise on an event with `error`.
            yield wire.event(wire.BROKEN.as_json())
            return
        written = answers.result()
        self._count(n_prompt, written)
        for index, answer in enumerate(written):
            yield chunks.end(index, answer.finish_reason)
        if asked.states_usage:
            yield chunks.usage(wire.usage(n_prompt, written))
        yield wire.DONE

    def _count(self, n_prompt: int, answers: Sequence[Generated]) -> None:
        self._metrics.tokens.labels("prompt").inc(n_prompt)
        self._metrics.tokens.labels("completion").inc(sum(a.n_tokens for a in answers))


def _room(asked: ChatRequest, n_prompt: int, context: int) -> int:
    """Tokens the answer may have.

    Raises:
        RequestError: If the prompt, or prompt and answer together, do not fit the context.
    """
    room = context - n_prompt
    wanted = asked.settings.max_tokens if asked.states_max_tokens else 1
    if wanted > room:
        raise RequestError(
            f"this model's context is {context} tokens; the prompt has {n_prompt} and the answer "
            f"may have {wanted}. Shorten the prompt or lower max_tokens",
            code="context_length_exceeded",
        )
    return wanted if asked.states_max_tokens else room
