"""How fast a service spends its error budget: BurnRate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np

from .. import _core, _inputs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta
    from typing import Literal

    from numpy.typing import ArrayLike, NDArray

    Times = ArrayLike | Sequence[datetime]

    from ._objective import WindowBurn


class BurnColumn(NamedTuple):
    """The burn rates of one window at many times, an array each; NaN where absent (where `at` has None), and at 0/0."""

    burn: NDArray[np.float64]
    ratio: NDArray[np.float64]
    bad: NDArray[np.float64]
    total: NDArray[np.float64]
    coverage: NDArray[np.float32]


class BurnRate(_core.BurnRate):
    """Burn rates of a service over any windows, sample by sample or all at once.

    Of the events in (t - window, t], which share was bad, and how many times the budget is that share? Each series'
    increase is taken first, then summed over the series of a role.

    Parameters
    ----------
    budget : float
        The share of events that may be bad, in (0, 1); see `budget_from_target`.
    windows : iterable of str, timedelta or float
        "5m", "1h"; numbers are seconds.
    semantics : {"exact", "prometheus2", "prometheus3", "prometheus3_anchored"}
        What an increase is: what was counted between two samples that were seen, or what a Prometheus of that major
        version answers to `increase(x[w])`, or 3.16 to `increase(x[w] anchored)`.
    keep : {"all", "thinned"}
        All samples, so that any time may be asked for; or fewer with age, so that memory is bounded and times must not
        go back.
    raw : str, timedelta or float
        Thinned: so much of the past is kept sample by sample.
    interval : str, timedelta or float, optional
        How often the series are sampled, for `coverage`; without it, learned.

    Examples
    --------
    >>> from serinus.slo import BurnRate
    >>> b = BurnRate(budget=0.001, windows=["5m", "1h"])
    >>> good = b.add_series("good", [0, 60], [100, 1_097])
    >>> bad = b.add_series("bad", [0, 60], [0, 3])
    >>> b.at(60)["1h"].burn
    3.0
    >>> b.at(60)["1h"].status
    <BurnStatus.OK: 'ok'>
    >>> print(b.at(-1)["5m"].burn)
    None
    """

    __slots__ = ("_given", "_keys")

    def __init__(
        self,
        budget: float,
        windows: Iterable[str | timedelta | float],
        *,
        semantics: Literal["exact", "prometheus2", "prometheus3", "prometheus3_anchored"] = "exact",
        keep: Literal["all", "thinned"] = "all",
        raw: str | timedelta | float = "2h",
        interval: str | timedelta | float | None = None,
    ) -> None:
        chosen: list[str | timedelta | float] = [windows] if isinstance(windows, str) else list(windows)
        super().__init__(budget, chosen, semantics, keep, raw, interval)
        self._given = (budget, chosen, semantics, keep, raw, interval)
        self._keys = [
            window if isinstance(window, str) else text
            for window, text in zip(chosen, self._window_texts(), strict=True)
        ]

    @property
    def windows(self) -> list[str]:
        """The windows, as `at` names them: texts as they were given."""
        return list(self._keys)

    def add_series(
        self,
        role: Literal["bad", "good", "total"],
        t: Times = (),
        values: ArrayLike = (),
        *,
        kind: Literal["counter", "delta"] = "counter",
        instance: str = "",
    ) -> int:
        """A new series of bad, good or all events; returns the number that `add` knows it by.

        The times `t` are datetimes (naive: UTC), texts, or numbers, each Unix seconds below 1e11, else milliseconds, as
        everywhere. `values` are those of a cumulative counter, or (`kind="delta"`) what was counted since the sample
        before; in any order. NaN is no sample; of two samples at one time the first one counts. `instance` is the
        process that counts it: with `exact` a series born late begins at 0 where its instance can have counted so much.
        """
        times, numbers = _samples(t, values)
        series = self._add_series(role, kind, instance)
        self._add(series, times, numbers)
        return series

    def add(self, series: int, t: Times | datetime | str, values: ArrayLike) -> None:
        """More samples of a series: one, or arrays; times as for `add_series`."""
        times, numbers = _samples(np.atleast_1d(np.asarray(t)), np.atleast_1d(np.asarray(values)))
        self._add(_number(series), times, numbers)

    def at(self, t: float | datetime | str) -> dict[str, WindowBurn]:
        """The burn rate of every window at a time, by the window's text; samples after the time do not count.

        The time is a datetime (naive: UTC), a text, or a number: Unix seconds below 1e11, else milliseconds. A `burn`
        or `ratio` that is absent is None here, and NaN at 0/0; in the arrays of `over`, and in `Alert`, both are NaN.
        """
        return dict(zip(self._keys, self._at(_inputs.milliseconds("t", t)), strict=True))

    @overload
    def over(self, t: Times) -> dict[str, BurnColumn]: ...
    @overload
    def over(
        self, t: Times, field: Literal["burn", "ratio", "bad", "total"]
    ) -> dict[str, NDArray[np.float64]]: ...
    @overload
    def over(self, t: Times, field: Literal["coverage"]) -> dict[str, NDArray[np.float32]]: ...

    def over(self, t: Times, field: str | None = None) -> dict[str, Any]:
        """The same at many times, an array for each; only where all is kept. Much faster than `at`.

        The times are those that `at` takes: datetimes (naive: UTC), texts, or numbers, each Unix seconds below 1e11,
        else milliseconds. What is absent is NaN here where `at` has None; a `total` of 0 tells 0/0 from it.

        With `field`, one of those of `BurnColumn`, there is one array a window, of that field alone: what is not asked
        for costs nothing. The arrays of a field share one block of memory. Other threads may run meanwhile; none of
        them may add to this object then.

        Examples
        --------
        >>> from serinus.slo import BurnRate
        >>> b = BurnRate(budget=0.001, windows=["1m"])
        >>> _ = b.add_series("total", [0, 60, 120], [0, 1_000, 2_000])
        >>> _ = b.add_series("bad", [0, 60, 120], [0, 1, 3])
        >>> b.over([60, 120], "burn")["1m"]
        array([1., 2.])
        """
        if field is not None:
            if field not in BurnColumn._fields:
                allowed = ", ".join(f'"{name}"' for name in BurnColumn._fields)
                _core.fail("serinus.argument.word", f"field is {field!r}; allowed: {allowed}")
            return dict(zip(self._keys, self._over(_times(t), [field])[0], strict=True))
        blocks = self._over(_times(t), list(BurnColumn._fields))
        return {key: BurnColumn(*rows) for key, *rows in zip(self._keys, *blocks, strict=True)}

    def tally(self, series: int | None = None) -> dict[str, int]:
        """What became of the samples of a series, or of all: taken, late, duplicates, conflicts, ..., and resets."""
        return self._tally(None if series is None else _number(series))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self._given, self.state())

    def __repr__(self) -> str:
        return f"BurnRate(budget={self.budget:g}, windows={self._keys!r}, semantics={self.semantics!r})"


def _revive(cls: type[BurnRate], given: Any, state: bytes) -> BurnRate:
    budget, windows, semantics, keep, raw, interval = given
    burn = cls(budget, windows, semantics=semantics, keep=keep, raw=raw, interval=interval)
    burn.restore(state)
    return burn


def _number(series: Any) -> int:
    """The number of a series, as the compiled part takes it."""
    allowed = "allowed: the number of one that was added, from 0"
    if isinstance(series, bool) or not isinstance(series, (int, np.integer)):
        _core.fail("serinus.argument.type", f"series is {_inputs._shown(series)}; {allowed}")
    if not 0 <= series < 2**63:
        _core.fail("serinus.argument.range", f"series is {series}; {allowed}")
    return int(series)


def _samples(t: Times, values: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return _times(t), _inputs.values("values", values)


def _times(t: Times) -> NDArray[np.int64]:
    """Unix milliseconds of many times, each as `at` reads it."""
    return _inputs.times("t", t, _inputs.times_from_numbers)
