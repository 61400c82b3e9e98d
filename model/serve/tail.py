"""A text as it is being written: what can already be shown, and what still has to wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_UNFINISHED = "\ufffd"
"""What a decoder writes for a character whose bytes are not all there yet."""


class Tail:
    """Turns the tokens of one text into pieces that never have to be taken back.

    What might be the beginning of a stop text is held until it is clear that it is not one.
    """

    def __init__(
        self, decode: Callable[[Sequence[int]], str], ends: Sequence[int], stops: Sequence[str]
    ) -> None:
        """Begin an empty text.

        Args:
            decode: Text of tokens, special ones left out.
            ends: Tokens that end a text.
            stops: Texts that end it, themselves left out.
        """
        self._decode = decode
        self._ends = frozenset(ends)
        self._stops = tuple(stops)
        self._tokens: list[int] = []
        self._shown = 0
        self._ended = False

    @property
    def has_ended(self) -> bool:
        """Whether an end token or a stop text has come."""
        return self._ended

    def add(self, token: int) -> str:
        """The text that one more token makes certain; empty after the end."""
        if self._ended or token in self._ends:
            self._ended = True
            return ""
        self._tokens.append(token)
        text = self._decode(self._tokens)
        cuts = [text.index(stop) for stop in self._stops if stop in text]
        if cuts:
            self._ended = True
            return self._show(text[: min(cuts)])
        return self._show(text[: len(text) - self._uncertain(text)])

    def finish(self, whole: str) -> str:
        """The rest of the text, now that it is known as a whole."""
        return self._show(whole)

    def _show(self, text: str) -> str:
        piece = text[self._shown :]
        self._shown = max(self._shown, len(text))
        return piece

    def _uncertain(self, text: str) -> int:
        """Characters at the end that later tokens may change or a stop text may swallow."""
        broken = len(text) - len(text.rstrip(_UNFINISHED))
        begun = [
            length
            for stop in self._stops
            for length in range(1, len(stop))
            if text.endswith(stop[:length])
        ]
        return max([broken, *begun])
