"""Burn rates of a month: eight windows, asked at every one of 172,800 samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from harness import Contender, Missing, Row, Tools, python
from numpy.typing import NDArray
from serinus.slo import BurnRate

BUDGET = 0.001
WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"]
PANDAS_WINDOWS = ["5min", "30min", "1h", "2h", "6h", "1D", "3D", "30D"]
SAMPLES = 172_800

Counter = NDArray[np.float64]


def month() -> tuple[NDArray[np.int64], Counter, Counter]:
    random = np.random.default_rng(1)
    t_ms = 1_700_000_000_000 + 15_000 * np.arange(SAMPLES)
    return t_ms, np.cumsum(random.poisson(1, SAMPLES)).astype(float), np.cumsum(random.poisson(1500, SAMPLES)).astype(float)


def ours(t_ms: NDArray[np.int64], bad: Counter, total: Counter) -> object:
    burn = BurnRate(budget=BUDGET, windows=WINDOWS)
    burn.add_series("bad", t_ms, bad)
    burn.add_series("total", t_ms, total)
    return burn.over(t_ms / 1000, "burn")


def ours_with_all(t_ms: NDArray[np.int64], bad: Counter, total: Counter) -> object:
    burn = BurnRate(budget=BUDGET, windows=WINDOWS)
    burn.add_series("bad", t_ms, bad)
    burn.add_series("total", t_ms, total)
    return burn.over(t_ms / 1000)


def rolling(t_ms: NDArray[np.int64], bad: Counter, total: Counter) -> object:
    """What one writes in a notebook: increments (a reset counts from 0), then rolling sums."""
    counters = pd.DataFrame({"bad": bad, "total": total}, index=pd.to_datetime(t_ms, unit="ms"))
    steps = counters.diff()
    steps = steps.where(steps >= 0, counters).fillna(0)
    out = {}
    for window in PANDAS_WINDOWS:
        sums = steps.rolling(window).sum()
        out[window] = sums["bad"] / sums["total"] / BUDGET
    return out


def rows(tools: Tools) -> Iterator[Row]:
    def make() -> Sequence[Contender | Missing]:
        data = [month()]
        return [
            python("Serinus, from Python", ours, data, ours=True),
            python("Serinus, with counts, ratio and coverage", ours_with_all, data, ours=True),
            python("pandas", rolling, data),
            Missing("SciPy", "SciPy has no windows of time"),
        ]

    yield Row("Burn rates, 30 days at 15 s", "8 windows at every sample", make, goal=25e-3)
