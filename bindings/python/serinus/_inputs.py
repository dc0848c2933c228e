"""What people hand over, made into what the compiled part takes: arrays, times, plans and tables of samples."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from . import _core
from ._errors import Error

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = 253_402_300_799_999  # the last millisecond of the year 9999
_NEEDED = ("timestamp", "series", "arm", "value")
_OPTIONAL = ("instance", "le", "stage")
_COLUMNS = "timestamp (or time), series, arm, value, and if you like instance, le, stage; one sample a row"


def _fail(code: str, sentence: str) -> NoReturn:
    _core.fail("serinus." + code, sentence)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"a {type(value).__name__}"


# ---- arrays


def values(name: str, given: Any) -> NDArray[np.float64]:
    """One-dimensional contiguous float64 of anything array-like; None and missing values become NaN."""
    allowed = "; allowed: a one-dimensional array of numbers"
    if given is None or isinstance(given, (str, bytes, Mapping)):
        _fail("argument.type", f"{name} is {_shown(given)}{allowed}")
    array = _numpy(name, given, allowed)
    if array.ndim != 1:
        _fail("argument.type", f"{name} has shape {array.shape}{allowed}")
    if array.dtype.kind not in "biufO":
        _fail("argument.type", f"{name} has dtype {array.dtype}{allowed}")
    if array.dtype.kind == "O":
        array = _objects_to_floats(array, lambda i, x: f"{name}[{i}] is {_shown(x)}{allowed}", "argument.type", False)
    return np.ascontiguousarray(array, dtype=np.float64)


def _numpy(name: str, given: Any, allowed: str) -> NDArray[Any]:
    try:
        return _filled(given) if isinstance(given, np.ma.MaskedArray) else np.asarray(given)
    except (ValueError, TypeError):  # ragged lists, things that refuse to be arrays
        _fail("argument.type", f"{name} is {_shown(given)}{allowed}")


def _filled(masked: Any) -> NDArray[np.float64]:
    """A masked array's values, NaN where it is masked."""
    return np.asarray(masked.astype(np.float64).filled(np.nan))


def _is_missing(x: Any) -> bool:
    """None, NaN, NaT, and pandas' NA (whose comparisons have no truth value)."""
    return x is None or type(x).__name__ in ("NAType", "NaTType") or (isinstance(x, float) and x != x)


def _objects_to_floats(array: NDArray[Any], sentence: Any, code: str, texts: bool) -> NDArray[np.float64]:
    """float64 of Python objects, missing ones as NaN; texts are numbers only where `texts` says so."""
    out = np.empty(len(array), dtype=np.float64)
    for i, x in enumerate(array.tolist()):
        if _is_missing(x) or (texts and x == ""):
            out[i] = np.nan
            continue
        if isinstance(x, (str, bytes)) and not (texts and isinstance(x, str)):
            _fail(code, sentence(i, x))
        try:
            out[i] = float(x)
        except (TypeError, ValueError, OverflowError):
            _fail(code, sentence(i, x))
    return out


# ---- times


def milliseconds(name: str, given: Any) -> int:
    """Unix milliseconds of a number (seconds below 1e11, else milliseconds), a datetime (naive: UTC) or a text."""
    if isinstance(given, str):
        return _core.parse_time(given, name)
    if isinstance(given, datetime):
        if _is_missing(given):
            _fail("data.timestamp", f"{name} is NaT; allowed: a time")
        aware = given if given.tzinfo is not None else given.replace(tzinfo=timezone.utc)
        return (aware - _EPOCH) // timedelta(milliseconds=1)
    if isinstance(given, np.datetime64):
        return int(_datetimes(name, np.asarray([given]))[0])
    if isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool):
        return _core.time_from_number(float(given), name)
    _fail(
        "data.timestamp",
        f"{name} is {_shown(given)}; allowed: a datetime, a text in RFC 3339, or Unix time in seconds, ms, us or ns",
    )


def times(name: str, given: Any, numbers: Callable[[str, Any], NDArray[np.int64]]) -> NDArray[np.int64]:
    """Unix milliseconds of datetimes or texts, each as `milliseconds` reads it; numbers are read by `numbers`."""
    if isinstance(given, np.ndarray) and given.dtype.kind in "biuf":
        return numbers(name, given)
    if given is None or isinstance(given, (str, bytes, Mapping)):
        _fail("argument.type", f"{name} is {_shown(given)}; allowed: a one-dimensional array of times")
    if getattr(getattr(given, "dtype", None), "tz", None) is not None and hasattr(given, "to_numpy"):
        return _datetimes(name, given.to_numpy(dtype="datetime64[ns]"))  # pandas: as UTC
    array = _numpy(name, given, "; allowed: a one-dimensional array of times")
    if array.ndim == 1 and array.dtype.kind == "M":
        return _datetimes(name, array)
    written = (str, datetime, np.datetime64)
    if array.ndim == 1 and array.dtype.kind in "OU" and any(isinstance(x, written) for x in given):
        return np.array([_moment(f"{name}[{i}]", x) for i, x in enumerate(given)], dtype=np.int64)
    return numbers(name, given)


def _moment(name: str, x: Any) -> int:
    if isinstance(x, (int, float, np.integer, np.floating)):
        _fail("data.timestamp", f"{name} is {_shown(x)} beside datetimes or texts; allowed: numbers alone, or none")
    return milliseconds(name, x)


def times_from_numbers(name: str, given: Any) -> NDArray[np.int64]:
    """Unix milliseconds of an array of numbers, each by the rule of `milliseconds`."""
    if isinstance(given, np.ndarray) and given.dtype == np.int64 and given.ndim == 1 and given.size:
        if given.min() >= 10**11 and given.max() <= _LATEST:  # milliseconds as they are
            return np.ascontiguousarray(given)
    array = values(name, given)
    try:
        return _core.times_from_numbers(array, name)
    except Error:
        for i, x in enumerate(array.tolist()):
            _core.time_from_number(x, f"{name}[{i}]")  # says which
        raise


def moment(ms: int) -> datetime:
    """A datetime in UTC of Unix milliseconds."""
    return _EPOCH + timedelta(milliseconds=ms)


def _datetimes(name: str, array: NDArray[Any]) -> NDArray[np.int64]:
    missing = np.isnat(array)
    if missing.any():
        _fail("data.timestamp", f"{name} is NaT in row {int(missing.argmax())}; allowed: a time in every row")
    # A finer unit is cut off toward the past, as in a text; the year 294246 is out of range either way.
    return array.astype("datetime64[ms]").astype(np.int64)


def _times(column: Any) -> NDArray[np.int64]:
    zone = getattr(getattr(column, "dtype", None), "tz", None)
    if zone is not None and hasattr(column, "to_numpy"):
        array = column.to_numpy(dtype="datetime64[ns]")  # pandas: as UTC
    else:
        array = _column_array("timestamp", column)
    if array.dtype.kind == "M":
        return _datetimes("timestamp", array)
    if array.dtype.kind in "iuf":
        return _core.times_from_numbers(np.ascontiguousarray(array, dtype=np.float64), "timestamp")
    # Texts and datetimes: the same moments come back in every series, so each is read once.
    codes, different = _core.factorize(array.tolist())
    return np.array([milliseconds("timestamp", x) for x in different], dtype=np.int64)[codes]


# ---- plans


def plan_json(given: Any) -> str:
    """The JSON text of a plan that is a path, a JSON text or a dict."""
    if isinstance(given, Mapping):
        return _as_json("the plan", given, "plan.json")
    if isinstance(given, (bytes, bytearray)):
        return _decoded("the plan", bytes(given))
    if isinstance(given, str):
        return given if given.lstrip("\ufeff \t\r\n").startswith(("{", "[")) else _read("the plan", given)
    if isinstance(given, os.PathLike):
        return _read("the plan", given)
    _fail("argument.type", f"plan is {_shown(given)}; allowed: a Plan, a path, a JSON text or a dict")


def _as_json(what: str, document: Mapping[Any, Any], code: str) -> str:
    try:
        return json.dumps(document, allow_nan=False, default=_plain)
    except (TypeError, ValueError) as error:
        _fail(code, f"{what} cannot be written as JSON: {error}; allowed: texts, finite numbers, lists and dicts of them")


def _plain(value: Any) -> Any:
    """numpy's numbers and mappings that are no dict, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{_shown(value)} has no form in JSON")


def _read(what: str, path: str | os.PathLike[Any]) -> str:
    with open(path, "rb") as file:
        return _decoded(f"{what} in {os.fspath(path)!r}", file.read())


def _decoded(what: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        _fail("data.document", f"{what} has the byte {content[error.start]:#04x} at {error.start}; allowed: UTF-8")


# ---- samples


def batch(data: Any, plan: _core.Plan | None) -> _core.Batch:
    """The samples of a path, a text (CSV or Prometheus answers), a dict of answers, or a table in long form.

    Without a plan they are those of a service: Prometheus answers need no label that tells arms apart.
    """

    def read(text: str) -> _core.Batch:
        return _core.service_batch_from_text(text) if plan is None else _core.batch_from_text(text, plan)

    if isinstance(data, _core.Batch):
        return data
    if data is None:
        return _core.Batch()
    if isinstance(data, (bytes, bytearray)):
        return read(_decoded("the data", bytes(data)))
    if isinstance(data, str):
        is_text = "\n" in data or data.lstrip("\ufeff \t\r").startswith(("{", "["))
        return read(data if is_text else _read("the data", data))
    if isinstance(data, os.PathLike):
        return read(_read("the data", data))
    if isinstance(data, Mapping) and all(isinstance(answer, Mapping) for answer in data.values()):
        if not data:
            return _core.Batch()
        return read(_as_json("the document of Prometheus answers", data, "data.document"))
    return _from_columns(_columns(data))


def _columns(data: Any) -> dict[str, Any]:
    """The columns of a table by their lower-case names: a mapping, pandas, polars, Arrow, or a structured array."""
    if not isinstance(data, Mapping):
        if "timestamp" in (getattr(getattr(data, "index", None), "names", None) or ()):
            data = data.reset_index()  # pandas: the timestamp is the index
        elif not hasattr(data, "columns") and hasattr(data, "__arrow_c_stream__"):
            data = import_module("pyarrow").table(data)
    if isinstance(data, Mapping):
        names = list(data)
    elif hasattr(data, "column_names"):
        names = list(data.column_names)
    elif hasattr(data, "columns") and hasattr(data, "__getitem__"):
        names = list(data.columns)
    elif isinstance(data, np.ndarray) and data.dtype.names:
        names = list(data.dtype.names)
    else:
        _fail(
            "argument.type",
            f"data is {_shown(data)}; allowed: a path, CSV text, Prometheus answers, or a table with the columns {_COLUMNS}",
        )
    found: dict[str, Any] = {}
    for name in names:
        known = name.lower() if isinstance(name, str) else name
        known = "timestamp" if known == "time" else known
        if known not in _NEEDED and known not in _OPTIONAL:
            _fail("data.column", f"column {_shown(name)} is unknown; allowed: {_COLUMNS}")
        if known in found:
            _fail("data.column", f"column {_shown(known)} is there twice; allowed: once")
        found[known] = name
    for name in _NEEDED:
        if name not in found:
            _fail("data.column", f"column {_shown(name)} is missing; allowed: {_COLUMNS}")
    return {known: data[name] for known, name in found.items()}


def _column_array(name: str, column: Any) -> NDArray[Any]:
    if isinstance(column, np.ndarray):
        array = column
    else:
        try:
            array = column.to_numpy() if hasattr(column, "to_numpy") else np.asarray(column)
        except (ValueError, TypeError):
            _fail("data.value", f"column {name} is {_shown(column)}; allowed: one value a row")
    if array.ndim != 1:
        _fail("data.value", f"column {name} has shape {array.shape}; allowed: one value a row")
    return array


def _coded(name: str, column: Any, meaning: Any) -> tuple[NDArray[np.int32], list[Any]]:
    """A code for each row, and what `meaning` makes of each different value; equal meanings share a code."""
    if hasattr(column, "factorize"):  # pandas knows the codes of categories, and finds others fastest
        raw, found = column.factorize()
        codes, different = raw.astype(np.int32), list(found)
        if codes.size and codes.min() < 0:
            codes[codes < 0] = len(different)
            different.append(None)
    else:
        rows = column if isinstance(column, (list, tuple)) else _column_array(name, column).tolist()
        try:
            codes, different = _core.factorize(rows)
        except TypeError:  # what has no hash is neither a text nor a number
            _fail("data.value", f"column {name} has lists or dicts in it; allowed: one value a row")
    meanings: dict[Any, int] = {}
    renamed = np.array([meanings.setdefault(meaning(x), len(meanings)) for x in different], dtype=np.int32)
    if len(meanings) < len(different):
        codes = renamed[codes]
    return codes, list(meanings)


def _series(x: Any) -> str:
    if _is_missing(x) or not isinstance(x, str) or x == "":
        _fail("data.value", f"column series has the value {_shown(x)}; allowed: the plan's name of a series")
    return str(x)


def _arm(x: Any) -> str:
    if not isinstance(x, str):
        _fail("data.arm", f"column arm has the value {_shown(x)}; allowed: baseline, canary")
    return str(x)


def _instance(x: Any) -> str:
    return "" if _is_missing(x) else str(x)


_NO_BUCKET = "none"


def _bound(x: Any) -> float | str:
    if _is_missing(x) or x == "":
        return _NO_BUCKET  # a NaN would not equal itself
    try:
        bound = float(x)
    except (TypeError, ValueError):
        bound = np.nan
    if bound != bound:
        _fail("data.value", f"column le has the value {_shown(x)}; allowed: a number, +Inf, or nothing where it is no bucket")
    return bound


def _stage(x: Any) -> int:
    if _is_missing(x) or x == "":
        return -1
    try:
        stage = int(x)
        whole = stage >= 1 and (isinstance(x, str) or stage == x) and not isinstance(x, (bool, np.bool_))
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or stage > 2**31 - 1:
        _fail("data.value", f"column stage has the value {_shown(x)}; allowed: a whole number from 1 (the first stage), or nothing")
    return stage


def _sample_values(column: Any) -> NDArray[np.float64]:
    if hasattr(column, "to_numpy") and type(getattr(column, "dtype", None)).__name__.startswith(("Float", "Int", "UInt")):
        array = column.to_numpy(dtype=np.float64, na_value=np.nan) if hasattr(column, "factorize") else column.to_numpy()
    else:
        array = _filled(column) if isinstance(column, np.ma.MaskedArray) else _column_array("value", column)
    if array.ndim == 1 and array.dtype.kind in "OU":
        allowed = "allowed: a number, or nothing where the value is missing"
        array = _objects_to_floats(
            array, lambda i, x: f"column value is {_shown(x)} in row {i}; {allowed}", "data.value", True
        )
    if array.dtype.kind not in "iuf":
        _fail("data.value", f"column value has dtype {array.dtype}; allowed: numbers")
    return np.ascontiguousarray(array, dtype=np.float64)


def _from_columns(columns: dict[str, Any]) -> _core.Batch:
    times = _times(columns["timestamp"])
    if len(times) == 0:
        _fail("data.empty", "the table has no row; allowed: at least one row (None when there is nothing new)")
    series, names = _coded("series", columns["series"], _series)
    arm, arms = _coded("arm", columns["arm"], _arm)
    instance, instances = _optional(columns, "instance", _instance, "")
    le, bounds = _optional(columns, "le", _bound, _NO_BUCKET)
    stage, stages = _optional(columns, "stage", _stage, -1)
    return _core.batch_from_columns(
        times,
        _sample_values(columns["value"]),
        series,
        names,
        arm,
        arms,
        instance,
        instances,
        le,
        [np.nan if bound == _NO_BUCKET else bound for bound in bounds],
        stage,
        stages,
    )


def _optional(columns: dict[str, Any], name: str, meaning: Any, absent: Any) -> tuple[NDArray[np.int32] | None, list[Any]]:
    if name not in columns:
        return None, [absent]
    return _coded(name, columns[name], meaning)
