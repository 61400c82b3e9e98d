"""One OpenAI-compatible endpoint, asked over HTTP with a deadline a request."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from model.canonical import sha256_hex
from model.reply import Reply, failed, judge_completion

NOT_STATED = "not stated by the endpoint"
KEY_VARIABLE = "SAFEMED_ENDPOINT_KEY"
_ATTEMPTS = 3
_PAUSE_S = 0.2
_LARGEST_REPLY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a model is asked to write."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    seed: int | None = None
    n_samples: int = 1
    """Samples a task. One is picked by a rule declared beforehand; all of them stay in the run."""
    pick: Literal["first", "seeded"] = "first"
    """The first sample, or one drawn for each task from the seed; never one chosen by content."""

    def __post_init__(self) -> None:
        if self.n_samples < 1:
            raise ValueError(f"n_samples is {self.n_samples}; at least one has to be asked for")
        if self.n_samples > 1 and self.temperature == 0:
            raise ValueError(
                f"{self.n_samples} samples at temperature 0 would all be the same; ask for one, or "
                "set a temperature"
            )
        if self.pick == "seeded" and self.seed is None:
            raise ValueError("pick 'seeded' draws from the seed; give one")
        if self.temperature < 0 or not 0 < self.top_p <= 1 or self.max_tokens < 1:
            raise ValueError(
                f"temperature {self.temperature} (0 or more), top_p {self.top_p} (above 0, at "
                f"most 1) or max_tokens {self.max_tokens} (1 or more) is out of range"
            )

    def seed_of(self, sample: int) -> int | None:
        """Seed of a sample, from 1: samples of a task differ, and each can be asked again."""
        return None if self.seed is None else self.seed + sample - 1

    def picked(self, vignette_id: str) -> int:
        """Which sample of a task is its response, from 1."""
        if self.pick == "first":
            return 1
        drawn = sha256_hex(f"{self.seed}:{vignette_id}".encode())
        return int(drawn, 16) % self.n_samples + 1


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What an endpoint says about the model it serves."""

    reachable: bool
    names: tuple[str, ...]
    """Every model it lists; empty when it lists none."""
    weights_sha256: str
    engine: str


class Endpoint:
    """A client of one endpoint. Safe to share between threads."""

    def __init__(self, url: str, *, timeout_s: float) -> None:
        """Open a client.

        Args:
            url: Up to and including `/v1`.
            timeout_s: For one request as a whole, in seconds.
        """
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        key = os.environ.get(KEY_VARIABLE)
        host = urlsplit(self._url).hostname or ""
        self._client = httpx.Client(
            timeout=timeout_s,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            # A proxy meant for the outside must not be asked for this very machine.
            trust_env=host not in ("localhost", "127.0.0.1", "::1"),
        )

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def describe(self, model: str) -> ServedModel:
        """What `/models` says about a model; nothing is made up where it says nothing."""
        silent = ServedModel(True, (), NOT_STATED, NOT_STATED)
        try:
            entries = self._client.get(f"{self._url}/models").json()["data"]
            by_name = {str(entry["id"]): entry for entry in entries}
        except httpx.TransportError:
            return ServedModel(False, (), NOT_STATED, NOT_STATED)
        except (ValueError, KeyError, TypeError):
            return silent
        entry = by_name.get(model, {})
        return ServedModel(
            True,
            tuple(by_name),
            str(entry.get("weights_sha256") or NOT_STATED),
            str(entry.get("owned_by") or NOT_STATED),
        )

    def ask(self, model: str, prompt: str, sampling: Sampling) -> Reply:
        """Ask one prompt; whatever goes wrong comes back as a failure by its name.

        Only a broken connection is tried again (3 attempts in all): a reply that arrived, good
        or bad, is the reply, since asking until one pleases would be a choice among answers.
        """
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
        }
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        for attempt in range(_ATTEMPTS):
            try:
                return self._post(body)
            except httpx.ConnectTimeout as error:
                trouble: Exception = error
            except httpx.TimeoutException:
                return failed("timeout", f"no complete reply within {self._timeout_s:g} s")
            except httpx.TransportError as error:
                trouble = error
            time.sleep(_PAUSE_S * 2**attempt)
        return failed("endpoint_unreachable", f"{_ATTEMPTS} attempts: {trouble}")

    def _post(self, body: dict[str, Any]) -> Reply:
        deadline = time.monotonic() + self._timeout_s
        content = bytearray()
        with self._client.stream("POST", f"{self._url}/chat/completions", json=body) as response:
            for piece in response.iter_bytes():
                content += piece
                # httpx limits the wait for each piece; a reply in drips would never end.
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("deadline passed")
                if len(content) > _LARGEST_REPLY:
                    return failed("bad_reply", f"the reply is longer than {_LARGEST_REPLY} bytes")
        if response.status_code != 200:
            words = content.decode("utf-8", errors="replace")
            return failed("endpoint_error", f"HTTP {response.status_code}: {words}")
        return _decode(bytes(content))


def _decode(content: bytes) -> Reply:
    try:
        body = httpx.Response(200, content=content).json()
    except ValueError:
        return failed("bad_reply", "the reply is not JSON")
    return judge_completion(body)
