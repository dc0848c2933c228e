"""Arrays of counts, checked once for all tests that take them; and the dispersion that history teaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs

if TYPE_CHECKING:
    from collections.abc import Mapping
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
                f"{name}[{row}] is {exposure[row]:g} with {events[row]} events; "
                "allowed: 0 to 1e300, above 0 where there are events",
            )
    return columns


def whole(name: str, given: ArrayLike) -> NDArray[np.int64]:
    """An array of whole numbers from 0 to 2^53, or a single one."""
    floats = _plain(name, given)
    with np.errstate(invalid="ignore"):
        good = (floats == np.floor(floats)) & (floats >= 0) & (floats <= 2.0**53)
    if not np.all(good):
        row = int(np.argmin(good))
        _core.fail(
            "serinus.argument.count",
            f"{name}[{row}] is {np.atleast_1d(floats)[row]:g}; allowed: whole numbers from 0 to 2^53",
        )
    return floats.astype(np.int64)


def _plain(name: str, given: ArrayLike) -> NDArray[Any]:
    raw = np.asarray(given)
    return raw if raw.ndim == 0 and raw.dtype.kind in "iuf" else _inputs.values(name, given)


def _together(names: tuple[str, ...], arrays: list[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    lengths = {len(array) for array in arrays if array.ndim == 1}
    if len(lengths) > 1:
        shown = ", ".join(f"{name} {array.size}" for name, array in zip(names, arrays))
        _core.fail("serinus.argument.length", f"the lengths are {shown}; allowed: one length, or single numbers")
    return tuple(np.ascontiguousarray(array) for array in np.broadcast_arrays(*(np.atleast_1d(a) for a in arrays)))


def dispersion_of(dispersion: float | None, noise: Mapping[str, float] | None) -> float:
    """The dispersion that a test's arguments mean: given as such, or as a plan carries it."""
    if noise is None:
        return 1.0 if dispersion is None else dispersion
    if dispersion is not None or set(noise) - {"dispersion"}:
        _core.fail(
            "serinus.argument.word", f'noise is {noise!r}; allowed: {{"dispersion": number}}, and no dispersion beside it'
        )
    return noise.get("dispersion", 1.0)


def count_dispersion(
    events_b: ArrayLike, exposure_b: ArrayLike, events_c: ArrayLike, exposure_c: ArrayLike
) -> float:
    """How much more variable than independent events are counts, by how they divide between two arms of one version?

    For the `dispersion` of ProportionTest, RateTest, ThresholdTest and SampleRatioTest. `serinus.calibrate` does this
    for the proportions of a whole plan.

    Parameters
    ----------
    events_b, exposure_b, events_c, exposure_c : array_like
        History, both arms at the same times and running one version, in time order, at about the stage's split; best
        1,000 intervals or more. Exposures are requests, hours, or (for SampleRatioTest) the shares told.

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
    return _core.count_dispersion(*rates(events_b, exposure_b, events_c, exposure_c))
