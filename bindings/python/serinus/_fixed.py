"""One look: tests of two samples."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from . import _core
from ._errors import Error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

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


@dataclasses.dataclass(frozen=True, eq=False)
class MannWhitneyBatch(_Result):
    """What `mann_whitney_batch` found: arrays with one entry a pair, and the `method` of each."""

    u: NDArray[np.float64]
    z: NDArray[np.float64]
    p_value: NDArray[np.float64]
    effect: NDArray[np.float64]
    ties: NDArray[np.int64]
    degenerate: NDArray[np.bool_]
    n_baseline: NDArray[np.int64]
    n_canary: NDArray[np.int64]
    method: list[str]

    def __len__(self) -> int:
        return len(self.method)


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

@dataclasses.dataclass(frozen=True)
class MeanResult(_Result):
    """What `brunner_munzel`, `welch` and `yuen` found; a positive `statistic`: the canary is larger.

    `estimate` with `lower` and `upper`: of P(canary > baseline) + P(equal)/2 for `brunner_munzel`, else of the
    difference of the (trimmed) means. `degenerate`: no variance to judge by; `p_value` is then what a permutation could
    give at best.
    """

    statistic: float
    df: float
    p_value: float
    estimate: float
    lower: float
    upper: float
    confidence: float
    degenerate: bool
    n_baseline: int
    n_canary: int


@dataclasses.dataclass(frozen=True)
class KolmogorovSmirnovResult(_Result):
    """What `kolmogorov_smirnov` found; `sign` +1: at `location` the canary has more values above."""

    statistic: float
    p_value: float
    location: float
    sign: int
    n_baseline: int
    n_canary: int
    method: str


@dataclasses.dataclass(frozen=True)
class CramerVonMisesResult(_Result):
    """What `cramer_von_mises` found."""

    statistic: float
    p_value: float
    degenerate: bool
    n_baseline: int
    n_canary: int
    method: str


@dataclasses.dataclass(frozen=True)
class AndersonDarlingResult(_Result):
    """What `anderson_darling` found: `statistic` is (`a_squared` - 1)/its standard deviation."""

    statistic: float
    p_value: float
    a_squared: float
    degenerate: bool
    n_baseline: int
    n_canary: int
    method: str


@dataclasses.dataclass(frozen=True)
class ArmQuantile:
    """A quantile of one arm with its interval."""

    estimate: float
    lower: float
    upper: float


@dataclasses.dataclass(frozen=True)
class QuantileDifferenceResult(_Result):
    """What `quantile_difference` found: canary minus baseline, and each arm's own quantile."""

    estimate: float
    lower: float
    upper: float
    confidence: float
    baseline: ArmQuantile
    canary: ArmQuantile
    n_baseline: int
    n_canary: int
    method: str


@dataclasses.dataclass(frozen=True)
class ProportionTestResult(_Result):
    """What `proportion_test` found; `lower` and `upper` bound the ratio if the margin is one, else the difference."""

    difference: float
    ratio: float
    lower: float
    upper: float
    p_value: float
    statistic: float
    confidence: float
    method: str


@dataclasses.dataclass(frozen=True)
class RateTestResult(_Result):
    """What `rate_test` found: the ratio of the rates with its interval."""

    ratio: float
    lower: float
    upper: float
    p_value: float
    confidence: float
    method: str


@dataclasses.dataclass(frozen=True)
class RatioTestResult(_Result):
    """What `ratio_test` found; not `conclusive`: an arm is worth too few independent intervals, and `p_value` is 1."""

    ratio: float
    cost_baseline: float
    cost_canary: float
    lower: float
    upper: float
    p_value: float
    statistic: float
    df: float
    confidence: float
    n_effective: float
    conclusive: bool
    n_baseline: int
    n_canary: int
    method: str


@dataclasses.dataclass(frozen=True)
class SignedRankResult(_Result):
    """What `signed_rank` found: `statistic` is W+; `lower` and `upper` hold with `confidence`, which was achieved."""

    statistic: float
    p_value: float
    estimate: float
    lower: float
    upper: float
    confidence: float
    n: int
    zeros: int
    method: str


@dataclasses.dataclass(frozen=True)
class BlockBootstrapResult(_Result):
    """What `block_bootstrap` found."""

    estimate: float
    standard_error: float
    lower: float
    upper: float
    confidence: float
    block_length: float
    resamples: int
    n: int


@dataclasses.dataclass(frozen=True)
class EquivalenceResult(_Result):
    """What an interval says of a margin; `verdict` "pass": harm beyond it is ruled out, "fail": proven."""

    equivalent: bool
    non_inferior: bool
    harm: bool
    verdict: Any


@dataclasses.dataclass(frozen=True)
class SampleSize(_Result):
    """Values an arm, not rounded; take the next whole numbers. Infinite: there is nothing to find."""

    n_baseline: float
    n_canary: float


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


def mann_whitney_batch(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "edgeworth", "normal"] = "auto",
    continuity: bool = True,
    nan: Literal["drop", "error"] = "drop",
    *,
    baseline_offsets: ArrayLike | None = None,
    canary_offsets: ArrayLike | None = None,
    threads: int = 1,
) -> MannWhitneyBatch:
    """`mann_whitney` of many pairs at once; each result is the same to the bit, for any number of threads.

    Parameters
    ----------
    baseline, canary : array_like
        Two-dimensional, a pair a row; or sequences of arrays of any lengths; or flat arrays with offsets. One
        one-dimensional baseline without offsets serves all canaries, and is sorted once.
    alternative, method, continuity, nan
        As `mann_whitney`; the method is chosen for each pair by itself.
    baseline_offsets, canary_offsets : array_like of int, optional
        Row i of a flat array is [offsets[i], offsets[i + 1]).
    threads : int
        How many work at once.

    Returns
    -------
    MannWhitneyBatch
        Arrays with one entry a pair.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> random = np.random.default_rng(1)
    >>> found = serinus.mann_whitney_batch(random.normal(size=50), random.normal([[0.0], [2.0]], 1, (2, 50)))
    >>> (found.p_value < 0.001).tolist()
    [False, True]
    """
    return MannWhitneyBatch(
        **_core.mann_whitney_batch(
            _rows("baseline", baseline, baseline_offsets, shared=True),
            _rows("canary", canary, canary_offsets, shared=False),
            alternative,
            method,
            continuity,
            nan,
            threads,
        )
    )


def _rows(name: str, values: Any, offsets: Any, *, shared: bool) -> list[Any]:
    """The arms of a batch, one by one."""
    import numpy as np

    if offsets is not None:
        flat = np.ascontiguousarray(values, dtype=np.float64)
        at = np.asarray(offsets)
        ordered = at.ndim == 1 and at.size > 0 and at.dtype.kind in "iu" and bool((np.diff(at) >= 0).all())
        if flat.ndim != 1 or not ordered or at[0] < 0 or at[-1] > flat.size:
            raise Error(
                f"{name}_offsets do not fit a flat array of shape {flat.shape}; "
                "allowed: whole numbers that never fall, from 0 to its length",
                "serinus.argument.length",
                11,
            )
        return [flat[first:last] for first, last in zip(at[:-1].tolist(), at[1:].tolist(), strict=True)]
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return list(np.ascontiguousarray(values, dtype=np.float64))
    if np.ndim(values[0] if isinstance(values, (list, tuple)) and len(values) else values) == 0 or (
        isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype != object
    ):
        if shared:
            return [values]
        raise Error(
            f"{name} is one-dimensional; allowed: two dimensions, a sequence of arrays, or offsets",
            "serinus.argument.length",
            11,
        )
    return list(values)


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


def brunner_munzel(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    effect: float = 0.5,
    confidence: float = 0.95,
    nan: Literal["drop", "error"] = "drop",
) -> MeanResult:
    """Does one version tend to larger values than the other, when they may also spread differently?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values; about 10 an arm at least.
    alternative : {"two-sided", "greater", "less"}
        The canary relative to the baseline.
    effect : float
        The P(canary > baseline) + P(equal)/2 that is tested against, in (0, 1).
    confidence : float
    nan : {"drop", "error"}

    Returns
    -------
    MeanResult
        Arms that do not overlap are `degenerate`, with a p-value (SciPy gives NaN). The sign of `statistic` is that of
        canary minus baseline, the opposite of SciPy's.

    Examples
    --------
    >>> import serinus
    >>> found = serinus.brunner_munzel([1, 2, 3, 4, 5, 6], [4, 5, 6, 7, 8, 9])
    >>> round(found.estimate, 3), round(found.p_value, 4)
    (0.875, 0.0037)
    """
    return MeanResult(**_core.brunner_munzel(baseline, canary, alternative, effect, confidence, nan))


def welch(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    difference: float = 0.0,
    confidence: float = 0.95,
    nan: Literal["drop", "error"] = "drop",
) -> MeanResult:
    """Is the canary's mean another than the baseline's? Variances may differ.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, finite, of independent values in one unit.
    alternative : {"two-sided", "greater", "less"}
    difference : float
        Canary minus baseline that is tested against.
    confidence : float
        Of the interval; one-sided for one-sided alternatives.
    nan : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.welch([10.1, 9.8, 10.3, 9.9], [11.2, 12.0, 10.9, 11.5])
    >>> round(found.estimate, 3), found.p_value < 0.01
    (1.375, True)
    """
    return MeanResult(**_core.welch(baseline, canary, alternative, difference, confidence, nan))


def yuen(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    trim: float = 0.2,
    difference: float = 0.0,
    confidence: float = 0.95,
    nan: Literal["drop", "error"] = "drop",
) -> MeanResult:
    """Is the mean of the canary without its extremes another than that of the baseline?

    `trim` is the share that is cut off at each end of each arm, in [0, 0.5); 0 is `welch`. The rest is as there.

    Examples
    --------
    >>> import serinus
    >>> found = serinus.yuen([1, 2, 3, 4, 500], [11, 12, 13, 14, 15])
    >>> found.estimate, found.p_value < 0.01
    (10.0, True)
    """
    return MeanResult(**_core.yuen(baseline, canary, alternative, trim, difference, confidence, nan))


def kolmogorov_smirnov(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "asymptotic"] = "auto",
    nan: Literal["drop", "error"] = "drop",
) -> KolmogorovSmirnovResult:
    """Do the distributions of the two versions differ, anywhere and in any way?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values.
    alternative : {"two-sided", "greater", "less"}
        "greater": the canary's values are larger. (SciPy and R speak of the distribution functions: their "less".)
    method : {"auto", "exact", "asymptotic"}
        "exact" counts all arrangements given the ties; "auto" takes it up to 250,000 pairs.
    nan : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.kolmogorov_smirnov([1, 2, 2, 3], [3, 4, 4, 5, 6])
    >>> found.statistic, round(found.p_value, 5), found.method
    (0.8, 0.04762, 'exact')
    """
    return KolmogorovSmirnovResult(**_core.kolmogorov_smirnov(baseline, canary, alternative, method, nan))


def cramer_von_mises(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    method: Literal["auto", "exact", "asymptotic", "conditional"] = "auto",
    nan: Literal["drop", "error"] = "drop",
) -> CramerVonMisesResult:
    """Do the distributions of the two versions differ? The mean squared distance of their staircases.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values.
    method : {"auto", "exact", "asymptotic", "conditional"}
        "conditional" holds given the ties, and "auto" takes it where there are any; without them "exact" up to 20
        values an arm, else "asymptotic". "asymptotic" is SciPy's, which with ties rejects far too often.
    nan : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.cramer_von_mises([1, 3, 5, 7], [8, 9, 10, 11, 12])
    >>> round(found.p_value, 6), found.method
    (0.015873, 'exact')
    """
    return CramerVonMisesResult(**_core.cramer_von_mises(baseline, canary, method, nan))


def anderson_darling(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    method: Literal["auto", "asymptotic", "conditional"] = "auto",
    nan: Literal["drop", "error"] = "drop",
) -> AndersonDarlingResult:
    """Do the distributions of the two versions differ, in the tails above all?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values, 5 an arm or more.
    method : {"auto", "asymptotic", "conditional"}
        "conditional" holds given the ties, and "auto" takes it where there are any.
    nan : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.anderson_darling([1, 3, 5, 7, 9, 11], [8, 10, 12, 14, 16, 18])
    >>> found.p_value < 0.05
    True
    """
    return AndersonDarlingResult(**_core.anderson_darling(baseline, canary, method, nan))


def quantile_difference(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    q: float = 0.95,
    confidence: float = 0.95,
    method: Literal["auto", "order_statistic", "woodruff", "harrell_davis"] = "auto",
    n_effective_baseline: float | None = None,
    n_effective_canary: float | None = None,
    nan: Literal["drop", "error"] = "drop",
) -> QuantileDifferenceResult:
    """By how much does the canary's q-quantile lie above the baseline's, and how sure is that?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, finite, in any order and one unit.
    q : float
        Which quantile, in (0, 1).
    confidence : float
    method : {"auto", "order_statistic", "woodruff", "harrell_davis"}
        "auto" is "woodruff" where an effective number is given, else "order_statistic".
    n_effective_baseline, n_effective_canary : float, optional
        How many independent values an arm is worth (`effective_sample_size`): for time series.
    nan : {"drop", "error"}

    Returns
    -------
    QuantileDifferenceResult
        An end that too few values lie beyond is infinite.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> random = np.random.default_rng(1)
    >>> found = serinus.quantile_difference(random.exponential(1, 900), random.exponential(2, 900), q=0.9)
    >>> found.lower > 0
    True
    """
    fields = _core.quantile_difference(
        baseline, canary, q, confidence, method, n_effective_baseline, n_effective_canary, nan
    )
    for arm in ("baseline", "canary"):
        fields[arm] = ArmQuantile(**fields[arm])
    return QuantileDifferenceResult(**fields)


def proportion_test(
    bad_b: float,
    total_b: float,
    bad_c: float,
    total_c: float,
    margin: Mapping[str, float] | None = None,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "score", "fisher", "midp", "boschloo", "barnard"] = "auto",
    confidence: float = 0.95,
) -> ProportionTestResult:
    """Is the canary's share of bad events another than the baseline's, by more than a margin?

    Parameters
    ----------
    bad_b, total_b, bad_c, total_c : whole numbers
        Bad events and all events of the baseline, then of the canary.
    margin : dict, optional
        {"difference": 0.002} or {"ratio": 2.0}; equality if not given. The exact methods serve equality only.
    alternative : {"two-sided", "greater", "less"}
    method : {"auto", "score", "fisher", "midp", "boschloo", "barnard"}
        "score" is Miettinen and Nurminen's; "auto" takes it with a margin and where 5 events are expected in each arm,
        else "boschloo" for small totals and "fisher" for large ones.
    confidence : float
        Of the score interval; one-sided for one-sided alternatives.

    Examples
    --------
    >>> import serinus
    >>> found = serinus.proportion_test(1, 34, 7, 34, method="score")
    >>> round(found.difference, 4), round(found.lower, 4), round(found.upper, 4), round(found.p_value, 4)
    (0.1765, 0.027, 0.3453, 0.025)
    """
    known = {"difference": 0.0} if margin is None else dict(margin)
    return ProportionTestResult(
        **_core.proportion_test(bad_b, total_b, bad_c, total_c, known, alternative, method, confidence)
    )


def rate_test(
    events_b: float,
    exposure_b: float,
    events_c: float,
    exposure_c: float,
    margin: Mapping[str, float] | None = None,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "midp", "score"] = "auto",
    confidence: float = 0.95,
) -> RateTestResult:
    """Do events come more often to the canary, for the time that it ran?

    Parameters
    ----------
    events_b, exposure_b, events_c, exposure_c : float
        Events (whole) and exposure (hours, requests; above 0) of the baseline, then of the canary.
    margin : dict, optional
        {"ratio": 1.5}; {"ratio": 1.0} if not given.
    alternative : {"two-sided", "greater", "less"}
    method : {"auto", "exact", "midp", "score"}
        "exact" is R's `poisson.test`; beyond 10^6 additions it becomes "score", and the result says so.
    confidence : float

    Examples
    --------
    >>> import serinus
    >>> found = serinus.rate_test(12, 1000, 9, 100)
    >>> round(found.ratio, 2), round(found.lower, 2), round(found.upper, 2)
    (7.5, 2.79, 19.39)
    """
    known = {"ratio": 1.0} if margin is None else dict(margin)
    return RateTestResult(
        **_core.rate_test(events_b, exposure_b, events_c, exposure_c, known, alternative, method, confidence)
    )


def ratio_test(
    numerator_b: ArrayLike | Any,
    denominator_b: ArrayLike | Any,
    numerator_c: ArrayLike | Any,
    denominator_c: ArrayLike | Any,
    margin: Mapping[str, float] | None = None,
    alternative: Alternative = "two-sided",
    method: Literal["delta", "block_bootstrap"] = "delta",
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
    nan: Literal["drop", "error"] = "drop",
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
    nan : {"drop", "error"}

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
    return RatioTestResult(
        **_core.ratio_test(
            numerator_b,
            denominator_b,
            numerator_c,
            denominator_c,
            known,
            alternative,
            method,
            confidence,
            resamples,
            seed,
            nan,
        )
    )


def signed_rank(
    differences: ArrayLike | Any,
    alternative: Alternative = "two-sided",
    confidence: float = 0.95,
    method: Literal["auto", "exact", "normal"] = "auto",
    continuity: bool = True,
    nan: Literal["drop", "error"] = "drop",
) -> SignedRankResult:
    """Do paired differences lie around another value than 0? The signed-rank test of Wilcoxon.

    Parameters
    ----------
    differences : array_like
        canary - baseline of pairs, independent and finite; zeros are left out of the test.
    alternative : {"two-sided", "greater", "less"}
    confidence : float
        Asked for; the result says what was achieved.
    method : {"auto", "exact", "normal"}
        "exact" counts all signs, given the ties; "auto" takes it up to 60 differences.
    continuity : bool
        Of the method "normal" only.
    nan : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.signed_rank([1.2, 0.4, -0.3, 2.1, 0.9, 1.5])
    >>> found.statistic, found.p_value, round(found.estimate, 2)
    (20.0, 0.0625, 0.95)
    """
    return SignedRankResult(**_core.signed_rank(differences, alternative, confidence, method, continuity, nan))


def block_bootstrap(
    values: ArrayLike | Any,
    statistic: Callable[[NDArray[np.float64]], float],
    confidence: float = 0.95,
    block_length: float | None = None,
    resamples: int = 2000,
    seed: int = 0,
    nan: Literal["drop", "error"] = "drop",
) -> BlockBootstrapResult:
    """The interval of any statistic of a time series, by resampling whole blocks of neighbours.

    Parameters
    ----------
    values : array_like
        In time order, equally spaced, finite.
    statistic : callable
        Takes an array of as many values, gives a number.
    confidence : float
    block_length : float, optional
        Values a block; by Politis and White if not given.
    resamples, seed : int
        The same seed gives the same result on every machine.
    nan : {"drop", "error"}

    Examples
    --------
    >>> import numpy as np, serinus
    >>> noise = np.random.default_rng(1).normal(5, 1, 300)
    >>> found = serinus.block_bootstrap(noise, np.median, resamples=500)
    >>> found.lower < 5 < found.upper
    True
    """
    return BlockBootstrapResult(
        **_core.block_bootstrap(values, statistic, confidence, block_length, resamples, seed, nan)
    )


def equivalence(
    lower: float,
    upper: float,
    margin: Mapping[str, float],
    harm: Literal["increase", "decrease", "either"] = "increase",
) -> EquivalenceResult:
    """Does an interval rule out harm beyond a margin, or prove it?

    Parameters
    ----------
    lower, upper : float
        Of canary/baseline for {"ratio": r}, of canary - baseline for {"difference": d}; infinite ends are legal.
    margin : dict
    harm : {"increase", "decrease", "either"}
        The direction that is worse.

    Examples
    --------
    >>> import serinus
    >>> serinus.equivalence(0.97, 1.06, {"ratio": 1.1}).verdict
    <Verdict.PASS: 'pass'>
    """
    return EquivalenceResult(**_core.equivalence(lower, upper, dict(margin), harm))


def adjust(
    p_values: ArrayLike | Any,
    method: Literal["holm", "hochberg", "bonferroni", "bh", "by"] = "holm",
    weights: ArrayLike | Any | None = None,
) -> NDArray[np.float64]:
    """P-values adjusted for their number, in the order given.

    Parameters
    ----------
    p_values : array_like
        In [0, 1]; NaN stays NaN and is not counted.
    method : {"holm", "hochberg", "bonferroni", "bh", "by"}
        "holm" and "bonferroni" keep the chance of any false find whatever the dependence; "bh" and "by" the expected
        share of false finds.
    weights : array_like, optional
        One a p-value, above 0; scaled to mean 1.

    Examples
    --------
    >>> import serinus
    >>> serinus.adjust([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    return _core.adjust(p_values, method, weights)


def _design(
    kind: str,
    effect: float | None,
    difference: float | None,
    deviation: float | None,
    baseline: float | None,
    canary: float | None,
) -> tuple[str, float, float]:
    needed = {
        "rank": {"effect": effect},
        "mean": {"difference": difference, "deviation": deviation},
        "proportion": {"baseline": baseline, "canary": canary},
        "rate": {"baseline": baseline, "canary": canary},
    }
    if kind not in needed:
        raise Error(f'kind is "{kind}"; allowed: {", ".join(needed)}', "serinus.argument.word", 13)
    given = {
        "effect": effect,
        "difference": difference,
        "deviation": deviation,
        "baseline": baseline,
        "canary": canary,
    }
    for name, value in given.items():
        if (value is None) == (name in needed[kind]):
            raise Error(
                f'{name} is {value} with the kind "{kind}"; allowed: {" and ".join(needed[kind])}, and no other',
                "serinus.argument.range",
                10,
            )
    numbers = [float(value) for value in needed[kind].values() if value is not None]
    return kind, numbers[0], numbers[-1]


def power(
    kind: Literal["rank", "mean", "proportion", "rate"],
    n_baseline: float,
    n_canary: float,
    *,
    effect: float | None = None,
    difference: float | None = None,
    deviation: float | None = None,
    baseline: float | None = None,
    canary: float | None = None,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    independent: float = 1.0,
) -> float:
    """The probability that one look of so many values rejects at alpha.

    Parameters
    ----------
    kind : {"rank", "mean", "proportion", "rate"}
        The test: `mann_whitney` (give `effect`, P(canary > baseline)), `welch` (`difference` and `deviation`),
        `proportion_test` (`baseline` and `canary`, the true shares), `rate_test` (`baseline` and `canary`, the true
        rates; n is then the exposure).
    n_baseline, n_canary : float
    alpha, alternative
        Of the test.
    independent : float
        n_effective/n of the series, in (0, 1].

    Examples
    --------
    >>> import serinus
    >>> round(serinus.power("proportion", 9000, 1000, baseline=0.01, canary=0.02), 2)
    0.76
    """
    return _core.power(
        *_design(kind, effect, difference, deviation, baseline, canary),
        n_baseline,
        n_canary,
        alpha,
        alternative,
        independent,
    )


def sample_size(
    kind: Literal["rank", "mean", "proportion", "rate"],
    power: float = 0.8,
    ratio: float = 1.0,
    *,
    effect: float | None = None,
    difference: float | None = None,
    deviation: float | None = None,
    baseline: float | None = None,
    canary: float | None = None,
    alpha: float = 0.05,
    alternative: Alternative = "two-sided",
    independent: float = 1.0,
) -> SampleSize:
    """The values that give one look a power, with `ratio` canary values for each of the baseline's.

    The arguments are those of `power`.

    Examples
    --------
    >>> import serinus
    >>> round(serinus.sample_size("mean", 0.9, difference=5, deviation=20).n_canary, 1)
    337.2
    """
    return SampleSize(
        *_core.sample_size(
            *_design(kind, effect, difference, deviation, baseline, canary),
            power,
            ratio,
            alpha,
            alternative,
            independent,
        )
    )
