"""The endpoint's routes: `/v1/models`, `/v1/chat/completions`, `/health`."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from model.serve.batching import Batcher
from model.serve.engine import Engine, Generated
from model.serve.requests import ChatRequest, RequestError, read_chat_request

_LARGEST_BODY = 4 * 1024 * 1024


def create_app(engine: Engine) -> Starlette:
    """Make the application over one loaded model. Nothing that is asked or answered is logged."""
    batcher = Batcher(engine)
    started = int(time.time())

    async def models(request: Request) -> JSONResponse:
        checkpoint = engine.checkpoint
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

    async def complete(request: Request) -> JSONResponse:
        asked = read_chat_request(await _body(request), model=engine.checkpoint.name)
        tokens = await asyncio.to_thread(engine.encode, asked.messages)
        settings = replace(asked.settings, max_tokens=_room(asked, len(tokens), engine.context))
        answers = await asyncio.wrap_future(batcher.submit(tokens, settings))
        return JSONResponse(_completion(engine.checkpoint.name, len(tokens), answers))

    async def refused(request: Request, error: Exception) -> JSONResponse:
        shown = error if isinstance(error, RequestError) else RequestError(str(error))
        return JSONResponse(shown.as_json(), status_code=shown.status)

    async def broken(request: Request, error: Exception) -> JSONResponse:
        shown = RequestError(
            "the engine could not generate an answer; its log says why",
            code="engine_error",
            status=500,
        )
        return JSONResponse(shown.as_json(), status_code=500)

    return Starlette(
        routes=[
            Route("/v1/models", models, methods=["GET"]),
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
        ],
        exception_handlers={RequestError: refused, Exception: broken},
    )


async def _body(request: Request) -> object:
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > _LARGEST_BODY:
            raise RequestError(f"the request is longer than {_LARGEST_BODY} bytes", status=413)
    try:
        body: object = json.loads(bytes(content))
    except ValueError as error:
        raise RequestError(f"the request is not JSON: {error}") from error
    return body


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


def _completion(name: str, n_prompt: int, answers: list[Generated]) -> dict[str, Any]:
    n_written = sum(answer.n_tokens for answer in answers)
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": name,
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": answer.text},
                "finish_reason": answer.finish_reason,
            }
            for index, answer in enumerate(answers)
        ],
        "usage": {
            "prompt_tokens": n_prompt,
            "completion_tokens": n_written,
            "total_tokens": n_prompt + n_written,
        },
    }
