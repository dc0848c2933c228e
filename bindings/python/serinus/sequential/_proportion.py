"""Counts of bad requests: ProportionTest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from .._docs import documented
from ._counts import proportions
from ._test import Test, dispersion_of, margin_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from numpy.typing import ArrayLike


@documented
class ProportionTest(Test, _core.ProportionTest):
    """Is the canary's share of bad requests beyond the margin (`side="harm"`), or certainly not (`side="safe"`)?

    Reject as soon as `log_e_value >= log(1/alpha)`, with `side="safe"` log(1/alpha_safe); that is `decided`. The
    null hypothesis of `side="harm"` with `harm="increase"`: in every interval, given the past, p_canary <= ratio *
    p_baseline (or p_baseline + difference). Rates may drift and sizes may change with every interval.

    Parameters
    ----------
    {alpha}
    {harm}
    margin : dict
        How much worse the canary may be: {"ratio": r} with r >= 1 (1: any harm counts), {"difference": d} with
        0 <= d < 1, or {"ratio": r, "floor": f} with 0 <= f < 1: whichever of the two allows more, r * p_baseline or
        p_baseline + f. Given for the direction of harm.
    {side}
    method : {"auto", "conditional", "block", "floor"}
        "conditional" serves ratios, "block" ratios and differences, "floor" ratios with a floor, which nothing else
        serves; "auto" takes the first where it can.
    dispersion : float
        Long-run variance of the counts over the binomial one, at least 1, learned from history.
    {dispersion_noise}
    {alpha_safe}
    {interval}

    Notes
    -----
    Proved: the error rate for independent requests. Measured, not proved: for over-dispersed counts with a dispersion
    learned from history. No event at all: the e-value stays 1 and the estimate is NaN. "conditional" bets at the level
    so far, so that harm is found at 50 or 90 % as well as at 1 %; a level that drifts costs power, never the error rate.
    Under a floor `estimate`, `lower` and `upper` are the excess in units of what is allowed (0: as the baseline, 1: the
    margin), known without a single event as well; the safe side then decides after some 2.4/f canary requests at
    alpha_safe .2.
    `merge` adds what both know, each at the level it knew: near to what one test of all would say, not to the digit.

    Examples
    --------
    >>> from serinus.sequential import ProportionTest
    >>> test = ProportionTest(alpha=0.05, margin={"ratio": 2.0})
    >>> for minute in range(10):
    ...     test.update(9, 900, 8, 100)
    >>> test.decided
    True
    >>> evidence = test.evidence()
    >>> evidence.n_canary, round(evidence.estimate, 3)
    (1000.0, 8.0)

    A service that hardly ever fails: one error more in a thousand requests is never harm, half more neither.

    >>> safe = ProportionTest(margin={"ratio": 1.5, "floor": 0.001}, side="safe", alpha_safe=0.2)
    >>> for minute in range(30):
    ...     safe.update(0, 900, 0, 100)
    >>> safe.decided, safe.evidence().estimate
    (True, 0.0)
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        side: Literal["harm", "safe"] = "harm",
        method: Literal["auto", "conditional", "block", "floor"] = "auto",
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
            method=method,
            dispersion=dispersion_of(dispersion, noise),
            interval=interval,
        )

    def update_many(self, bad_b: ArrayLike, total_b: ArrayLike, bad_c: ArrayLike, total_c: ArrayLike) -> None:
        """Takes many intervals at once, in order: four arrays of one length, or single numbers for all of them.

        Nothing is taken when a count is impossible.
        """
        self._update_many(*proportions(bad_b, total_b, bad_c, total_c))
