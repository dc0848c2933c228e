"""What Serinus tells: evidence and reasons, decisions and their parts, what history taught; and the parts of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _core

if TYPE_CHECKING:
    from typing import Any, Literal

    View = Literal["executive", "on-call", "debug"]

_PRODUCTION = "production"


class Evidence(_core.Evidence):
    """What a sequential test knows at this moment.

    All of it may be looked at after every observation, as often as you like.

    Attributes
    ----------
    log_e_value : float
        Natural log of the e-value; the test has decided once it reached log(1/alpha), with side="safe"
        log(1/alpha_safe) where the test has that option.
    p_value : float
        Always valid: min(1, 1/largest e-value so far).
    estimate : float
        canary/baseline or canary - baseline, as the margin is given; under a margin with a floor the excess in units of
        what is allowed (1: the margin). NaN when there is none.
    lower, upper : float
        Always-valid bounds on what `estimate` estimates.
    confidence : float
        Of [lower, upper]; 0 when no interval is kept.
    n_baseline, n_canary : float
        Observations (requests, hours, values) of each arm that went into it.
    method : str
        The method that was used, never "auto".
    """

    _shown = ("log_e_value", "estimate", "lower", "upper", "method")

    @property
    def e_value(self) -> float:
        """The e-value itself; infinity beyond the largest double."""
        return _core.exp(self.log_e_value)


class Reason(_core.Reason):
    """Why something was decided: a code with named numbers and texts; `str(reason)` says it in words.

    Attributes
    ----------
    code : str
        Its name, "harm_proven".
    metric : str
        The metric that it is about, or an empty text.
    numbers, texts : dict
    outside_alpha : bool
        A rollback by policy, not covered by the promise about alpha.
    severity : Severity
        Of a decision's: who is told of it, and how soon.
    """

    @property
    def number(self) -> int:
        """The code's number, which never changes."""
        return _core.code_number(self.code)

    @property
    def name(self) -> str:
        """ "errors.harm_proven" for a metric, the code for the rollout."""
        return f"{self.metric}.{self.code}" if self.metric else self.code

    @property
    def sentence(self) -> str:
        """For people; also str(reason)."""
        return _core.sentence(self)

    def __str__(self) -> str:
        return self.sentence

    def __repr__(self) -> str:
        return f"Reason({self.name!r})"


class BurnWindow(_core.BurnWindow):
    """Burn rates over the last part of a rollout: bad/all/budget, without uncertainty.

    Attributes
    ----------
    window : str
        "5m", "1h"; `window_ms` in milliseconds.
    status : BurnStatus
        Of the canary's: "ok", "no_traffic" or "absent".
    canary : float
        The canary's own; NaN where the status is not "ok".
    service : float
        Of both arms together; NaN without events.
    coverage : float
        Share of the window that has data of the canary, in [0, 1].
    """

    _shown = ("window", "canary", "service")


class BudgetShare(_core.BudgetShare):
    """What a release has used of the period's error budget beyond what the baseline would have.

    Over all stages, as a share of the bad events that the period allows.

    Attributes
    ----------
    estimate : float
        NaN before any data.
    lower, upper : float
        Valid at every look.
    confidence : float
        That both bounds hold, at every look.
    total : float
        All of the canary's bad events as such a share.
    allowed : float
        The plan's max_budget_per_release.
    expected_events : float
        Of the whole service in the period.
    measured : bool
        `expected_events` comes from the traffic so far, not from the plan.
    """

    _shown = ("estimate", "lower", "upper", "allowed")


class BurnHalt(_core.BurnHalt):
    """The evidence that all traffic on the canary would use up too much of the budget too soon.

    Attributes
    ----------
    window : str
        "1h"; `window_ms` in milliseconds.
    budget : float
        The share of the period's budget that would be gone within the window, beyond what the baseline burns.
    factor : float
        The burn rate beyond the baseline's at which that happens.
    log_e_value : float
        The evidence.
    needed_log_e_value : float
        The log_e_value that rolls back.
    """

    _shown = ("factor", "log_e_value", "needed_log_e_value")

    @property
    def needed_e_value(self) -> float:
        """The e-value that rolls back."""
        return _core.exp(self.needed_log_e_value)


class BurnResult(_core.BurnResult):
    """How the error budget of one objective stands.

    Attributes
    ----------
    objective : str
        The objective's name.
    metric : str
        The metric that counts its events.
    verdict : Verdict
        fail: it rolls back. pass: the upper bound of the share is below what is allowed.
    budget : float
        Share of events that may be bad.
    period : str
        Its period; `period_ms` in milliseconds.
    alpha : float
        Its share of alpha; the halt and the cap have half of it each.
    canary_burn : float
        The canary's own, over the rollout.
    canary_lower, canary_upper : float
        Valid at every look.
    projected_burn : float
        What the service would burn with all its traffic on the canary, by the last halt window.
    service_burn : float
        Of both arms together, over the rollout.
    windows : list of BurnWindow
        Raw burn rates, shortest window first.
    share : BudgetShare
        What this release has used of the period's budget.
    halt : BurnHalt
        The evidence that it burns too fast to wait.
    alert : Severity or None
        The gravest condition of the policy that fires; None: none does.
    suppressed : bool
        The canary alone alerts, while it warms up: nobody is told.
    dedupe_key : str or None
        deployment/objective/severity, for whoever passes alerts on; None when there is nothing to tell.
    reasons : list of Reason
        The most important first.
    """

    _shown = ("objective", "verdict")

    @property
    def name(self) -> str:
        """The objective's name: what `burn` is found by."""
        return self.objective


class MetricResult(_core.MetricResult):
    """What is known of one metric.

    Attributes
    ----------
    severity : Severity
        Who is told when it fails.
    detect : dict
        What the mirror is measured against under no_harm_found; empty otherwise.
    alpha : float
        Its share: it fails when the e-value reaches 1/alpha.
    alpha_mirror : float
        It passes when the mirror reaches 1/this.
    guarantee : Guarantee
        What stands behind its share of alpha: proved, measured or none.
    guarantee_why : str
        The code of the one of `reasons` that says why.
    evidence : Evidence
        Of harm, over the whole rollout.
    mirror : Evidence
        Of safety, this stage's.
    observed : dict
        This stage's data, by name.
    reasons : list of Reason
        The most important first.
    """

    _shown = ("name", "verdict")


class Telemetry(_core.Telemetry):
    """How good the data are that a decision rests on.

    Attributes
    ----------
    intervals : int
        Complete and settled since the stage's warm-up.
    used : int
        Of those, with every metric's data in both arms.
    missing : dict
        Of those, without data, by arm.
    newest : dict
        The newest sample's time by arm, a datetime in UTC; None without one. `newest_ms` in Unix milliseconds.
    late : int
        Samples that came after their interval was judged; dropped.
    repeated : int
        Samples seen before; dropped.
    conflicts : int
        A known timestamp with another value; dropped.
    ignored : int
        Samples of series that the plan does not name.
    """


class Decision(_core.Decision):
    """What a rollout is told: promote, hold or roll back, and everything that led to it.

    `str(decision)` is the report for people; `to_dict()` and `to_json()` give what machines read. A notebook shows a table.

    Attributes
    ----------
    decision : Action
        promote, hold or rollback; compares equal to its text.
    stage, stages : int
        The stage that runs, counted from 1, and how many there are.
    traffic : float
        Share of the canary in this stage.
    time : datetime or None
        The time that the decision is made for, in UTC; None before any data. `time_ms` in Unix milliseconds.
    elapsed_seconds : float
        Since the stage began.
    reached_seconds : float
        What the users had of the canary by now: traffic x time over all stages, in seconds of the whole traffic.
    finished : bool
        Promoted out of the last stage.
    severity : Severity
        Who should look, and how soon: the gravest of the reasons' severities.
    dedupe_key : str or None
        What one incident is known by at every look, for whoever passes alerts on; None where nobody is to be told.
    would, would_severity : Action or None, Severity or None
        Of a dry run, which is handed out hold and info alone: what they would be without it.
    failed : list of str
        The metrics and objectives whose failure is proven, in the plan's order.
    metrics, burn : found by index and by name
        The metrics' results, and how the error budgets of the plan's objectives stand.
    plan, deployment : str
        Their names.
    alpha : float
        The promise: a good canary is ever rolled back with at most this probability.
    guarantee : Guarantee
        What stands behind alpha: proved, measured or none, the weakest of the metrics that can decide.
    version : str
        Of Serinus.
    digest : str
        Of the plan.
    """

    def to_json(self, indent: int | None = 2) -> str:
        """The decision as JSON text; indent None puts all on one line."""
        return _core.decision_json(self, indent)

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` says, as a dict: an unknown number is None, an open end the text "Infinity"."""
        import json

        document: dict[str, Any] = json.loads(self.to_json(None))
        return document

    def to_text(self, *, view: View = "on-call") -> str:
        """The report for people. executive: the verdict and why; debug: also every reason and what became of the samples."""
        return _core.decision_document(self, "text", view, _PRODUCTION)

    def to_markdown(self, *, view: View = "on-call") -> str:
        """The decision for a pipeline's summary or a pull request, in GitHub's dialect; names in it are escaped."""
        return _core.decision_document(self, "markdown", view, _PRODUCTION)

    def to_html(self, *, view: View = "on-call") -> str:
        """The decision as one HTML document that needs nothing else. `serinus.report` draws how it came about, too."""
        return _core.decision_document(self, "html", view, _PRODUCTION)

    def to_github(self) -> str:
        """Workflow commands of GitHub Actions, one annotation a line; names in them are escaped."""
        return _core.decision_document(self, "github", "on-call", _PRODUCTION)

    def to_junit(self) -> str:
        """JUnit XML: a test case for the decision, for each metric and each objective."""
        return _core.decision_document(self, "junit", "on-call", _PRODUCTION)

    def to_openmetrics(self) -> str:
        """Gauges in the text form of OpenMetrics."""
        return _core.decision_document(self, "openmetrics", "on-call", _PRODUCTION)

    def to_cdevents(self, *, environment: str = _PRODUCTION) -> str:
        """Events of CDEvents as JSON, one a line; `environment` is what is deployed to."""
        return _core.decision_document(self, "cdevents", "on-call", environment)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        from ._html import decision

        return decision(self)

    def __repr__(self) -> str:
        verdicts = "".join(f", {metric.name}={str(metric.verdict)!r}" for metric in self.metrics)
        return f"Decision({str(self.decision)!r}, stage={self.stage}{verdicts})"


class HeldBack(_core.HeldBack):
    """How the noise of history's first half did on its second half, at one stage.

    Attributes
    ----------
    traffic : float
        Of the stage.
    windows : int
        Rollouts of nothing new that were played.
    intervals : int
        Length of each.
    alarms : int
        Of the windows, how many would have been rolled back.
    alpha : float
        What it was played at.
    p_value : float
        Of so many alarms or more, each window having one with probability alpha; below .001 the noise is contradicted.
    """


class MetricCalibration(_core.MetricCalibration):
    """What history says of one metric.

    Attributes
    ----------
    learned : bool
        Is there noise for the plan to carry?
    alpha : float
        Its share of alpha, which `held_back` was played at.
    differences : float
        Intervals of history with both arms.
    independent : float
        The independent ones that they are worth.
    typical : float
        Gauge: the median size of the difference between two arms of one version.
    level : float
        Gauge: the baseline's median.
    dispersion : float
        Proportion: long-run variance over the binomial one.
    instances : float
        Instances that took turns as the canary; 0: none.
    instance_deviation : float
        Gauge: standard deviation between instances.
    held_back : list of HeldBack
        One a stage.
    refuted : bool
        Did the half held back contradict the noise? The metric decides nothing then.
    spikes : dict or None
        Gauge: what it learned of spikes.
    reasons : list of Reason
        What the noise is made of, and what is too little.
    """

    _shown = ("name", "learned")


class SeriesSeen(_core.SeriesSeen):
    """What data have of one series of a metric in one arm.

    Attributes
    ----------
    metric : str
    key : str
        Of the metric: "bad", "total", "series", ...
    name : str
        Of the series.
    arm : str
        "baseline" or "canary".
    series : int
        How many of that name, told apart by instance and labels.
    instances : list of str
        Those that have a name, in order.
    replicas : int
        Collectors that they came through, those without a name included.
    samples : int
    spacing_seconds : float
        Between neighbouring samples of a series, the median; 0 where it is not known.
    first, last : datetime or None
        Samples, in UTC.
    """

    _shown = ("name", "arm", "series", "samples")


class Understood(_core.Understood):
    """A plan, and data that were shown with it, as they are understood: what `serinus.check` tells. Nothing is judged.

    `str(understood)` is the report for people; `to_json()` gives what `serinus check --format json` writes.

    Attributes
    ----------
    plan : str
        Its name.
    series : list of SeriesSeen
        Metric by metric, the baseline first; empty without data.
    mend : list of Reason
        What should be mended before the rollout.
    notes : list of Reason
        What was made of the data: births, restarts, dips, what is ignored, ...
    """

    def to_json(self, indent: int | None = 2) -> str:
        """The same as JSON text (check.schema.json); indent None puts all on one line."""
        return _core.understood_json(self, indent)

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` says, as a dict: a time or a spacing that is not known is None."""
        import json

        document: dict[str, Any] = json.loads(self.to_json(None))
        return document

    def __str__(self) -> str:
        return _core.understood_text(self)

    def __repr__(self) -> str:
        return f"Understood({self.plan!r}, mend={[reason.name for reason in self.mend]!r}, series={len(self.series)})"


class Together(_core.Together):
    """What all services of a coordinated rollout should do now: `serinus.decide_together` gives it.

    Attributes
    ----------
    decision : Action
        rollback where any service is, promote where all are, else hold.
    finished : bool
        Every service is promoted out of its last stage.
    severity : Severity
        The worst of theirs.
    decided_by : list of str
        Of a rollback the services that failed, of a hold those that hold: their deployments, or their plans' names.
    dedupe_key : str or None
        What the incident is known by: that of the first of these.
    time : datetime or None
        As of when: the oldest of theirs.
    alpha : float
        Good services are ever rolled back together with at most this probability.
    would : Action or None
        Of dry runs: what it would be without.
    """


class Stage(_core.Stage):
    """A step of a rollout: the canary gets this share of the traffic.

    Attributes
    ----------
    traffic : float
        Share of the canary, in (0, 1].
    min : str
        No promotion before this time in the stage; `min_ms` in milliseconds.
    max : str or None
        When `on_deadline` applies, `max_ms` in milliseconds; None: never.
    """


class Metric(_core.Metric):
    """Something that is measured in both arms and must not get worse.

    Attributes
    ----------
    series : str
        Gauge, sample, histogram: the series that is read.
    quantile : list of float
        Histogram, sample: the margin is on these quantiles of the observations.
    bad, total : str
        Proportion: the series that count what went wrong, and everything.
    good : str
        Proportion, in place of `bad`: the series that counts what went well.
    events, exposure : str
        Rate: the series that count what happened, and what it happened in.
    numerator, denominator : str
        Ratio: the series of what is spent, and of what it is spent on.
    counter : bool
        The series are cumulative counters.
    margin : dict
        How much worse the canary may be: {"ratio": r} or {"difference": d}.
    detect : dict or None
        Harm that would surely matter, its default filled in; None when there is none.
    weight : float
        Its part of alpha, relative to the other metrics'.
    muted : bool
        Shown, never decides.
    on_fail : OnFail
        What its failure does: a rollback, or a hold until a person has looked.
    severity : Severity or None
        Who is told when it fails; None: a page where that rolls back, a ticket where it only holds.
    arm : MetricArm
        both; or none, where its series have no arms: it is compared with itself before the rollout, and only holds.
    watch : Watch or None
        Gauge: what of it is watched, its level, spikes or both; None: both where the plan has the noise of spikes.
    min_count : float
        Requests that each arm must have had before it decides.
    instances_differ : float or None
        Gauge: nine of ten pairs of instances of one version differ by at most this; None: not said.
    promote_when : PromoteWhen
        What it must show before the rollout goes on, its default filled in.
    """

    _shown = ("name", "kind")


class SloRule(_core.SloRule):
    """An objective that a rollout must not endanger, as a plan has it.

    Attributes
    ----------
    objective : serinus.slo.Objective
    metric : str
        The proportion whose bad and total events it is about.
    max_budget_per_release : float
        The share of the period's budget that a release may use beyond what the baseline would have.
    halt_budget : float
        Rolls back when all traffic on the canary would use up this share of the period's budget in `halt_window`.
    halt_window : str
        Its default filled in; `halt_window_ms` in milliseconds.
    policy : serinus.slo.Policy
        When raw burn rates alert, its default filled in.
    weight : float
        Its part of alpha, relative to the metrics' and the other objectives'.
    """

    @property
    def name(self) -> str:
        """The objective's name: what `slo` is found by."""
        return self.objective.name

    def __repr__(self) -> str:
        return (
            f"SloRule(name={self.name!r}, metric={self.metric!r}, budget={_core.number_text(self.objective.budget)}, "
            f"period={self.objective.period!r}, max_budget_per_release={_core.number_text(self.max_budget_per_release)})"
        )
