"""Tasks directories and a small server that misbehaves as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from model.canonical import sha256_hex

ROOT = Path(__file__).parents[2]
NANO = ROOT / "data" / "nano"
INSTRUCTION = "Read the case and answer."


def task_line(vignette_id: str, text: str, instruction: str = INSTRUCTION) -> dict[str, Any]:
    return {
        "vignette_id": vignette_id,
        "vignette_version": 1,
        "instruction": instruction,
        "instruction_sha256": sha256_hex(instruction.encode()),
        "text": text,
        "text_sha256": sha256_hex(text.encode()),
        "max_words": 250,
    }


def write_tasks(directory: Path, lines: list[dict[str, Any]], **changes: object) -> Path:
    directory.mkdir(parents=True)
    content = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    manifest = {
        "schema": "safemed.tasks/1",
        "study_id": "study-1",
        "respondent_id": "p-1",
        "protocol_sha256": "0" * 64,
        "language": "en",
        "n_tasks": len(lines),
        "tasks_sha256": sha256_hex(content.encode()),
        **changes,
    }
    (directory / "tasks.jsonl").write_text(content, encoding="utf-8")
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return directory


def three_tasks(directory: Path) -> Path:
    return write_tasks(
        directory, [task_line(f"V0{i}", f"Case {i}\n\nWhat now?") for i in (1, 2, 3)]
    )


def completion(content: str | None, *, finish: str = "stop", **message: object) -> dict[str, Any]:
    return {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **message},
                "finish_reason": finish,
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }


Reply = tuple[int, bytes]
Behaviour = Callable[[dict[str, Any]], Reply]


def says(body: object, status: int = 200) -> Behaviour:
    return lambda asked: (status, json.dumps(body).encode())


def raw(content: bytes, status: int = 200) -> Behaviour:
    return lambda asked: (status, content)


def sleeps(seconds: float) -> Behaviour:
    def behave(asked: dict[str, Any]) -> Reply:
        time.sleep(seconds)
        return 200, json.dumps(completion("Too late.")).encode()

    return behave


@contextmanager
def endpoint(
    behave: Behaviour, *, models: object = None, asked: list[dict[str, Any]] | None = None
) -> Iterator[str]:
    """A server on this machine that answers every completion as `behave` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = models is not None and self.path == "/v1/models"
            self._send(200 if found else 404, json.dumps(models or {}).encode())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if asked is not None:
                asked.append(body)
            self._send(*behave(body))

        def _send(self, status: int, content: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the asker hung up at its deadline, as it should

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
