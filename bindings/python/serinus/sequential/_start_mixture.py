"""One test from many starts: StartMixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from ._counts import columns_of, misfit

if TYPE_CHECKING:
    from typing import Any

    from .._core import Evidence
    from ._paired import PairedTest
    from ._proportion import ProportionTest
    from ._rate import RateTest


class StartMixture:
    """A mixture of one test over the times at which it starts: quick to see harm even when it begins late.

    A test that runs along while the canary is good loses capital. Here only a part of the capital bets from each start
    on; the parts sum to at most 1, so the error rate holds without any correction for the number of starts.

    Parameters
    ----------
    test : ProportionTest, RateTest or PairedTest
        Its options are taken, what it has seen is not.

    Examples
    --------
    >>> from serinus.sequential import ProportionTest, StartMixture, start_weight
    >>> mixture = StartMixture(ProportionTest(margin={"ratio": 1.5}))
    >>> for i in range(90):
    ...     if i % 30 == 0:
    ...         mixture.begin(start_weight(i // 30))
    ...     mixture.update(9, 900, 1 if i < 60 else 8, 100)
    >>> mixture.decided
    True
    """

    __slots__ = ("_made_of", "_mixture")

    def __init__(self, test: ProportionTest | RateTest | PairedTest) -> None:
        self._mixture: _core.ProportionMixture | _core.RateMixture | _core.PairedMixture
        if isinstance(test, _core.ProportionTest):
            self._mixture = _core.ProportionMixture(test)
        elif isinstance(test, _core.RateTest):
            self._mixture = _core.RateMixture(test)
        elif isinstance(test, _core.PairedTest):
            self._mixture = _core.PairedMixture(test)
        else:
            _core.fail(
                "serinus.argument.type", f"test is {test!r:.60}; allowed: a ProportionTest, a RateTest or a PairedTest"
            )
        self._made_of = type(test), test._options

    def begin(self, weight: float) -> None:
        """A start, now, with this part of the whole capital, above 0; all weights sum to at most 1."""
        self._mixture.begin(weight)

    def update(self, *interval: Any) -> None:
        """Takes what the test's `update` takes: the counts of one interval, or a difference."""
        try:
            self._mixture.update(*interval)
        except TypeError:
            raise misfit(self._made_of[0], interval) from None

    def update_many(self, *columns: Any) -> None:
        """Takes many intervals at once, in order: what the test's `update_many` takes.

        Nothing is taken when an interval is impossible.
        """
        self._mixture._update_many(*columns_of(self._made_of[0], columns))

    @property
    def log_e_value(self) -> float:
        """Natural log of the e-value; decided once it reached log(1/alpha), with side="safe" log(1/alpha_safe)."""
        return self._mixture.log_e_value

    @property
    def decided(self) -> bool:
        """True once the e-value has reached 1/alpha, with side="safe" 1/alpha_safe."""
        return self._mixture.decided

    @property
    def spent(self) -> float:
        """The capital that has been put to work, in [0, 1]."""
        return self._mixture.spent

    def evidence(self) -> Evidence:
        """All that is known now; see `serinus.Evidence`. The interval runs from the first start."""
        return self._mixture.evidence()

    def state(self) -> bytes:
        """All that the mixture remembers, as bytes; for a process that may be stopped at any time."""
        return self._mixture.state()

    def restore(self, state: bytes) -> None:
        """Takes over the bytes that `state` gave.

        Raises `serinus.Error` with code "serinus.state.*" for anything else, and for a state that was taken under other
        options; the mixture is unchanged then.
        """
        self._mixture.restore(state)

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), *self._made_of, self.state())

    def __repr__(self) -> str:
        kind = self._made_of[0].__name__
        return f"StartMixture({kind}, spent={self.spent:.4g}; log_e_value={self.log_e_value:.4g})"


def start_weight(j: int) -> float:
    """The weight of the j-th start (from 0) of an endless schedule; all of them sum to 1.

    Two thirds go to the first, for a bad version is mostly bad at once; the rest falls as (j + 1)**-1.5.
    """
    return _core.start_weight(j)


def _revive(cls: type[StartMixture], kind: Any, options: Any, state: bytes) -> StartMixture:
    mixture = cls(kind(**options))
    mixture.restore(state)
    return mixture
