"""Indicators of delivery in Python."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import serinus

DATA = Path(__file__).resolve().parents[2] / "data"
LOG = DATA / "delivery" / "deployments.jsonl"


def schema(name: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads((DATA / "schema" / f"{name}.schema.json").read_text()))


def test_a_team() -> None:
    found = serinus.indicators(LOG)
    assert len(found) == 10
    assert [each.indicator for each in found] == [entry["indicator"] for entry in found.to_dict()["indicators"]]
    schema("indicators").validate(found.to_dict())
    for line in LOG.read_text().splitlines():
        schema("delivery").validate(json.loads(line))
    rate = found["deployment_success_rate"]
    assert rate == found[0]
    assert rate.lower < rate.estimate < rate.upper
    assert rate.count == found.deployments
    assert found["pipeline_failure_rate"].beside["flaky"] > 0
    assert found["mean_time_to_deploy"].beside["waited"] > 0
    assert str(found).splitlines()[0].endswith("WITHOUT DATA")
    assert found.to_html().startswith("<!DOCTYPE html>")
    assert pickle.loads(pickle.dumps(found)) == found
    events = [json.loads(line) for line in LOG.read_text().splitlines()]
    assert found == serinus.indicators(events) == serinus.indicators(LOG.read_text()) == serinus.indicators(LOG.read_bytes())
    assert json.loads(found.to_json()) == json.loads(found.to_json(None)) == found.to_dict()
    with pytest.raises(KeyError, match="there are deployment_success_rate"):
        found["success"]


def test_targets_and_confidence() -> None:
    assert serinus.indicators(LOG, targets={"deployment_success_rate": 0.5})[0].verdict == "pass"
    assert serinus.indicators(LOG, targets={"deployment_success_rate": 0.9999})[0].verdict == "fail"
    wide, narrow = (serinus.indicators(LOG, confidence=confidence)[0] for confidence in (0.99, 0.5))
    assert wide.lower < narrow.lower <= narrow.upper < wide.upper


def test_nothing_known() -> None:
    found = serinus.indicators(b"")
    assert {each.verdict for each in found} == {"no_data"}
    assert math.isnan(found[0].estimate)
    assert "nothing in the log tells it" in found[0].reasons[0]


@pytest.mark.parametrize(
    ("log", "options", "code"),
    [
        ("{}\nx\n", {}, "serinus.data.document"),
        (DATA / "none.jsonl", {}, "serinus.file.read"),
        (7, {}, "serinus.argument.type"),
        ([{"event": object()}], {}, "serinus.argument.type"),
        (b"", {"targets": {"success": 1}}, "serinus.argument.word"),
        (b"", {"targets": {"cost_delta": math.inf}}, "serinus.argument.range"),
        (b"", {"confidence": 0}, "serinus.argument.range"),
    ],
)
def test_bad_input(log: Any, options: dict[str, Any], code: str) -> None:
    with pytest.raises(serinus.Error) as caught:
        serinus.indicators(log, **options)
    assert caught.value.code == code
