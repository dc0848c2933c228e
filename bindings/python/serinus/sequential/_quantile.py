"""One quantile of both arms: QuantileTest, quantile_ab_log_e_value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs
from .._docs import documented
from ._values import rows
from ._test import Test, margin_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from numpy.typing import ArrayLike


@documented
class QuantileTest(Test, _core.QuantileTest):
    """Is a quantile of the canary's values worse than the baseline's by more than the margin?

    Reject as soon as `log_e_value >= log(1/alpha)`, with `side="safe"` log(1/alpha_safe); that is `decided`. The
    null hypothesis of `side="harm"` with `harm="increase"`: the canary's q-quantile is at most the ratio times (or the
    difference plus) the baseline's, and one and the same point separates them all the time.

    Parameters
    ----------
    q : float
        Which quantile, in (0, 1): 0.5 the median, 0.95 the 95th percentile.
    {alpha}
    {harm}
    margin : dict
        {"ratio": r} with r >= 1, for quantiles above 0, or {"difference": d} with d >= 0; default: any difference counts.
    {side}
    {alpha_safe}
    dispersion : float
        From history: long-run variance of {value <= quantile} over q (1 - q), 1 or more; 1 for independent values.
    tuned_at : float
        Values of both arms together, equally many of each, at which the bounds are tightest.
    interval : bool
        Let `evidence` find lower and upper, which takes two milliseconds.

    Notes
    -----
    The minimum over all points of the sum of both arms' beta-binomial log martingales (Howard and Ramdas 2022), one-sided.
    It is below a test supermartingale, so proved for independent values of any law. All values are kept, 8 bytes each.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import QuantileTest
    >>> random = np.random.default_rng(1)
    >>> test = QuantileTest(0.9, margin={"ratio": 1.1})
    >>> for _ in range(30):
    ...     test.update(random.lognormal(3, 0.5, 100), random.lognormal(3.4, 0.5, 100))
    >>> test.decided
    True
    """

    __slots__ = ()

    def __init__(
        self,
        q: float = 0.5,
        alpha: float = 0.05,
        *,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        side: Literal["harm", "safe"] = "harm",
        alpha_safe: float | None = None,
        dispersion: float = 1.0,
        tuned_at: float = 5000.0,
        interval: bool = True,
    ) -> None:
        super().__init__(
            q=q,
            alpha=alpha,
            alpha_safe=alpha_safe,
            harm=harm,
            margin=margin_of(margin, difference=0.0),
            side=side,
            dispersion=dispersion,
            tuned_at=tuned_at,
            interval=interval,
        )

    def update_many(self, values_b: ArrayLike, values_c: ArrayLike) -> None:
        """Takes many intervals, one a row (or one value an interval), and looks after each; NaN is no information."""
        self._update_many(*rows(values_b, values_c))


def quantile_ab_log_e_value(
    baseline: ArrayLike, canary: ArrayLike, q: float, *, tuned_at: float = 2500.0, tuned_alpha: float = 0.05
) -> float:
    """The log e-value that both arms have the same q-quantile, two-sided, from all their values so far.

    Parameters
    ----------
    baseline, canary : array_like
        Values in any order; NaN is left out.
    q : float
        In (0, 1).
    tuned_at : float
        Values of an arm at which the bound is tightest (confseq's t_opt).
    tuned_alpha : float
        The error for which it is.

    Returns
    -------
    float
        At most the log of an e-process; min(1, exp(-it)) is an always-valid p-value (Howard and Ramdas 2022).

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import quantile_ab_log_e_value
    >>> random = np.random.default_rng(1)
    >>> quantile_ab_log_e_value(random.normal(0, 1, 500), random.normal(1, 1, 500), 0.5) > 10
    True
    """
    arms = []
    for name, given in (("baseline", baseline), ("canary", canary)):
        values = np.sort(_inputs.values(name, given))
        arms.append(values[~np.isnan(values)])
    return _core.quantile_ab_log_e_value(arms[0], arms[1], q, tuned_at, tuned_alpha)
