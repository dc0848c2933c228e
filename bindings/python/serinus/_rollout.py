"""The main job: a plan, data, and whether to promote, hold or roll back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from . import _core, _inputs

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any, Literal

    import numpy as np

    PlanLike = _core.Plan | str | bytes | os.PathLike[str] | Mapping[str, Any]
    TimeLike = float | str | datetime | np.datetime64


class Plan(_core.Plan):
    """What is agreed before a rollout starts: stages, metrics, margins, and how often a good canary may be rolled back.

    Parameters
    ----------
    plan : path, JSON text or dict
        The keys are those of plan.schema.json. A key that no plan has, a missing one or an impossible value raises
        `serinus.Error` with code "serinus.plan.*", naming its path.

    Notes
    -----
    Attributes have the plan's words; times are in milliseconds, with the ending `_ms`. Plans are immutable, compare by
    content and can be pickled.

    Examples
    --------
    >>> import serinus
    >>> plan = serinus.Plan({
    ...     "name": "payments", "alpha": 0.05, "interval": "10s",
    ...     "stages": [{"traffic": 0.1, "min": "10m", "max": "1h"}],
    ...     "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
    ...                  "harm": "increase", "margin": {"ratio": 2.0}}]})
    >>> plan.metrics["errors"].margin, plan.stages[0].min_ms
    ({'ratio': 2.0}, 600000)
    """

    __slots__ = ()

    def __init__(self, plan: PlanLike) -> None:
        super().__init__(plan.to_json() if isinstance(plan, _core.Plan) else _inputs.plan_json(plan))

    def to_dict(self) -> dict[str, Any]:
        """The plan as a dict, as it would stand in JSON."""
        document: dict[str, Any] = json.loads(self.to_json())
        return document

    def __reduce__(self) -> tuple[type[Plan], tuple[str]]:
        return type(self), (self.to_json(),)

    def __repr__(self) -> str:
        return f"Plan({self.name!r}, metrics={self.metrics.names()!r}, digest={self.digest[:12]!r})"


def _plan(given: PlanLike) -> Plan:
    return given if isinstance(given, Plan) else Plan(given)


def judge(plan: PlanLike, data: Any, now: TimeLike | None = None) -> _core.Decision:
    """The whole job at once: is the canary safe, from all the data there are?

    A `Monitor` of the plan is fed the data, stage by stage where a `stage` column says when stages began, and flushed.

    Parameters
    ----------
    plan : Plan, path, JSON text or dict
    data : path, text, dict or table
        * a table in long form, one sample a row: a pandas or polars DataFrame, an Arrow table, a dict of arrays or a
          structured array with the columns `timestamp, series, arm, value` and if you like `instance, le, stage`; arm is
          baseline or canary; a timestamp is a datetime (without a zone: UTC), RFC 3339, or Unix seconds or milliseconds
          (below 1e11: seconds); a missing value (NaN, None) is no sample;
        * the path of a CSV file in that form, or its text;
        * answers of the Prometheus API, {"http_errors": {"status": "success", ...}, ...}, as dict, text or path.
    now : time, optional
        Default: the data are complete, and all of them are judged. With a time the answer is what a monitor that watched
        all along says at that time: later samples are left out, intervals that have not settled wait, and silence since
        the newest sample ages the data.

    Returns
    -------
    Decision
        `decision` is "promote", "hold" or "rollback"; `metrics["errors"].verdict` is "pass", "fail", "inconclusive" or
        "no_data"; `str(decision)` says why. Too few data are a hold, never an error.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> plan = {"name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "1m"}],
    ...         "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
    ...                      "harm": "increase", "margin": {"ratio": 2.0}}]}
    >>> rows = [(10 * t, series, arm, value) for t in range(60) for series, arm, value in [
    ...     ("http_requests", "baseline", 900), ("http_errors", "baseline", 9),
    ...     ("http_requests", "canary", 100), ("http_errors", "canary", 8)]]
    >>> table = dict(zip(["timestamp", "series", "arm", "value"], map(np.array, zip(*rows))))
    >>> decision = serinus.judge(plan, table)
    >>> decision.decision == "rollback", decision.metrics["errors"].verdict == "fail"
    (True, True)
    """
    known = _plan(plan)
    return _core.judge(known, _inputs.batch(data, known), None if now is None else _inputs.milliseconds("now", now))


class Monitor(_core.Monitor):
    """Watches a rollout: takes data as they come, and says after each batch whether to promote, hold or roll back.

    However often it is asked, over all looks, stages and metrics, a canary that is never worse than its margins is rolled
    back with probability at most the plan's `alpha`. It has no clock and no randomness: the same calls give the same
    decisions. It can be pickled; threads may share it and take turns.

    Parameters
    ----------
    plan : Plan, path, JSON text or dict

    Notes
    -----
    A time is a datetime (without a zone: UTC), a text in RFC 3339, or Unix seconds or milliseconds (below 1e11: seconds).

    Examples
    --------
    >>> import serinus
    >>> monitor = serinus.Monitor({
    ...     "name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "1m"}],
    ...     "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
    ...                  "harm": "increase", "margin": {"ratio": 2.0}}]})
    >>> for t in range(1_700_000_000, 1_700_000_600, 10):
    ...     decision = monitor.observe({"timestamp": [t] * 4, "arm": ["baseline"] * 2 + ["canary"] * 2,
    ...                                 "series": ["http_requests", "http_errors"] * 2, "value": [900, 9, 100, 8]})
    >>> decision.decision == "rollback"
    True
    """

    __slots__ = ("plan",)

    plan: Plan

    def __init__(self, plan: PlanLike) -> None:
        self.plan = _plan(plan)
        super().__init__(self.plan)

    def observe(self, data: Any = None, now: TimeLike | None = None) -> _core.Decision:
        """Takes new samples and decides.

        Parameters
        ----------
        data : as for `judge`, optional
            What is new; handing over samples again changes nothing. None: nothing came, and silence ages the data.
            A `stage` column is not read here: see `enter_stage`.
        now : time, optional
            The present time; default the newest timestamp seen. It never runs backwards.
        """
        return self._observe(_inputs.batch(data, self.plan), None if now is None else _inputs.milliseconds("now", now))

    def enter_stage(self, index: int, at: TimeLike) -> None:
        """Told after traffic was moved: stage `index` (from 0) runs since `at`."""
        self._enter_stage(index, _inputs.milliseconds("at", at))

    def restart(self, arm: Literal["baseline", "canary"], instance: str, at: TimeLike) -> None:
        """An instance of an arm was restarted at that time: it is not judged until the plan's `warm_up` has passed."""
        self._restart(arm, instance, _inputs.milliseconds("at", at))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (type(self), self.plan, self.state())

    def __repr__(self) -> str:
        return f"Monitor({self.plan.name!r}, {self.decision!r})"


def _revive(cls: type[Monitor], plan: Plan, state: bytes) -> Monitor:
    monitor = cls(plan)
    monitor.restore(state)
    return monitor
