"""Tests of distributions and of their quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import ArrayLike

    from ._result import Alternative


class KolmogorovSmirnovResult(_core.KolmogorovSmirnovResult):
    """What `kolmogorov_smirnov` found; `sign` +1: at `location` the canary has more values above.

    `degenerate`: an arm is empty, or all values are equal, and `p_value` is 1.
    """


class CramerVonMisesResult(_core.CramerVonMisesResult):
    """What `cramer_von_mises` found."""


class AndersonDarlingResult(_core.AndersonDarlingResult):
    """What `anderson_darling` found: `statistic` is (`a_squared` - 1)/its standard deviation."""


class ArmQuantile(_core.ArmQuantile):
    """A quantile of one arm with its interval."""


class QuantileDifferenceResult(_core.QuantileDifferenceResult):
    """What `quantile_difference` found: canary minus baseline, and each arm's own quantile."""


def kolmogorov_smirnov(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    alternative: Alternative = "two-sided",
    method: Literal["auto", "exact", "asymptotic"] = "auto",
    nan_policy: Literal["drop", "error"] = "drop",
) -> KolmogorovSmirnovResult:
    """Do the distributions of the two versions differ, anywhere and in any way?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values.
    alternative : {"two-sided", "greater", "less"}
        "greater": the canary's values are larger. (SciPy and R speak of the distribution functions: their "less".)
    method : {"auto", "exact", "asymptotic"}
        "exact" counts all arrangements given the ties; "auto" takes it up to 250,000 pairs, and beyond where few
        different values occur.
    nan_policy : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.kolmogorov_smirnov([1, 2, 2, 3], [3, 4, 4, 5, 6])
    >>> found.statistic, round(found.p_value, 5), found.method
    (0.8, 0.04762, 'exact')
    """
    return _core.kolmogorov_smirnov(baseline, canary, alternative=alternative, method=method, nan_policy=nan_policy)


def cramer_von_mises(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    method: Literal["auto", "exact", "asymptotic", "conditional", "permutation", "lattice"] = "auto",
    nan_policy: Literal["drop", "error"] = "drop",
) -> CramerVonMisesResult:
    """Do the distributions of the two versions differ? The mean squared distance of their staircases.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values.
    method : {"auto", "exact", "asymptotic", "conditional", "permutation", "lattice"}
        "permutation", "lattice" and "conditional" hold given the ties: by all arrangements, by all with the statistic
        rounded, by its first three moments. "auto" with ties takes the first of these that is cheap enough; without
        them "exact" up to 20 values an arm, "lattice" below 50, else "asymptotic", which is SciPy's and with ties
        rejects far too often.
    nan_policy : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.cramer_von_mises([1, 3, 5, 7], [8, 9, 10, 11, 12])
    >>> round(found.p_value, 6), found.method
    (0.015873, 'exact')
    """
    return _core.cramer_von_mises(baseline, canary, method=method, nan_policy=nan_policy)


def anderson_darling(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    method: Literal["auto", "asymptotic", "conditional", "permutation", "lattice"] = "auto",
    nan_policy: Literal["drop", "error"] = "drop",
) -> AndersonDarlingResult:
    """Do the distributions of the two versions differ, in the tails above all?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, in any order and unit, of independent values, 5 an arm or more.
    method : {"auto", "asymptotic", "conditional", "permutation", "lattice"}
        As `cramer_von_mises`, which has an "exact" more.
    nan_policy : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.anderson_darling([1, 3, 5, 7, 9, 11], [8, 10, 12, 14, 16, 18])
    >>> found.p_value < 0.05
    True
    """
    return _core.anderson_darling(baseline, canary, method=method, nan_policy=nan_policy)


def quantile_difference(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    q: float = 0.95,
    n_effective_baseline: float | None = None,
    n_effective_canary: float | None = None,
    method: Literal["auto", "order_statistic", "woodruff", "harrell_davis"] = "auto",
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> QuantileDifferenceResult:
    """By how much does the canary's q-quantile lie above the baseline's, and how sure is that?

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, finite, in any order and one unit.
    q : float
        Which quantile, in (0, 1).
    n_effective_baseline, n_effective_canary : float, optional
        How many independent values an arm is worth (`effective_sample_size`): for time series.
    method : {"auto", "order_statistic", "woodruff", "harrell_davis"}
        "auto" is "woodruff" where an effective number is given, else "order_statistic".
    confidence : float
    nan_policy : {"drop", "error"}

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
    return _core.quantile_difference(
        baseline,
        canary,
        q=q,
        n_effective_baseline=n_effective_baseline,
        n_effective_canary=n_effective_canary,
        method=method,
        confidence=confidence,
        nan_policy=nan_policy,
    )
