"""One test from many starts: StartMixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from ._counts import proportions
from ._proportion import ProportionTest

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike


class StartMixture(_core.StartMixture):
    """A mixture of one test over the times at which it starts: quick to see harm even when it begins late.

    A test that runs along while the canary is good loses capital. Here only a part of the capital bets from each start
    on; the parts sum to at most 1, so the error rate holds without any correction for the number of starts.

    Parameters
    ----------
    test : ProportionTest
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

    __slots__ = ()

    def __init__(self, test: ProportionTest) -> None:
        super().__init__(test)

    def update_many(self, bad_b: ArrayLike, total_b: ArrayLike, bad_c: ArrayLike, total_c: ArrayLike) -> None:
        """Takes many intervals at once, in order: four arrays of one length, or single numbers for all of them.

        Nothing is taken when a count is impossible.
        """
        self._update_many(*proportions(bad_b, total_b, bad_c, total_c))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self._options, self.state())

    def __repr__(self) -> str:
        return f"StartMixture(spent={self.spent:.4g}; log_e_value={self.log_e_value:.4g})"


def start_weight(j: int) -> float:
    """The weight of the j-th start (from 0) of an endless schedule: (j + 1)**-1.5 / zeta(1.5); all of them sum to 1."""
    return _core.start_weight(j)


def _revive(cls: type[StartMixture], options: Any, state: bytes) -> StartMixture:
    alpha, alpha_promote, harm, margin, side, method, dispersion, interval = options
    mixture = cls(
        ProportionTest(alpha, harm, margin, side, method, dispersion, alpha_promote=alpha_promote, interval=interval)
    )
    mixture.restore(state)
    return mixture
