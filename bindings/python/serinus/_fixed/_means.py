"""Tests of means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from numpy.typing import ArrayLike

    from ._result import Alternative


class MeanDifferenceResult(_core.MeanDifferenceResult):
    """What `welch` and `yuen` found; a positive `statistic`: the canary is larger.

    `estimate` with `lower` and `upper`: the difference of the (trimmed) means. `degenerate`: no variance to judge by;
    `p_value` is then what a permutation could give at best. `approximation_holds` is false where the smaller arm has
    fewer than 10 values, or fewer than 12 times the excess kurtosis of the values: nearly all of them alike, or a tail.
    """


def welch(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    margin: Mapping[str, float] | None = None,
    alternative: Alternative = "two-sided",
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> MeanDifferenceResult:
    """Is the canary's mean another than the baseline's? Variances may differ.

    Parameters
    ----------
    baseline, canary : array_like
        One-dimensional, finite, of independent values in one unit.
    margin : dict, optional
        {"difference": 5.0}: canary minus baseline that is tested against; {"difference": 0.0} if not given.
    alternative : {"two-sided", "greater", "less"}
    confidence : float
        Of the interval; one-sided for one-sided alternatives.
    nan_policy : {"drop", "error"}

    Examples
    --------
    >>> import serinus
    >>> found = serinus.welch([10.1, 9.8, 10.3, 9.9], [11.2, 12.0, 10.9, 11.5])
    >>> round(found.estimate, 3), found.p_value < 0.01
    (1.375, True)
    """
    return _core.welch(
        baseline,
        canary,
        margin={"difference": 0.0} if margin is None else dict(margin),
        alternative=alternative,
        confidence=confidence,
        nan_policy=nan_policy,
    )


def yuen(
    baseline: ArrayLike | Any,
    canary: ArrayLike | Any,
    *,
    trim: float = 0.2,
    margin: Mapping[str, float] | None = None,
    alternative: Alternative = "two-sided",
    confidence: float = 0.95,
    nan_policy: Literal["drop", "error"] = "drop",
) -> MeanDifferenceResult:
    """Is the mean of the canary without its extremes another than that of the baseline?

    `trim` is the share that is cut off at each end of each arm, in [0, 0.5); 0 is `welch`. The rest is as there.

    Examples
    --------
    >>> import serinus
    >>> found = serinus.yuen([1, 2, 3, 4, 500], [11, 12, 13, 14, 15])
    >>> found.estimate, found.p_value < 0.01
    (10.0, True)
    """
    return _core.yuen(
        baseline,
        canary,
        trim=trim,
        margin={"difference": 0.0} if margin is None else dict(margin),
        alternative=alternative,
        confidence=confidence,
        nan_policy=nan_policy,
    )
