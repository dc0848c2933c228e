"""Gauges with noise known from history: PairedTest, paired_noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .. import _core, _inputs
from .._docs import documented
from ._test import Test, margin_of

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import ArrayLike


@documented
class PairedTest(Test, _core.PairedTest):
    """Is the canary's gauge (a latency, a load, a saturation) worse than the baseline's by more than the margin?

    Reject as soon as `log_e_value >= log(1/alpha)`, with `side="safe"` log(1/alpha_safe); that is `decided`. The
    null hypothesis of `side="harm"` with `harm="increase"`: in every interval the canary reads at most what an arm of
    the baseline's version would read there, times the ratio (or plus the difference). What hits both arms alike drops
    out.

    Parameters
    ----------
    {alpha}
    {harm}
    margin : dict
        {"ratio": r} with r >= 1, or {"difference": d} with d >= 0 in the gauge's own unit; default: any difference counts.
    {side}
    noise : dict or "learn"
        What `paired_noise` gave, or `calibrate` for a metric (its first stage is taken); its unit must be what the margin
        needs. "learn": the noise is learned from the same data, and no error rate is promised.
    {alpha_safe}
    {interval}

    Notes
    -----
    Signed ranks within history's differences (a ratio margin: of logarithms), their long-run variance from history, and
    one-sided normal mixtures of two precisions. Fewer than 6 intervals never add evidence, nor do those beyond a quarter of
    history (`horizon`). Measured, not proved: docs/concepts/promise.md.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import PairedTest, paired_noise
    >>> random = np.random.default_rng(1)
    >>> noise = paired_noise(random.normal(0, 4, 2000))
    >>> test = PairedTest(margin={"difference": 1.0}, noise=noise)
    >>> test.update_many(random.normal(6, 4, 40))
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
        noise: Mapping[str, Any] | Literal["learn"] = "learn",
        alpha_safe: float | None = None,
        interval: bool = True,
    ) -> None:
        if noise != "learn" and not isinstance(noise, Mapping):
            code = "word" if isinstance(noise, str) else "type"
            _core.fail(f"serinus.argument.{code}", f"noise is {noise!r:.60}; allowed: \"learn\", or what calibrate gave")
        known = None if isinstance(noise, str) else dict(noise)
        if known is not None and set(known) == {"stages"} and known["stages"]:
            known = dict(known["stages"][0])
        super().__init__(
            alpha=alpha,
            alpha_safe=alpha_safe,
            harm=harm,
            margin=margin_of(margin, difference=0.0),
            side=side,
            noise=known,
            interval=interval,
        )

    def update_many(self, differences: ArrayLike) -> None:
        """Takes canary - baseline of many intervals, in order; NaN is no information. For difference margins."""
        self._update_many(_inputs.values("differences", differences))


def paired_noise(
    differences: ArrayLike, *, magnitude: float | None = None, unit: Literal["own", "log"] = "own"
) -> dict[str, Any]:
    """How large are differences between two arms of one version, and how long do they last?

    `serinus.calibrate` does this for a whole plan, instances included; this is its core for one series.

    Parameters
    ----------
    differences : array_like
        canary - baseline of history, both arms running one version, one an interval in time order, best 2,000 or more;
        NaN: a gap, which keeps its place.
    magnitude : float, optional
        The largest value that they came from: differences below 1e-12 of it are rounding errors. Default: 0, of
        logarithms 1.
    unit : {"own", "log"}
        What the differences are of: "own", the gauge's values, for difference margins; "log", their natural logarithms,
        log(canary) - log(baseline), for ratio margins.

    Returns
    -------
    dict
        For `PairedTest(noise=...)`. Too few points, or all alike: `degrees_of_freedom` is 0, and PairedTest refuses it.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import paired_noise
    >>> noise = paired_noise(np.random.default_rng(1).normal(0, 4, 2000))
    >>> 2.5 < noise["table"][128] < 2.9
    True
    """
    if magnitude is None:
        magnitude = 1.0 if unit == "log" else 0.0
    return _core.paired_noise([_inputs.values("differences", differences)], magnitude, False, unit)
