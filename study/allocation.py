"""The allocation of masked responses to raters; a plain function of a sealed seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from study.errors import AllocationError
from study.randomness import ALPHABET, stream

RATER_PURPOSE = "rater allocation"
CODE_PURPOSE = "blinding codes"


@dataclass(frozen=True, slots=True)
class RaterAssignment:
    """One masked response at one place in one rater's order."""

    rater: str
    code: str
    position: int


def blinding_codes(n_codes: int, *, seed: bytes) -> tuple[str, ...]:
    """Distinct opaque codes such as `K7Q-MD4`.

    Args:
        n_codes: How many.
        seed: Sealed seed of the study's blinding codes.
    """
    rng = stream(seed, CODE_PURPOSE)
    codes: dict[str, None] = {}
    while len(codes) < n_codes:
        word = "".join(rng.choices(ALPHABET, k=6))
        codes[f"{word[:3]}-{word[3:]}"] = None
    return tuple(codes)


def assign_raters(
    codes: Sequence[str],
    raters: Sequence[str],
    *,
    ratings_per_response: int,
    seed: bytes,
) -> tuple[RaterAssignment, ...]:
    """Give every masked response the same number of distinct raters, with level loads.

    No two raters end more than one response apart; each rater gets an own random order.

    Args:
        codes: Blinding codes of the masked responses, each once.
        raters: Raters available, each once.
        ratings_per_response: Distinct raters per response, at least 1.
        seed: Sealed seed of the allocation.

    Raises:
        AllocationError: If there are fewer raters than ratings per response, or a name is twice.
    """
    if ratings_per_response > len(raters):
        raise AllocationError(
            f"{ratings_per_response} ratings per response need as many raters; {len(raters)} have "
            "joined. Invite more, or lower the number by an amendment"
        )
    if len(set(codes)) != len(codes) or len(set(raters)) != len(raters):
        raise AllocationError("a blinding code or a rater is listed twice")
    rng = stream(seed, RATER_PURPOSE)
    shares: dict[str, list[str]] = {rater: [] for rater in raters}
    for code in rng.sample(list(codes), k=len(codes)):
        least_loaded_first = sorted(raters, key=lambda rater: (len(shares[rater]), rng.random()))
        for rater in least_loaded_first[:ratings_per_response]:
            shares[rater].append(code)
    return tuple(
        RaterAssignment(rater, code, position)
        for rater, share in shares.items()
        for position, code in enumerate(rng.sample(share, k=len(share)), start=1)
    )
