"""What the Python classes of all tests of many looks share: their options, pickling, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from typing import Any, Protocol

    class _Any(Protocol):
        """What every test of `_core` has; `_options` are the keywords of the constructor."""

        @property
        def _options(self) -> dict[str, Any]: ...
        def state(self) -> bytes: ...


class Test:
    """Beside the class of `_core`: pickles, and a text that names the options."""

    __slots__ = ()

    def __reduce__(self: Any) -> tuple[Any, ...]:
        return revive, (type(self), self._options, self.state())

    def __repr__(self: Any) -> str:
        hidden = ("alpha_safe", "noise", "known", "interval", "tuned_at", "gate", "concentration")
        shown = [f"{k}={_text(v)}" for k, v in self._options.items() if k not in hidden]
        known = f"; log_e_value={self.log_e_value:.4g}" if hasattr(self, "log_e_value") else ""
        return f"{type(self).__name__}({', '.join(shown)}{known})"


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return repr(str(value) if isinstance(value, str) else value)


def revive(cls: Any, options: dict[str, Any], state: bytes) -> Any:
    """A test of these options in this state."""
    test = cls(**options)
    test.restore(state)
    return test


def margin_of(margin: object, **default: float) -> Any:
    """The margin as `_core` takes it, which refuses what is none."""
    if margin is None:
        return default
    return dict(margin) if isinstance(margin, Mapping) else margin


def dispersion_of(dispersion: float | None, noise: Mapping[str, float] | None) -> float:
    """The dispersion that a test's arguments mean: given as such, or as a plan carries it."""
    if noise is None:
        return 1.0 if dispersion is None else dispersion
    if not isinstance(noise, Mapping) or dispersion is not None or set(noise) - {"dispersion"}:
        _core.fail(
            "serinus.argument.word", f'noise is {noise!r:.60}; allowed: {{"dispersion": number}}, and no dispersion beside it'
        )
    return noise.get("dispersion", 1.0)
