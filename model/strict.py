"""Reading plain values (JSON, TOML) field by field: no unknown key, no wrong type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Fields:
    """The keys of one mapping; each is taken once, and none may be left over."""

    def __init__(self, value: object, where: str, error: Callable[[str], Exception]) -> None:
        """Begin reading.

        Args:
            value: What was read; a mapping with string keys is expected.
            where: Names the place in messages.
            error: Makes the exception that is raised for a fault.
        """
        if not isinstance(value, Mapping):
            raise error(f"{where}: expected a table of named values, got {value!r:.60}")
        self._left: dict[str, Any] = dict(value)
        self._where = where
        self._error = error

    def take(self, name: str, *kinds: type, default: Any = ...) -> Any:
        """The value of one key, of one of the kinds; an integer will do for a float.

        Without a default the key has to be there.
        """
        if name not in self._left:
            if default is ...:
                raise self._error(f"{self._where}: {name!r} is missing")
            return default
        value = self._left.pop(name)
        if float in kinds and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        # bool is an int to Python, but not to whoever wrote the file.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            expected = " or ".join("null" if k is type(None) else k.__name__ for k in kinds)
            raise self._error(f"{self._where}: {name!r} is {value!r:.60}; expected {expected}")
        return value

    def finish(self) -> None:
        """Refuse whatever is left."""
        if self._left:
            names = ", ".join(repr(name) for name in sorted(self._left))
            raise self._error(f"{self._where}: unknown key {names}; remove it or correct its name")
