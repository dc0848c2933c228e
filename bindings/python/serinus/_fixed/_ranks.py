"""Tests by ranks: does the canary tend to larger values, and by how much?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .. import _core
from ._result import _Result

if TYPE_CHECKING:
    from typing import Any, Literal

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ._result import Alternative


class MannWhitneyResult(_core.MannWhitneyResult):
    """What `mann_whitney` found.

    Attributes
    ----------
    effect : float
        u/(mn) = P(canary > baseline) + P(equal)/2; 0.5 is no difference; NaN with an empty arm.
    u : float
        The canary's U: pairs in which the canary is larger, ties counted half.
    z : float
        (u - mn/2) / sigma, sigma corrected for ties, without continuity correction.
    p_value : float
        Of the alternative asked for.
    ties : int
        How many of the pooled values are equal to another one.
    n_baseline, n_canary : int
        Values of each arm, NaN not counted.
    method : str
        What p_value was computed by: "exact", "edgeworth", "saddlepoint", "drawn" or "normal".
    degenerate : bool
        All values are equal, or an arm is empty: p_value is 1 and says nothing.
    """


@dataclasses.dataclass(frozen=True, eq=False)
class MannWhitneyBatch(_Result):
    """What `mann_whitney_batch` found: arrays with one entry a pair, and the `method` of each."""

    effect: NDArray[np.float64]
    u: NDArray[np.float64]
    z: NDArray[np.float64]
    p_value: NDArray[np.float64]
    ties: NDArray[np.int64]
    n_baseline: NDArray[np.int64]
    n_canary: NDArray[np.int64]
    method: list[str]
    degenerate: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.method)


class HodgesLehmannResult(_core.HodgesLehmannResult):
    """What `hodges_lehmann` found: `lower` and `upper` hold with `confidence`, which is what was achieved."""


class EffectSizeResult(_core.EffectSizeResult):
    """What `effect_size` found: `lower` and `upper` are those of `effect`; `cliffs_delta` is 2 effect - 1.

    `approximation_holds` is false where the interval does not hold: fewer than 10 values in an arm, or one value holds
    nearly everything and fewer than about 20 others are expected in the smaller arm.
    """


class BrunnerMunzelResult(_core.BrunnerMunzelResult):
    """What `brunner_munzel` found; a positive `statistic`: the canary is larger.

    `estimate` with `lower` and `upper`: P(canary > baseline) + P(equal)/2. `degenerate`: no variance to judge by;
    `p_value` is then what a permutation could give at best. `approximation_holds` is false where "t" and "normal" do
    not: fewer than 10 values in an arm, or one value holds nearly everything and fewer than about 20 others are
    expected in the smaller arm.
    """


class SignedRankResult(_core.SignedRankResult):
    """What `signed_rank` found: `statistic` is W+; `lower` and `upper` hold with `confidence`, which was achieved."""


def mann_whitney(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    continuity: bool = True,
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    method: Literal["auto", "exact", "edgeworth", "normal", "saddlepoint", "drawn"] = "auto",
    nan_policy: Literal["drop", "error"] = "drop",
) -> MannWhitneyResult:
    """Does one version tend to larger values than the other?

    The rank test of Mann, Whitney and Wilcoxon: compares every canary value with every baseline value. The null
    hypothesis is that all values come from one distribution and are independent of each other; values of a time series
    are not.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and any unit. A contiguous float64 array is used without a copy; lists, other
        dtypes, strided arrays and the columns of pandas and polars are converted. Infinities rank like other values.
    continuity : bool
        Move U by 1/2 towards its mean; of the method "normal" only.
    alternative : {"two-sided", "greater", "less"}
        The canary relative to the baseline.
    method : {"auto", "exact", "edgeworth", "normal", "saddlepoint", "drawn"}
        "auto" counts all arrangements where that is cheap (50 against 50 values, ties allowed; any size where few
        different values occur) and else uses the normal distribution corrected for skewness and kurtosis, far out the
        saddlepoint approximation, or, where most values are alike, weighted draws; the result says which.
    nan_policy : {"drop", "error"}
        NaN and None are left out, or raise `serinus.Error` with code "serinus.argument.nan".

    Returns
    -------
    MannWhitneyResult
        With the fields `effect, u, z, p_value, ties, n_baseline, n_canary, method, degenerate`. All values equal:
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
    return _core.mann_whitney(
        baseline, canary, continuity=continuity, alternative=alternative, method=method, nan_policy=nan_policy
    )


def mann_whitney_batch(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    continuity: bool = True,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "edgeworth", "normal", "saddlepoint", "drawn"] = "auto",
    nan_policy: Literal["drop", "error"] = "drop",
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
    alternative, method, continuity, nan_policy
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
            threads,
            continuity=continuity,
            alternative=alternative,
            method=method,
            nan_policy=nan_policy,
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
            _core.fail(
                "serinus.argument.length",
                f"{name}_offsets do not fit a flat array of shape {flat.shape}; "
                "allowed: whole numbers that never fall, from 0 to its length",
            )
        return [flat[first:last] for first, last in zip(at[:-1].tolist(), at[1:].tolist(), strict=True)]
    if isinstance(values, np.ndarray) and values.ndim == 2:
        return list(np.ascontiguousarray(values, dtype=np.float64))
    if np.ndim(values[0] if isinstance(values, (list, tuple)) and len(values) else values) == 0 or (
        isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype != object
    ):
        if shared:
            return [values]
        _core.fail(
            "serinus.argument.length",
            f"{name} is one-dimensional; allowed: two dimensions, a sequence of arrays, or offsets",
        )
    return list(values)


def hodges_lehmann(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "normal"] = "auto",
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> HodgesLehmannResult:
    """By how much are the canary's values larger? The median of all differences, with an interval.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, finite, in any order and one unit.
    alternative : {"two-sided", "greater", "less"}
        "greater" gives a lower end only, "less" an upper one.
    method : {"auto", "exact", "normal"}
        "exact" as R's `wilcox.test(exact = TRUE, conf.int = TRUE)`; "auto" takes it without ties up to about 50 against
        50 values, else "normal". Estimate and ends are differences of the data themselves.
    confidence : float
        Asked for, in (0, 1); the result says what was achieved, since differences come in steps.
    nan_policy : {"drop", "error"}

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
    return _core.hodges_lehmann(
        baseline, canary, alternative=alternative, method=method, confidence=confidence, nan_policy=nan_policy
    )


def effect_size(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> EffectSizeResult:
    """How often is a canary value larger than a baseline value, and how sure is that?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values.
    confidence : float
        Of the interval, in (0, 1).
    nan_policy : {"drop", "error"}

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
    return _core.effect_size(baseline, canary, confidence=confidence, nan_policy=nan_policy)


def brunner_munzel(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    margin: float = 0.5,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "permutation", "t", "normal"] = "t",
    confidence: float = 0.95,
    resamples: int = 10000,
    seed: int = 0,
    nan_policy: Literal["drop", "error"] = "drop",
) -> BrunnerMunzelResult:
    """Does one version tend to larger values than the other, when they may also spread differently?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values.
    margin : float
        The P(canary > baseline) + P(equal)/2 that is tested against, in (0, 1).
    alternative : {"two-sided", "greater", "less"}
        The canary relative to the baseline.
    method : {"auto", "permutation", "t", "normal"}
        "t" is the published test; the result says by `approximation_holds` where it is not to be believed.
        "permutation" deals the pooled values out again, exact for samples of one distribution: all ways up to 200,000
        or where few different values occur, else `resamples` of them. "auto" takes it where "t" does not hold and where
        up to 64 different values occur, else "t".
    confidence : float
    resamples, seed : int
        Of the permutation; the same seed gives the same result on every machine.
    nan_policy : {"drop", "error"}

    Returns
    -------
    BrunnerMunzelResult
        Arms that do not overlap are `degenerate`, with a p-value (SciPy gives NaN). The sign of `statistic` is that of
        canary minus baseline, the opposite of SciPy's.

    Examples
    --------
    >>> import serinus
    >>> found = serinus.brunner_munzel([1, 2, 3, 4, 5, 6], [4, 5, 6, 7, 8, 9])
    >>> round(found.estimate, 3), round(found.p_value, 4)
    (0.875, 0.0037)
    >>> exact = serinus.brunner_munzel([1, 2, 3, 4, 5, 6], [4, 5, 6, 7, 8, 9], method="auto")
    >>> round(exact.p_value, 4), exact.method
    (0.0303, 'permutation')
    """
    return _core.brunner_munzel(
        baseline,
        canary,
        margin=margin,
        alternative=alternative,
        method=method,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
        nan_policy=nan_policy,
    )


def signed_rank(
    differences: ArrayLike | Any,
    *,
    continuity: bool = True,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "normal"] = "auto",
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> SignedRankResult:
    """Do paired differences lie around another value than 0? The signed-rank test of Wilcoxon.

    Parameters
    ----------
    differences : array_like
        canary - baseline of pairs, independent and finite; zeros are left out of the test.
    continuity : bool
        Of the method "normal" only.
    alternative : {"two-sided", "greater", "less"}
    method : {"auto", "exact", "normal"}
        "exact" counts all signs, given the ties; "auto" takes it up to 60 differences.
    confidence : float
        Asked for; the result says what was achieved.
    nan_policy : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.signed_rank([1.2, 0.4, -0.3, 2.1, 0.9, 1.5])
    >>> found.statistic, found.p_value, round(found.estimate, 2)
    (20.0, 0.0625, 0.95)
    """
    return _core.signed_rank(
        differences,
        continuity=continuity,
        alternative=alternative,
        method=method,
        confidence=confidence,
        nan_policy=nan_policy,
    )
