"""Rates of events: RateTest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from .._docs import documented
from ._counts import rates
from ._test import Test, dispersion_of, margin_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from numpy.typing import ArrayLike


@documented
class RateTest(Test, _core.RateTest):
    """Do events happen in the canary more often, for its exposure, than the margin allows (`side="harm"`)?

    Reject as soon as `log_e_value >= log(1/alpha)`, with `side="safe"` log(1/alpha_safe); that is `decided`. The
    null hypothesis of `side="harm"` with `harm="increase"`: in every interval, given the past, rate_canary <= ratio *
    rate_baseline. Rates may drift together and exposures may change with every interval.

    Parameters
    ----------
    {alpha}
    {harm}
    margin : dict
        How much worse the canary may be: {"ratio": r} with r >= 1 (1: any harm counts), or {"ratio": r, "floor": f},
        whichever allows more: r times the baseline's rate, or f events more for one unit of exposure. A ratio of 1 with
        a floor is a difference.
    {side}
    dispersion : float
        Long-run variance of the counts over the Poisson one, at least 1, learned from history (`count_dispersion`).
    {dispersion_noise}
    {alpha_safe}
    {interval}

    Notes
    -----
    Proved: the error rate for Poisson counts and for sums of independent yes-or-no events. Measured, not proved: for
    over-dispersed counts with a dispersion learned from history. No event at all: the e-value stays 1 and the estimate
    is NaN. Under a floor `estimate`, `lower` and `upper` are the excess in units of what is allowed (0: as the baseline,
    1: the margin), known without an event as well.

    Examples
    --------
    >>> from serinus.sequential import RateTest
    >>> test = RateTest(alpha=0.05, margin={"ratio": 1.5})
    >>> for hour in range(20):
    ...     test.update(3, 9.0, 4, 1.0)
    >>> test.decided
    True
    >>> round(test.evidence().estimate, 6)
    12.0
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        side: Literal["harm", "safe"] = "harm",
        dispersion: float | None = None,
        noise: Mapping[str, float] | None = None,
        alpha_safe: float | None = None,
        interval: bool = True,
    ) -> None:
        super().__init__(
            alpha=alpha,
            alpha_safe=alpha_safe,
            harm=harm,
            margin=margin_of(margin, ratio=1.0),
            side=side,
            dispersion=dispersion_of(dispersion, noise),
            interval=interval,
        )

    def update_many(
        self, events_b: ArrayLike, exposure_b: ArrayLike, events_c: ArrayLike, exposure_c: ArrayLike
    ) -> None:
        """Takes many intervals at once, in order: four arrays of one length, or single numbers for all of them.

        Nothing is taken when an interval is impossible.
        """
        self._update_many(*rates(events_b, exposure_b, events_c, exposure_c))
