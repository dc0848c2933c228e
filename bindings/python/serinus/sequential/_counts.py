"""Arrays of counts, checked once for all tests that take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def proportions(*given: ArrayLike) -> tuple[NDArray[np.int64], ...]:
    """Four arrays of whole numbers, of one length, possible everywhere."""
    names = ("bad_b", "total_b", "bad_c", "total_c")
    arrays = []
    for name, one in zip(names, given):
        raw = np.asarray(one)
        floats = raw if raw.ndim == 0 and raw.dtype.kind in "iuf" else _inputs.values(name, one)
        with np.errstate(invalid="ignore"):
            whole = (floats == np.floor(floats)) & (floats >= 0) & (floats <= 2.0**53)
        if not np.all(whole):
            row = int(np.argmin(whole))
            _core.fail(
                "serinus.argument.count",
                f"{name}[{row}] is {np.atleast_1d(floats)[row]:g}; allowed: whole numbers from 0 to 2^53",
            )
        arrays.append(floats.astype(np.int64))
    lengths = {len(array) for array in arrays if array.ndim == 1}
    if len(lengths) > 1:
        shown = ", ".join(f"{name} {array.size}" for name, array in zip(names, arrays))
        _core.fail("serinus.argument.length", f"the lengths are {shown}; allowed: one length, or single numbers")
    columns = tuple(np.ascontiguousarray(array) for array in np.broadcast_arrays(*(np.atleast_1d(a) for a in arrays)))
    for arm, bad, total in (("baseline", columns[0], columns[1]), ("canary", columns[2], columns[3])):
        above = bad > total
        if above.any():
            row = int(np.argmax(above))
            _core.fail(
                "serinus.argument.count", f"{arm} has {bad[row]} bad of {total[row]} in row {row}; allowed: bad <= total"
            )
    return columns
