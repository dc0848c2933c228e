"""Audit logs in Python: what is written, and the same decisions made again."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import serinus

from conftest import START, make_table

KEY = b"a key of more than sixteen bytes"
SCHEMAS = Path(__file__).resolve().parents[2] / "data" / "schema"


def schema(name: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text()))


def first(table: dict[str, Any], seconds: float) -> dict[str, Any]:
    inside = table["timestamp"] < START + seconds
    return {name: column[inside] for name, column in table.items()}


def test_judge_writes_what_replay_makes_again(plan_dict: dict[str, Any], tmp_path: Path) -> None:
    log, table = tmp_path / "audit.jsonl", make_table()
    decisions = [serinus.judge(plan_dict, first(table, seconds), audit=log) for seconds in (60, 120, 600)]
    found = serinus.replay(log)
    assert found.good
    assert found.findings == []
    assert [line.call for line in found.lines] == ["plan", "judge", "judge", "judge"]
    assert [line.reproduced for line in found.lines] == ["nothing", "exactly", "exactly", "exactly"]
    assert [line.decision for line in found.lines[1:]] == [str(decision.decision) for decision in decisions]
    assert found.lines[1].time is not None
    assert str(found).startswith("REPRODUCED  3 of 3 decisions")
    assert found == serinus.replay(log.read_bytes()) == serinus.replay(log.read_text()) == serinus.replay(str(log))
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.to_dict() == json.loads(found.to_json()) == json.loads(found.to_json(None))
    schema("replay").validate(found.to_dict())
    for line in log.read_text().splitlines():
        schema("audit").validate(json.loads(line))
    assert serinus.replay(log, last=found.last).good
    assert not serinus.replay(log, last="0" * 64).good


def test_a_monitor_writes_every_call(plan_dict: dict[str, Any], tmp_path: Path) -> None:
    log, table = tmp_path / "audit.jsonl", make_table()
    monitor = serinus.Monitor(plan_dict, audit=log, audit_key=KEY)
    monitor.observe(first(table, 100))
    monitor.enter_stage(2, START + 100)
    monitor.restart("canary", "web-3", START + 110)
    again = serinus.Monitor(plan_dict, audit=log, audit_key=KEY)
    again.restore(monitor.state())
    again.observe(first(table, 400))
    again.flush()
    found = serinus.replay(log, key=KEY)
    assert found.good
    calls = ["plan", "observe", "enter_stage", "restart", "plan", "restore", "observe", "flush"]
    assert [line.call for line in found.lines] == calls
    assert {line.reproduced for line in found.lines} == {"nothing", "exactly"}
    assert found.sealed
    for line in log.read_text().splitlines():
        schema("audit").validate(json.loads(line))
    # A copy of a monitor goes on without the log, for two of them would tell two stories.
    pickle.loads(pickle.dumps(again)).flush()
    assert len(log.read_text().splitlines()) == len(calls)


def test_changed_and_torn(plan_dict: dict[str, Any], tmp_path: Path) -> None:
    log, table = tmp_path / "audit.jsonl", make_table()
    for seconds in (60, 120):
        serinus.judge(plan_dict, first(table, seconds), audit=log)
    content = log.read_bytes()
    found = serinus.replay(content.replace(b'"stage":1', b'"stage":2', 1))
    assert not found.good
    assert (found.findings[0].line, found.findings[0].problem) == (2, "changed")
    assert repr(found) == f"Replay(good=False, decisions=1, findings={len(found.findings)})"
    assert [line.reproduced for line in found.lines] == ["nothing", "not_tried"]
    found = serinus.replay(content[:-9])
    assert found.good
    assert [finding.problem for finding in found.findings] == ["torn"]
    log.write_bytes(content.replace(b'"stage":1', b'"stage":2', 1))
    with pytest.raises(serinus.Error, match="line 2") as caught:
        serinus.judge(plan_dict, table, audit=log)
    assert caught.value.code == "serinus.audit.changed"


def test_bad_input(plan_dict: dict[str, Any], tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    table = {"timestamp": np.array([0.0]), "series": ["http_requests"], "arm": ["canary"], "value": [1.0]}
    cases: list[tuple[Any, str]] = [
        (lambda: serinus.judge(plan_dict, table, audit_key=KEY), "serinus.argument.range"),
        (lambda: serinus.judge(plan_dict, table, audit=log, audit_key=b"short"), "serinus.argument.range"),
        (lambda: serinus.judge(plan_dict, table, audit=log, audit_key=""), "serinus.argument.range"),
        (lambda: serinus.judge(plan_dict, table, audit=log, audit_key=5), "serinus.argument.type"),  # type: ignore[arg-type]
        (lambda: serinus.judge(plan_dict, table, audit=tmp_path / "no" / "log"), "serinus.file.write"),
        (lambda: serinus.Monitor(plan_dict, audit_key=KEY), "serinus.argument.range"),
        (lambda: serinus.replay(tmp_path / "none"), "serinus.file.read"),
        (lambda: serinus.replay(b""), "serinus.data.empty"),
        (lambda: serinus.replay("{}"), "serinus.data.document"),
        (lambda: serinus.replay(7), "serinus.argument.type"),  # type: ignore[arg-type]
    ]
    for call, code in cases:
        with pytest.raises(serinus.Error) as caught:
            call()
        assert caught.value.code == code
    serinus.judge(plan_dict, table, audit=log)
    with pytest.raises(serinus.Error) as caught:
        serinus.replay(log, key=KEY)
    assert caught.value.code == "serinus.audit.key"
