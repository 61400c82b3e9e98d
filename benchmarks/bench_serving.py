"""The embedded engine: thirty vignettes, five samples each, together and one request at a time.

`python -m benchmarks.bench_serving [URL MODEL]`; a running endpoint, such as vLLM's, is measured
instead where one is named. One at a time, every vignette is asked for one sample: a fifth of the
work, and the rate is what is compared.
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from app.demo.endpoint import served_model
from app.resources import shipped
from study.vignette import load_vignettes

SAMPLES, MAX_TOKENS = 5, 512


def prompts() -> list[str]:
    """The thirty stimuli, as a study's tasks word them."""
    found = load_vignettes(shipped("vignettes"))
    return [vignette.stimulus("en") for _, vignette in sorted(found.items())]


def ask(url: str, model: str, prompt: str, n: int) -> tuple[int, int]:
    """Texts and tokens of one request."""
    body = {
        "model": model, "messages": [{"role": "user", "content": prompt}], "n": n,
        "temperature": 0.8, "max_tokens": MAX_TOKENS,
    }  # fmt: skip
    reply = httpx.post(f"{url}/chat/completions", json=body, timeout=1200, trust_env=False)
    answer = reply.raise_for_status().json()
    return len(answer["choices"]), int(answer["usage"]["completion_tokens"])


def measured(url: str, model: str) -> None:
    """Print both rates and their ratio."""
    asked = prompts()
    ask(url, model, asked[0], 1)  # the first request warms up
    began = time.perf_counter()
    with ThreadPoolExecutor(len(asked)) as pool:
        together = list(pool.map(lambda p: ask(url, model, p, SAMPLES), asked))
    took = time.perf_counter() - began
    _say("together", together, took)
    began = time.perf_counter()
    alone = [ask(url, model, prompt, 1) for prompt in asked]
    took_alone = time.perf_counter() - began
    _say("one at a time", alone, took_alone)
    rates = [sum(t for t, _ in r) / s for r, s in ((together, took), (alone, took_alone))]
    print(f"together {rates[0] / rates[1]:.1f} times as many texts a second")


def _say(what: str, answers: list[tuple[int, int]], seconds: float) -> None:
    texts, tokens = (sum(column) for column in zip(*answers, strict=True))
    print(f"{what}: {texts} texts, {tokens} tokens in {seconds:.1f} s "
          f"({tokens / seconds:.0f} tokens a second)", flush=True)  # fmt: skip


def main() -> None:
    """Measure nano behind the embedded engine, or the endpoint named."""
    if len(sys.argv) == 3:
        measured(sys.argv[1], sys.argv[2])
        return
    with (
        tempfile.TemporaryDirectory() as work,
        served_model(shipped("nano", "checkpoint"), Path(work) / "log") as url,
    ):
        measured(url, "safemed-nano")
        counts = httpx.get(url.removesuffix("/v1") + "/metrics", trust_env=False).text
        print("\n".join(x for x in counts.split("\n") if x.startswith("safemed_batch_texts_")))


if __name__ == "__main__":
    main()
