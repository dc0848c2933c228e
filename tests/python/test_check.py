"""`serinus.check`, and that what is printed in Python names Python's functions."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import serinus

from conftest import START, make_table

QUERY = {"http_errors": "sum(rate(http_errors_total[1m]))", "http_requests": "http_requests_total"}
GAUGE = {"name": "p95", "kind": "gauge", "series": "latency_p95", "margin": {"ratio": 1.2}}


def speaks_python(text: str) -> None:
    assert not re.search(r"serinus (judge|check|calibrate|burn)\b [A-Z-]|--\w", text), text


def test_of_a_plan_alone(plan_dict: dict[str, Any]) -> None:
    ready = serinus.check(plan_dict)
    assert (ready.plan, ready.series, ready.mend, ready.notes) == ("payments", [], [], [])
    assert repr(ready) == "Understood('payments', mend=[], series=0)"
    assert str(ready).splitlines()[0] == "READY  payments   nothing to mend"
    assert "try it on data: serinus.check(plan, data)" in str(ready)

    found = serinus.check({**plan_dict, "queries": QUERY})
    assert [reason.name for reason in found.mend] == ["errors.query_loses_arm", "errors.query_without_arm"]
    assert str(found).startswith("MEND  payments   2 things to mend\n")
    assert "by (track)" in str(found)
    assert json.loads(found.to_json()) == found.to_dict()
    assert found.to_dict()["mend"][0]["code"] == "query_loses_arm"
    for text in (str(ready), str(found)):
        speaks_python(text)


def test_of_data(plan_dict: dict[str, Any]) -> None:
    plan = serinus.Plan(plan_dict)
    found = serinus.check(plan, make_table())
    assert [(s.key, s.arm, s.series, s.instances, s.samples, s.spacing_seconds) for s in found.series] == [
        (key, arm, 2, [f"{arm}-0", f"{arm}-1"], 360, 10.0) for key in ("bad", "total") for arm in ("baseline", "canary")
    ]
    assert found.series[0].first_ms == START * 1000
    assert found.series[0].last == serinus.judge(plan, make_table()).telemetry.newest["baseline"]
    said = "2 series of 2 instances (baseline-0, baseline-1), 360 samples, every 10s"
    assert said in " ".join(str(found).split())
    assert "serinus.judge(plan, data)" in str(found)
    assert serinus.check(plan, make_table()) == found

    table = make_table()
    only = table["arm"] == "baseline"
    alone = serinus.check(plan, {name: column[only] for name, column in table.items()})
    assert "errors.missing_canary" in [reason.name for reason in alone.mend]
    empty = serinus.check(plan, {"timestamp": [0], "series": ["other"], "arm": ["canary"], "value": [1]})
    assert {"errors.missing_baseline", "errors.missing_canary"} <= {reason.name for reason in empty.mend}
    assert "first" in empty.to_dict()["series"][0]
    assert empty.series[0].first is None
    with pytest.raises(serinus.Error) as error:
        serinus.check({**plan_dict, "alpha": 2})
    assert error.value.code == "serinus.plan.value"


def history(intervals: int, seed: int = 1) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    times = START + 10 * np.arange(intervals)
    return {
        "timestamp": np.tile(times, 2),
        "series": ["latency_p95"] * 2 * intervals,
        "arm": ["baseline"] * intervals + ["canary"] * intervals,
        "value": random.normal(100, 4, 2 * intervals),
    }


def test_a_printed_calibration_names_pythons_functions(plan_dict: dict[str, Any]) -> None:
    plan = {**plan_dict, "metrics": [GAUGE]}
    del plan["noise"]
    learned = serinus.calibrate(plan, history(2000))
    assert "judge with the plan and its noise: serinus.judge(calibration.plan, data)" in " ".join(str(learned).split())
    speaks_python(str(learned))
    assert repr(learned) == "Calibration('payments', learned=['p95'] of 1)"
    too_little = serinus.calibrate(plan, history(5))
    assert "find more history: see why" in str(too_little)
    speaks_python(str(too_little))


def test_a_printed_decision_names_pythons_functions(plan_dict: dict[str, Any]) -> None:
    plan = {**plan_dict, "metrics": [GAUGE]}
    del plan["noise"]
    decision = serinus.judge(plan, history(200))
    assert decision.decision == "hold"
    assert "serinus.calibrate(plan, history)" in str(decision)
    speaks_python(str(decision))


SIZES: list[tuple[Any, str, str]] = [
    (lambda: serinus.power("median", 10, 10), "argument.word", 'kind is "median"; allowed: rank, mean, proportion, rate'),
    (lambda: serinus.power("rank", 10, 10), "argument.range",
     'effect is None with the kind "rank"; allowed: effect, and no other'),
    (lambda: serinus.power("rank", 10, 10, effect=0.6, canary=0.1), "argument.range", 'canary is 0.1 with the kind "rank"'),
    (lambda: serinus.power("rank", 0, 10, effect=0.6), "argument.range", "n_baseline is 0"),
    (lambda: serinus.power("rank", "many", 10, effect=0.6), "argument.type", 'n_baseline is "many"; allowed: a number'),
    (lambda: serinus.power("rank", 10, None, effect=0.6), "argument.type", "n_canary is None; allowed: a number"),
    (lambda: serinus.power("rank", 10, 10, effect="big"), "argument.type", 'effect is "big"; allowed: a number'),
    (lambda: serinus.power("rank", 10, 10, effect=1.5), "argument.range", "effect is 1.5"),
    (lambda: serinus.power("rank", 10, 10, effect=0.6, alpha=1), "argument.range", "alpha is 1"),
    (lambda: serinus.power("rank", 10, 10, effect=0.6, alpha="low"), "argument.type", 'alpha is "low"; allowed: a number'),
    (lambda: serinus.power("rank", 10, 10, effect=0.6, independent=2), "argument.range", "independent is 2"),
    (lambda: serinus.power("rank", 10, 10, effect=0.6, alternative="more"), "argument.word", 'alternative is "more"'),
    (lambda: serinus.power("proportion", 10, 10, baseline=2, canary=0.1), "argument.range", "baseline is 2"),
    (lambda: serinus.sample_size("mean", difference=5, deviation=-1), "argument.range", "deviation is -1"),
    (lambda: serinus.sample_size("mean", difference=5, deviation=1, power=1), "argument.range", "power is 1"),
    (lambda: serinus.sample_size("mean", difference=5, deviation=1, power="high"), "argument.type",
     'power is "high"; allowed: a number'),
    (lambda: serinus.sample_size("mean", difference=5, deviation=1, ratio=0), "argument.range", "ratio is 0"),
    (lambda: serinus.sample_size("mean", difference=5, deviation=[1]), "argument.type", "deviation is [1]; allowed: a number"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "code", "says"), SIZES, ids=[says for _, _, says in SIZES])
def test_errors_of_power_and_sample_size_carry_their_code(call: Any, code: str, says: str) -> None:
    with pytest.raises(serinus.Error, match=re.escape(says)) as error:
        call()
    assert error.value.code == "serinus." + code
    assert str(error.value).startswith(f"serinus.{code}: ")
