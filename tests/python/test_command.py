"""The command `serinus`: answers and exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import serinus
from serinus import _core
from serinus.__main__ import main

from conftest import make_table


@pytest.fixture
def files(plan_dict: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(plan_dict))
    out = {"plan": str(plan)}
    for name, table in (
        ("good", make_table(0.01)),
        ("bad", make_table(0.08)),
        ("short", make_table(0.01, intervals=20)),
        ("other", make_table(0.01) | {"series": ["unknown"] * 1440}),
    ):
        path = tmp_path / f"{name}.csv"
        pd.DataFrame(table).to_csv(path, index=False)
        out[name] = str(path)
    return out


@pytest.mark.parametrize(("data", "code", "word"), [("good", 0, "PROMOTE"), ("bad", 1, "ROLLBACK"), ("short", 3, "HOLD")])
def test_exit_codes(data: str, code: int, word: str, files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", files["plan"], files[data]]) == code
    out, err = capfd.readouterr()
    assert out.startswith(word)
    assert err == ""


def test_no_data(files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", files["plan"], files["other"]]) == 4
    assert capfd.readouterr().out.startswith("HOLD")


def test_json_is_the_decision(files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", files["plan"], files["bad"], "--format", "json"]) == 1
    assert json.loads(capfd.readouterr().out) == serinus.judge(files["plan"], files["bad"]).to_dict()


def test_now_leaves_out_what_came_later(files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", files["plan"], files["good"], "--now", "2026-11-22T21:22:00Z", "--format=json"]) == 3
    assert json.loads(capfd.readouterr().out)["time"] == "2026-11-22T21:22:00Z"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "usage: "),
        (["judge"], "usage: "),
        (["judge", "{plan}"], "usage: "),
        (["promote"], 'usage: "promote" is no command; allowed: init, judge, report, together, check'),
        (["judge", "{plan}", "{good}", "--form", "json"], "serinus judge --help says more"),
        (["init", "--kind", "web3"], "--kind: web3 not in {{web,batch,serverless}}; serinus init --help says more"),
        (["judge", "{plan}", "{good}", "--format", "xml"], "usage: "),
        (["judge", "{plan}", "{good}", "--form", "json"], "usage: "),
        (["judge", "{plan}", "-", "-"], "standard input"),
        (["judge", "{plan}", "{plan}"], "serinus.data."),
        (["judge", "{good}", "{good}"], "serinus.plan.json"),
        (["judge", "no-such-file", "{good}"], "serinus.file.read: no-such-file"),
        (["judge", "{plan}", "{good}", "--now", "soon"], "serinus.data.timestamp: --now"),
    ],
)
def test_bad_usage_and_bad_input(
    arguments: list[str], says: str, files: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        code: Any = main([argument.format(**files) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("serinus: ")
    assert says.replace("{{", "{").replace("}}", "}") in err
    assert err.count("\n") == 1


def test_a_first_plan(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert main(["init", "--prometheus", "--output", str(plan)]) == 0
    assert main(["check", str(plan)]) == 0
    assert "// " in plan.read_text()
    assert [metric.name for metric in serinus.Plan(plan.read_text()).metrics] == ["errors", "slow", "memory"]


def test_version_and_help(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capfd.readouterr().out.startswith(f"serinus {serinus.__version__}\njudges ")
    for arguments, says in ((["--version"], f"serinus {serinus.__version__}\n"), (["judge", "--help"], "Exit codes:")):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0
        assert says in capfd.readouterr().out


def test_rules_of_a_burn_policy(capfd: pytest.CaptureFixture[str]) -> None:
    promise = ["burn", "--rules", "--name", "checkout", "--target", "99.9%", "--bad", "errors", "--total", "requests"]
    assert main(promise) == 0
    objective = serinus.slo.Objective("checkout", target="99.9%")
    assert capfd.readouterr().out == serinus.slo.prometheus_rules(
        objective, serinus.slo.sre_workbook_policy(), "errors", "requests"
    )
    assert main([*promise, "data.csv"]) == 2
    assert "DATA is given with --rules" in capfd.readouterr().err
    assert main(["burn", *promise[2:]]) == 2
    assert "DATA is missing" in capfd.readouterr().err


def test_as_a_program(files: dict[str, str]) -> None:
    with open(files["bad"], "rb") as data:
        found = subprocess.run(
            [sys.executable, "-m", "serinus", "judge", files["plan"], "-"], stdin=data, capture_output=True, check=False
        )
    assert found.returncode == 1
    assert found.stdout.decode().startswith("ROLLBACK")
    assert found.stderr == b""


def test_burn_report_is_what_the_command_answers(files: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    series = ["--bad", "http_errors", "--total", "http_requests", "--deltas"]
    asked = ["burn", files["bad"], *series, "--target", "99.9%", "--name", "api", "--windows", "10m", "--for", "2m"]
    policy = serinus.slo.sre_workbook_policy()
    lasting = [
        serinus.slo.Condition(c.long, c.short, c.factor, c.severity.value, c.name, "2m") for c in policy.conditions
    ]
    report = serinus.slo.burn_report(
        serinus.slo.Objective("api", target="99.9%"),
        files["bad"],
        bad="http_errors",
        total="http_requests",
        deltas=True,
        policy=serinus.slo.Policy(lasting),
        windows=["10m"],
    )
    assert main(asked) == 1
    assert capfd.readouterr().out == str(report)
    assert main([*asked, "--format", "json"]) == 1
    assert json.loads(capfd.readouterr().out) == report.to_dict()
    assert report.firing == "page" and report.alerts[0].state == "firing"
    assert list(report.windows)[:2] == ["5m", "10m"] and report.samples["taken"] > 0
    assert report.windows["1h"].burn == report.to_dict()["windows"][3]["burn"]
    with pytest.raises(serinus.Error, match='bad is "erors", which is no series of the data'):
        serinus.slo.burn_report(report.objective, files["bad"], bad="erors", total="http_requests")


# ---- the C++ program: the same options, help and errors

PROGRAM = os.environ.get("SERINUS_PROGRAM", "")
with_program = pytest.mark.skipif(not PROGRAM, reason="SERINUS_PROGRAM, the path of the C++ program, is not set")


# What the program has and the wheel has not (ADR 27).
LEFT_OUT = {"backtest", "replay", "indicators", "--audit LOG", "--audit-key FILE"}


def without_left_out(text: str) -> str:
    """What the program says, as if it had no more than the wheel."""
    return re.sub(", (?:backtest|replay|indicators)(?=[,;])", "", re.sub(".*--audit rollout.jsonl\n", "", text))


def said(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """What Python's command answers: exit code, standard output, standard error."""
    try:
        code: Any = main(arguments)
    except SystemExit as stop:
        code = stop.code
    return code, *capfd.readouterr()


def entries(text: str) -> list[tuple[str, str]]:
    """Of a help: each option or argument as it is written, with what is said of it. Both programs' layouts."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        if re.fullmatch(r"[A-Za-z ]+:", line):
            inside = line.lower().removesuffix(":") in ("positionals", "positional arguments", "options", "subcommands")
        elif not line:
            inside = False
        elif inside and (
            entry := re.fullmatch(r" {2,4}(-\S+(?: --\S+)?(?: [A-Z]+| {\S+})?)(?: +(\S.*))?", line)
            or re.fullmatch(r" {2,4}([^- ]\S*(?: \S+)*)(?: {2,}(\S.*))?", line)
        ):
            found.append([entry[1], entry[2] or ""])
        elif inside:
            found[-1][1] += " " + line.strip()
    for entry in found:  # CLI11 writes "-h,--help", argparse "-h, --help"; of an argument only the name is common
        entry[0] = entry[0].replace(", ", ",") if entry[0].startswith("-") else entry[0].split()[0]
    return sorted((name, about.strip()) for name, about in found if name != "COMMAND")


@with_program
@pytest.mark.parametrize("command", [[], *([command["name"]] for command in _core.commands())])
def test_the_help_of_both_programs_is_one(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    program = subprocess.run([PROGRAM, *command, "--help"], capture_output=True, text=True, check=True).stdout
    code, ours, _ = said([*command, "--help"], capfd)
    assert code == 0
    assert entries(ours) == [entry for entry in entries(program) if entry[0] not in LEFT_OUT]
    more = [entry["more"] for entry in _core.commands() if command == [entry["name"]]] or [_core.command_texts()["more"]]
    assert more[0] in ours and more[0] in without_left_out(program)


def test_the_help_of_burn_has_every_option(capfd: pytest.CaptureFixture[str]) -> None:
    found = dict(entries(said(["burn", "--help"], capfd)[1]))
    assert found["--for DURATION"] == "Every condition fires once it has held this long"
    assert found["--policy POLICY"].endswith("[sre_workbook]")
    assert found["--semantics {exact,prometheus2,prometheus3,prometheus3_anchored}"] == "What an increase is [exact]"
    for option in ("--plan FILE", "--keep-firing-for DURATION", "--interval DURATION", "--no-data {page,ticket,info}"):
        assert found[option]


@with_program
@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["promote"],
        ["judge"],
        ["judge", "{plan}"],
        ["judge", "{plan}", "{good}", "--format", "xml"],
        ["judge", "{plan}", "{good}", "--form", "json"],
        ["judge", "{plan}", "{good}", "--now"],
        ["judge", "{plan}", "{good}", "--now", "1", "--now", "2"],
        ["judge", "{plan}", "{good}", "--now", "soon"],
        ["judge", "{plan}", "{good}", "--color", "blue"],
        ["judge", "{plan}", "-", "-"],
        ["judge", "{plan}", "nowhere.csv"],
        ["judge", "--format", "json", "{plan}", "{good}"],
        ["judge", "{plan}", "--format", "json", "{good}"],
        ["judge", "{plan}", "{good}", "--now=1795382500", "{bad}"],
        ["calibrate", "{plan}"],
        ["calibrate", "{plan}", "{good}", "--release", "{good}", "--release", "{bad}"],
        ["burn"],
        ["burn", "--bad", "http_errors", "{good}", "--total", "http_requests", "--deltas", "--target", "99%"],
        ["burn", "{good}", "--bad", "http_errors", "--total", "http_requests", "--target", "99.9%", "--for", "5m"],
        ["burn", "{good}", "--plan", "{plan}"],
        ["burn", "{good}", "--bogus", "a", "--more", "b"],
        ["burn", "{good}", "--min-events", "many"],
        ["burn", "{good}", "--no-data", "maybe"],
        ["burn", "--rules", "--name", "n", "--target", "99.9%", "--bad", "e", "--total", "n", "--no-data", "page"],
        ["version", "x"],
        ["version"],
    ],
)
def test_both_programs_say_the_same(
    arguments: list[str], files: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    command = [argument.format(**files) for argument in arguments]
    program = subprocess.run([PROGRAM, *command], capture_output=True, text=True, check=False)
    assert said(command, capfd) == (program.returncode, program.stdout, without_left_out(program.stderr))
