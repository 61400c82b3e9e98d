"""Stands where vLLM's Python would: the flags it gets are written down, and it acts as it is told.

vLLM itself is not installed where these tests run. This answers the few addresses that ours asks,
or fails with a line that vLLM was seen to print.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main() -> None:
    act = os.environ["SCRIPTED_VLLM"]
    words = sys.argv[1:]
    environment = {name: v for name, v in os.environ.items() if name.startswith(("VLLM", "OMP_N"))}
    told = {"words": words, "environment": environment, "pid": os.getpid()}
    Path(os.environ["SCRIPTED_VLLM_NOTES"]).write_text(json.dumps(told))
    print("INFO starting", flush=True)
    if act.startswith("fail:"):
        print(act.removeprefix("fail:"), flush=True)
        sys.exit(1)
    name = words[words.index("--served-model-name") + 1]
    port = int(words[words.index("--port") + 1])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(
                {
                    "/health": b"",
                    "/version": b'{"version": "0.32.0"}',
                    "/metrics": b"# TYPE vllm:num_requests_running gauge\n"
                    b"vllm:num_requests_running 0.0\n",
                    "/v1/models": json.dumps(
                        {"object": "list", "data": [{"id": name, "owned_by": "vllm"}]}
                    ).encode(),
                }[self.path]
            )

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if act == "die":
                print("vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue")
                print("ValueError: seeded requests, chunked prefill", flush=True)
                os._exit(1)
            if asked.get("stream"):
                chunk = {"choices": [{"index": 0, "delta": {"content": "Yes."}}]}
                events = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
                self.send(events.encode(), "text/event-stream")
                return
            message = {"role": "assistant", "content": "<think>T</think>Yes."}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            counts = {"prompt_tokens": 3, "completion_tokens": 2}
            self.send(json.dumps({"choices": [choice], "usage": counts}).encode())

        def send(self, content: bytes, kind: str = "application/json") -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
