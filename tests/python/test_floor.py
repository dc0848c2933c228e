"""Margins with a floor: tests and plans, against the numbers of data/reference/sequential/floor.json."""

import json
import math
import pathlib
import pickle

import pytest

import serinus
from serinus.sequential import MeanTest, ProportionTest, RateTest

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"
CASES = json.loads((DATA / "reference" / "sequential" / "floor.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("side", ["harm", "safe"])
def test_agrees_with_the_reference(case, side):
    of_shares = case["of"] == "shares"
    test = (ProportionTest if of_shares else RateTest)(
        margin={"ratio": case["ratio"], "floor": case["floor"]}, side=side, dispersion=case["dispersion"], interval=False
    )
    for (x_b, n_b, x_c, n_c), expected in zip(case["counts"], case[side]):
        size = int if of_shares else float
        test.update(x_b, size(n_b), x_c, size(n_c))
        assert test.log_e_value == pytest.approx(expected, rel=1e-9, abs=1e-10)
    assert test.evidence().method == "floor"
    assert pickle.loads(pickle.dumps(test)).log_e_value == test.log_e_value


def test_a_silent_service_is_safe_after_so_many_requests():
    test = ProportionTest(margin={"ratio": 3, "floor": 0.003}, side="safe", alpha_safe=0.2)
    requests = 0
    while not test.decided:
        test.update(0, 900, 0, 100)
        requests += 100
    assert 536 <= requests <= 900
    evidence = test.evidence()
    assert evidence.estimate == 0 and evidence.lower == -math.inf and evidence.upper <= 1


@pytest.mark.parametrize(
    ("margin", "message"),
    [
        ({"ratio": 1.5, "floor": -1}, r"margin\.floor is -1; allowed: 0 or more"),
        ({"ratio": 1.5, "floor": 1}, r"margin\.floor is 1; allowed: 0 or more, below 1"),
        ({"floor": 0.1}, r"margin\.floor is 0\.1 without a ratio"),
        ({"difference": 0.1, "floor": 0.1}, r"margin\.difference is 0\.1 beside a floor"),
        ({"ratio": 1, "floor": 0}, r"margin\.floor is 0 beside a ratio of 1"),
        ({"ratio": 1.5, "flour": 0.1}, r"allowed: \{\"ratio\": number\}, \{\"difference\": number\} or"),
    ],
)
def test_what_is_no_floor_is_refused(margin, message):
    with pytest.raises(serinus.Error, match=message):
        ProportionTest(margin=margin)


def test_others_refuse_a_floor_by_name():
    with pytest.raises(serinus.Error, match=r"margin\.floor is 0\.1; allowed: none here"):
        MeanTest(margin={"ratio": 1.5, "floor": 0.1})


def test_a_plan_with_a_floor():
    plan = serinus.Plan(json.loads((DATA / "plans" / "floor.json").read_text()))
    assert plan.metrics["errors"].margin == {"ratio": 1.5, "floor": 0.001}
    again = serinus.Plan(plan.to_dict())
    assert again == plan and again.digest == plan.digest
