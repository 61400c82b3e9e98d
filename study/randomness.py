"""Where secrets come from, and how an allocation is derived from a sealed seed."""

from __future__ import annotations

import hashlib
import random
import secrets
from dataclasses import dataclass, field
from typing import Protocol

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and capitals that nobody mistakes for one another."""


class Source(Protocol):
    """Gives secret bytes."""

    def token_bytes(self, n_bytes: int) -> bytes:
        """As many fresh secret bytes as asked for."""


@dataclass(frozen=True, slots=True)
class SystemSource:
    """The operating system's generator; the only source of a real study."""

    def token_bytes(self, n_bytes: int) -> bytes:
        """Fresh bytes from the operating system."""
        return secrets.token_bytes(n_bytes)


@dataclass(slots=True)
class SeededSource:
    """A repeatable source; only simulation and tests use it, and the study is marked for good."""

    seed: int
    _generator: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._generator = random.Random(f"safemed-seeded-source:{self.seed}")

    def token_bytes(self, n_bytes: int) -> bytes:
        """The next bytes of the seeded sequence."""
        return self._generator.randbytes(n_bytes)


def public_id(source: Source, prefix: str) -> str:
    """A random identifier of 100 bits with a prefix that says what it names; never sequential."""
    return f"{prefix}_{random_word(source, 20)}"


def random_word(source: Source, n_letters: int) -> str:
    """A word of letters drawn uniformly from `ALPHABET`."""
    letters: list[str] = []
    while len(letters) < n_letters:
        # Bytes of 240 and more are thrown away: their remainder would favour some letters.
        letters += [ALPHABET[b % 30] for b in source.token_bytes(n_letters) if b < 240]
    return "".join(letters[:n_letters])


def stream(seed: bytes, *purpose: str) -> random.Random:
    """An independent generator for one purpose of a sealed seed.

    Args:
        seed: 32 bytes drawn when the step ran.
        purpose: Words that name the use, such as `("vignette order", respondent_id)`.
    """
    label = "\x1f".join(purpose).encode()
    return random.Random(int.from_bytes(hashlib.sha256(seed + b"\x1f" + label).digest(), "big"))
