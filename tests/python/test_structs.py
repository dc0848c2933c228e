"""Values of the compiled part behave as frozen dataclasses: all of them, by the one description that each has."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest
import serinus
from serinus import _core, slo
from serinus._results import Struct

from conftest import make_table

TARGET = slo.Objective("availability", target="99.9%", expected_events=10_000_000)


def values() -> dict[str, Any]:
    """One of every class, as it comes out of the compiled part."""
    random = np.random.default_rng(7)
    a, b = random.normal(10, 1, 40), random.normal(11, 1, 40)
    rollout = {
        "name": "payments",
        "deployment": "payments-7",
        "interval": "10s",
        "stages": [{"traffic": 0.1, "min": "5m", "max": "2h"}],
        "metrics": [
            {"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
             "margin": {"ratio": 2.0}}
        ],
        "slo": [{"name": "availability", "target": "99.9%", "expected_events": 10_000_000, "metric": "errors",
                 "max_budget_per_release": 0.2}],
    }  # fmt: skip
    plan = serinus.Plan(rollout)
    decision = serinus.judge(plan, make_table())
    burn = slo.BurnRate(TARGET.budget, ["5m", "30d"])
    burn.add_series("total", [0, 60, 120], [0, 60_000, 120_000])
    burn.add_series("bad", [0, 60, 120], [0, 100, 300])
    band = serinus.sequential.DistributionBand()
    band.update(a, b)
    learned = serinus.calibrate(rollout, make_table(canary_rate=0.01))
    checked = serinus.check(rollout, make_table())
    found: list[Any] = [
        decision,
        decision.telemetry,
        decision.reasons[0],
        decision.metrics["errors"],
        decision.metrics["errors"].evidence,
        decision.burn[0],
        decision.burn[0].share,
        decision.burn[0].halt,
        decision.burn[0].windows[0],
        learned.metrics["errors"],
        checked,
        checked.series[0],
        serinus.decide_together([decision]),
        serinus.HeldBack(traffic=0.1, windows=20, intervals=30, alarms=0, alpha=0.05, p_value=1.0),
        plan.stages[0],
        plan.metrics["errors"],
        plan.slo[0],
        TARGET,
        slo.sre_workbook_policy(),
        slo.Condition("1h", "5m", 14.4, for_="2m"),
        burn.at(120)["5m"],
        slo.error_budget(TARGET, burn.at(120)["30d"]),
        slo.burn_interval(1, 36, budget=0.001),
        slo.deployment_budget(9, 900, 3, 100, budget=0.001, expected_events=1_000_000),
        band.order(),
        serinus.mann_whitney(a, b),
        serinus.welch(a, b),
        serinus.hodges_lehmann(a, b),
        serinus.effect_size(a, b),
        serinus.brunner_munzel(a, b),
        serinus.signed_rank(b - a),
        serinus.kolmogorov_smirnov(a, b),
        serinus.cramer_von_mises(a, b),
        serinus.anderson_darling(a, b),
        serinus.quantile_difference(a, b, q=0.5),
        serinus.quantile_difference(a, b, q=0.5).canary,
        serinus.proportion_test(1, 34, 7, 34),
        serinus.rate_test(12, 1000, 9, 100),
        serinus.ratio_test(a, b, b, a),
        serinus.paired_test(b - a),
        serinus.robust_rank_test(a, b),
        serinus.block_bootstrap(a, np.mean),
        looked := serinus.label_swap_test(a, b),
        looked.metrics[0],
        looked.metrics[0].whole,
        serinus.equivalence(0.97, 1.06, {"ratio": 1.1}),
        serinus.sample_size("mean", difference=5, deviation=20),
    ]
    return {type(one).__name__: one for one in found}


VALUES = values()


def test_every_class_is_tried() -> None:
    made = {name for name, one in vars(_core).items() if inspect.isclass(one) and issubclass(one, Struct)}
    assert made == set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_like_a_frozen_dataclass(name: str) -> None:
    value = VALUES[name]
    own = type(value)
    home = {"slo": slo, "sequential": serinus.sequential}.get(own.__module__.rpartition(".")[2], serinus)
    assert getattr(home, name) is own
    assert issubclass(own, getattr(_core, name))

    names = [field.name for field in dataclasses.fields(value)]
    assert names == list(own.__match_args__) == list(vars(value))
    for again in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value), dataclasses.replace(value)):
        assert type(again) is own
        assert again == value
        assert repr(again) == repr(value)
    assert value != names
    assert list(dataclasses.asdict(value)) == names
    try:
        assert hash(value) == hash(copy.copy(value))
    except TypeError as error:  # one with a list in it, as any dataclass
        assert "unhashable" in str(error)

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, names[0], None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        delattr(value, names[0])
    fields = {one: getattr(value, one) for one in names}
    assert own(**fields) == value
    with pytest.raises(TypeError, match=rf"{name}.*unexpected keyword argument 'surprise'"):
        own(**fields, surprise=1)
    with pytest.raises(TypeError, match="surprise"):
        dataclasses.replace(value, surprise=1)


def test_what_differs_in_one_field_is_not_equal() -> None:
    decision = VALUES["Decision"]
    assert dataclasses.replace(decision, stage=2) != decision
    evidence = VALUES["Evidence"]
    assert dataclasses.replace(evidence, estimate=math.nan) == dataclasses.replace(evidence, estimate=math.nan)
    assert dataclasses.replace(evidence, estimate=math.nan) != evidence
    assert hash(dataclasses.replace(evidence, estimate=math.nan)) == hash(dataclasses.replace(evidence, estimate=math.nan))


def test_values_match() -> None:
    match VALUES["Decision"]:
        case serinus.Decision(decision="promote" | "hold" | "rollback", metrics=[serinus.MetricResult(name="errors")]):
            pass
        case _:
            pytest.fail("no match")
    match slo.Condition("1h", "5m", 14.4):
        case slo.Condition(name, long, short):
            assert (name, long, short) == ("page.1h", "1h", "5m")


def test_what_was_built_in_python_is_told_as_what_came_out() -> None:
    decision = VALUES["Decision"]
    again = pickle.loads(pickle.dumps(decision))
    assert str(again) == str(decision)
    assert again.to_json() == decision.to_json()
    assert again.to_dict()["metrics"][0]["name"] == again.metrics["errors"].name == "errors"
    held = dataclasses.replace(decision, decision="hold", elapsed_seconds=61.5)
    assert held.to_dict()["decision"] == "hold"
    assert held.to_dict()["elapsed_seconds"] == 61.5
    with pytest.raises(serinus.Error, match="allowed: promote, hold, rollback"):
        dataclasses.replace(decision, decision="never").to_json()
    with pytest.raises(serinus.Error, match=r"telemetry is 3; allowed: a Telemetry"):
        dataclasses.replace(decision, telemetry=3).to_json()


def test_milliseconds_are_beside_times() -> None:
    decision = VALUES["Decision"]
    assert decision.time_ms == decision.time.timestamp() * 1000
    assert decision.telemetry.newest_ms == {arm: at.timestamp() * 1000 for arm, at in decision.telemetry.newest.items()}
    assert [(window.window, window.window_ms) for window in decision.burn[0].windows][0] == ("5m", 300_000)
    assert dataclasses.replace(decision, time=None).time_ms is None


def test_a_calibration_can_be_pickled_and_compared(plan_dict: dict[str, Any]) -> None:
    history = make_table(canary_rate=0.01)
    learned = serinus.calibrate(plan_dict, history)
    for again in (pickle.loads(pickle.dumps(learned)), copy.deepcopy(learned), serinus.calibrate(plan_dict, history)):
        assert again == learned
        assert hash(again) == hash(learned)
        assert str(again) == str(learned)
        assert again.to_json() == learned.to_json()
        assert again.plan == learned.plan
    plan_dict["alpha"] = 0.01
    assert serinus.calibrate(plan_dict, history) != learned


def test_arguments_are_as_those_of_a_dataclass() -> None:
    assert serinus.SampleSize(1.0, n_canary=2.0) == serinus.SampleSize(n_baseline=1.0, n_canary=2.0)
    with pytest.raises(TypeError, match="missing n_canary"):
        serinus.SampleSize(1.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes 2 values but 3"):
        serinus.SampleSize(1.0, 2.0, 3.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="multiple values"):
        serinus.SampleSize(1.0, n_baseline=2.0)  # type: ignore[call-arg, misc]
