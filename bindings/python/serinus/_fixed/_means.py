"""Tests of means."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from .. import _core
from ._result import _Result

if TYPE_CHECKING:
    from typing import Any, Literal

    from numpy.typing import ArrayLike

    from ._result import Alternative


@dataclasses.dataclass(frozen=True)
class MeanResult(_Result):
    """What `welch` and `yuen` found; a positive `statistic`: the canary is larger.

    `estimate` with `lower` and `upper`: the difference of the (trimmed) means. `degenerate`: no variance to judge by;
    `p_value` is then what a permutation could give at best. `approximation_holds` is false where the smaller arm has
    fewer than 10 values, or fewer than 12 times the excess kurtosis of the values: nearly all of them alike, or a tail.
    """

    statistic: float
    df: float
    p_value: float
    estimate: float
    lower: float
    upper: float
    confidence: float
    approximation_holds: bool
    degenerate: bool
    n_baseline: int
    n_canary: int


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
    return MeanResult(
        **_core.welch(baseline, canary, alternative=alternative, difference=difference, confidence=confidence, nan=nan)
    )


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
    return MeanResult(
        **_core.yuen(
            baseline, canary, alternative=alternative, trim=trim, difference=difference, confidence=confidence, nan=nan
        )
    )
