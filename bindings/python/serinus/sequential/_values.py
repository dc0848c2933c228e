"""Rows of raw values, checked once for all tests that take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import _core, _inputs

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray


def rows(values_b: ArrayLike, values_c: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two arrays with one interval a row; one-dimensional ones have one value an interval."""
    arrays = tuple(_rows(name, given) for name, given in (("values_b", values_b), ("values_c", values_c)))
    if len(arrays[0]) != len(arrays[1]):
        _core.fail(
            "serinus.argument.length",
            f"values_b has {len(arrays[0])} intervals, values_c {len(arrays[1])}; allowed: equally many",
        )
    return arrays[0], arrays[1]


def _rows(name: str, given: Any) -> NDArray[np.float64]:
    try:
        array = np.asarray(given) if isinstance(given, (np.ndarray, list, tuple)) else given
    except ValueError:  # no table
        _uneven(name, given)
        return _inputs.values(name, given)
    if isinstance(array, np.ndarray) and array.ndim == 2:
        if array.dtype.kind not in "biuf":
            _core.fail("serinus.argument.type", f"{name} has dtype {array.dtype}; allowed: numbers, one interval a row")
        return np.ascontiguousarray(array, dtype=np.float64)
    return _inputs.values(name, given)


def _uneven(name: str, given: Any) -> None:
    """Says which of the rows has another length than the first."""
    lengths = [len(row) if isinstance(row, (list, tuple)) else int(np.size(row)) for row in given]
    for row, length in enumerate(lengths):
        if length != lengths[0]:
            _core.fail(
                "serinus.argument.length",
                f"{name}[{row}] has the length {length}, {name}[0] {lengths[0]}; "
                "allowed: rows of one length, NaN where a value is missing",
            )
