"""A cache of keys and values with room to grow: a new token is written into place.

The library's own cache is copied whole for every token of a batch.
"""

from __future__ import annotations

from typing import Any

ROOM = 64
"""Tokens for which room is made at a time."""


def growing_cache(config: Any) -> Any:
    """A cache for a model of that configuration; layers of another kind stay the library's."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
        """`keys` and `values` are what is filled of two larger tensors."""

        _room: tuple[Any, Any]

        def update(self, key_states: Any, value_states: Any, *args: Any, **more: Any) -> Any:
            """Write the new states behind those that are there."""
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
                self._room = (key_states[..., :0, :], value_states[..., :0, :])
            held = self.get_seq_length()
            filled = held + key_states.shape[-2]
            if filled > self._room[0].shape[-2]:
                self._make_room(key_states, value_states, held, filled + ROOM)
            for room, states in zip(self._room, (key_states, value_states), strict=True):
                room[..., held:filled, :] = states
            self._fill(filled)
            return self.keys, self.values

        def batch_repeat_interleave(self, repeats: int) -> None:
            """Repeat every row."""
            held = self.get_seq_length()
            self._room = tuple(room.repeat_interleave(repeats, dim=0) for room in self._room)
            self._fill(held)

        def batch_select_indices(self, indices: Any) -> None:
            """Keep some rows."""
            held = self.get_seq_length()
            self._room = tuple(room[indices] for room in self._room)
            self._fill(held)

        def _make_room(self, key_states: Any, value_states: Any, held: int, size: int) -> None:
            made = []
            for old, states in zip(self._room, (key_states, value_states), strict=True):
                room = states.new_empty((*states.shape[:-2], size, states.shape[-1]))
                room[..., :held, :] = old[..., :held, :]
                made.append(room)
            self._room = (made[0], made[1])

        def _fill(self, filled: int) -> None:
            self.keys, self.values = (room[..., :filled, :] for room in self._room)

    cache = DynamicCache(config=config)
    cache.layers = [
        GrowingLayer() if type(layer) is DynamicLayer else layer  # type: ignore[no-untyped-call]
        for layer in cache.layers
    ]
    return cache
