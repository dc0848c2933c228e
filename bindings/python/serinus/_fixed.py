"""One look: tests of two samples."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from . import _core

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import ArrayLike

    Alternative = Literal["two-sided", "greater", "less"]


class _Result:
    """What the results of tests have in common."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The fields as a dict."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]

    def _repr_html_(self) -> str:
        from ._html import fields

        return fields(type(self).__name__.removesuffix("Result"), self.to_dict())


@dataclasses.dataclass(frozen=True)
class HodgesLehmannResult(_Result):
    """What `hodges_lehmann` found: `lower` and `upper` hold with `confidence`, which is what was achieved."""

    estimate: float
    lower: float
    upper: float
    confidence: float
    n_baseline: int
    n_canary: int
    method: str


@dataclasses.dataclass(frozen=True)
class EffectSizeResult(_Result):
    """What `effect_size` found: `lower` and `upper` are those of `effect`; `cliffs_delta` is 2 effect - 1."""

    effect: float
    cliffs_delta: float
    lower: float
    upper: float
    confidence: float
    n_baseline: int
    n_canary: int


@dataclasses.dataclass(frozen=True)
class PairedTestResult(_Result):
    """What `paired_test` found; not `conclusive`: too few independent differences, and `p_value` is 1."""

    statistic: float
    df: float
    p_value: float
    estimate: float
    lower: float
    upper: float
    confidence: float
    n: float
    n_effective: float
    conclusive: bool


@dataclasses.dataclass(frozen=True)
class RobustRankResult(_Result):
    """What `robust_rank_test` found; not `conclusive`: an arm is worth too few independent values, and `p_value` is 1.

    `estimate` is P(canary > baseline) + P(equal)/2; `n_effective` is that of the arm that is worth fewer.
    """

    statistic: float
    df: float
    p_value: float
    estimate: float
    lower: float
    upper: float
    confidence: float
    n_baseline: int
    n_canary: int
    n_effective: float
    n_effective_baseline: float
    n_effective_canary: float
    conclusive: bool


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


def mann_whitney(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    method: Literal["auto", "exact", "edgeworth", "normal"] = "auto",
    continuity: bool = True,
    nan: Literal["drop", "error"] = "drop",
) -> _core.MannWhitneyResult:
    """Does one version tend to larger values than the other?

    The rank test of Mann, Whitney and Wilcoxon: compares every canary value with every baseline value. The null
    hypothesis is that all values come from one distribution and are independent of each other; values of a time series
    are not.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and any unit. A contiguous float64 array is used without a copy; lists, other
        dtypes, strided arrays and the columns of pandas and polars are converted. Infinities rank like other values.
    alternative : {"two-sided", "greater", "less"}
        The canary relative to the baseline.
    method : {"auto", "exact", "edgeworth", "normal"}
        "auto" counts all arrangements where that is cheap (50 against 50 values, ties allowed) and else uses the normal
        distribution corrected for skewness and kurtosis; the result says which.
    continuity : bool
        Move U by 1/2 towards its mean; of the method "normal" only.
    nan : {"drop", "error"}
        NaN and None are left out, or raise `serinus.Error` with code "serinus.argument.nan".

    Returns
    -------
    MannWhitneyResult
        With the attributes `u, z, p_value, effect, ties, degenerate, n_baseline, n_canary, method`. All values equal:
        p_value 1, degenerate. An arm without values: p_value 1, effect NaN, degenerate.

    Notes
    -----
    Two-sided is twice the smaller tail, at most 1. Exact p-values hold given the ties that were seen. "normal" agrees
    with SciPy's "asymptotic" and R's `wilcox.test(exact = FALSE)`. Other threads run on while large samples are compared.

    Examples
    --------
    >>> import serinus
    >>> result = serinus.mann_whitney([10.1, 9.8, 10.3, 9.9], [11.2, 12.0, 10.9, 11.5], alternative="greater")
    >>> result.u, result.effect, result.method
    (16.0, 1.0, 'exact')
    >>> round(result.p_value, 6)
    0.014286
    """
    return _core.mann_whitney(baseline, canary, alternative, method, continuity, nan)


def hodges_lehmann(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    confidence: float = 0.95,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "normal"] = "auto",
    nan: Literal["drop", "error"] = "drop",
) -> HodgesLehmannResult:
    """By how much are the canary's values larger? The median of all differences, with an interval.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, finite, in any order and one unit.
    confidence : float
        Asked for, in (0, 1); the result says what was achieved, since differences come in steps.
    alternative : {"two-sided", "greater", "less"}
        "greater" gives a lower end only, "less" an upper one.
    method : {"auto", "exact", "normal"}
        "exact" as R's `wilcox.test(exact = TRUE, conf.int = TRUE)`; "auto" takes it without ties up to about 50 against
        50 values, else "normal". Estimate and ends are differences of the data themselves.
    nan : {"drop", "error"}

    Returns
    -------
    HodgesLehmannResult
        An arm without values: estimate NaN, no ends, confidence 0.

    Examples
    --------
    >>> import serinus
    >>> shift = serinus.hodges_lehmann([10.1, 9.8, 10.3, 9.9], [11.2, 12.0, 10.9, 11.5])
    >>> round(shift.estimate, 2), round(shift.lower, 2), round(shift.upper, 2), round(shift.confidence, 3)
    (1.35, 0.6, 2.2, 0.971)
    """
    return HodgesLehmannResult(**_core.hodges_lehmann(baseline, canary, confidence, alternative, method, nan))


def effect_size(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    confidence: float = 0.95,
    nan: Literal["drop", "error"] = "drop",
) -> EffectSizeResult:
    """How often is a canary value larger than a baseline value, and how sure is that?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values.
    confidence : float
        Of the interval, in (0, 1).
    nan : {"drop", "error"}

    Returns
    -------
    EffectSizeResult
        `effect` = P(canary > baseline) + P(equal)/2 with an interval on the logit scale that needs no equal shapes;
        `cliffs_delta` = 2 effect - 1. Arms that do not overlap: an exact bound.

    Examples
    --------
    >>> import serinus
    >>> size = serinus.effect_size([1.0, 2.0, 3.0, 4.0, 5.0], [2.5, 3.5, 4.5, 5.5, 6.5])
    >>> size.effect, round(size.cliffs_delta, 2)
    (0.76, 0.52)
    """
    return EffectSizeResult(**_core.effect_size(baseline, canary, confidence, nan))


def paired_test(
    differences: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    difference: float = 0.0,
    confidence: float = 0.95,
    nan: Literal["drop", "error"] = "drop",
) -> PairedTestResult:
    """Is the mean of a series of differences another than 0, when successive ones depend on each other?

    Parameters
    ----------
    differences : array_like
        canary - baseline of the same interval, in time order; NaN where an arm had no sample.
    alternative : {"two-sided", "greater", "less"}
    difference : float
        The mean difference that is tested against.
    confidence : float
        Of the interval, in (0, 1); one-sided for one-sided alternatives.
    nan : {"drop", "error"}

    Returns
    -------
    PairedTestResult
        Fewer than 6 effective differences are not `conclusive`, whatever they are.

    Notes
    -----
    One look only: asked again after every interval its error grows; `serinus.sequential.PairedTest` may be.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> found = serinus.paired_test(np.random.default_rng(1).normal(0.5, 1, 200))
    >>> found.conclusive, found.p_value < 0.001
    (True, True)
    """
    return PairedTestResult(**_core.paired_test(differences, alternative, difference, confidence, nan))


def robust_rank_test(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    confidence: float = 0.95,
    nan: Literal["drop", "error"] = "drop",
) -> RobustRankResult:
    """Are the canary's values larger, when each arm is a time series whose values depend on each other?

    The test of Brunner and Munzel with long-run variances. Neither equal variances nor equal shapes are needed.

    Parameters
    ----------
    baseline, canary : array_like
        Each in time order and equally spaced; of any lengths.
    alternative : {"two-sided", "greater", "less"}
        The canary relative to the baseline.
    confidence : float
        Of the interval of `estimate`, in (0, 1).
    nan : {"drop", "error"}

    Returns
    -------
    RobustRankResult
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
    return RobustRankResult(**_core.robust_rank_test(baseline, canary, alternative, confidence, nan))


def effective_sample_size(values: ArrayLike | Any, nan: Literal["drop", "error"] = "drop") -> EffectiveSampleSizeResult:
    """How many independent values is a time series worth, for what it says of its mean?

    Parameters
    ----------
    values : array_like
        In time order, equally spaced; NaN for a missed scrape is left out.
    nan : {"drop", "error"}

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
    return EffectiveSampleSizeResult(**_core.effective_sample_size(values, nan))
