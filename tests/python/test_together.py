"""`serinus.decide_together`: one answer for services that are rolled out together."""

from __future__ import annotations

import json
import os
import pathlib
import pickle
import subprocess
from typing import Any

import pytest
import serinus

from conftest import make_table

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "data" / "schema" / "together.schema.json"


@pytest.fixture
def pair(plan_dict: dict[str, Any], good_table: dict[str, Any], bad_table: dict[str, Any]) -> list[serinus.Decision]:
    orders = {**plan_dict, "name": "orders", "deployment": "orders-3", "alpha": 0.025}
    return [serinus.judge(orders, good_table), serinus.judge({**plan_dict, "alpha": 0.025}, bad_table)]


def test_any_rollback_rolls_all_back(pair: list[serinus.Decision]) -> None:
    both = serinus.decide_together(pair)
    assert both.decision == "rollback"
    assert both.severity == "page"
    assert both.decided_by == ["payments-2026.11.22-1"]
    assert both.dedupe_key == "payments-2026.11.22-1/rollback"
    assert (both.alpha, both.finished, both.would) == (0.05, False, None)
    assert both.time == min(one.time for one in pair if one.time is not None)
    assert both == serinus.decide_together(tuple(reversed(pair)))
    assert pickle.loads(pickle.dumps(both)) == both
    assert both.to_dict()["decision"] == "rollback"


def test_all_must_promote(pair: list[serinus.Decision], plan_dict: dict[str, Any]) -> None:
    alone = serinus.decide_together(pair[:1])
    assert (alone.decision, alone.dedupe_key, alone.decided_by) == (pair[0].decision, None, [])
    waiting = serinus.judge(plan_dict, make_table(intervals=2))
    held = serinus.decide_together([pair[0], waiting])
    assert held.decision == "hold"
    assert held.decided_by == ["payments-2026.11.22-1"]


def test_none_is_refused() -> None:
    with pytest.raises(serinus.Error) as error:
        serinus.decide_together([])
    assert error.value.code == "serinus.argument.length"


@pytest.mark.skipif("SERINUS_PROGRAM" not in os.environ, reason="the program was not built")
def test_the_program_says_the_same(pair: list[serinus.Decision], tmp_path: pathlib.Path) -> None:
    files = []
    for i, decision in enumerate(pair):
        files.append(tmp_path / f"{i}.json")
        files[-1].write_text(decision.to_json(), encoding="utf-8")
    told = subprocess.run(
        [os.environ["SERINUS_PROGRAM"], "together", *files, "--format", "json"], capture_output=True, check=False
    )
    assert told.returncode == 1
    document = json.loads(told.stdout)
    both = serinus.decide_together(pair)
    assert (document["decision"], document["decided_by"], document["alpha"]) == (both.decision, both.decided_by, both.alpha)
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
