"""A rollout that many tests share: its plan, and its samples as a table in long form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

START = 1_795_382_480  # 2026-11-22T21:21:20Z


@pytest.fixture
def plan_dict() -> dict[str, Any]:
    return {
        "name": "payments",
        "deployment": "payments-2026.11.22-1",
        "alpha": 0.05,
        "stages": [{"traffic": 0.1, "min": "5m", "max": "2h"}, {"traffic": 0.5, "min": "5m", "max": "2h"}],
        "interval": "10s",
        "metrics": [
            {
                "name": "errors",
                "kind": "proportion",
                "bad": "http_errors",
                "total": "http_requests",
                "harm": "increase",
                "margin": {"ratio": 2.0},
                "critical": True,
            }
        ],
        "noise": {"errors": {"dispersion": 1.0}},
    }


def make_table(
    canary_rate: float = 0.01, intervals: int = 180, instances: int = 2, baseline_rate: float = 0.01, seed: int = 1
) -> dict[str, Any]:
    """Four series an instance, 10 s apart: about 2,000 baseline and 400 canary requests an interval and instance."""
    random = np.random.default_rng(seed)
    times = START + 10 * np.arange(intervals)
    parts: dict[str, list[Any]] = {"timestamp": [], "series": [], "arm": [], "value": [], "instance": []}
    for arm, size, rate in (("baseline", 2000, baseline_rate), ("canary", 400, canary_rate)):
        for instance in range(instances):
            total = random.poisson(size, intervals)
            bad = random.binomial(total, rate)
            for series, values in (("http_requests", total), ("http_errors", bad)):
                parts["timestamp"].append(times)
                parts["value"].append(values.astype(np.float64))
                parts["series"].append(np.full(intervals, series))
                parts["arm"].append(np.full(intervals, arm))
                parts["instance"].append(np.full(intervals, f"{arm}-{instance}"))
    return {name: np.concatenate(part) for name, part in parts.items()}


@pytest.fixture
def bad_table() -> dict[str, Any]:
    return make_table(canary_rate=0.08)


@pytest.fixture
def good_table() -> dict[str, Any]:
    return make_table(canary_rate=0.01)
