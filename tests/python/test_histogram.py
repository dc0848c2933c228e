"""Margins on quantiles: kinds histogram and sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import serinus

START = 1_700_000_000
BOUNDS = [0.02, 0.05, 0.07, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0, 2.0]


def plan(**more: Any) -> dict[str, Any]:
    return {
        "name": "checkout",
        "interval": "30s",
        "stages": [{"traffic": 0.5, "min": "10m"}],
        "metrics": [
            {"name": "latency", "kind": "histogram", "series": "duration", "quantile": 0.95, "margin": {"ratio": 1.25}, **more}
        ],
        "noise": {"latency": {"dispersion": 1}},
    }


def observations(times: float, n: int = 160) -> dict[str, Any]:
    """One by one, 300 an interval in the baseline and 150 in the canary."""
    random = np.random.default_rng(7)
    table: dict[str, list[Any]] = {"timestamp": [], "series": [], "arm": [], "value": []}
    for arm, size, scale in (("baseline", 300, 0.1), ("canary", 150, 0.1 * times)):
        for i in range(n):
            values = scale * np.exp(0.5 * random.standard_normal(size))
            table["timestamp"] += [START + 30 * i + k % 30 for k in range(size)]
            table["series"] += ["duration"] * size
            table["arm"] += [arm] * size
            table["value"] += list(values)
    return table


def buckets(table: dict[str, Any]) -> dict[str, Any]:
    """The same as classic buckets of each interval."""
    time = (np.asarray(table["timestamp"]) - START) // 30
    value, arm = np.asarray(table["value"]), np.asarray(table["arm"])
    found: dict[str, list[Any]] = {"timestamp": [], "series": [], "arm": [], "value": [], "le": []}
    for name in ("baseline", "canary"):
        for i in range(int(time.max()) + 1):
            own = value[(arm == name) & (time == i)]
            for le in [*BOUNDS, float("inf")]:
                found["timestamp"].append(START + 30 * i)
                found["series"].append("duration")
                found["arm"].append(name)
                found["le"].append(le)
                found["value"].append(float(np.sum(own <= le)))
    return found


@pytest.mark.parametrize("kind", ["histogram", "sample"])
@pytest.mark.parametrize(("times", "decided"), [(1.0, "promote"), (1.6, "rollback")])
def test_quantiles_are_judged(kind: str, times: float, decided: str) -> None:
    table = observations(times)
    decision = serinus.judge(plan(kind=kind), table if kind == "sample" else buckets(table))
    assert decision.decision == decided, str(decision)
    (metric,) = decision.metrics
    assert metric.kind == kind
    assert metric.observed["observations_baseline"] > 40_000
    assert metric.evidence.lower <= times <= metric.evidence.upper
    (told,) = [reason for reason in metric.reasons if reason.code == "quantile_thresholds"]
    assert 1.25 <= told.numbers["tested"] <= 1.25**2


def test_history_gives_thresholds() -> None:
    given = plan(kind="sample", quantile=[0.5, 0.95])
    del given["noise"]
    learned = serinus.calibrate(given, observations(1.0, 300))
    noise = learned.to_dict()["noise"]["latency"]
    assert noise["thresholds"][0] == pytest.approx(0.1, rel=0.05)
    assert len(noise["dispersions"]) == 2 and len(noise["shape"]) == 3
    read = serinus.Plan(given)
    assert read.metrics[0].quantile == [0.5, 0.95]
