"""What a pipeline reads: annotations, JUnit, OpenMetrics, CDEvents. Each is read by the format's own schema or library."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import junitparser
import pytest
import referencing
import serinus
import xmlschema
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from conftest import START, make_table

FOREIGN = Path(__file__).resolve().parents[2] / "data" / "schema" / "foreign"
HOSTILE = "<b>&\"'::error::x%0A,y:z\n##[error]\\ ]]> \x01\ufffe \u2028 {}= | `$(id)` ${{ x }}"
SLO = {"name": "availability", "metric": "errors", "target": 0.999, "period": "30d"}


def named(plan: dict[str, Any], name: str) -> dict[str, Any]:
    """The plan with this name in every place that may have one."""
    metric = {**plan["metrics"][0], "name": name}
    noise = {name: plan["noise"]["errors"]}
    slo = {**SLO, "name": name + " objective", "metric": name}
    return {**plan, "name": name, "deployment": name, "metrics": [metric], "noise": noise, "slo": [slo]}


@pytest.fixture(params=["rollback", "promote", "hold", "no data", "dry run", "hostile", "hostile hold"])
def decision(request: pytest.FixtureRequest, plan_dict: dict[str, Any]) -> serinus.Decision:
    bad, good = make_table(canary_rate=0.08), make_table()
    plan = {**plan_dict, "slo": [SLO]}
    if request.param == "rollback":
        return serinus.judge(plan, bad)
    if request.param == "promote":
        return serinus.judge(plan_dict, good)
    if request.param == "hold":
        return serinus.judge(plan, make_table(intervals=5))
    if request.param == "no data":
        return serinus.judge(plan, {"timestamp": [0], "series": ["x"], "arm": ["canary"], "value": [1]})
    if request.param == "dry run":
        return serinus.judge({**plan, "dry_run": True}, bad)
    return serinus.judge(named(plan_dict, HOSTILE), bad if request.param == "hostile" else make_table(intervals=5))


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """As the runner of GitHub Actions reads them: command, properties, message."""
    found = []
    for line in text.removesuffix("\n").split("\n"):
        begin = re.fullmatch(r"::([a-z]+) ((?:[^:]|:(?!:))*)::(.*)", line)
        assert begin, line

        def unescaped(value: str, signs: dict[str, str]) -> str:
            for code, sign in signs.items():
                value = value.replace(code, sign)
            return value.replace("%25", "%")

        data = {"%0D": "\r", "%0A": "\n"}
        properties = {}
        for part in begin[2].split(","):
            key, _, value = part.partition("=")
            properties[key] = unescaped(value, {**data, "%3A": ":", "%2C": ","})
        found.append((begin[1], properties, unescaped(begin[3], data)))
    return found


def test_github(decision: serinus.Decision) -> None:
    found = commands(decision.to_github())
    kind = {"rollback": "error", "hold": "warning", "promote": "notice"}[str(decision.decision)]
    assert found[0][0] == kind
    assert {tuple(properties) for _, properties, _ in found} == {("title",)}
    assert found[0][1]["title"].startswith(str(decision.decision).upper())
    assert "\nnext: " in found[0][2]
    if HOSTILE in decision.plan:
        assert "::error::x%0A,y:z?##[error]\\ ]]> ?" in found[0][1]["title"]
        assert len(found) == (2 if decision.decision == "rollback" else 1)


def test_junit(decision: serinus.Decision) -> None:
    text = decision.to_junit()
    xmlschema.XMLSchema10(FOREIGN / "junit-10.xsd").validate(ElementTree.fromstring(text.encode()))
    suites = list(junitparser.JUnitXml.fromstring(text.encode()))
    assert len(suites) == 1
    cases = list(suites[0])
    assert suites[0].tests == len(cases) == 1 + len(decision.metrics) + len(decision.burn)
    assert suites[0].failures == sum(case.is_failure for case in cases)
    assert suites[0].skipped == sum(case.is_skipped for case in cases)
    assert suites[0].errors == 0
    assert cases[0].name == "decision"
    assert cases[0].is_failure == (decision.decision == "rollback")
    assert cases[0].is_skipped == (decision.decision == "hold")
    for case, metric in zip(cases[1:], decision.metrics):
        assert case.is_failure == (metric.verdict == "fail")
        assert case.is_passed == (metric.verdict == "pass")
        assert case.name == re.sub("[\x01\n\ufffe]", "?", metric.name)


def families(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    assert text.endswith("# EOF\n")
    return {
        family.name: [(dict(sample.labels), sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


def test_openmetrics(decision: serinus.Decision) -> None:
    text = decision.to_openmetrics()
    found = families(text)
    assert {name for name, samples in found.items() if not samples} == set()
    told = {labels["decision"]: value for labels, value in found["serinus_decision"]}
    assert told == {word: float(word == decision.decision) for word in ("promote", "hold", "rollback")}
    for labels, value in found["serinus_verdict"]:
        metric = decision.metrics[labels["metric"]]
        assert value == float(labels["verdict"] == metric.verdict)
        assert (labels["plan"], labels["deployment"]) == (decision.plan, decision.deployment)
    evidence = found["serinus_evidence_log10"][0][1]
    assert evidence == pytest.approx(decision.metrics[0].evidence.log_e_value / 2.302585092994046)
    assert found["serinus_reached_seconds"][0][1] == decision.reached_seconds
    assert ("serinus_prevented" in found) == (decision.decision == "rollback")
    if "serinus_prevented" in found:
        assert {labels["cause"] for labels, _ in found["serinus_prevented"]} >= {"harm_proven"}
        assert {labels["metric"] for labels, _ in found["serinus_prevented"]} <= set(decision.failed)
    assert ("serinus_budget_allowed_ratio" in found) == bool(decision.burn)
    promtool = shutil.which("promtool")
    if promtool:
        checked = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_cdevents(decision: serinus.Decision) -> None:
    schemas = json.loads((FOREIGN / "cdevents.json").read_text())["schemas"]
    registry = referencing.Registry().with_contents(schemas.items())
    of_type = {
        schema["properties"]["context"]["properties"]["type"].get("default"): schema
        for schema in schemas.values()
        if "context" in schema.get("properties", {})
    }
    events = [json.loads(line) for line in decision.to_cdevents(environment="eu-1").removesuffix("\n").split("\n")]
    kinds = [event["context"]["type"] for event in events]
    for event, kind in zip(events, kinds):
        schema = of_type[None if kind.startswith("dev.cdeventsx.") else kind]
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        jsonschema.Draft202012Validator(schema, registry=registry, format_checker=checker).validate(event)
        assert event["subject"]["content"]["environment"] == {"id": "eu-1"}
        assert event["customData"]["decision"] == str(decision.decision)
        broken = {**event, "subject": {"id": "", "content": {}}}
        assert not jsonschema.Draft202012Validator(schema, registry=registry).is_valid(broken)
    finished = "dev.cdevents.testsuiterun.finished.0.3.0"
    assert kinds == {
        "rollback": ["dev.cdevents.incident.detected.0.3.0", finished],
        "promote": [finished],
        "hold": ["dev.cdeventsx.serinus-rollout.held.0.1.0"],
    }[str(decision.decision)]


def test_reports_have_the_same_forms(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    decision = serinus.judge(plan_dict, bad_table)
    assert serinus.report(plan_dict, bad_table, format="junit") == decision.to_junit()
    assert serinus.report(plan_dict, bad_table, format="openmetrics") == decision.to_openmetrics()
    assert serinus.report(plan_dict, bad_table, format="github").startswith("::error title=ROLLBACK")
    assert serinus.report(plan_dict, bad_table, format="cdevents") == decision.to_cdevents()
    with pytest.raises(serinus.Error, match="the environment is empty"):
        decision.to_cdevents(environment="")


def test_views(plan_dict: dict[str, Any], bad_table: dict[str, Any]) -> None:
    decision = serinus.judge(plan_dict, bad_table)
    assert decision.to_text() == str(decision)
    brief, everything = decision.to_text(view="executive"), decision.to_text(view="debug")
    assert len(brief) < len(str(decision)) < len(everything)
    assert "as if all traffic had gone to it for" in brief
    assert "digest " + decision.digest in re.sub(r"\s+", " ", everything)
    assert decision.to_html(view="executive").count("<article>") == 0
    assert len(decision.to_markdown(view="debug")) > len(decision.to_markdown())
    with pytest.raises(serinus.Error, match="view is \"boss\"; allowed: executive, on-call, debug"):
        decision.to_text(view="boss")  # type: ignore[arg-type]


def test_users_reached(plan_dict: dict[str, Any]) -> None:
    """Traffic x time, over all stages."""
    table = make_table()
    monitor = serinus.Monitor(plan_dict)
    half = {name: column[table["timestamp"] < START + 900] for name, column in table.items()}
    rest = {name: column[table["timestamp"] >= START + 900] for name, column in table.items()}
    monitor.enter_stage(1, START)
    first = monitor.observe(half, now=START + 900)
    assert first.reached_seconds == pytest.approx(0.1 * 900)
    monitor.enter_stage(2, START + 900)
    again = serinus.Monitor(plan_dict)
    again.restore(monitor.state())
    for of in (monitor, again):
        second = of.observe(rest, now=START + 1800)
        assert second.reached_seconds == pytest.approx(0.1 * 900 + 0.5 * 900)
        assert second.to_dict()["reached_seconds"] == second.reached_seconds
