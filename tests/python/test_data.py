"""What `judge` and `observe` take: every form of the same samples gives the same decision."""

from __future__ import annotations

import datetime as dt
import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import serinus
from serinus import _inputs

from conftest import START, make_table


def iso(table: dict[str, Any]) -> list[str]:
    return [dt.datetime.fromtimestamp(int(t), dt.timezone.utc).isoformat() for t in table["timestamp"]]


def as_csv(table: dict[str, Any]) -> str:
    return pd.DataFrame(table).to_csv(index=False)


def as_prometheus(table: dict[str, Any]) -> dict[str, Any]:
    frame = pd.DataFrame(table)
    label = {"baseline": "stable", "canary": "canary"}
    document: dict[str, Any] = {}
    for (series, arm, instance), rows in frame.groupby(["series", "arm", "instance"]):
        answer = document.setdefault(series, {"status": "success", "data": {"resultType": "matrix", "result": []}})
        answer["data"]["result"].append(
            {
                "metric": {"track": label[arm], "instance": instance},
                "values": [[int(t), str(v)] for t, v in zip(rows["timestamp"], rows["value"])],
            }
        )
    return document


FORMS = {
    "dict of arrays": lambda t: t,
    "dict of lists": lambda t: {k: v.tolist() for k, v in t.items()},
    "dict of object arrays": lambda t: {k: v.astype(object) for k, v in t.items()},
    "mapping": lambda t: types.MappingProxyType(t),
    "milliseconds": lambda t: {**t, "timestamp": t["timestamp"] * 1000},
    "float seconds": lambda t: {**t, "timestamp": t["timestamp"].astype(float)},
    "float32 values": lambda t: {**t, "value": t["value"].astype(np.float32)},
    "int values": lambda t: {**t, "value": t["value"].astype(np.int64)},
    "texts": lambda t: {**t, "timestamp": iso(t), "value": [repr(v) for v in t["value"].tolist()]},
    "upper-case names": lambda t: {k.upper(): v for k, v in t.items()},
    "time": lambda t: {("time" if k == "timestamp" else k): v for k, v in t.items()},
    "datetime64": lambda t: {**t, "timestamp": t["timestamp"].astype("datetime64[s]")},
    "datetime64[ns]": lambda t: {**t, "timestamp": t["timestamp"].astype("datetime64[s]").astype("datetime64[ns]")},
    "datetimes": lambda t: {**t, "timestamp": [dt.datetime.fromisoformat(x) for x in iso(t)]},
    "naive datetimes": lambda t: {
        **t,
        "timestamp": [dt.datetime.fromisoformat(x).replace(tzinfo=None) for x in iso(t)],
    },
    "strided": lambda t: {k: np.repeat(v, 2)[::2] for k, v in t.items()},
    "structured array": lambda t: np.rec.fromarrays(list(t.values()), names=list(t)),
    "csv text": as_csv,
    "csv bytes": lambda t: as_csv(t).encode(),
    "prometheus dict": as_prometheus,
    "prometheus text": lambda t: json.dumps(as_prometheus(t)),
    "frame": lambda t: pd.DataFrame(t),
    "frame of objects": lambda t: pd.DataFrame(t).astype({"series": object, "arm": object, "instance": object}),
    "frame of categories": lambda t: pd.DataFrame(t).astype(
        {"series": "category", "arm": "category", "instance": "category"}
    ),
    "frame with datetimes": lambda t: pd.DataFrame({**t, "timestamp": pd.to_datetime(t["timestamp"], unit="s")}),
    "frame in Tokyo": lambda t: pd.DataFrame(
        {**t, "timestamp": pd.to_datetime(t["timestamp"], unit="s", utc=True).tz_convert("Asia/Tokyo")}
    ),
    "frame with time index": lambda t: pd.DataFrame(
        {**t, "timestamp": pd.to_datetime(t["timestamp"], unit="s")}
    ).set_index("timestamp"),
    "frame of nullable": lambda t: pd.DataFrame(t).astype({"value": "Float64", "timestamp": "Int64"}),
    "sliced frame": lambda t: pd.concat([pd.DataFrame(t), pd.DataFrame(t)]).iloc[: len(t["value"])],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_data(form: str, plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    plan = serinus.Plan(plan_dict)
    expected = serinus.judge(plan, bad_table)
    assert expected.decision == "rollback"
    assert expected.telemetry.used == 180
    assert serinus.judge(plan, FORMS[form](bad_table)).to_json() == expected.to_json()


def test_paths(plan_dict: dict[str, Any], bad_table: dict[str, Any], tmp_path: Path) -> None:
    expected = serinus.judge(plan_dict, bad_table).to_json()
    csv, answers, plan = tmp_path / "data.csv", tmp_path / "data.json", tmp_path / "plan.json"
    csv.write_text(as_csv(bad_table))
    answers.write_text(json.dumps(as_prometheus(bad_table)))
    plan.write_text(json.dumps(plan_dict))
    for data in (csv, str(csv), answers, str(answers)):
        assert serinus.judge(plan, data).to_json() == expected
    assert serinus.judge(str(plan), csv).to_json() == expected
    assert serinus.judge(plan.read_text(), csv).to_json() == expected
    with pytest.raises(FileNotFoundError):
        serinus.judge(plan, tmp_path / "nothing.csv")
    csv.write_bytes(b"timestamp,series\n\xff")
    with pytest.raises(serinus.Error, match="0xff at 17"):
        serinus.judge(plan, csv)


def test_batch_is_what_the_csv_reader_makes(plan_dict: dict[str, Any]) -> None:
    """Times, values, buckets, instances and stages land where the CSV reader puts them, in the same order."""
    plan = serinus.Plan(plan_dict)
    table = {
        "timestamp": [-1, 0, 1.5, "2026-11-22T21:21:29.25Z", 1_795_382_490],
        "series": ["a", "b", "a", "h", "h"],
        "arm": ["baseline", "canary", "baseline", "canary", "canary"],
        "value": [1.5, None, float("nan"), float("inf"), -2e-300],
        "instance": ["x", None, "x", "y", "y"],
        "le": [None, None, None, 0.5, "+Inf"],
        "stage": [None, None, None, 1, 2],
    }
    csv = (
        "timestamp,series,arm,value,instance,le,stage\n-1,a,baseline,1.5,x,,\n0,b,canary,,,,\n1.5,a,baseline,NaN,x,,\n"
        "2026-11-22T21:21:29.25Z,h,canary,Inf,y,0.5,1\n1795382490,h,canary,-2e-300,y,+Inf,2\n"
    )
    ours = _inputs.batch(table, plan)
    assert ours.to_csv() == _inputs.batch(csv, plan).to_csv()
    assert len(ours) == 4
    frame = pd.DataFrame(table)
    assert _inputs.batch(frame, plan).to_csv() == ours.to_csv()
    assert _inputs.batch(ours, plan) is ours
    assert repr(ours) == "Batch(4 series, 5 samples)"


def test_equal_buckets_are_one(plan_dict: dict[str, Any]) -> None:
    table = {
        "timestamp": [0, 10, 20],
        "series": ["h"] * 3,
        "arm": ["canary"] * 3,
        "value": [1, 2, 3],
        "le": ["1", "1.0", 1],
        "instance": [7, "7", 7],
    }
    assert len(_inputs.batch(table, serinus.Plan(plan_dict))) == 1


def test_many_combinations(plan_dict: dict[str, Any]) -> None:
    """So many different instances and buckets that the combinations do not fit a dense table."""
    n = 3000
    table = {
        "timestamp": np.arange(n),
        "series": ["a", "b", "c"] * (n // 3),
        "arm": ["baseline", "canary"] * (n // 2),
        "value": np.arange(n),
        "instance": [f"i{i}" for i in range(n)],
        "le": np.arange(n) / 4,
    }
    plan = serinus.Plan(plan_dict)
    assert len(_inputs.batch(table, plan)) == n
    assert _inputs.batch(table, plan).to_csv() == _inputs.batch(as_csv(table), plan).to_csv()


def test_stages_from_a_column(plan_dict: dict[str, Any]) -> None:
    plan_dict["stages"][0]["max"] = plan_dict["stages"][1]["max"] = "10h"
    table = make_table(intervals=360)
    table["stage"] = np.where(table["timestamp"] < START + 1800, 1, 2)
    decision = serinus.judge(plan_dict, table)
    assert decision.stage == 2
    assert decision.traffic == 0.5
    assert serinus.judge(plan_dict, as_csv(table)).to_json() == decision.to_json()
    table["stage"] = table["stage"].astype(float)
    table["stage"][5] = np.nan
    assert serinus.judge(plan_dict, table).stage == 2
    table["stage"] = 1 + np.arange(len(table["stage"])) % 2
    with pytest.raises(serinus.Error, match="stage 1 is still there") as error:
        serinus.judge(plan_dict, table)
    assert error.value.code == "serinus.data.order"


def changed(column: str, value: Any) -> Any:
    def change(table: dict[str, Any]) -> dict[str, Any]:
        values = table[column].astype(object)
        values[7] = value
        return {**table, column: values}

    return change


WRONG: dict[str, tuple[Any, str, str]] = {
    "no arm": (lambda t: {k: v for k, v in t.items() if k != "arm"}, "serinus.data.arm", 'alone in "http_errors"'),
    "column twice": (lambda t: {**t, "time": t["timestamp"]}, "serinus.data.column", 'are both "timestamp"'),
    "frame with a column twice": (
        lambda t: pd.concat([pd.DataFrame(t), pd.DataFrame({"arm": t["arm"]})], axis=1),
        "serinus.data.column",
        "'arm' is there twice",
    ),
    "other arms": (
        lambda t: {**t, "arm": np.full(len(t["arm"]), "control")},
        "serinus.data.arm",
        'row 0, column arm is "control"; allowed: "stable" or "baseline", and "canary"',
    ),
    "no arms": (lambda t: {**t, "arm": [None] * len(t["arm"])}, "serinus.data.arm", 'column arm is ""'),
    "no series in a row": (changed("series", None), "serinus.data.value", "series has the value None"),
    "empty series": (changed("series", ""), "serinus.data.value", "series has the value ''"),
    "text as value": (changed("value", "many"), "serinus.data.value", "value is 'many' in row 7"),
    "complex values": (lambda t: {**t, "value": t["value"] * 1j}, "serinus.data.value", "complex128"),
    "text as time": (changed("timestamp", "yesterday"), "serinus.data.timestamp", '"yesterday"'),
    "no time": (changed("timestamp", None), "serinus.data.timestamp", "timestamp is None"),
    "NaN as time": (
        lambda t: {**t, "timestamp": np.where(t["value"] > 0, np.nan, 0)},
        "serinus.data.timestamp",
        "nan",
    ),
    "far future": (lambda t: {**t, "timestamp": t["timestamp"] * 1e20}, "serinus.data.timestamp", "timestamp is 1"),
    "NaT": (
        lambda t: {**t, "timestamp": np.full(len(t["arm"]), np.datetime64("NaT", "s"))},
        "serinus.data.timestamp",
        "NaT in row 0",
    ),
    "text as bucket": (lambda t: {**t, "le": ["low"] * len(t["arm"])}, "serinus.data.value", "le has the value 'low'"),
    "fraction as stage": (lambda t: {**t, "stage": [0.5] * len(t["arm"])}, "serinus.data.value", "stage has the value"),
    "stage zero": (lambda t: {**t, "stage": [0] * len(t["arm"])}, "serinus.data.value", "stage has the value 0"),
    "negative stage": (lambda t: {**t, "stage": [-1] * len(t["arm"])}, "serinus.data.value", "stage has the value -1"),
    "short column": (lambda t: {**t, "arm": t["arm"][:-1]}, "serinus.argument.length", "column arm has"),
    "short values": (lambda t: {**t, "value": t["value"][:-1]}, "serinus.argument.length", "column value has"),
    "scalar column": (lambda t: {**t, "arm": "canary"}, "serinus.data.value", r"column arm has shape \(\)"),
    "list of lists": (lambda t: {**t, "arm": [["canary"]] * len(t["arm"])}, "serinus.data.value", "arm has lists"),
    "2-D column": (lambda t: {**t, "value": t["value"].reshape(2, -1)}, "serinus.data.value", "has shape"),
    "no rows": (lambda t: {k: v[:0] for k, v in t.items()}, "serinus.data.empty", "no row"),
    "a number": (lambda t: 5, "serinus.argument.type", "data is 5"),
    "a list": (lambda t: [1, 2], "serinus.argument.type", r"data is \[1, 2\]"),
    "plain array": (lambda t: np.zeros((3, 4)), "serinus.argument.type", "data is "),
    "single answer": (lambda t: as_prometheus(t)["http_errors"], "serinus.data.document", "a single answer"),
    "NaN in answers": (
        lambda t: {"http_errors": {"status": "success", "data": float("nan")}},
        "serinus.data.document",
        "cannot be written as JSON",
    ),
    "failed query": (
        lambda t: {"http_errors": {"status": "error", "errorType": "timeout", "error": "too slow"}},
        "serinus.data.query",
        "too slow",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_data(case: str, plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    change, code, says = WRONG[case]
    with pytest.raises(serinus.Error, match=says) as error:
        serinus.judge(plan_dict, change(bad_table))
    assert error.value.code == code
    assert str(error.value).startswith(code + ": ")


def test_missing_values_are_no_samples(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    dropped = good_table["timestamp"] == START + 500
    with_nan = {**good_table, "value": np.where(dropped, np.nan, good_table["value"])}
    without = {name: column[~dropped] for name, column in good_table.items()}
    ours, theirs = serinus.judge(plan_dict, with_nan), serinus.judge(plan_dict, without)
    assert ours.metrics["errors"].observed == theirs.metrics["errors"].observed
    assert ours.telemetry.used == theirs.telemetry.used == 179
    masked = {**good_table, "value": np.ma.masked_array(good_table["value"], mask=dropped)}
    assert serinus.judge(plan_dict, masked).to_json() == ours.to_json()
    objects = {**good_table, "value": [None if d else v for d, v in zip(dropped, good_table["value"])]}
    assert serinus.judge(plan_dict, objects).to_json() == ours.to_json()
    nullable = pd.DataFrame(objects).astype({"value": "Float64"})
    assert serinus.judge(plan_dict, nullable).to_json() == ours.to_json()


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_no_table_library_is_imported(library: str) -> None:
    import subprocess
    import sys

    code = f"""
import sys, serinus
plan = {{"name": "p", "interval": "10s", "stages": [{{"traffic": 0.1, "min": "1m"}}], "metrics": [
    {{"name": "e", "kind": "proportion", "bad": "b", "total": "t", "margin": {{"ratio": 2}}}}]}}
serinus.judge(plan, {{"timestamp": [0], "series": ["t"], "arm": ["canary"], "value": [1]}})
sys.exit({library!r} in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Columns:
    """A table of another library: names, and columns that become numpy arrays."""

    def __init__(self, table: dict[str, Any]) -> None:
        self.columns = list(table)
        self._table = table

    def __getitem__(self, name: str) -> Any:
        column = self._table[name]
        return types.SimpleNamespace(to_numpy=lambda: np.asarray(column), dtype=None)


def test_a_table_of_another_library(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    assert serinus.judge(plan_dict, Columns(bad_table)).to_json() == serinus.judge(plan_dict, bad_table).to_json()
