"""Does the traffic split as told? SampleRatioTest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs
from ._counts import whole
from ._test import Test, dispersion_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from numpy.typing import ArrayLike


class SampleRatioTest(Test, _core.SampleRatioTest):
    """Do the arms get the shares of the traffic that they were told to get (sample ratio mismatch)?

    Reject as soon as `log_e_value >= log(1/alpha)`, that is `decided`. The null hypothesis of `side="harm"`: in every
    interval, given the past, |share/told - 1| <= tolerance for every arm. Any mismatch counts, more or less than told.

    Parameters
    ----------
    shares : sequence of float
        What each arm was told, baseline first; two or more, summing to 1.
    alpha : float
        Error of the decision, in (0, 1); this test has its own, for it only ever holds a rollout.
    tolerance : float
        What is allowed, in [0, 1). 0 is a point null: under sticky sessions it alarms on nearly every good split.
    side : {"harm", "safe"}
        Evidence that the split is not as told, or that it is.
    dispersion : float
        Long-run variance of the split over the binomial one, at least 1, learned from history (`count_dispersion`).
    noise : dict, optional
        The same as a plan carries it: {"dispersion": 8.0}. Give one of the two.
    concentration : float
        Tolerance 0: of the Dirichlet prior around `shares`.
    interval : bool
        Let `evidence` find lower and upper.

    Notes
    -----
    Proved: the error rate for requests that are routed independently. Measured: with a dispersion learned from history.
    `estimate`, `lower` and `upper` of the evidence are share/told of the second arm; with more than two arms of the one
    that deviates most.

    Examples
    --------
    >>> from serinus.sequential import SampleRatioTest
    >>> test = SampleRatioTest([0.9, 0.1])
    >>> test.update_many([[900, 100], [880, 120], [910, 90]])
    >>> test.decided
    False
    >>> low, high = test.share(1)
    >>> low < 0.1 < high
    True
    """

    __slots__ = ()

    def __init__(
        self,
        shares: Sequence[float],
        alpha: float = 0.01,
        *,
        tolerance: float = 0.2,
        side: Literal["harm", "safe"] = "harm",
        dispersion: float | None = None,
        noise: Mapping[str, float] | None = None,
        concentration: float = 100.0,
        interval: bool = True,
    ) -> None:
        super().__init__(
            _inputs.values("shares", shares).tolist(),
            alpha=alpha,
            tolerance=tolerance,
            side=side,
            dispersion=dispersion_of(dispersion, noise),
            concentration=concentration,
            interval=interval,
        )

    def update_many(self, counts: ArrayLike) -> None:
        """Takes many intervals at once, in order: a row an interval, a column an arm.

        Nothing is taken when a count is impossible.
        """
        table = np.asarray(counts)
        arms = len(self._options["shares"])
        if table.ndim != 2 or table.shape[1] != arms:
            _core.fail("serinus.argument.length", f"counts has shape {table.shape}; allowed: (intervals, {arms})")
        self._update_many(whole("counts", table.reshape(-1)))

    def share(self, arm: int) -> tuple[float, float]:
        """Always-valid bounds on the share of an arm, at confidence 1 - alpha for all arms at once."""
        return self._share(arm)
