"""Arrays of counts, checked once for all tests that take them; and the dispersion that history teaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray


def proportions(*given: ArrayLike) -> tuple[NDArray[np.int64], ...]:
    """Four arrays of whole numbers, of one length, possible everywhere."""
    names = ("bad_b", "total_b", "bad_c", "total_c")
    columns = _together(names, [whole(name, one) for name, one in zip(names, given)])
    for arm, bad, total in (("baseline", columns[0], columns[1]), ("canary", columns[2], columns[3])):
        above = bad > total
        if above.any():
            row = int(np.argmax(above))
            _core.fail(
                "serinus.argument.count", f"{arm} has {bad[row]} bad of {total[row]} in row {row}; allowed: bad <= total"
            )
    return columns


def rates(
    events_b: ArrayLike, exposure_b: ArrayLike, events_c: ArrayLike, exposure_c: ArrayLike
) -> tuple[NDArray[Any], ...]:
    """Events (whole numbers) and exposures of both arms, of one length, possible everywhere."""
    names = ("events_b", "exposure_b", "events_c", "exposure_c")
    given = (
        whole(names[0], events_b),
        _plain(names[1], exposure_b),
        whole(names[2], events_c),
        _plain(names[3], exposure_c),
    )
    columns = _together(names, list(given))
    for events, exposure, name in ((columns[0], columns[1], names[1]), (columns[2], columns[3], names[3])):
        possible = (exposure >= 0) & (exposure <= 1e300) & ((exposure > 0) | (events == 0))
        if not possible.all():
            row = int(np.argmin(possible))
            _core.fail(
                "serinus.argument.range",
                f"{name}[{row}] is {_number(exposure[row])} with {events[row]} events; "
                "allowed: 0 to 1e300, above 0 where there are events",
            )
    return columns


def misfit(kind: type, given: tuple[Any, ...]) -> TypeError:
    """What is wrong with a call of `update` that has another number of arguments than that of a kind of test."""
    if issubclass(kind, _core.PairedTest):
        wanted = "a difference"
    else:
        wanted = "bad_b, total_b, bad_c, total_c"
        if issubclass(kind, _core.RateTest):
            wanted = "events_b, exposure_b, events_c, exposure_c"
    return TypeError(f"update of a {kind.__name__} takes {wanted}; {len(given)} arguments were given")


def columns_of(kind: type, given: tuple[Any, ...]) -> tuple[NDArray[Any], ...]:
    """What `update_many` of a kind of test takes, checked: for what is made of a test."""
    wanted = 1 if issubclass(kind, _core.PairedTest) else 4
    if len(given) != wanted:
        raise TypeError(f"update_many of a {kind.__name__} takes {wanted} columns; {len(given)} were given")
    if issubclass(kind, _core.ProportionTest):
        return proportions(*given)
    return rates(*given) if issubclass(kind, _core.RateTest) else (_inputs.values("differences", given[0]),)


def whole(name: str, given: ArrayLike) -> NDArray[np.int64]:
    """An array of whole numbers from 0 to 2^53, or a single one."""
    floats = _plain(name, given)
    with np.errstate(invalid="ignore"):
        good = (floats == np.floor(floats)) & (floats >= 0) & (floats <= 2.0**53)
    if not np.all(good):
        row = int(np.argmin(good))
        _core.fail(
            "serinus.argument.count",
            f"{name}[{row}] is {_number(np.atleast_1d(floats)[row])}; allowed: whole numbers from 0 to 2^53",
        )
    return floats.astype(np.int64)


def _number(value: Any) -> str:
    """A number as it was given, not rounded to one that would be allowed."""
    return str(int(value)) if np.isfinite(value) and value == int(value) else repr(float(value))


def _plain(name: str, given: ArrayLike) -> NDArray[Any]:
    raw = np.asarray(given)
    return raw if raw.ndim == 0 and raw.dtype.kind in "iuf" else _inputs.values(name, given)


def _together(names: tuple[str, ...], arrays: list[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    lengths = {len(array) for array in arrays if array.ndim == 1}
    if len(lengths) > 1:
        shown = ", ".join(f"{name} {array.size}" for name, array in zip(names, arrays))
        _core.fail("serinus.argument.length", f"the lengths are {shown}; allowed: one length, or single numbers")
    return tuple(np.ascontiguousarray(array) for array in np.broadcast_arrays(*(np.atleast_1d(a) for a in arrays)))


def count_dispersion(
    events_b: ArrayLike,
    exposure_b: ArrayLike,
    events_c: ArrayLike,
    exposure_c: ArrayLike,
    *,
    alpha: float = 0.01,
    intervals: float = 300.0,
) -> float:
    """How much more variable than independent events are counts, by how they divide between two arms of one version?

    For the `dispersion` of ProportionTest, RateTest, ThresholdTest and SampleRatioTest. `serinus.calibrate` does this
    for the proportions of a whole plan.

    Parameters
    ----------
    events_b, exposure_b, events_c, exposure_c : array_like
        History, both arms at the same times and running one version, in time order, at about the stage's split; best
        1,000 intervals or more. Exposures are requests, hours, or (for SampleRatioTest) the shares told. Where all of
        them are whole and no smaller than the events they are taken for requests, of which shares p scatter by
        p (1 - p).
    alpha : float
        The smallest error rate that the test will have. What history shows is raised by what it leaves open, so that a
        test keeps this error rate. With the exposure divided 1:1 and bunches of one size, at .01 by a factor of 1.5
        where it holds ten bunches, 1.19 for twenty and 1.03 for a hundred (at .05 by 1.3, 1.12, 1.02). An uneven split
        leaves more open: at 9:1 and .01, typically 1.4 for a hundred and 1.1 for three hundred.
    intervals : float
        How many intervals the longest rollout has that is judged with it. What arms may drift apart slowly cannot be
        known from a history that is no longer: five times as long is long enough to take most histories for what they
        show; a history of one and a half rollouts is raised by a factor of 3 (alpha .05) or 7 (.01), one as long as the
        rollout by 6 or 21, and a shorter one decides next to nothing.

    Returns
    -------
    float
        At least 1; with fewer than 30 events at least 2.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import count_dispersion
    >>> random = np.random.default_rng(1)
    >>> bunches_b, bunches_c = 4 * random.poisson(2, 2000), 4 * random.poisson(2, 2000)
    >>> 3.5 < count_dispersion(bunches_b, 1.0, bunches_c, 1.0) < 5
    True
    """
    x_b, n_b, x_c, n_c = rates(events_b, exposure_b, events_c, exposure_c)
    return _core.count_dispersion(x_b, n_b, x_c, n_c, alpha, intervals)


def share_dispersion(
    below: ArrayLike, values: ArrayLike, q: float, *, alpha: float = 0.01, intervals: float = 300.0
) -> float:
    """How much more variable than of independent values is the number of an arm's values at or below a point?

    For the `dispersion` of QuantileTest, where values of one interval are alike or successive intervals are.

    Parameters
    ----------
    below, values : array_like
        History of one arm, in time order: how many values each interval had, and how many of them were at or below the
        q-quantile of all of history. Where the arms differ in size, take the larger one.
    q : float
        Which quantile, in (0, 1).
    alpha, intervals : float
        As for `count_dispersion`.

    Returns
    -------
    float
        At least 1.

    Examples
    --------
    >>> import numpy as np
    >>> from serinus.sequential import share_dispersion
    >>> random = np.random.default_rng(1)
    >>> latencies = random.lognormal(3, 0.5, (2000, 20)) * random.lognormal(0, 0.2, (2000, 1))
    >>> p95 = np.quantile(latencies, 0.95)
    >>> 1.5 < share_dispersion((latencies <= p95).sum(axis=1), 20, 0.95) < 3
    True
    """
    k, n = _together(("below", "values"), [whole("below", below), whole("values", values)])
    return _core.share_dispersion(k, n, q, alpha, intervals)
