"""All that can be said of an error budget at one time: what `serinus burn` answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import _core, _inputs
from ._alerts import Alert, _named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime, timedelta
    from typing import Literal

    from .._words import Severity
    from ._objective import ErrorBudget, Objective, Policy, WindowBurn


@dataclass(frozen=True)
class BurnReport:
    """How fast a service spends its error budget, and whether somebody should look; `str` says it in words.

    Attributes
    ----------
    time : float
        What is said is said of this moment, in Unix seconds.
    objective : Objective
    policy : Policy
    windows : dict
        A `WindowBurn` each, by the window's text, the shortest first.
    alerts : list of Alert
        In the order of the policy's conditions.
    firing : Severity or None
        The gravest severity that fires.
    budget : ErrorBudget
        Of the period that ends now.
    time_to_exhaustion : float
        Seconds that the rest of the budget lasts at the burn rate of the last hour; infinite, or NaN where not known.
    samples : dict
        What became of the samples: taken, duplicates, conflicts, not_numbers, resets, ...
    """

    time: float
    objective: Objective
    policy: Policy
    windows: dict[str, WindowBurn]
    alerts: list[Alert]
    firing: Severity | None
    budget: ErrorBudget
    time_to_exhaustion: float
    samples: dict[str, int]
    _text: str = field(repr=False)
    _json: str = field(repr=False)

    def to_json(self) -> str:
        """The report as JSON text, as `serinus burn --format json` writes it (burn.schema.json)."""
        return self._json

    def to_dict(self) -> dict[str, Any]:
        """The report as a dict, as it would stand in JSON."""
        document: dict[str, Any] = json.loads(self._json)
        return document

    def __str__(self) -> str:
        return self._text


def burn_report(
    objective: Objective,
    data: Any,
    *,
    bad: str = "",
    good: str = "",
    total: str = "",
    policy: Policy | None = None,
    arm: Literal["baseline", "canary"] | None = None,
    deltas: bool = False,
    windows: Iterable[str | timedelta | float] = (),
    semantics: Literal["exact", "prometheus2", "prometheus3", "prometheus3_anchored"] = "exact",
    now: float | datetime | str | None = None,
    interval: str | timedelta | float = "1m",
    arms: Mapping[str, str] | str | None = None,
    columns: Mapping[str, str] | str | None = None,
) -> BurnReport:
    """How fast does a service spend its error budget, does its policy alert, and how long will the budget last?

    Parameters
    ----------
    objective : Objective
    data : path, text, dict or table
        What `serinus.judge` takes; answers of the Prometheus API need no label that tells arms apart.
    bad, good, total : str
        The names of the series that count bad, good and all events: two of the three.
    policy : Policy, optional
        When it alerts; default: `sre_workbook_policy` of the objective's period.
    arm : {"baseline", "canary"}, optional
        Whose events count; default: both arms are one service.
    deltas : bool
        The series are counts since the sample before, not cumulative counters.
    windows : iterable of str, timedelta or float
        Shown beside those of the policy, one of an hour and one of the period; numbers are seconds.
    semantics : {"exact", "prometheus2", "prometheus3", "prometheus3_anchored"}
        What an increase is; see `BurnRate`.
    now : time, optional
        Default: the newest sample.
    interval : str, timedelta or float
        Between two evaluations of the alerts, which ask how long a condition has held.
    arms, columns : dict, optional
        What tells arms apart in these data, and what a table's columns are called, as for `serinus.judge`.

    Returns
    -------
    BurnReport

    Examples
    --------
    >>> from serinus import slo
    >>> data = {
    ...     "timestamp": [0, 0, 60, 60], "series": ["errors", "all"] * 2, "arm": ["baseline"] * 4,
    ...     "value": [0, 0, 20, 1_000]}
    >>> report = slo.burn_report(slo.Objective("api", target="99.9%"), data, bad="errors", total="all")
    >>> report.windows["1h"].burn, report.firing
    (20.0, <Severity.PAGE: 'page'>)
    >>> print(str(report).splitlines()[0])
    PAGE  api   budget 0.1 % of events in 30d   at 1970-01-01T00:01:00Z
    """
    chosen = policy if policy is not None else _core.sre_workbook_policy(objective.period)
    found = _core._burn_report(
        objective,
        chosen,
        _inputs.batch(data, None, arms, columns, (bad, good, total)),
        bad,
        good,
        total,
        deltas,
        arm,
        [windows] if isinstance(windows, str) else list(windows),
        semantics,
        None if now is None else _inputs.milliseconds("now", now),
        interval,
    )
    return BurnReport(
        time=found["time"],
        objective=objective,
        policy=chosen,
        windows={window.window: window for window in found["windows"]},
        alerts=_named(chosen, found["alerts"]),
        firing=found["firing"],
        budget=found["budget"],
        time_to_exhaustion=found["time_to_exhaustion"],
        samples=found["samples"],
        _text=found["text"],
        _json=found["json"],
    )
