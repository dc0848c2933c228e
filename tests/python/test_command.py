"""The command `serinus`: answers and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import serinus
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
        (["promote"], "usage: "),
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
    assert says in err
    assert err.count("\n") == 1


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
