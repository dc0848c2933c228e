"""Serinus decides, from metric time series, whether a canary is safe: promote, hold or rollback.

>>> import serinus
>>> serinus.mann_whitney([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]).effect
1.0

`judge(plan, data)` does the whole job at once, `Monitor(plan)` as the data come; `mann_whitney` compares two samples in one
look; `serinus.sequential` holds the tests that may be looked at as often as you like. Baseline first, canary second.
"""

from __future__ import annotations

from . import sequential
from ._core import (
    Batch,
    Decision,
    Evidence,
    MannWhitneyResult,
    Metric,
    MetricResult,
    Reason,
    Stage,
    Telemetry,
    version,
)
from ._errors import Error
from ._fixed import mann_whitney
from ._rollout import Monitor, Plan, judge
from ._words import Action, Deadline, Harm, Kind, Missing, PromoteWhen, Severity, Verdict

__version__ = version()

# People meet these types here, and pickles should find them here too.
for _type in (Batch, Decision, Evidence, MannWhitneyResult, Metric, MetricResult, Reason, Stage, Telemetry):
    _type.__module__ = __name__
del _type

__all__ = [
    "Action",
    "Batch",
    "Deadline",
    "Decision",
    "Error",
    "Evidence",
    "Harm",
    "Kind",
    "MannWhitneyResult",
    "Metric",
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
    "judge",
    "mann_whitney",
    "sequential",
    "version",
]
