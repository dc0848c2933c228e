"""Burn rates, alerts and budgets from Python."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import serinus
from serinus import Error, slo

VECTORS = Path(
    os.environ.get("SERINUS_BURN_RATE_VECTORS", Path(__file__).parents[2] / "data/reference/slo/burn_rate.json")
)
ORACLES = {
    "raw": "exact",
    "prom2_42": "prometheus2",
    "prom3_16": "prometheus3",
    "prom3_16_anchored": "prometheus3_anchored",
}


def samples(series: dict) -> tuple[np.ndarray, np.ndarray]:
    if "t_ms" in series:
        return np.array(series["t_ms"]) / 1000, np.array(series["v"], dtype=float)
    t = series["t"]
    return (t["start_ms"] + t["step_ms"] * np.arange(t["count"])) / 1000, np.array(series["v"], dtype=float)


def seconds_of(duration: str) -> float:
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]


def check(expected: float | str | None, found: float | None) -> None:
    if expected is None:
        assert found is None
    elif expected == "NaN":
        assert found is not None
        assert math.isnan(found)
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("oracle", ORACLES)
def test_the_values_and_alerts_of_prometheus(oracle: str) -> None:
    checked = 0
    for scenario in json.loads(VECTORS.read_text())["scenarios"]:
        assert set(scenario["expected"]) <= set(ORACLES)
        if oracle not in scenario["expected"]:
            continue
        checked += 1
        windows = [key for key in scenario["expected"][oracle] if not key.startswith("by_version:")]
        burn = slo.BurnRate(budget=scenario["error_budget"], windows=windows, semantics=ORACLES[oracle])
        # Prometheus knows of no births: with an instance each, nothing is known of what a series served before.
        firsts = []
        for number, series in enumerate(scenario["series"]):
            times, values = samples(series)
            burn.add_series(series["role"], times, values, instance=f"instance {number}")
            firsts.append(times[0])
        for i, t in enumerate(scenario["record_t"]):
            found = burn.at(t)
            for window in windows:
                born = any(t - seconds_of(window) < first <= t and first > min(firsts) for first in firsts)
                if oracle == "raw" and born:  # a series that is born in the window counts from 0
                    assert found[window].total >= (scenario["expected"][oracle][window]["total"][i] or 0)
                    continue
                for field in ("bad", "total", "burn"):
                    check(scenario["expected"][oracle][window][field][i], getattr(found[window], field))
        policy = slo.Policy(
            [
                slo.Condition(c["long"], c["short"], c["factor"], c["severity"], f"{c['severity']}.{c['speed']}")
                for c in scenario["policy"]
            ]
        )
        objective = slo.Objective(budget=scenario["error_budget"], period=f"{scenario['slo_period_days']}d")
        span = scenario["eval"]
        fired = slo.alerts_over(policy, objective, burn, np.arange(span["start"], span["end"] + 1, span["step"]))
        for name, intervals in scenario["firing"][oracle].items():
            assert fired[name] == [tuple(interval) for interval in intervals], (scenario["name"], name)
    assert checked == (1 if oracle == "prom3_16_anchored" else 12)


def small(**options: object) -> slo.BurnRate:
    burn = slo.BurnRate(0.01, ["1m", "10m"], **options)
    burn.add_series("bad", [0, 60, 120], [0, 1, 3])
    burn.add_series("total", [0, 60, 120], [0, 100, 200])
    return burn


def test_one_time() -> None:
    found = small().at(120)
    assert list(found) == ["1m", "10m"]
    one = found["1m"]
    assert (one.bad, one.total, one.ratio, one.burn) == (2, 100, 0.02, 2)
    assert one.status == "ok"
    assert one.coverage == 1
    assert one.exact
    assert found["10m"].coverage == pytest.approx(0.2)
    nothing = small().at(-5)["1m"]
    assert (nothing.bad, nothing.total, nothing.ratio, nothing.burn) == (None, None, None, None)
    assert nothing.status == "absent"
    zero = small().at(0)["1m"]
    assert zero.status == "no_traffic"
    assert math.isnan(zero.burn)


def test_many_times_are_the_same() -> None:
    burn = small()
    times = np.arange(-10, 300, 7.0)
    columns = burn.over(times)
    for i, t in enumerate(times):
        for window, found in burn.at(t).items():
            for field in ("burn", "ratio", "bad", "total"):
                one = getattr(found, field)
                many = getattr(columns[window], field)[i]
                assert many == one if one is not None and not math.isnan(one) else math.isnan(many)
            assert columns[window].coverage[i] == pytest.approx(found.coverage)


def test_one_field_at_many_times() -> None:
    burn = small()
    times = np.arange(-10, 300, 7.0)
    columns = burn.over(times)
    for field in slo.BurnColumn._fields:
        alone = burn.over(times, field)  # type: ignore[call-overload]
        assert list(alone) == ["1m", "10m"]
        for window, values in alone.items():
            assert values.dtype == (np.float32 if field == "coverage" else np.float64)
            np.testing.assert_array_equal(values, getattr(columns[window], field))
    assert burn.over([], "burn")["1m"].shape == (0,)
    with pytest.raises(Error, match='field is .bunr.; allowed: "burn", "ratio"') as refused:
        burn.over(times, "bunr")  # type: ignore[call-overload]
    assert refused.value.code == "serinus.argument.word"


def test_times_of_any_kind() -> None:
    for times in ([0, 60], np.array([0, 60]), np.array([0.0, 60.0004]), np.array([0, 60], dtype=np.int32)):
        burn = slo.BurnRate(0.01, ["1m"])
        burn.add_series("total", times, [0, 100])
        burn.add_series("bad", np.arange(0, 120, 60)[::1], [0, 1])
        assert burn.at(60)["1m"].burn == 1
    for wrong in ([math.nan], [1e300], [0.0, -math.inf]):
        with pytest.raises(Error, match=r"t\[\d\] is"):
            small().over(wrong)


MOMENTS = 1_795_000_000 + 60 * np.arange(3)
UTC = [datetime.fromtimestamp(int(t), timezone.utc) for t in MOMENTS]
WRITTEN: dict[str, Any] = {
    "seconds": MOMENTS,
    "seconds as floats": MOMENTS.astype(float),
    "milliseconds": MOMENTS * 1000,
    "milliseconds as floats": MOMENTS * 1000.0,
    "datetimes": UTC,
    "datetimes of another zone": [t.astimezone(timezone(timedelta(hours=2))) for t in UTC],
    "naive datetimes": [t.replace(tzinfo=None) for t in UTC],
    "texts": [t.isoformat() for t in UTC],
    "texts and datetimes": [UTC[0].isoformat(), *UTC[1:]],
    "datetime64": MOMENTS.astype("datetime64[s]"),
    "a list of datetime64": list(MOMENTS.astype("datetime64[s]")),
    "pandas": pd.DatetimeIndex(UTC),
    "pandas of another zone": pd.Series(UTC).dt.tz_convert("Asia/Tokyo"),
}


@pytest.mark.parametrize("how", WRITTEN)
def test_times_are_written_in_one_way_everywhere(how: str) -> None:
    times = WRITTEN[how]
    burn = slo.BurnRate(0.01, ["1m"])
    burn.add_series("total", times, [0, 100, 200])
    bad = burn.add_series("bad", times[:2], [0, 1])
    burn.add(bad, times[2:], [3])
    assert burn.over(times, "burn")["1m"].tolist()[1:] == [1, 2]
    assert burn.over(MOMENTS, "burn")["1m"].tolist()[1:] == [1, 2]
    assert [burn.at(t)["1m"].burn for t in times][1:] == [1, 2]
    policy, objective = slo.Policy([slo.Condition("1m", "1m", 1.5)]), slo.Objective(budget=0.01)
    assert slo.alerts_over(policy, objective, burn, times)["page"] == [(MOMENTS[2], MOMENTS[2])]


def test_one_sample_at_a_datetime_or_a_text() -> None:
    burn = slo.BurnRate(0.01, ["1m"])
    total, bad = burn.add_series("total", UTC[:1], [0]), burn.add_series("bad", UTC[:1], [0])
    burn.add(total, UTC[1], 100)
    burn.add(bad, UTC[1].isoformat(), 1)
    assert burn.at(UTC[1])["1m"].burn == 1


def test_the_parts_of_a_millisecond_are_cut_off_alike() -> None:
    burn = slo.BurnRate(0.01, ["1m"])
    burn.add_series("total", [0, 1.001], [0, 100], kind="delta")
    for t in (1.0007, 1.001, 1.0019):
        assert burn.over([t], "total")["1m"][0] == burn.at(t)["1m"].total


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda burn: burn.over([1.0, 1e25]), r"t\[1\] is 1e\+25;"),
        (lambda burn: burn.over([1.0, math.nan]), r"t\[1\] is nan;"),
        (lambda burn: burn.over([1.0, "yesterday"]), r"t\[0\] is 1\.0 beside datetimes or texts;"),
        (lambda burn: burn.over(["1970-01-01", "yesterday"]), r't\[1\] is "yesterday";'),
        (lambda burn: burn.over([UTC[0], pd.NaT]), r"t\[1\] is NaT;"),
        (lambda burn: burn.add(0, [UTC[0], None], [1, 2]), r"t\[1\] is None;"),
        (lambda burn: burn.add(0, [1.0, 1e300], [1, 2]), r"t\[1\] is 1e\+300;"),
    ],
)
def test_the_time_that_is_none_is_named(call: Any, says: str) -> None:
    with pytest.raises(Error, match=says) as caught:
        call(small())
    assert caught.value.code == "serinus.data.timestamp"


@pytest.mark.parametrize(
    ("code", "says", "call"),
    [
        ("argument.range", "series is -1; allowed: the number", lambda: small().add(-1, [0], [1])),
        ("argument.range", "series is 2; allowed: the number", lambda: small().add(2, [0], [1])),
        ("argument.range", "series is 1180591620717411303424;", lambda: small().add(2**70, [0], [1])),
        ("argument.type", "series is 0.5;", lambda: small().add(0.5, [0], [1])),  # type: ignore[arg-type]
        ("argument.type", "series is True;", lambda: small().add(True, [0], [1])),
        ("argument.range", "series is -1;", lambda: small().tally(-1)),
        ("argument.type", "series is 'bad';", lambda: small().tally("bad")),  # type: ignore[arg-type]
        ("argument.range", "window is -5; allowed: above 0 ms", lambda: slo.BurnRate(0.1, [-5])),
        ("argument.range", "window is 0.0001; allowed: above 0 ms", lambda: slo.BurnRate(0.1, [0.0001])),
        ("argument.range", "window is datetime.timedelta", lambda: slo.BurnRate(0.1, [timedelta(seconds=-5)])),
        ("argument.range", "interval is -5;", lambda: slo.BurnRate(0.1, ["1m"], interval=-5)),
        ("argument.range", "raw is 0;", lambda: slo.BurnRate(0.1, ["1m"], keep="thinned", raw=0)),
        ("argument.range", "period is -5;", lambda: slo.Objective(budget=0.1, period=-5)),
        ("argument.range", "period is -5;", lambda: slo.sre_workbook_policy(-5)),
        ("argument.range", "long is -5;", lambda: slo.Condition(-5, "1m", 1)),
        ("argument.range", 'short is "0";', lambda: slo.Condition("1m", "0", 1)),
        ("argument.range", "slice is -5;", lambda: slo.time_slices(small(), 0, 60, -5, 0.1)),
        ("slo.target", "target is 99.9; allowed: above 0 and below 1", lambda: slo.Objective(target=99.9)),
        ("slo.target", "target is 99.9; allowed: above 0 and below 1", lambda: slo.budget_from_target(99.9)),
        ("slo.target", "target is nan;", lambda: slo.budget_from_target(math.nan)),
    ],
)
def test_what_is_refused_is_shown_as_it_was_given(code: str, says: str, call: Any) -> None:
    with pytest.raises(Error) as caught:
        call()
    assert caught.value.code == f"serinus.{code}"
    assert says in str(caught.value)


def test_deltas_late_samples_and_tallies() -> None:
    burn = slo.BurnRate(0.1, windows=["2m"])
    series = burn.add_series("total", [60, 120], [5, 7], kind="delta")
    burn.add_series("bad", [60, 120], [0, 1], kind="delta")
    assert burn.at(120)["2m"].total == 12
    burn.add(series, 90, 3)
    burn.add(series, [90, 90, 91], [3, 4, math.nan])
    assert burn.at(120)["2m"].total == 15
    tally = burn.tally(series)
    assert tally["reordered"] == 1
    assert tally["duplicates"] == 1
    assert tally["conflicts"] == 1
    assert tally["not_numbers"] == 1
    assert burn.tally()["taken"] == 5


def test_state() -> None:
    for keep in ("all", "thinned"):
        burn = small(keep=keep)
        for other in (pickle.loads(pickle.dumps(burn)), small(keep=keep)):
            other.restore(burn.state())
            assert other.at(120)["1m"].burn == burn.at(120)["1m"].burn
            assert other.windows == burn.windows
    with pytest.raises(Error) as caught:
        slo.BurnRate(0.02, ["1m", "10m"]).restore(small().state())
    assert caught.value.code == "serinus.state.options"


def test_policies() -> None:
    policy = slo.sre_workbook_policy("28d")
    assert [c.factor for c in policy.conditions] == [13.44, 5.6, 2.8, 28 / 30]
    assert [str(c.severity) for c in policy.conditions] == ["page", "page", "ticket", "ticket"]
    assert policy.windows == ["5m", "1h", "30m", "6h", "2h", "1d", "3d"]
    with pytest.raises(Error, match=r"0\.07 = 1\.008") as caught:
        slo.sre_workbook_policy().check(slo.Objective(budget=0.07))
    assert caught.value.code == "serinus.slo.never_fires"
    with pytest.raises(Error):
        slo.Alerts(slo.Policy([]), slo.Objective(budget=0.01))


def test_alerts_wait_and_fire() -> None:
    objective = slo.Objective(target="99%")
    policy = slo.Policy([slo.Condition("10m", "1m", 1, for_="1m")], min_events=50)
    assert policy.conditions[0].name == "page.10m"
    alerts = slo.Alerts(policy, objective)
    burn = small()
    alerts.update(120, burn.at(120))
    assert alerts.pending == "page"
    assert alerts.firing is None
    other = slo.Alerts(policy, objective)
    other.restore(alerts.state())
    for one in (alerts, other):
        one.update(180, {**burn.at(120)})
        assert one.firing == "page"
        (alert,) = one.alerts
        assert (alert.name, alert.state, alert.active_since, alert.firing_since) == ("page.10m", "firing", 120, 180)
    few = slo.Alerts(slo.Policy([slo.Condition("10m", "1m", 1)], min_events=1000), objective)
    few.update(120, burn)
    assert few.alerts[0].status == "insufficient"
    assert few.firing is None


def test_absent_is_none_at_one_time_and_nan_in_arrays_and_alerts() -> None:
    burn, objective = small(), slo.Objective(budget=0.01)
    assert burn.at(-5)["1m"].burn is None
    assert math.isnan(burn.over([-5], "burn")["1m"][0])
    alerts = slo.Alerts(slo.Policy([slo.Condition("10m", "1m", 1)]), objective)
    alerts.update(-5, burn)
    assert math.isnan(alerts.alerts[0].long_burn)
    assert alerts.alerts[0].status == "absent"


def test_alerts_are_pickled() -> None:
    objective = slo.Objective("api", target="99%", period="28d", expected_events=5000)
    conditions = [
        slo.Condition("10m", "1m", 1, for_="1m", keep_firing_for="90s"),
        slo.Condition("10m", "1m", 3, "ticket", "slow"),
    ]
    policy = slo.Policy(conditions, min_events=50, min_probability=0.5)
    burn = small()
    alerts = slo.Alerts(policy, objective)
    alerts.update(120, burn)
    assert alerts.pending == "page"
    for copied in (pickle.loads(pickle.dumps(alerts)), copy.deepcopy(alerts)):
        assert type(copied) is slo.Alerts
        assert copied.policy == policy
        assert copied.state() == alerts.state()
        copied.update(180, burn.at(120))
        assert copied.firing == "page"
        assert pickle.loads(pickle.dumps(copied)).firing == "page"
    assert alerts.firing is None
    for part in (objective, policy, *conditions, slo.Condition("1w", 60.5, 14.4)):
        assert pickle.loads(pickle.dumps(part)) == part


def test_budgets() -> None:
    assert slo.budget_from_target("99.9%") == slo.budget_from_target(0.999) == 0.001
    assert slo.Objective(target="0.999").budget == 0.001
    objective = slo.Objective("a", budget=0.01, period="10m", expected_events=1000)
    budget = slo.error_budget(objective, small().at(120)["10m"])
    assert (budget.allowed_bad, budget.consumed, budget.remaining) == (10, 0.3, 0.7)
    assert slo.time_to_exhaustion(objective, 0.7, 2) == pytest.approx(210)
    assert slo.time_to_exhaustion(objective, 0.7, 0) == math.inf
    slices = slo.time_slices(small(), 0, 120, "1m", 0.01)
    assert (slices.slices, slices.bad_slices, slices.timeslices) == (2, 1, 0.5)


@pytest.mark.parametrize(
    ("code", "action"),
    [
        ("serinus.argument.range", lambda: slo.BurnRate(0, ["1m"])),
        ("serinus.argument.range", lambda: slo.BurnRate(0.1, [])),
        ("serinus.data.duration", lambda: slo.BurnRate(0.1, ["1 minute"])),
        ("serinus.data.duration", lambda: slo.BurnRate(0.1, [None])),
        ("serinus.argument.word", lambda: slo.BurnRate(0.1, ["1m"], semantics="raw")),
        ("serinus.argument.word", lambda: small().add_series("errors", [], [])),
        ("serinus.argument.length", lambda: small().add_series("bad", [1, 2], [1])),
        ("serinus.data.timestamp", lambda: small().add_series("bad", [math.nan], [1])),
        ("serinus.argument.word", lambda: small(keep="thinned").over([1])),
        ("serinus.argument.range", lambda: slo.Objective()),
        ("serinus.argument.range", lambda: slo.Objective(budget=0.1, target="90%")),
        ("serinus.slo.target", lambda: slo.Objective(target="99.9 percent")),
    ],
)
def test_what_means_nothing_is_refused(code: str, action: object) -> None:
    with pytest.raises(Error) as caught:
        action()
    assert caught.value.code == code


def test_times_do_not_go_back_where_history_is_thinned() -> None:
    burn = small(keep="thinned")
    burn.at(120)
    with pytest.raises(Error) as caught:
        burn.at(119)
    assert caught.value.code == "serinus.data.order"


def test_objectives_of_a_plan() -> None:
    document = json.loads((Path(__file__).parents[2] / "data/plans/slo.json").read_text())
    plan = serinus.Plan(document)
    assert len(plan.slo) == 1
    rule = plan.slo["availability"]
    assert rule == plan.slo[0]
    assert rule.objective == slo.Objective("availability", target="99.9%")
    assert (rule.name, rule.metric, rule.max_budget_per_release, rule.weight) == ("availability", "errors", 0.2, 1)
    # Defaults are filled in.
    assert (rule.halt_budget, rule.halt_window) == (0.5, "1h")
    assert rule.policy == slo.sre_workbook_policy()
    assert rule.policy.conditions[0].factor == 14.4
    assert repr(rule) == (
        "SloRule(name='availability', metric='errors', budget=0.001, period='30d', max_budget_per_release=0.2)"
    )
    assert serinus.SloRule.__module__ == "serinus"
    document["slo"][0] |= {
        "policy": [{"long": "1h", "short": "5m", "factor": 10, "severity": "ticket", "for": "2m"}],
        "min_events": 50,
        "halt": {"budget": 0.25, "window": "6h"},
    }
    other = serinus.Plan(document).slo[0]
    assert other != rule
    assert other != "availability"
    assert (other.halt_budget, other.halt_window) == (0.25, "6h")
    assert other.policy == slo.Policy([slo.Condition("1h", "5m", 10, "ticket", for_="2m")], min_events=50)
    assert repr(other.policy).endswith(", min_events=50)")
    assert list(serinus.Plan({**document, "slo": []}).slo) == []
    # The gate's policy is what alerts in production: the same object goes into rules, and into Alerts.
    rules = slo.prometheus_rules(other.objective, other.policy, "errors_total", "requests_total")
    assert "for: 2m" in rules
    assert slo.Alerts(other.policy, other.objective).firing is None


def test_one_target_that_is_read_twice_is_named() -> None:
    times = [60.0 * minute for minute in range(30)]
    series: dict[str, list[Any]] = {"series": [], "timestamp": [], "value": [], "labels": [], "arm": []}
    for name, size in (("errors", 0), ("requests", 300)):
        for collector in "ab":
            series["series"] += [name] * len(times)
            series["labels"] += [f'{{collector="{collector}"}}'] * len(times)
            series["arm"] += ["baseline"] * len(times)
            series["timestamp"] += times
            series["value"] += [size * minute + (size > 0) * minute % 2 for minute in range(len(times))]
    with pytest.warns(UserWarning, match=r'requests\{collector="a"\} and requests\{collector="b"\} of the baseline are equal'):
        slo.burn_report(slo.Objective("api", target="99.9%"), series, bad="errors", total="requests")
