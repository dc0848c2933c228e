"""Tables as people have them: of every library that is there, long and wide, with their own words for columns and arms."""

from __future__ import annotations

import datetime as dt
import io
import json
import types
from typing import Any

import numpy as np
import pandas as pd
import pytest
import serinus
from serinus import _inputs, slo

from conftest import START, make_table


def library(name: str) -> Any:
    return pytest.importorskip(name)


def with_times(table: dict[str, Any], zone: str | None = None) -> pd.DataFrame:
    times = pd.to_datetime(table["timestamp"], unit="s", utc=True)
    return pd.DataFrame({**table, "timestamp": times.tz_convert(zone) if zone else times.tz_localize(None)})


def polars_frame(table: dict[str, Any]) -> Any:
    polars = library("polars")
    times = [dt.datetime.fromtimestamp(int(t), dt.timezone.utc) for t in table["timestamp"]]
    frame = polars.DataFrame({**table, "timestamp": times})
    return frame.with_columns(polars.col("arm").cast(polars.Categorical), polars.col("series").cast(polars.Categorical))


def arrow_table(table: dict[str, Any]) -> Any:
    pyarrow = library("pyarrow")
    whole = pyarrow.table({**table, "timestamp": pyarrow.array(table["timestamp"].astype("datetime64[s]"))})
    at = whole.column_names.index("arm")
    return whole.set_column(at, "arm", whole["arm"].dictionary_encode())


def wide(table: dict[str, Any], name: str = "{series} {arm}") -> pd.DataFrame:
    """One column a series and arm; the instances are added up."""
    frame = pd.DataFrame(table)
    frame["column"] = [name.format(series=s, arm=a) for s, a in zip(frame["series"], frame["arm"], strict=True)]
    return frame.pivot_table(index="timestamp", columns="column", values="value", aggfunc="sum").reset_index()


def summed(table: dict[str, Any]) -> dict[str, Any]:
    frame = pd.DataFrame(table).groupby(["timestamp", "series", "arm"], as_index=False)["value"].sum()
    return {name: frame[name].to_numpy() for name in frame.columns}


LONG = {
    "pandas": lambda t: with_times(t),
    "pandas of categories in Tokyo": lambda t: with_times(t, "Asia/Tokyo").astype({"arm": "category", "series": "category"}),
    "pandas with an index of times": lambda t: with_times(t, "UTC").set_index("timestamp"),
    "pandas of Arrow": lambda t: library("pyarrow") and with_times(t).convert_dtypes(dtype_backend="pyarrow"),
    "polars": polars_frame,
    "polars, lazy": lambda t: polars_frame(t).lazy(),
    "polars in Tokyo": lambda t: polars_frame(t).with_columns(
        library("polars").col("timestamp").dt.convert_time_zone("Asia/Tokyo")
    ),
    "polars with nulls": lambda t: polars_frame(t).with_columns(le=library("polars").lit(None, library("polars").Float64)),
    "Arrow": arrow_table,
    "Arrow, a stream": lambda t: types.SimpleNamespace(__arrow_c_stream__=arrow_table(t).__arrow_c_stream__),
    "dict": lambda t: t,
    "structured array": lambda t: np.rec.fromarrays(list(t.values()), names=list(t)),
    "read back by pandas": lambda t: pd.read_csv(io.StringIO(pd.DataFrame(t).to_csv(index=False))),
}


@pytest.mark.parametrize("form", LONG)
def test_long_tables(form: str, plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    plan = serinus.Plan(plan_dict)
    expected = serinus.judge(plan, bad_table)
    assert expected.decision == "rollback"
    table = LONG[form](bad_table)
    assert serinus.judge(plan, table).to_json() == expected.to_json()
    monitor = serinus.Monitor(plan)
    assert monitor.observe(table).decision == "rollback"


def pivoted(table: dict[str, Any]) -> pd.DataFrame:
    """Columns of two levels, times as the index."""
    frame = with_times(table).pivot_table(index="timestamp", columns=["series", "arm"], values="value", aggfunc="sum")
    assert frame.columns.nlevels == 2
    return frame


WIDE = {
    "series and arm": lambda t: wide(t),
    "arm first": lambda t: wide(t, "{arm}_{series}"),
    "label sets": lambda t: wide(t, '{series}{{track="{arm}"}}'),
    "levels": pivoted,
    "times": lambda t: wide(t).assign(timestamp=lambda f: pd.to_datetime(f["timestamp"], unit="s", utc=True)),
    "an index of times without a name": lambda t: wide(t).set_index(
        pd.DatetimeIndex(pd.to_datetime(sorted(set(t["timestamp"])), unit="s"))).drop(columns="timestamp"),
    "an index of times with another name": lambda t: pivoted(t).rename_axis(index="When"),
    "an index of numbers": lambda t: wide(t).set_index("timestamp"),
    "polars": lambda t: library("polars").from_pandas(wide(t)) if library("pyarrow") else None,
    "Arrow": lambda t: library("pyarrow").Table.from_pandas(wide(t)),
    "dict": lambda t: {str(name): column.to_numpy() for name, column in wide(t).items()},
}  # fmt: skip


@pytest.mark.parametrize("form", WIDE)
def test_wide_tables(form: str, plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    expected = serinus.judge(plan_dict, summed(bad_table))
    assert serinus.judge(plan_dict, WIDE[form](bad_table)).to_json() == expected.to_json()


@pytest.mark.parametrize("name", ["when", "When"])
def test_an_index_can_be_told_to_be_the_time(name: str, plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    expected = serinus.judge(plan_dict, summed(bad_table))
    for frame in (wide(bad_table).set_index("timestamp"), pivoted(bad_table)):
        frame = frame.rename_axis(index=name)
        assert serinus.judge(plan_dict, frame, columns={"time": name}).to_json() == expected.to_json()
    kept = with_times(bad_table).set_index("timestamp", drop=False)
    assert serinus.judge(plan_dict, kept).to_json() == serinus.judge(plan_dict, bad_table).to_json()


def test_a_wide_table_whose_rows_say_the_arm(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    frame = pd.DataFrame(bad_table).pivot_table(index=["timestamp", "arm", "instance"], columns="series", values="value")
    expected = serinus.judge(plan_dict, bad_table)
    assert serinus.judge(plan_dict, frame.reset_index()).to_json() == expected.to_json()
    assert serinus.judge(plan_dict, frame).to_json() == expected.to_json()


def test_a_gap_of_a_join_is_no_sample(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    frame = wide(good_table)
    frame.loc[7, "http_errors canary"] = np.nan
    assert serinus.judge(plan_dict, frame).telemetry.used == 179


def test_arms_and_columns_are_told_for_one_call(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    expected = serinus.judge(plan_dict, bad_table).to_json()
    frame = pd.DataFrame(bad_table).rename(columns={"timestamp": "When", "arm": "hash", "value": "How much, in all"})
    frame["hash"] = frame["hash"].map({"baseline": "6d4c9f", "canary": "7f5b2a"})
    arms = {"label": "hash", "baseline": "6d4c9f", "canary": "7f5b2a"}
    columns = {"time": "When", "value": "How much, in all"}
    assert serinus.judge(plan_dict, frame, arms=arms, columns=columns).to_json() == expected
    assert serinus.judge(plan_dict, frame.to_csv(index=False), arms=arms, columns=columns).to_json() == expected
    texts = {"arms": "label=hash,baseline=6d4c9f,canary=7f5b2a", "columns": 'time=When,value="How much, in all"'}
    assert serinus.judge(plan_dict, frame, **texts).to_json() == expected
    monitor = serinus.Monitor(plan_dict)
    assert monitor.observe(frame, arms=arms, columns=columns).decision == "rollback"
    assert serinus.check(plan_dict, frame, arms=arms, columns=columns).series[0].samples == 360
    learned = serinus.calibrate(plan_dict, frame, releases=[frame], arms=arms, columns=columns)
    assert learned.to_json() == serinus.calibrate(plan_dict, bad_table, releases=[bad_table]).to_json()

    with pytest.raises(serinus.Error, match='there is no column "Then"') as error:
        serinus.judge(plan_dict, frame, arms=arms, columns={"time": "Then"})
    assert error.value.code == "serinus.data.column"
    with pytest.raises(serinus.Error, match="lane") as error:
        serinus.judge(plan_dict, frame, columns={"lane": "When"})
    assert error.value.code == "serinus.argument.word"
    with pytest.raises(serinus.Error, match="arms is 5; allowed: a dict of texts") as error:
        serinus.judge(plan_dict, frame, arms=5)
    assert error.value.code == "serinus.argument.type"


def test_labels_are_told_and_counts_are_added_up_over_them(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    once = summed(bad_table)
    frame = pd.concat([pd.DataFrame({**once, "code": code, "value": once["value"] / 2}) for code in (200, 500)])
    expected = serinus.judge(plan_dict, once)
    found = serinus.judge(plan_dict, frame, columns={"labels": "code"})
    assert found.metrics["errors"].observed == expected.metrics["errors"].observed
    frame.iloc[0, frame.columns.get_loc("value")] += 1
    with pytest.raises(serinus.Error, match=r'what may tell the two apart is not read: column code.*labels=code') as error:
        serinus.judge(plan_dict, frame)
    assert error.value.code == "serinus.data.column"
    gap = frame.assign(code=frame["code"].where(frame["code"] == 200))  # a gap makes floats of whole numbers
    for one in (frame, gap):
        written = _inputs.batch(one, serinus.Plan(plan_dict), columns={"labels": "code"}).to_csv()
        assert written.count('"{code=""200""}"') == 2 * 2 * 180


@pytest.mark.parametrize(
    "starts",
    [[None, START - 60, None], [np.nan, START - 60.0, np.nan], ["", "2026-11-22T21:20:20Z", ""], [None] * 3,
     pd.to_datetime([None, START - 60, None], unit="s"), pd.Series(pd.to_datetime([None, START - 60, None], unit="s", utc=True))],
    ids=["objects", "floats", "texts", "nothing", "times", "times with a zone"],
)  # fmt: skip
def test_a_start_may_be_missing(starts: Any, plan_dict: dict[str, Any]) -> None:
    table = {"time": [START, START, START + 10], "series": "http_errors", "arm": ["canary", "baseline", "canary"], "value": 1}
    frame = pd.DataFrame({**table, "start": starts})
    written = [line.rpartition(",")[2] for line in _inputs.batch(frame, serinus.Plan(plan_dict)).to_csv().splitlines()[1:]]
    said = "" if isinstance(starts, list) and starts == [None] * 3 else str((START - 60) * 1000)
    assert sorted(written) == sorted(["", "", said])


def test_what_is_not_read_is_a_warning(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    expected = serinus.judge(plan_dict, bad_table)
    more = {**bad_table, "host": bad_table["instance"], 3: bad_table["value"]}
    with pytest.warns(UserWarning, match="columns that are not read: 3, host") as told:
        found = serinus.judge(plan_dict, more)
    assert told[0].filename == __file__
    assert found.metrics["errors"] == expected.metrics["errors"]
    assert "columns_ignored" in [reason.code for reason in found.reasons]
    with pytest.warns(UserWarning, match='in neither arm: .*column arm is "control"'):
        found = serinus.judge(plan_dict, {k: np.append(v, "control" if k == "arm" else v[-1]) for k, v in bad_table.items()})
    assert "series_of_neither_arm" in [reason.code for reason in found.reasons]
    with pytest.warns(UserWarning, match="columns that are not read: host") as told:
        serinus.Monitor(plan_dict).observe(pd.DataFrame(bad_table).assign(host="a"))
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="columns that are not read"):
        serinus.judge(plan_dict, pd.DataFrame(bad_table).assign(host="a").to_csv(index=False))


def test_a_look_alike_is_a_warning(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    frame = pd.DataFrame(good_table)
    frame["value"] = frame.groupby(["series", "arm", "instance"])["value"].cumsum()
    with pytest.warns(UserWarning, match='errors: .* as cumulative counters do: say "counter": true'):
        assert serinus.judge(plan_dict, frame).decision == "hold"
    plan_dict["metrics"][0]["counter"] = True
    with pytest.warns(UserWarning, match='errors: .* as no cumulative counter does: say "counter": false'):
        serinus.judge(plan_dict, good_table)


def test_burn_takes_the_same_tables() -> None:
    times = pd.date_range("2026-11-22", periods=60, freq="min", tz="Europe/Berlin")
    frame = pd.DataFrame({"errors": np.arange(60) * 10.0, "all": np.arange(60) * 1000.0}, index=times)
    target = slo.Objective("api", target="99.9%")
    report = slo.burn_report(target, frame, bad="errors", total="all")
    assert report.windows["1h"].burn == pytest.approx(10)
    assert report.firing == "ticket" or report.firing == "page"
    long = frame.rename_axis("When").reset_index().melt("When", var_name="What", value_name="n")
    told = slo.burn_report(target, long, bad="errors", total="all", columns={"time": "When", "series": "What", "value": "n"})
    assert told.to_json() == report.to_json()
    answers = {name: {"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {}, "values": [[t.timestamp(), str(v)] for t, v in frame[name].items()]}]}} for name in frame}  # fmt: skip
    assert slo.burn_report(target, answers, bad="errors", total="all").to_json() == report.to_json()
    polars = library("polars")
    other = polars.DataFrame({"time": list(times), "errors": frame["errors"].to_numpy(), "all": frame["all"].to_numpy()})
    assert slo.burn_report(target, other, bad="errors", total="all").to_json() == report.to_json()


# ---- what is named, and what is refused


@pytest.mark.parametrize(("factor", "unit"), [(10**6, "microseconds"), (10**9, "nanoseconds")])
@pytest.mark.parametrize("form", [np.asarray, list, lambda t: [str(x) for x in t], pd.Series])
def test_finer_times_are_named(form: Any, factor: int, unit: str, plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    expected = serinus.judge(plan_dict, bad_table)
    found = serinus.judge(plan_dict, {**bad_table, "timestamp": form(bad_table["timestamp"] * factor)})
    assert found.metrics == expected.metrics
    said = [reason.sentence for reason in found.reasons if reason.code == "times_finer"]
    assert said == [f"times such as {START * factor} are read as Unix {unit}"]


def test_time_zones(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    expected = serinus.judge(plan_dict, bad_table)
    utc = [dt.datetime.fromtimestamp(int(t), dt.timezone.utc) for t in bad_table["timestamp"]]
    zones = [dt.timezone(dt.timedelta(hours=9)), dt.timezone(dt.timedelta(hours=-3.5))]
    two = [t.astimezone(zones[i % 2]) for i, t in enumerate(utc)]
    assert serinus.judge(plan_dict, {**bad_table, "timestamp": two}).to_json() == expected.to_json()
    assert serinus.judge(plan_dict, {**bad_table, "timestamp": [t.isoformat() for t in two]}).to_json() == expected.to_json()

    texts = [t.replace(tzinfo=None).isoformat() for t in utc]
    found = serinus.judge(plan_dict, {**bad_table, "timestamp": texts})
    assert found.metrics == expected.metrics
    assert [r.sentence for r in found.reasons if r.code == "zone_not_said"] == [
        "times without a zone, such as 2026-11-22T21:21:20, are taken as UTC"
    ]
    for mixed in (
        [t if i % 2 else t.replace(tzinfo=None) for i, t in enumerate(utc)],
        [t.isoformat() if i % 2 else t.replace(tzinfo=None).isoformat() for i, t in enumerate(utc)],
    ):
        with pytest.raises(serinus.Error, match="some times of column timestamp have a zone and some have none") as error:
            serinus.judge(plan_dict, {**bad_table, "timestamp": mixed})
        assert error.value.code == "serinus.data.timestamp"


def test_two_columns_of_one_name(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    twice = pd.concat([pd.DataFrame(bad_table), pd.DataFrame({"value": bad_table["value"]})], axis=1)
    with pytest.raises(serinus.Error, match="column 'value' is there twice") as error:
        serinus.judge(plan_dict, twice)
    assert error.value.code == "serinus.data.column"
    pyarrow = library("pyarrow")
    names = [*bad_table, "value"]
    with pytest.raises(serinus.Error, match="column 'value' is there twice"):
        serinus.judge(plan_dict, pyarrow.Table.from_arrays([pyarrow.array(bad_table[name]) for name in names], names=names))
    with pytest.raises(serinus.Error, match='columns 1 and 6 are both "timestamp"'):
        serinus.judge(plan_dict, {**bad_table, "TIMESTAMP": bad_table["timestamp"]})


def test_a_column_called_like_the_label_of_the_arms_is_the_arm(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    expected = serinus.judge(plan_dict, bad_table).to_json()
    track = {("track" if k == "arm" else k): v for k, v in bad_table.items()}
    assert serinus.judge(plan_dict, track).to_json() == expected
    with pytest.warns(UserWarning, match="columns that are not read: track"):
        found = serinus.judge(plan_dict, {**bad_table, "track": np.full(len(bad_table["arm"]), "x")})
    assert found.metrics == serinus.judge(plan_dict, bad_table).metrics
    pod = {("pod" if k == "instance" else k): v for k, v in bad_table.items()}
    assert serinus.judge(plan_dict, pod).to_json() == expected


def test_one_arm_alone_is_a_hold(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    frame = pd.DataFrame(bad_table)
    found = serinus.judge(plan_dict, frame[frame["arm"] == "baseline"])
    assert found.decision == "hold"
    assert "missing_canary" in [reason.code for reason in found.reasons]
    with pytest.raises(serinus.Error, match='column arm is "green"; allowed: "stable" or "baseline"') as error:
        serinus.judge(plan_dict, frame.assign(arm="green"))
    assert error.value.code == "serinus.data.arm"
    with pytest.raises(serinus.Error, match="none of the columns .* belongs to an arm") as error:
        serinus.judge(plan_dict, pd.DataFrame({"time": [0], "http_requests": [1.0], "http_errors": [1.0]}))
    assert error.value.code == "serinus.data.arm"


@pytest.mark.parametrize(
    "empty",
    [
        pd.DataFrame({"timestamp": [], "series": [], "arm": [], "value": []}),
        pd.DataFrame({"http_requests stable": [], "http_requests canary": []}, index=pd.DatetimeIndex([])),
        {"timestamp": [], "series": [], "arm": [], "value": []},
    ],
    ids=["long", "wide", "dict"],
)
def test_an_empty_table_is_refused(empty: Any, plan_dict: dict[str, Any]) -> None:
    with pytest.raises(serinus.Error, match="the table has no row") as error:
        serinus.judge(plan_dict, empty)
    assert error.value.code == "serinus.data.empty"


def test_a_frame_without_columns_is_refused(plan_dict: dict[str, Any]) -> None:
    with pytest.raises(serinus.Error, match='column "timestamp" is missing') as error:
        serinus.judge(plan_dict, pd.DataFrame())
    assert error.value.code == "serinus.data.column"


def test_nothing_but_missing_values(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    nothing = serinus.judge(plan_dict, {**bad_table, "value": np.full(len(bad_table["value"]), np.nan)})
    assert nothing.decision == "hold"
    frame = wide(bad_table)
    frame.iloc[:, 1:] = np.nan
    assert serinus.judge(plan_dict, frame).decision == "hold"


def test_impossible_values_are_held(plan_dict: dict[str, Any]) -> None:
    for value in (np.inf, -1.0, 0.5, 1e300):
        table = make_table()
        table["value"][(table["series"] == "http_requests") & (table["arm"] == "baseline")] = value
        assert serinus.judge(plan_dict, table).decision == "hold"


def test_columns_of_other_lengths(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    for name in ("series", "arm", "instance", "value"):
        with pytest.raises(serinus.Error, match=f"column {name} has 1439 values; allowed: 1440") as error:
            serinus.judge(plan_dict, {**bad_table, name: bad_table[name][:-1]})
        assert error.value.code == "serinus.argument.length"
    table = {str(name): column.to_numpy() for name, column in wide(bad_table).items()}
    with pytest.raises(serinus.Error, match="column http_errors canary has 1 values") as error:
        serinus.judge(plan_dict, {**table, "http_errors canary": [1.0]})
    assert error.value.code == "serinus.argument.length"
    with pytest.raises(serinus.Error, match="code has 2 values") as error:
        serinus.judge(plan_dict, {**bad_table, "code": ["a", "b"]}, columns={"labels": "code"})
    assert error.value.code == "serinus.argument.length"


def test_a_plan_of_one_series_needs_no_names(plan_dict: dict[str, Any]) -> None:
    plan = {**plan_dict, "metrics": [{"name": "p95", "kind": "gauge", "series": "latency", "margin": {"ratio": 1.5}}]}
    del plan["noise"]
    times = START + 10 * np.arange(60)
    frame = pd.DataFrame({"time": times, "stable": 100.0, "canary": 101.0})
    long = frame.melt("time", var_name="arm", value_name="value")
    assert serinus.judge(plan, frame).to_json() == serinus.judge(plan, long).to_json()
    assert serinus.check(plan, frame).series[0].name == "latency"


def test_documents_as_dicts(plan_dict: dict[str, Any]) -> None:
    points = [{"timeUnixNano": str((START + 10 * i) * 10**9), "asInt": "5"} for i in range(10)]
    otlp = {"resourceMetrics": [{"resource": {"attributes": [{"key": "track", "value": {"stringValue": "canary"}}]},
            "scopeMetrics": [{"metrics": [{"name": "http_requests", "gauge": {"dataPoints": points}}]}]}]}  # fmt: skip
    plan = serinus.Plan(plan_dict)
    assert _inputs.batch(otlp, plan).to_csv() == _inputs.batch(json.dumps(otlp), plan).to_csv()
    answer = {"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"__name__": "http_requests", "track": "canary"}, "values": [[START, "5"]]}]}}  # fmt: skip
    assert _inputs.batch(answer, plan).to_csv().endswith(",http_requests,canary,5\n")
    del answer["data"]["result"][0]["metric"]["__name__"]
    with pytest.raises(serinus.Error, match="does not say which series it is") as error:
        serinus.judge(plan, answer)
    assert error.value.code == "serinus.data.document"
