"""An endpoint that answers as it is told, also in every way in which endpoints go wrong."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Asked = dict[str, Any]
STEPS = {"intent": "i", "alignment": "a", "prohibited": "p", "adherence": "d"}


class Broken:
    """Half of the body, then the connection ends."""


def says(text: str | None, *, model: str | None = None, finish: str = "stop") -> dict[str, Any]:
    return {
        "id": "x", "object": "chat.completion", "created": 0, "model": model,
        "choices": [{
            "index": 0, "finish_reason": finish,
            "message": {"role": "assistant", "content": text},
        }],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }  # fmt: skip


def prompt_of(asked: Asked) -> str:
    return str(asked["messages"][-1]["content"])


def code_of(asked: Asked) -> str:
    found = re.search(r'"code" \(write (\w+) here\)', prompt_of(asked))
    assert found
    return found[1]


def verdict(asked: Asked, score: object, **changes: object) -> str:
    return json.dumps({"code": code_of(asked), **STEPS, "score": score, **changes})


Behaviour = Callable[[Asked], object]
"""A text, a body, (status, body), or Broken()."""


@contextmanager
def endpoint(
    behave: Behaviour, *, asked: list[Asked] | None = None, port: int = 0,
    dies_after: int | None = None,
) -> Iterator[str]:  # fmt: skip
    """A server on this machine; after `dies_after` calls nothing listens any more."""
    calls: list[Asked] = [] if asked is None else asked

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(404, b"{}")

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls.append(body)
            if len(calls) == dies_after:
                self.close_connection = True
                server.socket.close()
            said = behave(body)
            if isinstance(said, str):
                said = says(said, model=body["model"])
            if isinstance(said, Broken):
                self._send(200, json.dumps(says("half", model=body["model"])).encode(), half=True)
            elif isinstance(said, tuple):
                self._send(
                    said[0], said[1] if isinstance(said[1], bytes) else json.dumps(said[1]).encode()
                )
            else:
                self._send(200, json.dumps(said).encode())

        def _send(self, status: int, content: bytes, *, half: bool = False) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if half else content)
                self.close_connection = self.close_connection or half
            except (BrokenPipeError, ConnectionResetError):
                pass  # the asker hung up

        def log_message(self, *words: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

        def handle_error(self, *about: object) -> None:
            pass

    server = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
