"""How much of an error budget is gone, and objectives that count slices of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .. import _core, _inputs

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ._burn import BurnRate
    from ._objective import ErrorBudget, Objective, WindowBurn


class TimeSlices(NamedTuple):
    """Slices of time and how many of them were bad; the last three are shares to be compared with a budget."""

    slices: int
    bad_slices: int
    no_traffic: int
    absent: int
    occurrences: float
    timeslices: float
    ratio_timeslices: float


def error_budget(objective: Objective, period: WindowBurn) -> ErrorBudget:
    """What the bad events of a period have eaten of its budget, in events.

    `period` is the burn rate of a window as long as the objective's period.

    Examples
    --------
    >>> from serinus import slo
    >>> objective = slo.Objective(target="99.9%", period="30d", expected_events=1_000_000)
    >>> burn = slo.BurnRate(objective.budget, ["30d"])
    >>> _ = burn.add_series("total", [0, 60], [0, 400_000]), burn.add_series("bad", [0, 60], [0, 250])
    >>> slo.error_budget(objective, burn.at(60)["30d"]).remaining
    0.75
    """
    return _core._error_budget(objective, period)


def time_to_exhaustion(objective: Objective, remaining: float, burn: float) -> float:
    """Seconds that the rest of a budget lasts at a burn rate: infinite when burn <= 0, 0 when nothing remains.

    Examples
    --------
    >>> from serinus import slo
    >>> slo.time_to_exhaustion(slo.Objective(target="99.9%", period="30d"), remaining=0.5, burn=15) / 3600
    24.0
    """
    return _core._time_to_exhaustion(objective, remaining, burn)


def time_slices(
    burn: BurnRate,
    start: float | datetime | str,
    end: float | datetime | str,
    slice: str | timedelta | float,
    allowed_ratio: float,
) -> TimeSlices:
    """Counts the slices from `start` to `end`; one is bad when its ratio exceeds `allowed_ratio`.

    `slice` must be a window of `burn`. Slices without traffic or data do not count, and are told.

    Examples
    --------
    >>> from serinus import slo
    >>> burn = slo.BurnRate(0.01, ["1m"])
    >>> _ = burn.add_series("total", [0, 60, 120], [0, 100, 200])
    >>> _ = burn.add_series("bad", [0, 60, 120], [0, 50, 50])
    >>> slo.time_slices(burn, 0, 120, "1m", allowed_ratio=0.05).timeslices
    0.5
    """
    found = _core._time_slices(
        burn, _inputs.milliseconds("start", start), _inputs.milliseconds("end", end), slice, allowed_ratio
    )
    return TimeSlices(**found)
