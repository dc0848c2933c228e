"""serinus.calibrate, and gauges judged with what it learned."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
import serinus

PLAN: dict[str, Any] = {
    "name": "checkout",
    "interval": "1m",
    "stages": [{"traffic": 0.1, "min": "10m"}, {"traffic": 0.5, "min": "10m"}],
    "metrics": [
        {"name": "p95", "kind": "gauge", "series": "latency", "margin": {"ratio": 1.1}},
        {"name": "cpu", "kind": "gauge", "series": "cpu", "margin": {"difference": 0.1}},
    ],
}


def frame(n: int, factor: float = 1.0, seed: int = 1, instances: int = 1, arms: tuple[str, ...] = ("baseline", "canary")) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    parts = []
    for series, level, noise in (("latency", 100, 4), ("cpu", 0.5, 0.05)):
        for arm in arms:
            for i in range(instances):
                value = level + noise * random.normal(0, 1, n)
                times = pd.Timestamp("2026-11-20", tz="UTC") + pd.to_timedelta(60 * np.arange(n), unit="s")
                parts.append(
                    pd.DataFrame(
                        {
                            "timestamp": times,
                            "series": series,
                            "arm": arm,
                            "value": value * (factor if arm == "canary" else 1),
                            "instance": f"{arm}-{i}",
                        }
                    )
                )
    return pd.concat(parts)


def test_history_makes_gauges_decide() -> None:
    shares: list[float] = []
    learned = serinus.calibrate(PLAN, frame(2000), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert sorted(learned.noise) == ["cpu", "p95"]
    assert learned.metrics["p95"].learned
    assert learned.metrics["p95"].held_back[0].alarms == 0
    assert learned.plan.noise == learned.noise
    assert learned.plan != serinus.Plan(PLAN)
    assert serinus.judge(PLAN, frame(120, 1.4, 2)).decision == "hold"
    bad = serinus.judge(learned.plan, frame(120, 1.4, 2))
    assert bad.decision == "rollback"
    assert bad.guarantee == "measured"
    assert bad.metrics["p95"].guarantee == serinus.Guarantee.MEASURED
    assert bad.metrics["p95"].guarantee_why == "noise_given"
    assert bad.metrics["p95"].kind == "gauge"
    assert bad.metrics["p95"].observed["mean_canary"] == pytest.approx(140, rel=0.02)
    assert serinus.judge(learned.plan, frame(240, 1.0, 3)).decision == "promote"
    assert "typically differ by" in str(learned)
    assert repr(learned) == "Calibration('checkout', learned=['p95', 'cpu'] of 2)"


def test_instances_take_turns() -> None:
    learned = serinus.calibrate(PLAN, frame(1500, instances=6, arms=("baseline",)))
    p95 = learned.metrics["p95"]
    assert p95.instances == 6
    assert [reason.code for reason in p95.reasons][0] == "history_instances"
    assert learned.noise["p95"]["stages"][1]["instances_canary"] == 3


def test_too_little_is_a_result() -> None:
    learned = serinus.calibrate(PLAN, frame(4))
    assert learned.noise == {}
    assert not learned.metrics["cpu"].learned
    assert learned.metrics["cpu"].reasons[0].code == "history_short"
    assert learned.plan == serinus.Plan(PLAN)


def pods(canary: float, seed: int, names: str = "abc", minutes: int = 20) -> dict[str, Any]:
    """A few instances for 20 minutes, of one series."""
    random = np.random.default_rng(seed)
    rows = [
        (60 * t, "latency", arm, level * (1 + 0.0002 * ord(name)) * float(np.exp(0.05 * random.normal())), name)
        for arm, instances, level in (("baseline", names, 100.0), ("canary", "z" if canary else "", canary))
        for name in instances
        for t in range(minutes)
    ]
    columns = zip(*rows, strict=True)
    return dict(zip(["timestamp", "series", "arm", "value", "instance"], map(np.array, columns), strict=True))


def test_instances_are_judged_between_them() -> None:
    plan = {
        **PLAN,
        "stages": [{"traffic": 0.25, "min": "10m", "max": "20m"}],
        "metrics": [{**PLAN["metrics"][0], "margin": {"ratio": 1.5}, "instances_differ": 0.5}],
    }
    assert serinus.Plan(plan).metrics["p95"].instances_differ == 0.5
    assert serinus.Plan(PLAN).metrics["p95"].instances_differ is None
    good = serinus.judge(plan, pods(100, 1))
    assert good.decision == "promote"
    assert good.metrics["p95"].evidence.method == "rotation"
    assert "judged between instances" in " ".join(str(good).split())
    assert serinus.judge(plan, pods(800, 2)).decision == "rollback"

    assert serinus.judge(plan, pods(800, 3, "ab")).decision == "hold"
    learned = serinus.calibrate(plan, pods(0, 4), releases=[pods(100, 5), pods(100, 6)])
    assert learned.noise["p95"]["instances"]["former_degrees"] == 4
    found = serinus.judge(learned.plan, pods(800, 3, "ab"))
    assert found.decision == "rollback"
    between = [reason for reason in found.metrics["p95"].reasons if "between_instances" in reason.code]
    assert between[0].numbers["degrees"] == 6

    # Stopped in the middle of a stage and gone on with.
    whole = pods(100, 7)
    monitor = serinus.Monitor(learned.plan)
    for t in range(20):
        part = whole["timestamp"] == 60 * t
        monitor.observe({name: column[part] for name, column in whole.items()}, now=60 * (t + 1))
        again = serinus.Monitor(learned.plan)
        again.restore(monitor.state())
        assert again.decision.to_dict() == monitor.decision.to_dict()
        monitor = again


def test_documents() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    data = pathlib.Path(__file__).resolve().parents[2] / "data" / "schema"
    learned = serinus.calibrate(PLAN, frame(1200))
    schema = json.loads((data / "calibration.schema.json").read_text())
    jsonschema.validate(learned.to_dict(), schema)
    jsonschema.validate(serinus.calibrate(PLAN, frame(4)).to_dict(), schema)
    jsonschema.validate(learned.plan.to_dict(), json.loads((data / "plan.schema.json").read_text()))
    decision = serinus.judge(learned.plan, frame(60))
    jsonschema.validate(decision.to_dict(), json.loads((data / "decision.schema.json").read_text()))
    jsonschema.validate(
        serinus.judge(PLAN, frame(60)).to_dict(), json.loads((data / "decision.schema.json").read_text())
    )


def test_errors() -> None:
    with pytest.raises(serinus.Error) as error:
        serinus.calibrate({**PLAN, "interval": "0s"}, frame(10))
    assert error.value.code == "serinus.plan.value"
    with pytest.raises(ValueError, match="stop"):
        serinus.calibrate(PLAN, frame(100), progress=lambda share: (_ for _ in ()).throw(ValueError("stop")))
