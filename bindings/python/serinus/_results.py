"""Containers of results."""

from __future__ import annotations

from typing import Protocol, TypeVar, overload


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


class ByName(tuple[T, ...]):
    """A tuple whose elements are found by their name too: `metrics[0]`, `metrics["errors"]`, `"errors" in metrics`."""

    __slots__ = ()

    @overload  # type: ignore[override]
    def __getitem__(self, key: int | str) -> T: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[T, ...]: ...
    def __getitem__(self, key: int | str | slice) -> T | tuple[T, ...]:
        if not isinstance(key, str):
            return super().__getitem__(key)
        for element in self:
            if element.name == key:
                return element
        raise KeyError(f"{key!r}; there are {', '.join(repr(element.name) for element in self) or 'none'}")

    def __contains__(self, key: object) -> bool:
        if isinstance(key, str):
            return any(element.name == key for element in self)
        return super().__contains__(key)

    def names(self) -> list[str]:
        """The elements' names, in order."""
        return [element.name for element in self]
