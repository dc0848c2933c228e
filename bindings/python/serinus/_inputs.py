"""What people hand over, made into what the compiled part takes: arrays, times, plans and tables of samples."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn
from warnings import warn

import numpy as np

from . import _core
from ._errors import Error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Codes = tuple[NDArray[np.int32] | None, list[Any]]  # a code a row, none where all rows say the same; what they mean

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST = 253_402_300_799_999  # the last millisecond of the year 9999
_COLUMNS = "timestamp (or time), series, arm, value, or timestamp and one column a series"


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


_FINE = 10**15  # Unix times from here on are in microseconds, from 10**17 on in nanoseconds


def _times(name: str, column: Any, aside: _core.LeftAside) -> NDArray[np.int64]:
    """Unix milliseconds of a table's column of times. `aside` is told what nobody said: zones and units of texts and numbers."""
    zone = getattr(getattr(column, "dtype", None), "tz", None)
    if zone is not None and hasattr(column, "to_numpy"):
        array = column.to_numpy(dtype="datetime64[ns]")  # pandas: as UTC
    else:
        array = _column_array(name, column)
    if array.dtype.kind == "M":
        return _datetimes(name, array)
    if array.dtype.kind in "iuf":
        sizes = np.abs(array.astype(np.float64))
        fine = (sizes >= _FINE) & (sizes < 1e20)
        if fine.any():
            _tell_unit(aside, int(array[fine.argmax()]))
        return _core.times_from_numbers(np.ascontiguousarray(array, dtype=np.float64), name)
    # Texts and datetimes: the same moments come back in every series, so each is read once.
    codes, different = _core.factorize(array.tolist())
    with_zone: list[Any] = []
    without: list[Any] = []
    for x in different:
        if isinstance(x, datetime) or (isinstance(x, str) and x[4:5] == "-"):
            has_zone = x.tzinfo is not None if isinstance(x, datetime) else any(sign in x[10:] for sign in "Zz+-")
            (with_zone if has_zone else without).append(x)
        elif (digits := str(x).lstrip("+-").partition(".")[0]).isdecimal():
            _tell_unit(aside, int(digits))
    if with_zone and without:
        _fail(
            "data.timestamp",
            f"some times of column {name} have a zone and some have none: {with_zone[0]}, {without[0]}; "
            "allowed: a zone in all of them, or in none (which is UTC)",
        )
    if without and isinstance(without[0], str):  # of datetimes everybody knows it
        aside.without_zone = without[0]
    return np.array([milliseconds(name, x) for x in different], dtype=np.int64)[codes]


def _tell_unit(aside: _core.LeftAside, number: int) -> None:
    if abs(number) >= _FINE and not aside.fine:
        aside.fine = str(number)
        aside.fine_unit = "nanoseconds" if abs(number) >= 100 * _FINE else "microseconds"


# ---- plans


def plan_json(given: Any) -> str:
    """The JSON text of a plan that is a path, a JSON text or a dict."""
    if isinstance(given, Mapping):
        return _as_json("the plan", given, "plan.json")
    if isinstance(given, (bytes, bytearray)):
        return _decoded("the plan", bytes(given))
    if isinstance(given, str):
        text = given.lstrip("\ufeff \t\r\n")
        # A plan may begin with a comment; so may a path with two slashes, but it has no lines.
        is_document = text.startswith(("{", "[", "/*")) or (text.startswith("//") and "\n" in text)
        return given if is_document else _read("the plan", given)
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


def told(name: str, given: Any) -> str:
    """The text "label=track,..." of what is told for one call: a text, or a dict of texts."""
    if given is None:
        return ""
    if isinstance(given, str):
        return given
    if not isinstance(given, Mapping) or not all(isinstance(x, str) for pair in given.items() for x in pair):
        _fail("argument.type", f"{name} is {_shown(given)}; allowed: a dict of texts, or a text such as 'baseline=v1,canary=v2'")
    return ",".join('{}="{}"'.format(key, value.replace('"', '""')) for key, value in given.items())


_IGNORED = ("columns_ignored", "histograms_ignored", "rows_ignored", "series_of_neither_arm")


def batch(
    data: Any, plan: _core.Plan | None, arms: Any = None, columns: Any = None, names: tuple[str, ...] = ()
) -> _core.Batch:
    """The samples of a path, a text in any format that is read, a dict as of its JSON, or a table.

    Without a plan they are those of a service, of which these names are asked for: nothing needs to tell arms apart.
    `arms` and `columns` say for this call what tells them apart and what a table's columns are called. What is left aside
    is a warning of who called the function that calls this one.
    """
    if isinstance(data, _core.Batch):
        return data
    options = _core.ReadOptions(plan, [name for name in names if name], told("arms", arms), told("columns", columns))
    found = _samples(data, options)
    for note in _core.batch_notes(found):
        if note.code in _IGNORED:
            warn(note.sentence, stacklevel=3)
    return found


def _samples(data: Any, options: _core.ReadOptions) -> _core.Batch:
    if data is None:
        return _core.Batch()
    if isinstance(data, (bytes, bytearray)):
        return _core.batch_from_text(_text_or_packed("the data", bytes(data)), options)
    if isinstance(data, str):
        is_text = "\n" in data or data.lstrip("\ufeff \t\r").startswith(("{", "["))
        return _core.batch_from_text(data if is_text else _content(data), options)
    if isinstance(data, os.PathLike):
        return _core.batch_from_text(_content(data), options)
    if isinstance(data, Mapping):
        if not data:
            return _core.Batch()
        # No table has dicts for columns: these are answers of Prometheus, or OpenTelemetry's metrics.
        if "resourceMetrics" in data or any(isinstance(value, Mapping) for value in data.values()):
            return _core.batch_from_text(_as_json("the document", data, "data.document"), options)
    return _from_table(data, options)


def _content(path: str | os.PathLike[Any]) -> str | bytes:
    with open(path, "rb") as file:
        return _text_or_packed(f"the data in {os.fspath(path)!r}", file.read())


def _text_or_packed(what: str, content: bytes) -> str | bytes:
    """Text in UTF-8; gzip and UTF-16 are left to the reader, who knows them by their first bytes."""
    if content[:2] in (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff") or content[:4] in (b"PK\x03\x04", b"PAR1", b"\x28\xb5\x2f\xfd"):
        return content
    return _decoded(what, content)


def _table(data: Any) -> tuple[list[str], Callable[[int], Any]]:
    """The names of a table's columns, and how to get one: a mapping, pandas, polars, Arrow, or a structured array."""
    if not isinstance(data, Mapping):
        if hasattr(data, "collect") and type(data).__name__ == "LazyFrame":
            data = data.collect()
        index = getattr(data, "index", None)
        if hasattr(data, "reset_index") and index is not None:
            # pandas: times are often the index, with a name or without one; what has a name is a column like others.
            of_times = type(index).__name__ == "DatetimeIndex"
            levels = ["timestamp" if of_times and name is None else name for name in index.names]
            known = [name for name in levels if name is not None]
            if known and not any(name in data.columns for name in known):
                data = data.rename_axis(index=levels).reset_index()
        elif not hasattr(data, "columns") and hasattr(data, "__arrow_c_stream__"):
            data = import_module("pyarrow").table(data)
    if isinstance(data, Mapping):
        labels = list(data)
    elif hasattr(data, "column_names"):
        labels = list(data.column_names)
    elif hasattr(data, "columns") and hasattr(data, "__getitem__"):
        labels = list(data.columns)
    elif isinstance(data, np.ndarray) and data.dtype.names:
        labels = list(data.dtype.names)
    else:
        _fail(
            "argument.type",
            f"data is {_shown(data)}; allowed: a path, a text, Prometheus answers, or a table with the columns {_COLUMNS}",
        )
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        _fail("data.column", f"column {_shown(twice)} is there twice; allowed: once")
    # Columns of several levels, as a pivot makes them, are named by all of them.
    names = [" ".join(str(part) for part in label if part != "") if isinstance(label, tuple) else str(label) for label in labels]
    return names, lambda place: data[labels[place]]


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


def _word(x: Any) -> str:
    """The text of a cell that names something; "" where it is missing. A whole number is one, however it is kept."""
    return "" if _is_missing(x) else str(int(x)) if isinstance(x, float) and x.is_integer() else str(x)


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


def _sample_values(name: str, column: Any) -> NDArray[np.float64]:
    if hasattr(column, "to_numpy") and type(getattr(column, "dtype", None)).__name__.startswith(("Float", "Int", "UInt")):
        array = column.to_numpy(dtype=np.float64, na_value=np.nan) if hasattr(column, "factorize") else column.to_numpy()
    else:
        array = _filled(column) if isinstance(column, np.ma.MaskedArray) else _column_array(name, column)
    if array.ndim == 1 and array.dtype.kind in "OU":
        allowed = "allowed: a number, or nothing where the value is missing"
        array = _objects_to_floats(
            array, lambda i, x: f"column {name} is {_shown(x)} in row {i}; {allowed}", "data.value", True
        )
    if array.dtype.kind not in "iuf":
        _fail("data.value", f"column {name} has dtype {array.dtype}; allowed: numbers")
    return np.ascontiguousarray(array, dtype=np.float64)


def _from_table(data: Any, options: _core.ReadOptions) -> _core.Batch:
    names, column = _table(data)
    try:
        found = _core.table_columns(names, options)
    except Error:
        # An index of times is that, whatever it is called.
        index: Any = getattr(data, "index", None)
        if type(index).__name__ != "DatetimeIndex" or index.name in data.columns:
            raise
        names[0] = "timestamp"
        found = _core.table_columns(names, options)
    places, aside = found["places"], found["aside"]
    times = _times("timestamp", column(places["timestamp"]), aside)
    rows = len(times)
    if rows == 0:
        _fail("data.empty", "the table has no row; allowed: at least one row (None when there is nothing new)")

    def coded(name: str, meaning: Any, absent: Any) -> _Codes:
        if name not in places:
            return None, [absent]
        codes, meanings = _coded(name, column(places[name]), meaning)
        _as_long(name, codes, rows)
        return codes, meanings

    le, bounds = coded("le", _bound, _NO_BUCKET)
    labels, texts = coded("labels", _word, "")
    sets: list[dict[str, str]] = [_core.read_labels(text) if text else {} for text in texts]
    for place in found["labels"]:
        labels, sets = _with_label(labels, sets, names[place], *_coded(names[place], column(place), _word), rows)
    # What each row says beside its values: a code a row and what the codes mean.
    said: list[_Codes] = [
        coded("arm", _word, ""),
        coded("instance", _word, ""),
        (le, [np.nan if bound == _NO_BUCKET else bound for bound in bounds]),
        coded("stage", _stage, -1),
        (labels, sets),
        _replicas(names, column, found["replicas"], rows),
    ]
    starts = _starts(column(places["start"]), aside) if "start" in places else None
    if starts is not None:
        _as_long("start", starts, rows)

    series: _Codes
    if found["long"]:
        samples = _sample_values("value", column(places["value"]))
        if found["values"]:  # the plan has one series, and no column needs to name it
            series = None, [text for _, text in found["values"]]
        else:
            codes, texts = _coded("series", column(places["series"]), _series)
            series = codes, [_core.series_text(text, "arm" in places, options) for text in texts]
    else:
        parts = [_sample_values(names[place], column(place)) for place, _ in found["values"]]
        for part, (place, _) in zip(parts, found["values"], strict=True):
            _as_long(names[place], part, rows)
        samples = np.concatenate(parts)
        there = ~np.isnan(samples)  # a gap of the join is no sample
        samples = samples[there]
        series = np.repeat(np.arange(len(parts), dtype=np.int32), rows)[there], [text for _, text in found["values"]]

        def each(said_once: Any) -> Any:
            """Of what is said once a row, what stands beside every value that is there."""
            return None if said_once is None else np.ascontiguousarray(np.tile(said_once, len(parts))[there])

        said = [(each(codes), meanings) for codes, meanings in said]
        times, starts = each(times), each(starts)
    return _core.batch_from_columns(times, samples, series, *said, starts, aside, found["long"], options)


def _starts(column: Any, aside: _core.LeftAside) -> NDArray[np.int64]:
    """Since when counters have counted, in Unix milliseconds; 0 where nobody says."""
    array = _column_array("start", column)
    if array.dtype.kind == "M":
        missing = np.isnat(array)
    else:
        missing = np.array([_is_missing(x) or x == "" for x in array.tolist()], dtype=bool)
    starts = np.zeros(len(array), dtype=np.int64)
    if not missing.all():
        starts[~missing] = _times("start", array[~missing], aside)
    return starts


def _as_long(name: str, column: NDArray[Any], rows: int) -> None:
    if len(column) != rows:
        _fail("argument.length", f"column {name} has {len(column)} values; allowed: {rows}, as many as column timestamp")


def _replicas(names: list[str], column: Callable[[int], Any], places: list[int], rows: int) -> _Codes:
    """What tells collectors of one target apart, of one column or several."""
    if not places:
        return None, [""]
    if len(places) == 1:
        return _coded(names[places[0]], column(places[0]), _word)
    codes: NDArray[np.int32] | None = None
    sets: list[dict[str, str]] = [{}]
    for place in places:
        codes, sets = _with_label(codes, sets, names[place], *_coded(names[place], column(place), _word), rows)
    return codes, [",".join(one.values()) for one in sets]


def _with_label(
    codes: NDArray[np.int32] | None,
    sets: list[dict[str, str]],
    name: str,
    more: NDArray[np.int32],
    values: list[str],
    rows: int,
) -> tuple[NDArray[np.int32], list[dict[str, str]]]:
    """Labels with one more: every pair of a set and a value that is there is a set of its own."""
    _as_long(name, more, rows)
    pairs = more.astype(np.int64) + (0 if codes is None else codes.astype(np.int64) * len(values))
    different, joined = np.unique(pairs, return_inverse=True)
    made = []
    for pair in different.tolist():
        value = values[pair % len(values)]
        made.append({**sets[pair // len(values)], **({name: value} if value else {})})
    return joined.reshape(rows).astype(np.int32), made
