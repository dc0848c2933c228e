"""Values beyond a threshold: ThresholdTest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs
from .._docs import documented
from ._counts import whole
from ._test import Test, dispersion_of, margin_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from numpy.typing import ArrayLike


@documented
class ThresholdTest(Test, _core.ThresholdTest):
    """Are more of the canary's values (latencies, sizes) beyond a threshold than of the baseline's?

    Reject as soon as `log_e_value >= log(1/alpha)`, with `side="safe"` log(1/alpha_safe); that is `decided`. The
    null hypothesis of `side="harm"` with `harm="increase"`: in every interval the canary's values are in law at most
    `ratio` times the baseline's (or at most `difference` more). Then the canary exceeds ratio * threshold at most as
    often as the baseline exceeds the threshold, and that is tested.

    Parameters
    ----------
    threshold : float
        Set before the canary starts: the objective's limit, or a quantile of yesterday's baseline.
    {alpha}
    harm : {"increase", "decrease", "either"}
        Which values are bad: large ones, small ones, both.
    margin : dict
        Of the values: {"ratio": r} with r >= 1 or {"difference": d} with d >= 0.
    {side}
    dispersion : float
        Long-run variance of the exceedances over the binomial one, at least 1, learned from history.
    {dispersion_noise}
    {alpha_safe}
    {interval}

    Notes
    -----
    Proved: the error rate for independent values, whatever their law. `estimate`, `lower` and `upper` of the evidence
    are of the ratio of the two shares beyond; above 1 is beyond the margin. From buckets the margin that is really
    tested, `tested`, may be larger; where no bound is within 25 % of what is wanted, `conclusive` is False.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import ThresholdTest
    >>> random = np.random.default_rng(1)
    >>> test = ThresholdTest(250.0, margin={"ratio": 1.1})
    >>> for minute in range(30):
    ...     test.update(random.lognormal(4.6, 0.7, 200), random.lognormal(5.0, 0.7, 50))
    >>> test.decided
    True
    """

    __slots__ = ()

    def __init__(
        self,
        threshold: float,
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
            threshold,
            alpha=alpha,
            alpha_safe=alpha_safe,
            harm=harm,
            margin=margin_of(margin, ratio=1.0),
            side=side,
            dispersion=dispersion_of(dispersion, noise),
            interval=interval,
        )

    def update(self, values_b: ArrayLike, values_c: ArrayLike) -> None:
        """Takes the values of one interval: the baseline's, then the canary's, in any order. NaN is dropped."""
        self._update(_inputs.values("values_b", values_b), _inputs.values("values_c", values_c))

    def update_many(self, values_b: Iterable[ArrayLike], values_c: Iterable[ArrayLike]) -> None:
        """Takes many intervals at once, in order: as many arrays of values for each arm (or the rows of a table).

        Nothing is taken when something is wrong with one of them.
        """
        baseline = [_inputs.values(f"values_b[{i}]", one) for i, one in enumerate(values_b)]
        canary = [_inputs.values(f"values_c[{i}]", one) for i, one in enumerate(values_c)]
        if len(baseline) != len(canary):
            _core.fail(
                "serinus.argument.length",
                f"values_b has {len(baseline)} intervals, values_c {len(canary)}; allowed: the same number",
            )
        for b, c in zip(baseline, canary):
            self._update(b, c)

    def update_buckets(self, bounds: ArrayLike, counts_b: ArrayLike, counts_c: ArrayLike) -> None:
        """Takes the histograms of one interval.

        `bounds` are the ascending upper bounds of the buckets ("le"); the counts are of each bucket, not cumulative
        (`np.diff(cumulative, prepend=0)`), with one more for what lies above the last bound unless that is infinite.
        """
        self._update_buckets(
            _inputs.values("bounds", bounds),
            np.atleast_1d(whole("counts_b", counts_b)),
            np.atleast_1d(whole("counts_c", counts_c)),
        )
