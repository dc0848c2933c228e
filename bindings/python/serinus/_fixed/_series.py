"""One look at time series, whose values depend on each other."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .. import _core
from ._result import _Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ._result import Alternative


class PairedTestResult(_core.PairedTestResult):
    """What `paired_test` found; not `conclusive`: too few independent differences, and `p_value` is 1."""


class RobustRankTestResult(_core.RobustRankTestResult):
    """What `robust_rank_test` found; not `conclusive`: an arm is worth too few independent values, and `p_value` is 1.

    `estimate` is P(canary > baseline) + P(equal)/2; `n_effective` is that of the arm that is worth fewer.
    """


@dataclasses.dataclass(frozen=True)
class EffectiveSampleSizeResult(_Result):
    """What `effective_sample_size` found; `autocorrelation` at lags 1, 2, 3, corrected for its bias.

    Not `sufficient`: fewer than 6 effective values, and no verdict should rest on them.
    """

    n: float
    n_effective: float
    mean: float
    variance: float
    long_run_variance: float
    autocorrelation: tuple[float, float, float]
    sufficient: bool


class RatioTestResult(_core.RatioTestResult):
    """What `ratio_test` found; not `conclusive`: an arm is worth too few independent intervals, and `p_value` is 1."""


class BlockBootstrapResult(_core.BlockBootstrapResult):
    """What `block_bootstrap` found."""


class Interval(_core.Interval):
    """Bounds on a quantity; `confidence` is the probability, before the data, that both hold."""


class LabelSwapLevel(_core.LabelSwapLevel):
    """What a look found of one metric: its level over all of the window and over its last third."""


class LabelSwapResult(_core.LabelSwapResult):
    """What `label_swap_test` found: a verdict, and of which `metric` and `group` the canary looks worst."""


def label_swap_test(
    baseline: ArrayLike | Mapping[str, Any] | Any,
    canary: ArrayLike | Mapping[str, Any] | Any,
    *,
    metrics: Mapping[str, Mapping[str, Any]] | None = None,
    harm: Literal["increase", "decrease", "either"] = "increase",
    detect: Mapping[str, float] | None = None,
    alpha: float = 0.05,
    margin: Mapping[str, float] | None = None,
    resamples: int | None = None,
    seed: int = 0,
    nan_policy: Literal["drop", "error"] = "drop",
) -> LabelSwapResult:
    """Is the canary worse in anything that a gauge may show, as far as one look can tell?

    Its level, late, in a window, its upper tail, its spread, and outliers that only it has; of one or several gauges,
    made joint and exact by swapping the arms' labels within intervals. It needs no history.

    Parameters
    ----------
    baseline, canary : array_like, or mapping of name to array_like
        One value an interval, over the same intervals in time order; NaN where there is none.
    metrics : mapping, optional
        By name, what is a metric's own: `harm`, `margin`, `detect`, and `weight`, its part of alpha (1).
    harm : {"increase", "decrease", "either"}
        Which way it gets worse.
    detect : dict, optional
        Harm that would surely matter, in the margin's form; without it a look never passes.
    alpha : float
        The probability of failing a canary that is within its margins, in (0, 0.5].
    margin : dict, optional
        How much worse the canary may be: `{"ratio": 1.05}` or `{"difference": 5.0}`; equality if not given.
    resamples : int, optional
        Swaps, from 100 to 1000000; 100/alpha - 1 if not given.
    seed : int
        Fixed before the data: the same seed, the same result.
    nan_policy : {"drop", "error"}

    Returns
    -------
    LabelSwapResult
        `verdict` with its `reasons`; `metrics` has the level of each, on the scale of its margin.

    Notes
    -----
    One look: asked again after more data, its error grows.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> random = np.random.default_rng(1)
    >>> baseline, canary = random.normal(100, 5, 31), random.normal(100, 5, 31)
    >>> serinus.label_swap_test(baseline, canary, detect={"ratio": 1.2}).verdict.value
    'pass'
    >>> canary[22:] += 20
    >>> found = serinus.label_swap_test({"latency": baseline}, {"latency": canary}, detect={"ratio": 1.2})
    >>> found.verdict.value, found.metric, str(found.group)
    ('fail', 'latency', 'late')
    """
    from collections.abc import Mapping

    arms: list[dict[str, Any]] = [
        dict(arm.items()) if isinstance(arm, Mapping) else {"": arm} for arm in (baseline, canary)
    ]
    if set(arms[0]) != set(arms[1]):
        msg = "baseline and canary have different metrics; allowed: two arrays, or two mappings of the same names"
        raise ValueError(msg)
    others = sorted(set(metrics or {}) - set(arms[0]))
    if others:
        msg = f"metrics names {others}, which baseline does not have"
        raise ValueError(msg)
    return _core.label_swap_test(
        arms[0],
        arms[1],
        {name: dict(own) for name, own in (metrics or {}).items()},
        harm=harm,
        detect=detect,
        alpha=alpha,
        margin={"ratio": 1.0} if margin is None else margin,
        resamples=resamples,
        seed=seed,
        nan_policy=nan_policy,
    )


def paired_test(
    differences: ArrayLike | Any,
    *,
    noise: Mapping[str, Any] | None = None,
    margin: Mapping[str, float] | None = None,
    alternative: Alternative = "two-sided",
    method: Literal["standard", "cautious"] = "standard",
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> PairedTestResult:
    """Is the mean of a series of differences another than 0, when successive ones depend on each other?

    Parameters
    ----------
    differences : array_like
        canary - baseline of the same interval, in time order; NaN where an arm had no sample.
    noise : dict, optional
        What history knows, from `serinus.sequential.paired_noise` or of one stage of a calibrated plan. The differences
        are then ranked within history's and judged by its long-run variance: the remedy for slow series. Estimate and
        interval are of the typical difference beyond the noise's offset. `method` is not used; more differences than a
        quarter of history are not `conclusive`.
    margin : dict, optional
        {"difference": 5.0}: the mean difference that is tested against; {"difference": 0.0} if not given.
    alternative : {"two-sided", "greater", "less"}
    method : {"standard", "cautious"}
        Of the long-run variance: the larger of the minimum rule's and that of the six slowest swings, or, always on at
        most four degrees of freedom, of the four slowest. "cautious" halves the false alarms of slow series under much
        white noise, and finds +1 standard deviation less often, by up to .2.
    confidence : float
        Of the interval, in (0, 1); one-sided for one-sided alternatives.
    nan_policy : {"drop", "error"}

    Returns
    -------
    PairedTestResult
        Fewer than 6 effective differences are not `conclusive`, whatever they are.

    Notes
    -----
    One look only: asked again after every interval its error grows; `serinus.sequential.PairedTest` may be.
    Measured, not proved: size and power are in docs/concepts/promise.md.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> found = serinus.paired_test(np.random.default_rng(1).normal(0.5, 1, 200))
    >>> found.conclusive, found.p_value < 0.001
    (True, True)
    >>> history = np.random.default_rng(2).normal(0, 1, 2000)
    >>> learned = serinus.sequential.paired_noise(history)
    >>> serinus.paired_test(np.random.default_rng(3).normal(1, 1, 60), noise=learned).p_value < 0.001
    True
    """
    return _core.paired_test(
        differences,
        None if noise is None else dict(noise),
        margin={"difference": 0.0} if margin is None else dict(margin),
        alternative=alternative,
        method=method,
        confidence=confidence,
        nan_policy=nan_policy,
    )


def robust_rank_test(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    alternative: Alternative = "two-sided",
    method: Literal["standard", "cautious"] = "standard",
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> RobustRankTestResult:
    """Are the canary's values larger, when each arm is a time series whose values depend on each other?

    The test of Brunner and Munzel with long-run variances. Neither equal variances nor equal shapes are needed.

    Parameters
    ----------
    baseline, canary : array_like
        Each in time order and equally spaced; of any lengths.
    alternative : {"two-sided", "greater", "less"}
        The canary relative to the baseline.
    method : {"standard", "cautious"}
        Of the long-run variances, as in `paired_test`.
    confidence : float
        Of the interval of `estimate`, in (0, 1).
    nan_policy : {"drop", "error"}

    Returns
    -------
    RobustRankTestResult
        Fewer than 6 effective values in an arm are not `conclusive`.

    Notes
    -----
    What moves both arms alike is noise to this test: where both are read at the same times, `paired_test` of the
    differences sees more. One look only.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> random = np.random.default_rng(1)
    >>> found = serinus.robust_rank_test(random.normal(0, 1, 120), random.normal(2, 3, 120))
    >>> found.conclusive, found.p_value < 0.05
    (True, True)
    """
    return _core.robust_rank_test(
        baseline, canary, alternative=alternative, method=method, confidence=confidence, nan_policy=nan_policy
    )


def effective_sample_size(
    values: ArrayLike | Any,
    *,
    nan_policy: Literal["drop", "error"] = "drop",
) -> EffectiveSampleSizeResult:
    """How many independent values is a time series worth, for what it says of its mean?

    Parameters
    ----------
    values : array_like
        In time order, equally spaced; NaN for a missed scrape is left out.
    nan_policy : {"drop", "error"}

    Returns
    -------
    EffectiveSampleSizeResult
        `n_effective` by the smaller of an AR(1) and an ARMA(1,1) model, in [1.5, n].

    Examples
    --------
    >>> import numpy as np, serinus
    >>> noise = np.random.default_rng(1).normal(0, 1, 1000)
    >>> rolling = np.convolve(noise, np.ones(8) / 8, "valid")
    >>> serinus.effective_sample_size(rolling).n_effective < 150
    True
    """
    return EffectiveSampleSizeResult(**_core.effective_sample_size(values, nan_policy))


def ratio_test(
    numerator_b: ArrayLike | Any,
    denominator_b: ArrayLike | Any,
    numerator_c: ArrayLike | Any,
    denominator_c: ArrayLike | Any,
    *,
    margin: Mapping[str, float] | None = None,
    alternative: Alternative = "two-sided",
    method: Literal["delta", "block_bootstrap"] = "delta",
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    nan_policy: Literal["drop", "error"] = "drop",
) -> RatioTestResult:
    """Does the canary cost more for each request, by more than a margin?

    Parameters
    ----------
    numerator_b, denominator_b, numerator_c, denominator_c : array_like
        Of each interval, in time order: CPU seconds and requests of the baseline, then of the canary.
    margin : dict, optional
        {"ratio": 1.05}; {"ratio": 1.0} if not given.
    alternative : {"two-sided", "greater", "less"}
    method : {"delta", "block_bootstrap"}
    confidence : float
    resamples, seed : int
        Of the bootstrap; the same seed gives the same result.
    nan_policy : {"drop", "error"}

    Examples
    --------
    >>> import numpy as np, serinus
    >>> random = np.random.default_rng(1)
    >>> requests = random.poisson(1000, (2, 200))
    >>> cpu = requests * random.normal([[2.0], [2.4]], 0.1, (2, 200))
    >>> found = serinus.ratio_test(cpu[0], requests[0], cpu[1], requests[1], margin={"ratio": 1.05})
    >>> found.lower > 1.05
    True
    """
    known = {"ratio": 1.0} if margin is None else dict(margin)
    return _core.ratio_test(
        numerator_b,
        denominator_b,
        numerator_c,
        denominator_c,
        margin=known,
        alternative=alternative,
        method=method,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        nan_policy=nan_policy,
    )


def block_bootstrap(
    values: ArrayLike | Any,
    statistic: Callable[[NDArray[np.float64]], float],
    *,
    block_length: float | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    nan_policy: Literal["drop", "error"] = "drop",
) -> BlockBootstrapResult:
    """The interval of any statistic of a time series, by resampling whole blocks of neighbours.

    Parameters
    ----------
    values : array_like
        In time order, equally spaced, finite.
    statistic : callable
        Takes an array of as many values, gives a number.
    block_length : float, optional
        Values a block; by Politis and White if not given.
    confidence : float
    resamples, seed : int
        The same seed gives the same result on every machine.
    nan_policy : {"drop", "error"}

    Examples
    --------
    >>> import numpy as np, serinus
    >>> noise = np.random.default_rng(1).normal(5, 1, 300)
    >>> found = serinus.block_bootstrap(noise, np.median, resamples=500)
    >>> found.lower < 5 < found.upper
    True
    """
    return _core.block_bootstrap(
        values,
        statistic,
        block_length=block_length,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        nan_policy=nan_policy,
    )
