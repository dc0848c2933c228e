"""Does the canary answer at all? SilenceTest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs
from ._counts import whole
from ._test import Test, dispersion_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike


class SilenceTest(Test, _core.SilenceTest):
    """Does the canary, told a share of the traffic, show no request, or next to none, while the baseline is served?

    Reject as soon as `log_e_value >= log(1/alpha)`, that is `decided`. The null hypothesis: every request, given the
    past, goes to the canary with a probability of at least (1 - tolerance) share. Quickest for a canary that has never
    come, or has fallen silent.

    Parameters
    ----------
    alpha : float
        Error of the decision, in (0, 1).
    tolerance : float
        By how much the canary may fall short of what it was told, relative to it; in [0, 1).
    dispersion : float
        Long-run variance of the split over the binomial one, at least 1 (`share_dispersion`, `count_dispersion`);
        without history 10, which is the default.
    noise : dict, optional
        The same as a plan carries it: {"dispersion": 8.0}. Give one of the two.

    Notes
    -----
    Proved: the error rate for requests that keep to the null one by one. Measured: visits that stick to an arm, with
    the dispersion that they have. `estimate` of the evidence is the canary's requests over those told; there is no
    interval (`SampleRatioTest` has one).

    Examples
    --------
    >>> from serinus.sequential import SilenceTest
    >>> test = SilenceTest()
    >>> test.update(500, 0, 0.1)
    >>> test.decided
    False
    >>> test.update(500, 0, 0.1)
    >>> test.decided, test.unheard
    (True, 1000.0)
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.01,
        *,
        tolerance: float = 0.2,
        dispersion: float | None = None,
        noise: Mapping[str, float] | None = None,
    ) -> None:
        without = 10.0 if dispersion is None and noise is None else dispersion
        super().__init__(alpha=alpha, tolerance=tolerance, dispersion=dispersion_of(without, noise))

    def update_many(self, baseline: ArrayLike, canary: ArrayLike, shares: ArrayLike) -> None:
        """Takes many intervals at once, in order: requests of both arms, and the share told (one, or one an interval).

        Nothing is taken when a number is impossible.
        """
        columns = [np.atleast_1d(whole("baseline", baseline)), np.atleast_1d(whole("canary", canary))]
        told = np.atleast_1d(_inputs.values("shares", np.atleast_1d(np.asarray(shares))))
        if told.size == 1:
            told = np.full(columns[0].size, told[0])
        self._update_many(columns[0], columns[1], told)
