"""Tests of counts: shares of bad events, and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from ._result import Alternative


class ProportionTestResult(_core.ProportionTestResult):
    """What `proportion_test` found; `lower` and `upper` bound the ratio if the margin is one, else the difference."""


class RateTestResult(_core.RateTestResult):
    """What `rate_test` found: the ratio of the rates with its interval."""


def proportion_test(
    bad_b: float,
    total_b: float,
    bad_c: float,
    total_c: float,
    *,
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
    return _core.proportion_test(
        bad_b, total_b, bad_c, total_c, margin=known, alternative=alternative, method=method, confidence=confidence
    )


def rate_test(
    events_b: float,
    exposure_b: float,
    events_c: float,
    exposure_c: float,
    *,
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
    return _core.rate_test(
        events_b,
        exposure_b,
        events_c,
        exposure_c,
        margin=known,
        alternative=alternative,
        method=method,
        confidence=confidence,
    )
