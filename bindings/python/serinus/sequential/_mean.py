"""Means of values whose law is not known: MeanTest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core
from .._docs import documented
from ._values import rows
from ._test import Test, margin_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from numpy.typing import ArrayLike


@documented
class MeanTest(Test, _core.MeanTest):
    """Is the canary's mean worse than the baseline's by more than the margin?

    Reject as soon as `log_e_value >= log(1/alpha)`, with `side="safe"` log(1/alpha_safe); that is `decided`. The
    null hypothesis of `side="harm"` with `harm="increase"`: the mean of the canary's values is at most the ratio times
    (or the difference plus) that of the baseline's.

    Parameters
    ----------
    {alpha}
    {harm}
    margin : dict
        {"ratio": r} with r >= 1, for means above 0, or {"difference": d} with d >= 0; default: any difference counts.
    {side}
    {alpha_safe}
    dispersion : float
        From history: long-run variance of the values over their variance, 1 or more; 1 for independent values.
    tuned_at : float
        Values of both arms together, equally many of each, at which the bounds are tightest.
    gate : float
        Effective values of the poorer arm that a unit of log evidence must rest on, up to three units.
    interval : bool
        Let `evidence` find lower and upper.

    Notes
    -----
    An asymptotic confidence sequence (Waudby-Smith et al. 2024): proved for many values before the first look, measured
    with the gate from the first look on. The gate: at alpha .05 the poorer arm needs 30 effective values (errors, where
    values are 0 and 1; a third of normal values), at .01 71, by the smaller share of them that either arm has. Values are not kept; the state has 0.25 KB.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import MeanTest
    >>> random = np.random.default_rng(1)
    >>> test = MeanTest(margin={"ratio": 1.02})
    >>> for _ in range(20):
    ...     test.update(random.normal(100, 15, 90), random.normal(110, 15, 90))
    >>> test.decided
    True
    """

    __slots__ = ()

    def __init__(
        self,
        alpha: float = 0.05,
        *,
        harm: Literal["increase", "decrease", "either"] = "increase",
        margin: Mapping[str, float] | None = None,
        side: Literal["harm", "safe"] = "harm",
        alpha_safe: float | None = None,
        dispersion: float = 1.0,
        tuned_at: float = 5000.0,
        gate: float = 10.0,
        interval: bool = True,
    ) -> None:
        super().__init__(
            alpha=alpha,
            alpha_safe=alpha_safe,
            harm=harm,
            margin=margin_of(margin, difference=0.0),
            side=side,
            dispersion=dispersion,
            tuned_at=tuned_at,
            gate=gate,
            interval=interval,
        )

    def update_many(self, values_b: ArrayLike, values_c: ArrayLike) -> None:
        """Takes many intervals, one a row (or one value an interval), and looks after each; NaN is no information."""
        self._update_many(*rows(values_b, values_c))
