"""One look: tests of two samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _core

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import ArrayLike


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
