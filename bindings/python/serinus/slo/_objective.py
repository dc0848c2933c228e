"""What is promised and when it alerts: Objective, Condition, Policy; and what burn rates and budgets are told as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import _core

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta
    from typing import Literal


class Objective(_core.Objective):
    """A promise: of all events in a period, at most the share `budget` is bad.

    Parameters
    ----------
    name : str
    budget : float
        The share that may be bad, in (0, 1): 0.001, never 1 - 0.999.
    target : str or float
        Instead of a budget: "99.9%", "0.999" or 0.999.
    period : str, timedelta or float
        Its length: "30d", or seconds.
    expected_events : float, optional
        Events of a whole period; without it they are learned from traffic.
    """

    def __init__(
        self,
        name: str = "",
        *,
        budget: float | None = None,
        target: str | float | None = None,
        period: str | timedelta | float = "30d",
        expected_events: float | None = None,
    ) -> None:
        self.__dict__.update(vars(_core.objective(name, budget, target, period, expected_events)))

    def __repr__(self) -> str:
        name = f'"{self.name}", ' if self.name else ""
        return f'Objective({name}budget={_core.number_text(self.budget)}, period="{self.period}")'


class Condition(_core.Condition):
    """A rule: the burn rates of both windows exceed the factor, strictly.

    Parameters
    ----------
    long, short : str, timedelta or float
        The windows: how much was lost, and that it still goes on; "1h", or seconds. `short` is at most `long`.
    factor : float
        Times the budget's rate.
    severity : {"page", "ticket", "info"}
    name : str
        Different in each condition of a policy; without it severity and long window: "page.1h".
    for_ : str, timedelta or float
        Fires once it has held this long.
    keep_firing_for : str, timedelta or float
        Goes on firing this long after the first evaluation at which it no longer held, as Prometheus' rules do.
    """

    def __init__(
        self,
        long: str | timedelta | float,
        short: str | timedelta | float,
        factor: float,
        severity: Literal["page", "ticket", "info"] = "page",
        name: str = "",
        for_: str | timedelta | float = "0",
        keep_firing_for: str | timedelta | float = "0",
    ) -> None:
        self.__dict__.update(vars(_core.condition(long, short, factor, severity, name, for_, keep_firing_for)))

    def __repr__(self) -> str:
        return (
            f'Condition(long="{self.long}", short="{self.short}", factor={_core.number_text(self.factor)}, '
            f'severity="{self.severity}", name="{self.name}")'
        )


class Policy(_core.Policy):
    """Conditions, any of which alerts; a page outranks a ticket.

    Parameters
    ----------
    conditions : list of Condition
    min_events : float
        A condition whose long window has fewer events does not fire; its status is "insufficient".
    min_probability : float, optional
        A condition fires only where the probability that the true burn rate exceeds the factor (Jeffreys' posterior,
        long window) reaches this; 0.95 is usual.
    """

    def __init__(
        self, conditions: Iterable[Condition], min_events: float = 0.0, min_probability: float | None = None
    ) -> None:
        self.__dict__.update(vars(_core.policy(list(conditions), min_events, min_probability)))

    @property
    def windows(self) -> list[str]:
        """The windows that the conditions look at, each once."""
        return _core.policy_windows(self)

    def check(self, objective: Objective) -> None:
        """Raises `serinus.Error` for a policy that means nothing under an objective.

        Its code is "serinus.slo.never_fires", and the message has the arithmetic, for a condition that no error rate can
        meet.
        """
        _core.check_policy(self, objective)

    def __repr__(self) -> str:
        text = f"Policy({self.conditions!r}"
        if self.min_events != 0:
            text += f", min_events={_core.number_text(self.min_events)}"
        if self.min_probability is not None:
            text += f", min_probability={_core.number_text(self.min_probability)}"
        return text + ")"


class WindowBurn(_core.WindowBurn):
    """The burn rate of one window at one time.

    Attributes
    ----------
    window : str
        "5m", "1h"; `window_ms` in milliseconds.
    burn : float or None
        ratio / budget; None when absent, NaN when there was no traffic (0/0).
    ratio : float or None
        bad / total.
    bad, total : float or None
        Events in the window; None when no series has them.
    status : BurnStatus
        "ok", "no_traffic" or "absent".
    coverage : float
        Share of the window in which some series was sampled closely enough, in [0, 1].
    exact : bool
        False where a thinned history could only approximate the window.
    edge_error_events, edge_error_bad : float
        At most so many of `total`, and of `bad`, lie before the window; 0 where exact.
    """

    _shown = ("window", "burn", "bad", "total", "status", "coverage")


class ErrorBudget(_core.ErrorBudget):
    """The error budget of a period; NaN where data are absent.

    Attributes
    ----------
    expected_events : float
        Events that the whole period has: the objective's, else learned from traffic.
    allowed_bad : float
        budget x expected events.
    bad : float
        Bad events so far.
    consumed : float
        bad / allowed; above 1 when overspent.
    remaining : float
        1 - consumed; below 0 when overspent.
    """

    _shown = ("consumed", "remaining", "bad", "allowed_bad")
