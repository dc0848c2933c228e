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
from ._fixed import (
    EffectiveSampleSizeResult,
    EffectSizeResult,
    HodgesLehmannResult,
    PairedTestResult,
    RobustRankResult,
    effect_size,
    effective_sample_size,
    hodges_lehmann,
    mann_whitney,
    paired_test,
    robust_rank_test,
)
from ._rollout import Calibration, Monitor, Plan, calibrate, judge
from ._words import Action, Deadline, Harm, Kind, Missing, PromoteWhen, Severity, Verdict

__version__ = version()

# People meet these types here, and pickles should find them here too.
for _type in (
    Batch,
    Calibration,
    Decision,
    EffectSizeResult,
    EffectiveSampleSizeResult,
    Evidence,
    HeldBack,
    HodgesLehmannResult,
    MannWhitneyResult,
    Metric,
    MetricCalibration,
    MetricResult,
    PairedTestResult,
    Reason,
    RobustRankResult,
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
    "EffectSizeResult",
    "EffectiveSampleSizeResult",
    "Error",
    "Evidence",
    "Harm",
    "HeldBack",
    "HodgesLehmannResult",
    "Kind",
    "MannWhitneyResult",
    "Metric",
    "MetricCalibration",
    "MetricResult",
    "Missing",
    "Monitor",
    "PairedTestResult",
    "Plan",
    "PromoteWhen",
    "Reason",
    "RobustRankResult",
    "Severity",
    "Stage",
    "Telemetry",
    "Verdict",
    "calibrate",
    "effect_size",
    "effective_sample_size",
    "hodges_lehmann",
    "judge",
    "mann_whitney",
    "paired_test",
    "robust_rank_test",
    "sequential",
    "version",
]
