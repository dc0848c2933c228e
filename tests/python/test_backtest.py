"""`serinus.backtest`: former releases replayed through a plan."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import serinus

from conftest import make_table

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
SCENARIOS = DATA / "scenarios"


@pytest.fixture
def one_stage(plan_dict: dict[str, Any]) -> dict[str, Any]:
    return {**plan_dict, "stages": plan_dict["stages"][:1]}


def releases() -> dict[str, Any]:
    return {
        "monday": {"rollout": make_table(), "label": "good", "history": make_table(seed=2)},
        "tuesday": {"rollout": make_table(canary_rate=0.05), "label": "bad"},
        "wednesday": make_table(canary_rate=0.05, seed=3),
    }


def test_is_a_frame(one_stage: dict[str, Any]) -> None:
    shares: list[float] = []
    past = serinus.backtest(one_stage, releases(), try_="metrics[errors].margin.ratio=9", progress=shares.append)
    assert isinstance(past, pd.DataFrame)
    assert list(past) == ["try", "release", "label", "decision", "stage", "minutes", "decided_by", "reasons"]
    assert past["decision"].tolist() == ["promote", "rollback", "rollback", "promote", "promote", "promote"]
    assert past["label"].tolist()[:2] == ["good", "bad"]
    assert past["label"].isna().tolist() == [False, False, True] * 2
    assert past["decided_by"].tolist()[1] == ["errors"]
    assert past["reasons"].tolist()[1][0] == "errors.harm_proven"
    assert set(past["try"]) == {"", "metrics[errors].margin.ratio=9"}
    assert shares == pytest.approx(np.arange(1, 7) / 6)
    document = past.attrs["backtest"]
    assert (document["false_alarms"]["count"], document["misses"]["count"]) == (0, 0)
    assert document["tries"][0]["misses"] == {"count": 1, "of": 1, "lower": pytest.approx(0.025), "upper": 1}
    assert past.attrs["text"].startswith("BACK-TEST  payments   3 releases   1 promoted, 0 held, 2 rolled back\n")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((DATA / "schema" / "backtest.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**document, "more": 1})


def test_of_a_folder() -> None:
    past = serinus.backtest(SCENARIOS / "redeploy" / "plan.json", SCENARIOS / "redeploy")
    assert isinstance(past, pd.DataFrame)
    assert dict(zip(past["release"], past["decision"])) == {
        "1-broken": "rollback", "2-patched": "promote", "3-recurs": "rollback",
    }
    # The same from data in memory.
    data = {
        name: {"rollout": SCENARIOS / "redeploy" / name / "rollout.csv.gz"} for name in past["release"]
    }
    again = serinus.backtest(SCENARIOS / "redeploy" / "plan.json", data)
    assert isinstance(again, pd.DataFrame)
    assert again["minutes"].tolist() == past["minutes"].tolist()


def test_without_pandas_it_is_a_list(one_stage: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed
    past = serinus.backtest(one_stage, releases())
    assert isinstance(past, list)
    assert [row["decision"] for row in past] == ["promote", "rollback", "rollback"]
    assert past.attrs["backtest"]["rolled_back"] == 2


@pytest.mark.parametrize(
    ("given", "code", "part"),
    [
        ({"a": {"rollout": {}, "kind": 1}}, "serinus.argument.word", "release 'a' has 'kind'"),
        ({"a": {"rollout": make_table(intervals=2), "label": "fine"}}, "serinus.argument.word", "good, bad"),
        ("/no/such/folder", "serinus.file.read", "/no/such/folder"),
    ],
)
def test_what_is_refused(one_stage: dict[str, Any], given: Any, code: str, part: str) -> None:
    with pytest.raises(serinus.Error) as error:
        serinus.backtest(one_stage, given)
    assert error.value.code == code
    assert part in str(error.value)


def test_a_try_that_no_plan_has(one_stage: dict[str, Any]) -> None:
    for change, code in (("alpha", "serinus.argument.word"), ("alphaa=1", "serinus.plan.unknown_key")):
        with pytest.raises(serinus.Error) as error:
            serinus.backtest(one_stage, {}, try_=change)
        assert error.value.code == code
    with pytest.raises(serinus.Error):
        serinus.backtest(one_stage, {}, since="ready")


def test_no_release_says_nothing(one_stage: dict[str, Any]) -> None:
    past = serinus.backtest(one_stage, {})
    assert len(past) == 0


def test_progress_may_stop_it(one_stage: dict[str, Any]) -> None:
    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serinus.backtest(one_stage, releases(), progress=stop)
