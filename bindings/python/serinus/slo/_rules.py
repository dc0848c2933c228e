"""A policy as Prometheus rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from datetime import timedelta
    from typing import Literal

    from ._objective import Objective, Policy


def prometheus_rules(
    objective: Objective,
    policy: Policy,
    bad: str,
    total: str,
    *,
    interval: str | timedelta | float | None = None,
    no_data: Literal["page", "ticket", "info"] | None = None,
) -> str:
    """The policy as a group of Prometheus rules, YAML text for `rule_files`.

    One recording rule a window, `serinus:error_ratio:increase1h`; one alerting rule a condition, `ErrorBudgetBurn`.
    In Prometheus 2 they fire when `Alerts` does on a `BurnRate` with semantics "prometheus2".

    Parameters
    ----------
    objective : Objective
        Its name becomes the label `slo`.
    policy : Policy
        Without `min_probability`, which PromQL cannot compute.
    bad, total : str
        Selectors of the counters of bad events and of all events.
    interval : str, timedelta or float, optional
        How often the rules are evaluated; default: what the server is set to.
    no_data : {"page", "ticket", "info"}, optional
        Alerts with this severity when a ratio is absent or 0/0; default: that alerts nobody.

    Examples
    --------
    >>> from serinus import slo
    >>> text = slo.prometheus_rules(
    ...     slo.Objective("availability", target="99.9%"), slo.sre_workbook_policy(), "errors_total", "requests_total"
    ... )
    >>> print("\\n".join(text.splitlines()[:6]))
    # Error budget of availability: 0.001 of all events in 30d
    groups:
      - name: "serinus-slo-availability"
        rules:
          - record: serinus:error_ratio:increase5m
            expr: "sum(increase(errors_total[5m])) / sum(increase(requests_total[5m]))"
    """
    return _core.prometheus_rules(objective, policy, bad, total, interval, no_data)
