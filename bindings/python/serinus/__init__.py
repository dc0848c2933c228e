"""Serinus decides, from metric time series, whether a canary is safe: promote, hold or rollback.

>>> import serinus
>>> serinus.mann_whitney([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]).effect
1.0

`judge(plan, data)` does the whole job at once, `Monitor(plan)` as the data come; `calibrate(plan, history)` learns before
how two arms of one version differ; `mann_whitney` compares two samples in one
look; `serinus.sequential` holds the tests that may be looked at as often as you like. Baseline first, canary second.
"""

from __future__ import annotations

from . import sequential
from ._core import (
    Batch,
    Decision,
    Evidence,
    HeldBack,
    MannWhitneyResult,
    Metric,
    MetricCalibration,
    MetricResult,
    Reason,
    Stage,
    Telemetry,
    version,
)
from ._errors import Error
from ._fixed import mann_whitney
from ._rollout import Calibration, Monitor, Plan, calibrate, judge
from ._words import Action, Deadline, Harm, Kind, Missing, PromoteWhen, Severity, Verdict

__version__ = version()

# People meet these types here, and pickles should find them here too.
for _type in (
    Batch,
    Calibration,
    Decision,
    Evidence,
    HeldBack,
    MannWhitneyResult,
    Metric,
    MetricCalibration,
    MetricResult,
    Reason,
    Stage,
    Telemetry,
):
    _type.__module__ = __name__
del _type

__all__ = [
    "Action",
    "Batch",
    "Calibration",
    "Deadline",
    "Decision",
    "Error",
    "Evidence",
    "Harm",
    "HeldBack",
    "Kind",
    "MannWhitneyResult",
    "Metric",
    "MetricCalibration",
    "MetricResult",
    "Missing",
    "Monitor",
    "Plan",
    "PromoteWhen",
    "Reason",
    "Severity",
    "Stage",
    "Telemetry",
    "Verdict",
    "calibrate",
    "judge",
    "mann_whitney",
    "sequential",
    "version",
]
