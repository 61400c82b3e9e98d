"""Asking a model through Inspect AI, and naming everything that can go wrong on the way."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from model.endpoint import KEY_VARIABLE, Sampling
from model.errors import EvaluationError
from model.evaluation.answers import Answer, no_answer
from model.reply import is_unicode, split_reasoning

if TYPE_CHECKING:
    from inspect_ai.model import Model, ModelOutput

RETRIES = 3
"""Of a call that got no reply: too many requests, a server's fault, a broken connection."""
_A_DATE = re.compile(r"(-\d{4}(-?\d{2}){0,2})?")
_NO_COMPLETION = frozenset(
    ("JSONDecodeError", "UnicodeDecodeError", "APIResponseValidationError", "OpenAIResponseError",
     "ValidationError", "APIError", "DecodingError")
)  # fmt: skip
"""What a reply that is no chat completion is raised as."""
_PROVIDER = "openai-api/safemed"


@dataclass(frozen=True, slots=True)
class Asking:
    """How calls are made; no part of what is asked."""

    timeout_s: float = 300.0
    """For one attempt at a call, in seconds."""
    connections: int = 8
    """Calls under way at once, to each model."""
    retries: int = RETRIES

    def __post_init__(self) -> None:
        if self.timeout_s <= 0 or self.connections < 1 or self.retries < 0:
            raise EvaluationError(
                f"timeout {self.timeout_s:g} s (above 0), concurrency {self.connections} (1 or "
                f"more) or retries {self.retries} (0 or more) is out of range"
            )


def open_model(name: str, endpoint: str, sampling: Sampling, asking: Asking) -> Model:
    """A model behind an OpenAI-compatible endpoint, through Inspect's provider.

    Args:
        name: As the endpoint serves it.
        endpoint: Up to and including `/v1`.
        sampling: How it is asked to write.
        asking: Timeout, concurrency, retries.
    """
    from inspect_ai.model import GenerateConfig, get_model

    config = GenerateConfig(
        temperature=sampling.temperature, top_p=sampling.top_p, max_tokens=sampling.max_tokens,
        seed=sampling.seed, max_connections=asking.connections, max_retries=asking.retries,
        attempt_timeout=max(1, round(asking.timeout_s)),
    )  # fmt: skip
    key = os.environ.get(KEY_VARIABLE) or "none"
    # Without max_retries=0 the client underneath would try again on its own, uncounted.
    return get_model(
        f"{_PROVIDER}/{name}", config=config, base_url=endpoint, api_key=key, memoize=False,
        max_retries=0,
    )  # fmt: skip


async def ask(model: Model, name: str, prompt: str) -> Answer:
    """Ask once; whatever happens comes back as a text or as a failure by its name."""
    try:
        output = await model.generate(prompt)
    except Exception as error:  # each layer raises its own; what is not known goes on up
        return _answer_of_error(error)
    return _answer_of_output(output, name)


def _answer_of_error(error: BaseException) -> Answer:
    chain = _chain(error)
    names = " ".join(type(e).__name__ for e in chain)
    told = [e for e in chain if isinstance(getattr(e, "status_code", None), int)]
    if told:
        # The wordiest of them repeats the whole request.
        words, status = min((len(str(e)), str(e), getattr(e, "status_code", 0)) for e in told)[1:]
        return no_answer(
            "rate_limit" if status == 429 else "endpoint_error", f"HTTP {status}: {words}"
        )
    words = f"{type(chain[-1]).__name__}: {chain[-1]}"
    if "Timeout" in names:
        return no_answer("timeout", words)
    if "RemoteProtocolError" in names:
        return no_answer("half_reply", words)
    if "Connect" in names:
        return no_answer("endpoint_unreachable", words)
    if any(type(e).__name__ in _NO_COMPLETION for e in chain) or _in_the_client(error):
        return no_answer("bad_reply", words)
    raise error  # a fault of this program is no failure of the model's


def _in_the_client(error: BaseException) -> bool:
    """Whether reading a reply of the wrong shape ended in the libraries that read it."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = place.tb_frame.f_globals.get("__name__", "") if place else ""
    wrong_shape = isinstance(error, TypeError | AttributeError | KeyError | IndexError)
    return wrong_shape and (where == "re" or where.startswith(("inspect_ai.model.", "openai.")))


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _answer_of_output(output: ModelOutput, name: str) -> Answer:
    if not output.choices:
        return no_answer("bad_reply", output.error or "the reply has no choices")
    usage = output.usage
    reason = output.stop_reason
    known: dict[str, Any] = {
        "finish_reason": reason,
        "model_named": output.model,
        "prompt_tokens": usage.input_tokens if usage else None,
        "completion_tokens": usage.output_tokens if usage else None,
    }
    if output.model and not _same_model(output.model, name):
        return no_answer("other_model", f"asked {name}, answered by {output.model}", **known)
    if reason == "content_filter":
        return no_answer("refused", "the provider's filter withheld the reply", **known)
    text, reasoning, closed = _texts(output)
    if not closed:
        return no_answer(
            "reasoning_not_closed", "the reasoning never ended", reasoning=reasoning, **known
        )
    if reason in ("max_tokens", "model_length"):
        return no_answer("length_limit", "cut at the token limit", reasoning=reasoning, **known)
    if reason != "stop":
        return no_answer(
            "half_reply", f"the reply ended with {reason}", reasoning=reasoning, **known
        )
    if not is_unicode(text) or not is_unicode(reasoning):
        return no_answer("bad_reply", "half a character (a lone surrogate)", **known)
    if not text:
        return no_answer("empty", "the reply holds no text", reasoning=reasoning, **known)
    return Answer(None, None, text, reasoning, **known)


def _texts(output: ModelOutput) -> tuple[str, str | None, bool]:
    from inspect_ai.model import ContentReasoning

    text, within, closed = split_reasoning(output.completion)
    content = output.message.content
    apart = [] if isinstance(content, str) else [
        part.reasoning for part in content if isinstance(part, ContentReasoning)
    ]  # fmt: skip
    found = "\n".join(r.strip() for r in (*apart, within) if r and r.strip())
    return text, found or None, closed


def _same_model(stated: str, asked: str) -> bool:
    """Servers add a path or a date to the name they were asked for; any other name is another."""
    one, other = (name.rpartition("/")[2].casefold() for name in (stated, asked))
    return one.startswith(other) and bool(_A_DATE.fullmatch(one.removeprefix(other)))
