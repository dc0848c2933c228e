"""The main job: a plan, data, and whether to promote, hold or roll back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from warnings import warn

from . import _core, _inputs

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from typing import Any, Literal

    import numpy as np

    from ._decision import Decision, MetricCalibration, Together, Understood
    from ._results import ByName

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

    @property
    def severity(self) -> dict[str, str]:
        """Who is told of a reason, by its code: what the plan says beside the defaults."""
        document: dict[str, str] = self.to_dict().get("severity", {})
        return document

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


def judge(
    plan: PlanLike,
    data: Any,
    now: TimeLike | None = None,
    *,
    stage: int | None = None,
    since: TimeLike | None = None,
    arms: Mapping[str, str] | str | None = None,
    columns: Mapping[str, str] | str | None = None,
) -> Decision:
    """The whole job at once: is the canary safe, from all the data there are?

    A `Monitor` of the plan is fed the data, stage by stage where a `stage` column says when stages began, and flushed.

    Parameters
    ----------
    plan : Plan, path, JSON text or dict
    data : path, text, dict or table
        * a table, one sample a row or one column a series: a pandas or polars frame, an Arrow table, a dict of arrays or a
          structured array with the columns `timestamp, series, arm, value` and if you like `instance, le, stage`; arm is
          baseline or canary; a timestamp is a datetime (without a zone: UTC), RFC 3339, or Unix time in
          seconds, ms, us or ns (told by its size); a missing value (NaN, None) is no sample;
        * the path of a file, or its text or bytes, in any format that the command reads: CSV, answers of the Prometheus
          API, text exposition, OTLP/JSON, VictoriaMetrics' lines; gzip is unpacked;
        * answers of the Prometheus API, {"http_errors": {"status": "success", ...}, ...}, or OTLP/JSON, as a dict.

        What of them is not read (further columns, series of neither arm) is told in the decision, and is a warning.
    now : time, optional
        Default: the data are complete, and all of them are judged. With a time the answer is what a monitor that watched
        all along says at that time: later samples are left out, intervals that have not settled wait, and silence since
        the newest sample ages the data.
    stage : int, optional
        Which stage of the plan the data are of, from 1, where they have no `stage` column (default: 1).
    since : time, optional
        When that stage began; what came before is left out. Default: the canary's first sample.
    arms : dict, optional
        What tells the arms apart in these data, where it is not as the plan says: {"label": "pod_template_hash",
        "baseline": "6d4c9f", "canary": "7f5b2a"}, each of the three on its own.
    columns : dict, optional
        What a table's columns are called: {"timestamp": "Time", "value": "Value"}.

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
    samples = _inputs.batch(data, known, arms, columns)
    times = {"now": now, "since": since}
    now_ms, since_ms = (None if time is None else _inputs.milliseconds(name, time) for name, time in times.items())
    decision = _core.judge(known, samples, now_ms, stage, since_ms)
    for reason in decision.reasons:
        if reason.code in ("looks_like_counter", "looks_like_counts"):
            warn(f"{reason.metric}: {reason.sentence}", stacklevel=2)
    return decision


def report(
    plan: PlanLike,
    data: Any,
    now: TimeLike | None = None,
    *,
    format: Literal["html", "markdown", "text", "github", "junit", "openmetrics", "cdevents"] = "html",
    stage: int | None = None,
    since: TimeLike | None = None,
    arms: Mapping[str, str] | str | None = None,
    columns: Mapping[str, str] | str | None = None,
) -> str:
    """What `judge` decides, as a page for people: why, and how it came about; or in a form for a pipeline.

    Parameters
    ----------
    plan, data, now, stage, since, arms, columns
        As for `judge`.
    format : {"html", "markdown", "text", "github", "junit", "openmetrics", "cdevents"}
        html: one document that needs nothing else, with both arms, the evidence and the range of each metric drawn over
        time, as a controller would have seen them that asked at 120 times. markdown: the decision for a pipeline's
        summary. The others: what the method of that name of a `Decision` gives.

    Returns
    -------
    str

    Examples
    --------
    >>> import serinus
    >>> plan = {"name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "1m"}],
    ...         "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
    ...                      "harm": "increase", "margin": {"ratio": 2.0}}]}
    >>> page = serinus.report(plan, {"timestamp": [0], "series": ["http_requests"], "arm": ["canary"], "value": [1]})
    >>> page.splitlines()[0]
    '<!DOCTYPE html>'
    """
    known = _plan(plan)
    samples = _inputs.batch(data, known, arms, columns)
    times = {"now": now, "since": since}
    now_ms, since_ms = (None if time is None else _inputs.milliseconds(name, time) for name, time in times.items())
    return _core.report(known, samples, now_ms, stage, since_ms, format)


def decide_together(decisions: Iterable[Decision]) -> Together:
    """One answer for services that are rolled out together, from the decision of each.

    A rollback of any rolls all of them back, they are promoted only if all are, and are held otherwise. Each is judged by
    its own plan on its own data; good services are ever rolled back with at most the sum of the plans' alphas.

    Parameters
    ----------
    decisions : list of Decision
        One a service, in any order.

    Returns
    -------
    Together

    Examples
    --------
    >>> import serinus
    >>> def plan(name, alpha):
    ...     return {"name": name, "alpha": alpha, "interval": "10s", "stages": [{"traffic": 0.1}],
    ...             "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 2}}]}
    >>> def shown(errors):
    ...     rows = [(10 * t, s, arm, v) for t in range(60) for s, arm, v in [
    ...         ("n", "baseline", 900), ("e", "baseline", 9), ("n", "canary", 100), ("e", "canary", errors)]]
    ...     return dict(zip(["timestamp", "series", "arm", "value"], zip(*rows)))
    >>> orders = serinus.judge(plan("orders", 0.025), shown(1))
    >>> payments = serinus.judge(plan("payments", 0.025), shown(9))
    >>> both = serinus.decide_together([orders, payments])
    >>> both.decision == "rollback", both.decided_by, both.alpha
    (True, ['payments'], 0.05)
    """
    return _core.decide_together(list(decisions))


def check(
    plan: PlanLike,
    data: Any = None,
    *,
    arms: Mapping[str, str] | str | None = None,
    columns: Mapping[str, str] | str | None = None,
) -> Understood:
    """Before a rollout: what of a plan can hardly work out, and how data of it are understood. Nothing is judged.

    Parameters
    ----------
    plan : Plan, path, JSON text or dict
    data : as for `judge`, optional
        Data of the plan's series, of any time. None: the plan alone is looked at.
    arms, columns : dict, optional
        As for `judge`.

    Returns
    -------
    Understood
        `mend` is what should be mended, `notes` what was made of the data; print it.

    Examples
    --------
    >>> import serinus
    >>> plan = {"name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "1m"}],
    ...         "queries": {"http_errors": "sum(http_errors_total)"},
    ...         "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
    ...                      "harm": "increase", "margin": {"ratio": 2.0}}]}
    >>> serinus.check(plan)
    Understood('payments', mend=['errors.query_loses_arm'], series=0)
    """
    known = _plan(plan)
    if data is None:
        return _core.check(known)
    return _core.check_data(known, _inputs.batch(data, known, arms, columns))


class Calibration:
    """What history says of the noise of a plan's metrics; `serinus.calibrate` gives it.

    Attributes
    ----------
    plan : Plan
        The plan with its noise, for `judge` and `Monitor`.
    metrics : found by index and by name
        Of each metric: `learned`, `differences`, `independent`, `typical`, `dispersion`, `held_back`, `reasons` ...
    noise : dict
        What the plan carries, by metric name; metrics that history tells too little of are not in it.

    `str(calibration)` is the report for people; `to_dict()` and `to_json()` give what machines read.
    """

    __slots__ = ("_given", "_learned", "metrics", "plan")

    plan: Plan
    metrics: ByName[MetricCalibration]

    def __init__(self, given: Plan, learned: str, metrics: ByName[MetricCalibration]) -> None:
        self._given, self._learned, self.metrics = given, Plan(learned), metrics
        self.plan = Plan(_core.plan_with_noise(given, self._learned))

    @property
    def noise(self) -> dict[str, Any]:
        """What the plan carries, by metric name, as in JSON."""
        noise: dict[str, Any] = self.to_dict()["noise"]
        return noise

    def to_json(self, indent: int | None = 2) -> str:
        """The calibration as JSON text; indent None puts all on one line."""
        return _core.calibration_json(self._learned, self.metrics, indent)

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` says, as a dict: an unknown number is None."""
        document: dict[str, Any] = json.loads(self.to_json(None))
        return document

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Calibration):
            return NotImplemented
        return (self._given, self._learned, self.metrics) == (other._given, other._learned, other.metrics)

    def __hash__(self) -> int:
        return hash((self._given, self._learned))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._given, self._learned.to_json(), self.metrics)

    def __str__(self) -> str:
        return _core.calibration_text(self._given, self._learned, self.metrics)

    def __repr__(self) -> str:
        learned = [metric.name for metric in self.metrics if metric.learned]
        return f"Calibration({self._given.name!r}, learned={learned!r} of {len(self.metrics)})"


Calibration.__module__ = "serinus"


def calibrate(
    plan: PlanLike,
    history: Any,
    progress: Callable[[float], None] | None = None,
    *,
    releases: Iterable[Any] = (),
    arms: Mapping[str, str] | str | None = None,
    columns: Mapping[str, str] | str | None = None,
) -> Calibration:
    """How do two arms of one version differ? Learns from history what every metric's evidence is measured against.

    A gauge whose rollout has several instances is judged between them and needs no history, which only makes it quicker.
    Without instances and without history a gauge decides nothing; counts are then taken as independent of each other.

    Parameters
    ----------
    plan : Plan, path, JSON text or dict
    history : as `data` for `judge`
        The plan's series from a time when both arms ran one version, best 1,500 intervals or more: several instances of the
        baseline (column `instance`), which take turns as the canary, five or more to know how far instances differ by
        themselves; or both arms, and what they differ by themselves is subtracted.
    progress : callable, optional
        Called with the share that is done, from 0 to 1.
    releases : list, optional
        Data of former releases of the service, each as `data` for `judge`: the instances of their baselines tell more of
        how far instances differ, each release with k of them k - 1 degrees of freedom.
    arms, columns : dict, optional
        As for `judge`.

    Returns
    -------
    Calibration
        Its `plan` is the plan with the noise; its `metrics` say what was learned, how often the noise of history's first half
        would have rolled back quiet windows of its second half, and what is too little. Too little is a result, no error.

    Examples
    --------
    >>> import numpy as np, serinus
    >>> plan = {"name": "payments", "interval": "1m", "stages": [{"traffic": 0.5, "min": "10m"}],
    ...         "metrics": [{"name": "p95", "kind": "gauge", "series": "latency_p95", "margin": {"ratio": 1.1}}]}
    >>> random = np.random.default_rng(1)
    >>> times = np.arange(3000) * 60
    >>> def table(canary, times):
    ...     value = np.concatenate([random.normal(level, 4, len(times)) for level in (100, canary)])
    ...     return {"timestamp": np.tile(times, 2), "series": ["latency_p95"] * 2 * len(times), "value": value,
    ...             "arm": ["baseline"] * len(times) + ["canary"] * len(times)}
    >>> learned = serinus.calibrate(plan, table(100, times[:2000]))
    >>> learned
    Calibration('payments', learned=['p95'] of 1)
    >>> serinus.judge(learned.plan, table(130, times[2000:2060])).decision == "rollback"
    True
    """
    known = _plan(plan)
    former = [_inputs.batch(release, known, arms, columns) for release in releases]
    return Calibration(known, *_core.calibrate(known, _inputs.batch(history, known, arms, columns), former, progress))


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
    A time is a datetime (without a zone: UTC), a text in RFC 3339, or Unix time in seconds, ms, us or ns (told by its size).

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

    def observe(
        self,
        data: Any = None,
        now: TimeLike | None = None,
        *,
        arms: Mapping[str, str] | str | None = None,
        columns: Mapping[str, str] | str | None = None,
    ) -> Decision:
        """Takes new samples and decides.

        Parameters
        ----------
        data : as for `judge`, optional
            What is new; handing over samples again changes nothing. None: nothing came, and silence ages the data.
            A `stage` column is not read here: see `enter_stage`.
        now : time, optional
            The present time; default the newest timestamp seen. It never runs backwards.
        arms, columns : dict, optional
            As for `judge`.
        """
        samples = _inputs.batch(data, self.plan, arms, columns)
        return self._observe(samples, None if now is None else _inputs.milliseconds("now", now))

    def enter_stage(self, stage: int, at: TimeLike) -> None:
        """Told after traffic was moved: stage `stage`, counted from 1, runs since `at`."""
        self._enter_stage(stage, _inputs.milliseconds("at", at))

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
