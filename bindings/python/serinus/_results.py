"""What results are in Python: values like those of a frozen dataclass, and containers of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable


class Struct:
    """Behaves as a frozen dataclass whose fields a struct of the compiled part describes.

    The fields are in `__dict__`; copies and pickles need no more. NaN equals NaN.
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    _shown: ClassVar[tuple[str, ...]] = ()  # what repr shows, shortened; all fields in full where there are none
    _types: ClassVar[Callable[[], dict[str, str]]]

    def __init_subclass__(cls) -> None:
        # People meet these types in `serinus`, and pickles should find them there too.
        if cls.__module__.startswith("serinus.") and not cls.__module__.endswith("._core"):
            cls.__module__ = cls.__module__.partition("._")[0]

    def __init__(self, *values: Any, **fields: Any) -> None:
        names, own = self.__match_args__, type(self).__name__
        if len(values) > len(names):
            raise TypeError(f"{own}() takes {len(names)} values but {len(values)} were given")
        given = dict(zip(names, values, strict=False))
        for name in fields:
            if name not in names:
                raise TypeError(f"{own}() got an unexpected keyword argument {name!r}")
            if name in given:
                raise TypeError(f"{own}() got multiple values for argument {name!r}")
        given.update(fields)
        if missing := [name for name in names if name not in given]:
            raise TypeError(f"{own}() is missing {', '.join(missing)}")
        self.__dict__.update((name, given[name]) for name in names)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return _same(self.__dict__, other.__dict__) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(None if value != value else value for value in self.__dict__.values()))

    def __replace__(self, /, **changes: Any) -> Any:
        from dataclasses import replace

        return replace(self, **changes)  # type: ignore[type-var]

    def __repr__(self) -> str:
        names = self._shown or self.__match_args__
        fields = (f"{name}={_text(getattr(self, name), bool(self._shown))}" for name in names)
        return f"{type(self).__name__}({', '.join(fields)})"

    def to_dict(self) -> dict[str, Any]:
        """The fields as a dict, those inside of them too."""
        from dataclasses import asdict

        return asdict(self)  # type: ignore[call-overload, no-any-return]

    def _repr_html_(self) -> str:
        from ._html import fields

        return fields(type(self).__name__.removesuffix("Result"), {name: getattr(self, name) for name in self.__match_args__})


class _DataclassFields:
    """What `dataclasses` asks of a class, made when it is asked: `dataclasses` itself takes long to load."""

    def __get__(self, _: Struct | None, cls: type[Struct]) -> Any:
        from dataclasses import field, make_dataclass

        types = cls._types()
        made = make_dataclass(cls.__name__, [(name, types[name], field(default=None)) for name in cls.__match_args__])
        cls.__dataclass_fields__ = made.__dataclass_fields__  # type: ignore[attr-defined]
        return made.__dataclass_fields__  # type: ignore[attr-defined]


def struct(name: str, fields: tuple[str, ...], times: list[str], types: Callable[[], dict[str, str]]) -> type[Struct]:
    """The class of a struct with these fields; `times` have their milliseconds beside them."""
    members: dict[str, Any] = {
        "__match_args__": fields,
        "__module__": "serinus._core",
        "__dataclass_fields__": _DataclassFields(),
        "_types": staticmethod(types),
    }
    for time in times:
        members[time + "_ms"] = _in_milliseconds(time)
    return type(name, (Struct,), members)


def _in_milliseconds(field: str) -> property:
    return property(lambda self: _milliseconds(getattr(self, field)))


def _milliseconds(time: Any) -> Any:
    """The milliseconds of a duration, which is a text, or Unix milliseconds of a datetime; of None, and of one an arm."""
    if isinstance(time, dict):
        return {key: _milliseconds(one) for key, one in time.items()}
    if time is None:
        return None
    if isinstance(time, str):
        from ._core import duration_ms

        return duration_ms(time)
    from ._inputs import milliseconds

    return milliseconds("time", time)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(value, b[key]) for key, value in a.items())
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b or (a != a and b != b))


def _text(value: Any, short: bool) -> str:
    if short and isinstance(value, float):
        from ._core import number_text

        return number_text(value)
    return repr(str(value) if isinstance(value, str) else value)


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
