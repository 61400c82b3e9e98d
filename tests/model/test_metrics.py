from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
from prometheus_client.parser import text_string_to_metric_families

from model.canonical import file_sha256
from tests.model.files import NANO
from tests.model.test_serve import QUESTION, post


def counted(endpoint: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and label values, read by the library's own reader."""
    text = httpx.get(endpoint.removesuffix("/v1") + "/metrics", timeout=10).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_tokens_and_batches_are_counted_by_what_happened(nano_endpoint) -> None:
    before = counted(nano_endpoint)
    reply = post(nano_endpoint).json()
    post(nano_endpoint, top_p=0)
    httpx.get(f"{nano_endpoint}/never-heard-of", timeout=10)
    after = counted(nano_endpoint)

    def more(*key: str) -> float:
        return after.get(key, 0.0) - before.get(key, 0.0)

    assert more("safemed_requests_total", "/v1/chat/completions", "200") == 1
    assert more("safemed_requests_total", "/v1/chat/completions", "400") == 1
    assert more("safemed_requests_total", "other", "404") == 1
    assert more("safemed_tokens_total", "prompt") == reply["usage"]["prompt_tokens"]
    assert more("safemed_tokens_total", "completion") == reply["usage"]["completion_tokens"]
    assert more("safemed_batch_texts_count") == 1


def test_requests_that_come_together_are_written_together(nano_endpoint) -> None:
    before = counted(nano_endpoint)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: post(nano_endpoint, max_tokens=30), range(12)))
    after = counted(nano_endpoint)
    n_batches = after[("safemed_batch_texts_count",)] - before[("safemed_batch_texts_count",)]
    n_texts = after[("safemed_batch_texts_sum",)] - before[("safemed_batch_texts_sum",)]
    assert n_texts == 12
    assert n_batches < 12


def test_the_served_model_is_named_with_its_digest_and_no_word_of_a_question_is(
    nano_endpoint,
) -> None:
    post(nano_endpoint, max_tokens=5)
    text = httpx.get(nano_endpoint.removesuffix("/v1") + "/metrics", timeout=10).text
    assert file_sha256(NANO / "checkpoint" / "model.safetensors") in text
    assert all(word not in text for word in QUESTION.split() if len(word) > 4)
