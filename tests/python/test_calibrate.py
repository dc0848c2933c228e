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
