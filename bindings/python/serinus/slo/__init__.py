"""Service level objectives: burn rates over any windows, alerts of a policy, error budgets.

>>> from serinus import slo
>>> burn = slo.BurnRate(budget=0.001, windows=["5m", "1h"])
>>> requests = burn.add_series("total", [0, 60, 120], [0, 5_000, 10_000])
>>> errors = burn.add_series("bad", [0, 60, 120], [0, 0, 20])
>>> burn.at(120)["5m"].burn
2.0
"""

from .._core import budget_from_target, sre_workbook_policy
from .._words import AlertState, BurnStatus
from ._alerts import Alert, Alerts, alerts_over
from ._budget import TimeSlices, error_budget, time_slices, time_to_exhaustion
from ._burn import BurnColumn, BurnRate
from ._deployment import (
    BurnIntervalResult,
    DeploymentBudgetResult,
    ExcessSequence,
    burn_interval,
    burn_p_value,
    deployment_budget,
    probability_burn_exceeds,
)
from ._objective import Condition, ErrorBudget, Objective, Policy, WindowBurn
from ._report import BurnReport, burn_report
from ._rules import prometheus_rules

__all__ = [
    "Alert",
    "AlertState",
    "Alerts",
    "BurnColumn",
    "BurnIntervalResult",
    "BurnRate",
    "BurnReport",
    "BurnStatus",
    "Condition",
    "DeploymentBudgetResult",
    "ErrorBudget",
    "ExcessSequence",
    "Objective",
    "Policy",
    "TimeSlices",
    "WindowBurn",
    "alerts_over",
    "budget_from_target",
    "burn_interval",
    "burn_p_value",
    "burn_report",
    "deployment_budget",
    "error_budget",
    "probability_burn_exceeds",
    "prometheus_rules",
    "sre_workbook_policy",
    "time_slices",
    "time_to_exhaustion",
]

# People meet these types here, and pickles should find them here too.
for _type in (
    Alert,
    AlertState,
    Alerts,
    BurnColumn,
    BurnRate,
    BurnReport,
    BurnStatus,
    ExcessSequence,
    TimeSlices,
):
    _type.__module__ = "serinus.slo"
del _type
