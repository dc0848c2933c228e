"""Gauges whose differences are symmetric and independent: SignedRankTest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core, _inputs
from .._docs import documented
from ._test import Test, margin_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from numpy.typing import ArrayLike


@documented
class SignedRankTest(Test, _core.SignedRankTest):
    """Is the canary's gauge worse, when differences are independent and symmetric? Needs no history.

    The null hypothesis: beyond the margin every difference is as likely positive as negative, whatever came before. For
    gauges as they come, autocorrelated or skewed, it alarms far too often; `PairedTest` is for those.

    Parameters
    ----------
    alpha : float
        Error of the decision with `side="harm"`, in (0, 1).
    {harm}
    margin : dict
        {"difference": d} with d >= 0; default 0.
    {side}
    alpha_safe : float, optional
        Error of the decision with `side="safe"`; default alpha.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import SignedRankTest
    >>> test = SignedRankTest()
    >>> test.update_many(np.random.default_rng(1).normal(1, 1, 60))
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
    ) -> None:
        super().__init__(
            alpha=alpha,
            alpha_safe=alpha_safe,
            harm=harm,
            margin=margin_of(margin, difference=0.0),
            side=side,
        )

    def update_many(self, differences: ArrayLike) -> None:
        """Takes canary - baseline of many intervals, in order; NaN is no information."""
        self._update_many(_inputs.values("differences", differences))
