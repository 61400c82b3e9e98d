"""A model of another endpoint behind our surface."""

from __future__ import annotations

import subprocess
import sys

import httpx

from model.serve.ready import wait_until_ready
from tests.model.conftest import free_port
from tests.model.files import ROOT, completion, endpoint, raw, says

MODELS = {"object": "list", "data": [{"id": "large", "weights_sha256": "a" * 64}]}


def serve(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "model", "serve", *words, "--engine", url],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_requests_pass_as_they_are_and_answers_come_back_as_they_were() -> None:
    asked: list = []
    port = free_port()
    with endpoint(says(completion("Yes.")), models=MODELS, asked=asked) as url:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "model", "serve", "large", "--engine", url,
             "--port", str(port)],
            cwd=ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        ours = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(ours, timeout_s=60, process=process)
            assert httpx.get(f"{ours}/v1/models").json() == MODELS
            body = {"model": "large", "messages": [], "n": 3, "logprobs": True}
            reply = httpx.post(f"{ours}/v1/chat/completions", json=body)
            assert asked == [body]
            assert reply.json() == completion("Yes.")
            assert 'kind="completion"} 7.0' in httpx.get(f"{ours}/metrics").text
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_what_the_endpoint_refuses_is_handed_back_with_its_own_status() -> None:
    from starlette.testclient import TestClient

    from model.serve.forward import Upstream, create_forwarding_app

    busy = raw(b'{"error": {"message": "busy"}}', 503)
    with (
        endpoint(busy, models=MODELS) as url,
        TestClient(create_forwarding_app(Upstream(url))) as ours,
    ):
        reply = ours.post("/v1/chat/completions", content=b"{}")
        assert (reply.status_code, reply.json()["error"]["message"]) == (503, "busy")


def test_an_endpoint_that_went_away_is_said_in_openai_s_shape() -> None:
    from starlette.testclient import TestClient

    from model.serve.forward import Upstream, create_forwarding_app

    app = create_forwarding_app(Upstream(f"http://127.0.0.1:{free_port()}/v1"))
    with TestClient(app) as ours:
        for reply in (ours.post("/v1/chat/completions", content=b"{}"), ours.get("/health")):
            assert reply.status_code == 502
            assert reply.json()["error"]["code"] == "engine_unreachable"


def test_an_endpoint_that_is_not_there_or_lists_another_model_is_refused_at_once() -> None:
    run = serve(f"http://127.0.0.1:{free_port()}/v1", "large", "--port", str(free_port()))
    assert run.returncode == 2 and "does not answer; start it" in run.stderr
    with endpoint(says({}), models=MODELS) as url:
        run = serve(url, "small", "--port", str(free_port()))
        assert run.returncode == 2 and "lists large, and no 'small'" in run.stderr
        run = serve(url, "--port", str(free_port()))
        assert run.returncode == 2 and "MODEL is missing" in run.stderr
    run = serve("vlm")
    assert run.returncode == 2 and "it is embedded, vllm or an http address" in run.stderr
