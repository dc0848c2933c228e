"""After promotion: ChangeDetector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import _core
from ._counts import columns_of, misfit

if TYPE_CHECKING:
    from ._paired import PairedTest
    from ._proportion import ProportionTest
    from ._rate import RateTest


class ChangeDetector:
    """Has something become worse than the margin at some time, be it long after the start?

    A Shiryaev-Roberts detector: a new start of the test is added every interval, and an alarm is raised when their sum
    reaches `run_length`. While all is well the mean number of intervals to a false alarm is at least `run_length`.

    Parameters
    ----------
    test : ProportionTest, RateTest or PairedTest
        Its options are taken, what it has seen is not. It must be of `side="harm"`.
    run_length : float, optional
        Mean number of intervals to a false alarm, at least 1; default: as many as 30 days have.
    interval_seconds : float
        Length of an interval, for the default of `run_length`.

    Notes
    -----
    Proved where the test's error rate is; measured, like the test itself, for PairedTest. There is no p-value and no
    interval: the statistic is no e-value, it grows by itself.

    Examples
    --------
    >>> from serinus.sequential import ChangeDetector, RateTest
    >>> detector = ChangeDetector(RateTest(margin={"ratio": 1.5}), run_length=1000)
    >>> for hour in range(500):
    ...     detector.update(9, 9.0, 1, 1.0)
    >>> detector.alarmed
    False
    >>> for hour in range(20):
    ...     detector.update(9, 9.0, 5, 1.0)
    >>> detector.alarm
    505
    """

    __slots__ = ("_detector", "_made_of")

    def __init__(
        self,
        test: ProportionTest | RateTest | PairedTest,
        *,
        run_length: float | None = None,
        interval_seconds: float = 60.0,
    ) -> None:
        self._detector: _core.ProportionDetector | _core.RateDetector | _core.PairedDetector
        if isinstance(test, _core.ProportionTest):
            self._detector = _core.ProportionDetector(test, run_length=run_length, interval_seconds=interval_seconds)
        elif isinstance(test, _core.RateTest):
            self._detector = _core.RateDetector(test, run_length=run_length, interval_seconds=interval_seconds)
        elif isinstance(test, _core.PairedTest):
            self._detector = _core.PairedDetector(test, run_length=run_length, interval_seconds=interval_seconds)
        else:
            _core.fail(
                "serinus.argument.type",
                f"test is {test!r:.60}; allowed: a ProportionTest, a RateTest or a PairedTest",
            )
        self._made_of = type(test), test._options

    def update(self, *interval: Any) -> None:
        """Takes what the test's `update` takes: the counts of one interval, or a difference."""
        try:
            self._detector.update(*interval)
        except TypeError:
            raise misfit(self._made_of[0], interval) from None

    def update_many(self, *columns: Any) -> None:
        """Takes many intervals at once, in order: what the test's `update_many` takes.

        Nothing is taken when an interval is impossible.
        """
        self._detector._update_many(*columns_of(self._made_of[0], columns))

    @property
    def log_statistic(self) -> float:
        """Natural log of the statistic; an alarm is raised once it reaches log(run_length). -inf before the first interval."""
        return self._detector.log_statistic

    @property
    def alarmed(self) -> bool:
        """True from the alarm until `reset`."""
        return self._detector.alarmed

    @property
    def alarm(self) -> int:
        """The interval of the alarm, counted from 1 since the last `reset`; 0: none."""
        return self._detector.alarm

    @property
    def intervals(self) -> int:
        """Intervals since the last `reset`."""
        return self._detector.intervals

    @property
    def run_length(self) -> float:
        """Mean number of intervals to a false alarm, at least."""
        return self._detector.run_length

    def reset(self) -> None:
        """Begins anew: after an alarm was dealt with, or a release."""
        self._detector.reset()

    def state(self) -> bytes:
        """All that the detector remembers, as bytes; for a process that may be stopped at any time."""
        return self._detector.state()

    def restore(self, state: bytes) -> None:
        """Takes over the bytes that `state` gave.

        Raises `serinus.Error` with code "serinus.state.*" for anything else, and for a state that was taken under other
        options; the detector is unchanged then.
        """
        self._detector.restore(state)

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), *self._made_of, self.run_length, self.state())

    def __repr__(self) -> str:
        kind = self._made_of[0].__name__
        return f"ChangeDetector({kind}, run_length={self.run_length:g}; intervals={self.intervals}, alarm={self.alarm})"


def _revive(cls: type[ChangeDetector], kind: Any, options: Any, run_length: float, state: bytes) -> ChangeDetector:
    detector = cls(kind(**options), run_length=run_length)
    detector.restore(state)
    return detector
