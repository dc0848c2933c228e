"""Plan, judge, Monitor and Decision."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import serinus

from conftest import START, make_table


def piece(table: dict[str, Any], begin: float, end: float) -> dict[str, Any]:
    inside = (table["timestamp"] >= begin) & (table["timestamp"] < end)
    return {name: column[inside] for name, column in table.items()}


# ---- plans


def test_plan_from_everything(plan_dict: dict[str, Any], tmp_path: Path) -> None:
    plan = serinus.Plan(plan_dict)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan_dict))
    for other in (path, str(path), json.dumps(plan_dict), json.dumps(plan_dict).encode(), plan, plan.to_dict()):
        again = serinus.Plan(other)
        assert again == plan
        assert again.digest == plan.digest
        assert hash(again) == hash(plan)
        assert again.to_json() == plan.to_json()
    assert pickle.loads(pickle.dumps(plan)) == plan
    numpy_numbers = {**plan_dict, "alpha": np.float32(0.5).item(), "beta": np.float64(0.25)}
    assert serinus.Plan(numpy_numbers).beta == 0.25
    assert serinus.Plan({**plan_dict, "alpha": 0.04}) != plan
    assert plan != "payments"


def test_plan_attributes(plan_dict: dict[str, Any]) -> None:
    plan = serinus.Plan(plan_dict)
    assert (plan.name, plan.deployment, plan.alpha) == ("payments", "payments-2026.11.22-1", 0.05)
    assert (plan.interval_ms, plan.warm_up_ms, plan.settle_ms) == (10_000, 0, 0)
    assert [(s.traffic, s.min_ms, s.max_ms) for s in plan.stages] == [(0.1, 300_000, 7_200_000), (0.5, 300_000, 7_200_000)]
    assert plan.on_deadline == "hold"
    assert plan.analysis is serinus.Analysis.SEQUENTIAL
    assert serinus.Plan({**plan_dict, "analysis": "fixed", "stages": [{"traffic": 0.1}]}).analysis == "fixed"
    assert plan.noise == {"errors": {"dispersion": 1.0}}
    assert plan.arms == {"label": "track", "baseline": "stable", "canary": "canary"}
    assert plan.queries == {}
    metric = plan.metrics["errors"]
    assert metric.name == plan.metrics[0].name == plan.metrics[-1].name == "errors"
    assert "errors" in plan.metrics
    assert "other" not in plan.metrics
    assert plan.metrics.names() == ["errors"]
    assert len(plan.metrics) == 1
    with pytest.raises(KeyError, match="'other'; there are 'errors'"):
        plan.metrics["other"]
    assert (metric.bad, metric.total, metric.kind, metric.harm) == ("http_errors", "http_requests", "proportion", "increase")
    assert metric.margin == {"ratio": 2.0}
    assert metric.detect == {"ratio": 4.0}
    assert metric.promote_when == "harm_ruled_out"
    assert metric.critical
    assert repr(plan).startswith("Plan('payments', metrics=['errors'], digest='")
    with pytest.raises(AttributeError):
        plan.alpha = 0.5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        ({"alfa": 0.05}, "serinus.plan.unknown_key", "alfa"),
        ({"alpha": "0.05"}, "serinus.plan.type", "alpha"),
        ({"alpha": 2.0}, "serinus.plan.value", "alpha"),
        ({"interval": "ten"}, "serinus.plan.value", "interval"),
        ({"alpha": float("nan")}, "serinus.plan.json", "cannot be written as JSON"),
        ({"alpha": object()}, "serinus.plan.json", "cannot be written as JSON"),
    ],
)
def test_wrong_plans(wrong: dict[str, Any], code: str, says: str, plan_dict: dict[str, Any]) -> None:
    with pytest.raises(serinus.Error, match=says) as error:
        serinus.Plan({**plan_dict, **wrong})
    assert error.value.code == code


@pytest.mark.parametrize("wrong", [None, 5, ["plan.json"], object()])
def test_what_is_no_plan(wrong: Any) -> None:
    for make in (serinus.Plan, serinus.Monitor, lambda plan: serinus.judge(plan, None)):
        with pytest.raises(serinus.Error, match="allowed: a Plan, a path, a JSON text or a dict") as error:
            make(wrong)
        assert error.value.code == "serinus.argument.type"
    with pytest.raises(serinus.Error) as error:
        serinus.Plan("{not JSON")
    assert error.value.code == "serinus.plan.json"
    with pytest.raises(FileNotFoundError):
        serinus.Plan("no-such-plan.json")


# ---- decisions


def test_decision(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    decision = serinus.judge(plan_dict, bad_table)
    assert decision.decision == "rollback" == serinus.Action.ROLLBACK
    assert isinstance(decision.decision, serinus.Action)
    assert isinstance(decision.decision, str)
    assert f"{decision.decision}" == str(decision.decision) == "rollback"
    assert {"rollback": 1}[decision.decision] == 1
    assert json.dumps(decision.decision) == '"rollback"'
    metric = decision.metrics["errors"]
    assert metric.verdict == decision.metrics[0].verdict == "fail"
    assert (metric.kind, metric.harm, metric.promote_when) == ("proportion", "increase", "harm_ruled_out")
    assert metric.margin == {"ratio": 2.0}
    assert metric.evidence.lower > 2
    assert metric.evidence.log_e_value > -np.log(metric.alpha)
    assert metric.mirror.e_value == pytest.approx(np.exp(metric.mirror.log_e_value), rel=1e-12)
    requests = bad_table["series"] == "http_requests"
    canary = bad_table["arm"] == "canary"
    assert metric.observed["total_canary"] == bad_table["value"][requests & canary].sum()
    assert metric.observed["bad_baseline"] == bad_table["value"][~requests & ~canary].sum()
    reason = metric.reasons[0]
    assert (reason.code, reason.metric, reason.name, reason.number) == (
        "harm_proven",
        "errors",
        "errors.harm_proven",
        1000,
    )
    assert reason.numbers["margin"] == 2.0
    assert str(reason) == reason.sentence
    assert (decision.stage, decision.stages, decision.traffic, decision.finished) == (1, 2, 0.1, False)
    assert decision.severity == "page"
    assert decision.time == dt.datetime.fromtimestamp(decision.time_ms / 1000, dt.timezone.utc)
    # Complete data are judged to the end of the last interval, whatever time the decision is stamped with.
    assert START + 1790 <= decision.time_ms / 1000 <= START + 1800
    assert 1790 <= decision.elapsed_seconds <= 1800
    assert decision.telemetry.used == decision.telemetry.intervals == 180
    assert decision.telemetry.missing == {"baseline": 0, "canary": 0}
    assert decision.telemetry.newest_ms["canary"] == (START + 1790) * 1000
    assert (decision.alpha, decision.plan, decision.deployment) == (0.05, "payments", "payments-2026.11.22-1")
    assert decision.version == serinus.__version__ == serinus.version()
    assert decision.digest == serinus.Plan(plan_dict).digest


def test_stage_and_since(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    """Data that do not say their stage: what a column would say."""
    begins = START + 900
    staged = {**good_table, "stage": np.where(good_table["timestamp"] < begins, 1, 2)}
    told = serinus.judge(plan_dict, good_table, stage=2, since=begins)
    assert (told.stage, told.telemetry.used) == (2, 90)
    assert told.metrics["errors"].observed == serinus.judge(plan_dict, staged).metrics["errors"].observed
    second = piece(good_table, begins, begins + 900)
    assert serinus.judge(plan_dict, second, stage=2).metrics == told.metrics
    assert serinus.judge(plan_dict, good_table, since=dt.datetime.fromtimestamp(begins, dt.timezone.utc)).stage == 1
    for given, says in (
        ({"stage": 3}, "the stage is 3; allowed: 1 to 2"),
        ({"stage": 0}, "the stage is 0; allowed: its number, from 1"),
        ({"since": begins, "now": START}, "since is .*, after now"),
    ):
        with pytest.raises(serinus.Error, match=says):
            serinus.judge(plan_dict, good_table, **given)
    with pytest.raises(serinus.Error, match="the data say themselves in which stage they are"):
        serinus.judge(plan_dict, staged, stage=2)


def test_a_page_for_people(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    page = serinus.report(plan_dict, bad_table)
    assert page.startswith("<!DOCTYPE html>")
    assert page.count("<polyline") == 4
    assert "<h3>errors <b class=\"bad\">fail</b></h3>" in page
    summary = serinus.report(plan_dict, bad_table, format="markdown")
    decision = serinus.judge(plan_dict, bad_table)
    assert summary.startswith("## \U0001f534 ROLLBACK: payments-2026.11.22-1\n")
    assert decision.to_markdown() == summary
    # Of one decision there are no curves.
    alone = decision.to_html()
    assert alone.startswith("<!DOCTYPE html>")
    assert "<polyline" not in alone
    assert "<h3>errors" in alone
    with pytest.raises(serinus.Error, match='format is "pdf"; allowed: text, markdown, html, github, junit, openmetrics, cdevents'):
        serinus.report(plan_dict, bad_table, format="pdf")  # type: ignore[arg-type]
    early = serinus.report(plan_dict, bad_table, START + 1, format="markdown")
    assert early.startswith("## \U0001f7e1 HOLD")


def test_decision_as_text_and_json(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    decision = serinus.judge(plan_dict, bad_table)
    text = str(decision)
    assert text.startswith("ROLLBACK  payments-2026.11.22-1")
    assert "errors.harm_proven" in text
    document = decision.to_dict()
    assert document == json.loads(decision.to_json()) == json.loads(decision.to_json(indent=None))
    assert "\n" not in decision.to_json(indent=None).rstrip("\n")
    assert document["decision"] == decision.decision
    assert document["metrics"][0]["verdict"] == "fail"
    # Every key is an attribute, under the same name; what is needed follows from the metric's alpha.
    metric = document["metrics"][0]
    for part, thing in (
        (document, decision),
        (metric, decision.metrics[0]),
        (metric["evidence"], decision.metrics[0].evidence),
        (metric["reasons"][0], decision.metrics[0].reasons[0]),
        (document["telemetry"], decision.telemetry),
    ):
        assert [key for key in part if not hasattr(thing, key)] in ([], ["needed_e_value", "needed_log_e_value"])
    assert decision.telemetry.newest["canary"] == dt.datetime.fromisoformat(
        document["telemetry"]["newest"]["canary"].replace("Z", "+00:00")
    )
    assert document["elapsed_seconds"] == decision.elapsed_seconds
    assert repr(decision) == "Decision('rollback', stage=1, errors='fail')"
    html = decision._repr_html_()
    assert html.count("<table>") == 1
    assert ">rollback<" in html
    assert ">fail<" in html
    assert re.match(r"<div><p><b [^>]*>rollback</b>: errors failed &middot; ", html)


def test_html_is_escaped(plan_dict: dict[str, Any]) -> None:
    plan_dict["metrics"][0]["name"] = "<b>errors</b>"
    plan_dict["deployment"] = "a & b"
    plan_dict["noise"] = {}
    html = serinus.judge(plan_dict, make_table(intervals=5))._repr_html_()
    assert "&lt;b&gt;errors" in html
    assert "a &amp; b" in html


def test_good_canary_is_promoted(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    decision = serinus.judge(plan_dict, good_table)
    assert decision.decision == "promote"
    assert decision.metrics["errors"].verdict == "pass"
    assert decision.metrics["errors"].mirror.log_e_value > decision.metrics["errors"].evidence.log_e_value


def test_no_data_is_a_hold(plan_dict: dict[str, Any]) -> None:
    for nothing in (None, {}):
        decision = serinus.judge(plan_dict, nothing)
        assert decision.decision == "hold"
        assert decision.metrics["errors"].verdict == "no_data"
        assert np.isnan(decision.metrics["errors"].evidence.estimate)
        assert decision.to_dict()["metrics"][0]["evidence"]["estimate"] is None
        assert decision.telemetry.newest_ms == {"baseline": None, "canary": None}
        assert "<table>" in decision._repr_html_()


def test_judging_as_of_a_time(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    now = dt.datetime.fromtimestamp(START + 305, dt.timezone.utc)
    then = serinus.judge(plan_dict, good_table, now=now)
    monitor = serinus.Monitor(plan_dict)
    expected = monitor.observe(piece(good_table, START, START + 306), now=START + 305)
    assert then.to_json() == expected.to_json()
    assert then.time == now
    assert then.to_json() != serinus.judge(plan_dict, good_table).to_json()
    with pytest.raises(serinus.Error, match="now is 'soon'|now is \"soon\""):
        serinus.judge(plan_dict, good_table, now="soon")


# ---- the monitor


def test_monitor_agrees_with_judge(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    monitor = serinus.Monitor(plan_dict)
    assert monitor.decision.decision == "hold"
    looks = []
    for begin in range(START, START + 1800, 10):
        looks.append(monitor.observe(piece(bad_table, begin, begin + 10)).decision)
    last = monitor.flush()
    assert looks[0] == "hold"
    assert looks[-1] == last.decision == monitor.decision.decision == "rollback"
    whole = serinus.judge(plan_dict, bad_table)
    assert last.metrics["errors"].evidence.to_dict() == whole.metrics["errors"].evidence.to_dict()
    assert last.metrics["errors"].observed == whole.metrics["errors"].observed
    assert repr(monitor) == f"Monitor('payments', {last!r})"


def test_sending_again_changes_nothing(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    once, twice = serinus.Monitor(plan_dict), serinus.Monitor(plan_dict)
    for begin in range(START, START + 600, 30):
        once.observe(piece(good_table, begin, begin + 30))
        twice.observe(pd.DataFrame(piece(good_table, max(START, begin - 60), begin + 30)))
    first, second = once.decision, twice.decision
    assert first.metrics["errors"].evidence.to_dict() == second.metrics["errors"].evidence.to_dict()
    assert second.telemetry.conflicts == 0


@pytest.mark.parametrize("cut", [0, 1, 17, 180])
def test_restart_of_the_process(cut: int, plan_dict: dict[str, Any]) -> None:
    table = make_table(canary_rate=0.03)
    plan = serinus.Plan(plan_dict)
    steady, first = serinus.Monitor(plan), serinus.Monitor(plan)
    step = range(START, START + 1800, 10)
    for begin in step[:cut]:
        steady.observe(piece(table, begin, begin + 10))
        first.observe(piece(table, begin, begin + 10))
    restored = serinus.Monitor(plan)
    restored.restore(first.state())
    pickled = pickle.loads(pickle.dumps(first))
    for monitor in (restored, pickled):
        assert monitor.state() == steady.state()
        assert monitor.plan == plan
        assert monitor.decision.to_json() == steady.decision.to_json()
    for begin in step[cut:]:
        expected = steady.observe(piece(table, begin, begin + 10)).to_json()
        for monitor in (restored, pickled):
            assert monitor.observe(piece(table, begin, begin + 10)).to_json() == expected


def test_foreign_states_are_refused(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    monitor = serinus.Monitor(plan_dict)
    monitor.observe(good_table)
    state = monitor.state()
    other = serinus.Monitor({**plan_dict, "alpha": 0.01}).state()
    test = serinus.sequential.ProportionTest().state()
    for wrong, code in [
        (state[:-3], "serinus.state.damaged"),
        (b"text", "serinus.state.damaged"),
        (other, "serinus.state.options"),
        (test, "serinus.state.kind"),
    ]:
        with pytest.raises(serinus.Error) as error:
            monitor.restore(wrong)
        assert error.value.code == code
        assert monitor.state() == state


TIMES = {
    "seconds": lambda s: s,
    "float": lambda s: float(s),
    "numpy": lambda s: np.int64(s),
    "milliseconds": lambda s: s * 1000,
    "text": lambda s: dt.datetime.fromtimestamp(s, dt.timezone.utc).isoformat(),
    "number as text": lambda s: str(s),
    "aware": lambda s: dt.datetime.fromtimestamp(s, dt.timezone(dt.timedelta(hours=9))),
    "naive": lambda s: dt.datetime.fromtimestamp(s, dt.timezone.utc).replace(tzinfo=None),
    "datetime64": lambda s: np.datetime64(s, "s"),
    "Timestamp": lambda s: pd.Timestamp(s, unit="s", tz="UTC"),
}


@pytest.mark.parametrize("form", TIMES)
def test_times(form: str, plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    as_time = TIMES[form]
    monitor = serinus.Monitor(plan_dict)
    monitor.observe(piece(good_table, START, START + 600))
    monitor.enter_stage(2, as_time(START + 600))
    assert monitor.observe(piece(good_table, START + 600, START + 700)).stage == 2
    monitor.restart("canary", "canary-0", at=as_time(START + 650))
    late = monitor.observe(now=as_time(START + 5000))
    assert late.time_ms == (START + 5000) * 1000
    assert late.decision == "hold"
    assert "stale" in [reason.code for reason in late.reasons + late.metrics[0].reasons]


@pytest.mark.parametrize("wrong", ["soon", None, True, [1], float("nan"), 1e300, pd.NaT, np.datetime64("NaT")])
def test_wrong_times(wrong: Any, plan_dict: dict[str, Any]) -> None:
    monitor = serinus.Monitor(plan_dict)
    with pytest.raises(serinus.Error, match="at is ") as error:
        monitor.enter_stage(1, wrong)
    assert error.value.code == "serinus.data.timestamp"


def test_wrong_calls(plan_dict: dict[str, Any], good_table: dict[str, Any]) -> None:
    monitor = serinus.Monitor(plan_dict)
    monitor.observe(good_table)
    before = monitor.state()
    with pytest.raises(serinus.Error) as error:
        monitor.enter_stage(7, START + 2000)
    assert error.value.code == "serinus.monitor.stage"
    with pytest.raises(serinus.Error) as error:
        monitor.enter_stage(2, START - 2000)
    assert error.value.code == "serinus.monitor.time"
    with pytest.raises(serinus.Error, match='arm is "control"; allowed: baseline, canary') as error:
        monitor.restart("control", "x", START)  # type: ignore[arg-type]
    assert error.value.code == "serinus.argument.word"
    assert monitor.state() == before


def test_severities(plan_dict: dict[str, Any]) -> None:
    table = make_table(canary_rate=0.08)
    found = serinus.judge(plan_dict, table)
    assert found.severity is serinus.Severity.PAGE
    assert found.reasons[0].severity == found.metrics["errors"].severity == "page"
    assert found.to_dict()["reasons"][0]["severity"] == "page"

    metric = {**plan_dict["metrics"][0], "severity": "ticket"}
    plan = serinus.Plan({**plan_dict, "metrics": [metric], "severity": {"waiting": "page"}})
    assert plan.severity == {"waiting": "page"}
    assert plan.metrics["errors"].severity == "ticket"
    assert serinus.Plan(plan.to_dict()) == plan
    found = serinus.judge(plan, table)
    assert (found.decision, found.severity) == ("rollback", "ticket")
    assert found.reasons[0].severity == "ticket"
    waits = serinus.judge(plan, make_table(intervals=1))
    assert (waits.decision, waits.severity) == ("hold", "page")
    assert [str(reason.severity) for reason in waits.reasons if reason.code == "waiting"] == ["page"]
    assert "severity" not in serinus.judge(plan_dict, make_table(intervals=1)).to_dict()["reasons"][-1]

    with pytest.raises(serinus.Error, match=r"severity\.late is given; allowed: the codes of a decision's reasons"):
        serinus.Plan({**plan_dict, "severity": {"late": "page"}})


def test_threads_take_turns(plan_dict: dict[str, Any]) -> None:
    """With a long settle no interval is judged before the flush, so the order in which the threads come is no matter."""
    table = make_table(canary_rate=0.03)
    plan = serinus.Plan({**plan_dict, "settle": "2h"})
    monitor = serinus.Monitor(plan)
    pieces = [piece(table, begin, begin + 10) for begin in range(START, START + 1800, 10)]
    failures: list[BaseException] = []

    def work(mine: list[dict[str, Any]]) -> None:
        try:
            for one in mine:
                monitor.observe(one)
                monitor.state()
        except BaseException as problem:
            failures.append(problem)

    monitor.observe(pieces[0])
    threads = [threading.Thread(target=work, args=(pieces[1 + i :: 4],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    together, alone = monitor.flush(), serinus.judge(plan, table)
    assert together.metrics["errors"].evidence.to_dict() == alone.metrics["errors"].evidence.to_dict()
    assert together.metrics["errors"].observed == alone.metrics["errors"].observed
    assert together.telemetry.used == 180
    assert together.telemetry.late == 0
