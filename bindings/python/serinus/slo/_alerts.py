"""What a policy says: Alerts, evaluation by evaluation, or over many times."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .. import _core, _inputs
from ._burn import _times

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from .._words import AlertState, BurnStatus, Severity
    from ._burn import BurnRate, Times
    from ._objective import Objective, Policy, WindowBurn


class Alert(NamedTuple):
    """What a condition says now; times in Unix seconds, None while they do not apply.

    The burn rates are NaN where absent, as in the arrays of `BurnRate.over` (`BurnRate.at` has None there), and at 0/0;
    `status` tells which.
    """

    name: str
    severity: Severity
    state: AlertState
    status: BurnStatus
    active_since: float | None
    firing_since: float | None
    long_burn: float
    short_burn: float


class Alerts(_core.Alerts):
    """The alerts of a policy under an objective: inactive, pending and firing, as Prometheus evaluates its rules.

    Raises `serinus.Error` for a policy with a condition that can never fire.

    Examples
    --------
    >>> from serinus import slo
    >>> objective = slo.Objective("availability", target="99.9%")
    >>> alerts = slo.Alerts(slo.sre_workbook_policy(), objective)
    >>> burn = slo.BurnRate(objective.budget, alerts.policy.windows)
    >>> total = burn.add_series("total", [0, 60, 120], [0, 6_000, 12_000])
    >>> bad = burn.add_series("bad", [0, 60, 120], [0, 0, 600])
    >>> alerts.update(120, burn)
    >>> alerts.firing
    <Severity.PAGE: 'page'>
    """

    __slots__ = ("_objective",)

    def __init__(self, policy: Policy, objective: Objective) -> None:
        super().__init__(policy, objective)
        self._objective = objective

    def update(self, t: float | datetime | str, burn: BurnRate | Mapping[str, WindowBurn]) -> None:
        """Evaluates at a time, on a `BurnRate` or what its `at` gave; times must not go back.

        A time is what `BurnRate.at` takes.
        """
        ms = _inputs.milliseconds("t", t)
        burns = burn._at(ms) if isinstance(burn, _core.BurnRate) else list(burn.values())
        self._update(ms, burns)

    @property
    def alerts(self) -> list[Alert]:
        """What each condition says, in the order of the policy."""
        return _named(self.policy, self._alerts())

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.policy, self._objective, self.state())


def _named(policy: Policy, alerts: list[dict[str, Any]]) -> list[Alert]:
    """What each condition of a policy says, with the condition's name."""
    return [
        Alert(condition.name, condition.severity, **alert)
        for condition, alert in zip(policy.conditions, alerts, strict=True)
    ]


def _revive(cls: type[Alerts], policy: Policy, objective: Objective, state: bytes) -> Alerts:
    alerts = cls(policy, objective)
    alerts.restore(state)
    return alerts


def alerts_over(
    policy: Policy, objective: Objective, burn: BurnRate, t: Times
) -> dict[str, list[tuple[float, float]]]:
    """When a policy would have fired, evaluated at times that do not go back: what `BurnRate.over` takes.

    Returns the intervals (first, last) of consecutive evaluations, in Unix seconds, of each condition by its name and of
    each severity by its word ("page", "ticket", "info"); a condition that is called like a severity hides it.
    """
    conditions, severities = _core._alerts_over(policy, objective, burn, _times(t))
    return {**severities, **conditions}
