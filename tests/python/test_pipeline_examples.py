"""The examples for pipelines as they run there: the action's steps and the job's script in a shell, the dashboard's queries."""

from __future__ import annotations

import json
import os
import shlex
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import junitparser
import pandas as pd
import pytest
import serinus
import yaml

from conftest import make_table

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the scripts are bash's")


@pytest.fixture
def folder(tmp_path: Path, plan_dict: dict[str, Any]) -> Path:
    """A plan, data of three outcomes, and the command `serinus`: the C++ program, or that of this very package."""
    (tmp_path / "plan.json").write_text(json.dumps(plan_dict))
    tables = {"good": make_table(), "bad": make_table(canary_rate=0.08), "few": make_table(intervals=5)}
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(tmp_path / f"{name} data.csv", index=False)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "serinus"
    program = os.environ.get("SERINUS_PROGRAM", "")
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(program) if program else sys.executable + " -m serinus"} "$@"\n')
    command.chmod(0o755)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    package = str(Path(serinus.__file__).parents[1])
    return {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}


def run_action(folder: Path, **inputs: str) -> tuple[int, str, dict[str, str], str]:
    """The steps of the composite action as the runner takes them: exit code, log, outputs, summary."""
    action = yaml.safe_load((EXAMPLES / "github-action" / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    given = {}
    for name, known in action["inputs"].items():
        assert known["description"]
        assert name in inputs or not known.get("required"), name
        given[name] = inputs.get(name, known.get("default"))
    assert set(inputs) <= set(given)
    output, summary = folder / "output", folder / "summary.md"
    output.write_text("")
    summary.write_text("before\n")
    known = {f"inputs.{name}": value for name, value in given.items()}
    known["runner.temp"] = str(folder)

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{ *([^} ]+) *\}\}", lambda found: known[found[1]], text)

    code, log = 0, ""
    for step in action["runs"]["steps"]:
        if "if" in step:
            name, wanted = re.fullmatch(r"([\w.-]+) != '(.*)'", step["if"]).groups()  # type: ignore[union-attr]
            if known[name] == wanted:
                continue
        assert "${{" not in step["run"], "an input may not become text of the script"
        ran = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            env={
                **environment(folder),
                **{key: filled(value) for key, value in step.get("env", {}).items()},
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(summary),
            },
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        code, log = ran.returncode, log + ran.stdout + ran.stderr
        if "id" in step:
            outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
            known.update({f"steps.{step['id']}.outputs.{key}": value for key, value in outputs.items()})
        if code:
            break
    told = {name: known.get(re.fullmatch(r"\$\{\{ (.*) \}\}", of["value"])[1], "")  # type: ignore[index]
            for name, of in action["outputs"].items()}
    return code, log, told, summary.read_text()


@pytest.mark.parametrize(
    ("data", "more", "code", "decision", "kind"),
    [
        ("good data.csv", {}, 0, "promote", "notice"),
        ("bad data.csv", {}, 1, "rollback", "error"),
        ("few data.csv", {}, 3, "hold", "warning"),
        ("few data.csv", {"on-hold": "pass"}, 0, "hold", "warning"),
        ("bad data.csv", {"on-hold": "pass"}, 1, "rollback", "error"),
        ("bad data.csv\n\n", {"arguments": "--now\n1795382485"}, 4, "hold", "warning"),
    ],
)
def test_the_action(folder: Path, data: str, more: dict[str, str], code: int, decision: str, kind: str) -> None:
    ended, log, told, summary = run_action(folder, plan="plan.json", data=data, **more)
    assert (ended, told["decision"]) == (code, decision), log
    assert log.startswith(f"::{kind} title={decision.upper()}%3A payments-2026.11.22-1::")
    assert summary.startswith("before\n## ")
    assert decision.upper() in summary
    assert json.loads(Path(told["json"]).read_text())["decision"] == decision
    assert len(list(junitparser.JUnitXml.fromfile(told["junit"]))) == 1


def test_the_action_refuses(folder: Path) -> None:
    code, log, told, summary = run_action(folder, plan="plan.json", data="no.csv; touch hurt; $(touch hurt)")
    assert (code, told["decision"], summary) == (2, "", "before\n")
    assert "serinus.file.read" in log
    assert not (folder / "hurt").exists()
    assert run_action(folder, plan="plan.json", data="good data.csv", **{"on-hold": "maybe"})[0] == 2


@pytest.mark.parametrize(("data", "code"), [("good", 0), ("bad", 1), ("few", 3), ("none", 2)])
def test_the_gitlab_job(folder: Path, data: str, code: int) -> None:
    job = yaml.safe_load((EXAMPLES / "gitlab" / "serinus.gitlab-ci.yml").read_text())["serinus"]
    ran = subprocess.run(
        ["bash", "-c", "set -eo pipefail\n" + "\n".join(job["script"])],
        env={**environment(folder), **job["variables"], "SERINUS_DATA": f"{data} data.csv"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    assert job["allow_failure"]["exit_codes"] == [3, 4]
    if code == 2:
        assert "serinus.file.read" in ran.stderr
        return
    assert ran.stdout.split()[0] == {0: "PROMOTE", 1: "ROLLBACK", 3: "HOLD"}[code]
    reports = job["artifacts"]["reports"]
    assert len(list(junitparser.JUnitXml.fromfile(str(folder / reports["junit"])))) == 1
    assert (folder / reports["metrics"]).read_text().endswith("# EOF\n")
    assert (folder / job["artifacts"]["paths"][0]).exists()


def test_the_dashboard_asks_for_what_is_written(
    plan_dict: dict[str, Any], bad_table: dict[str, Any], tmp_path: Path
) -> None:
    slo = [{"name": "availability", "metric": "errors", "target": 0.999, "period": "30d"}]
    text = serinus.judge({**plan_dict, "slo": slo}, bad_table).to_openmetrics()
    written = set(re.findall(r"^# TYPE (\S+) gauge$", text, re.MULTILINE))
    labels = set(re.findall(r'[{,](\w+)="', text))
    dashboard = json.loads((EXAMPLES / "grafana" / "serinus.json").read_text())
    variables = {of["name"] for of in dashboard["templating"]["list"]}
    assert variables == {"source", "plan", "deployment"}
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [of["definition"] for of in dashboard["templating"]["list"] if of["type"] == "query"]
    queries += [of["expr"] for of in dashboard["annotations"]["list"]]
    assert len(queries) >= 15
    for query in queries:
        names = set(re.findall(r"\bserinus_\w+", query))
        assert names and names <= written, query
        assert set(re.findall(r"\$(\w+)", query)) <= variables | {"__range"}, query
        assert set(re.findall(r"(\w+)(?:=|=~|!=|!~)\"", query)) <= labels, query
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels
            if shutil.which("promtool"):
                plain = target["expr"].replace("$__range", "1h").replace("$plan", "x").replace("$deployment", "x")
                rules = {"groups": [{"name": "g", "rules": [{"record": "a", "expr": plain}]}]}
                file = tmp_path / "rules.json"
                file.write_text(json.dumps(rules))
                checked = subprocess.run(["promtool", "check", "rules", str(file)], text=True, capture_output=True, check=False)
                assert checked.returncode == 0, (plain, checked.stdout + checked.stderr)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in dashboard["panels"]]
    assert len(set(places)) == len(places)
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in dashboard["panels"])
