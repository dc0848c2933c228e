"""RotationTest and instance_spread, as Python sees them."""

from __future__ import annotations

import json
import pathlib
import pickle

import numpy as np
import pytest
import serinus
from numpy.typing import NDArray
from serinus.sequential import RotationTest, instance_spread

REFERENCE = pathlib.Path(__file__).parents[2] / "data" / "reference" / "sequential" / "rotation.json"


def rollout(seed: int, instances: int, intervals: int, harm: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An interval a row; the last instance is the canary."""
    random = np.random.default_rng(seed)
    values = 40 * np.exp(0.05 * random.normal(size=instances) + 0.2 * random.normal(size=(intervals, instances)))
    return values[:, :-1], harm * values[:, -1:]


def test_rows_at_once_are_rows_one_by_one() -> None:
    baseline, canary = rollout(1, 5, 30, 2.0)
    one, many = RotationTest(last=30, seed=3), RotationTest(last=30, seed=3)
    for b, c in zip(baseline, canary):
        one.update(b, c)
    many.update_many(baseline, canary)
    assert one.state() == many.state()
    assert one.decided
    found = one.evidence()
    assert found.method == "rotation" and found.n_baseline == 30
    assert found.estimate == pytest.approx(one.mean_canary / one.mean_baseline)
    assert 1 < found.lower < found.upper
    assert found.p_value <= 0.05 and found.log_e_value == pytest.approx(-np.log(found.p_value))
    assert one.degrees == 3 and not one.at_floor


def test_harm_is_found_and_its_absence() -> None:
    assert RotationTest(last=30).decided is False
    good, bad = rollout(2, 5, 30), rollout(2, 5, 30, 4.0)
    harm, safe = RotationTest(margin={"ratio": 1.5}, last=30), RotationTest(margin={"ratio": 2.0}, side="safe", last=30)
    harm.update_many(*good)
    safe.update_many(*good)
    assert not harm.decided and safe.decided
    harm = RotationTest(margin={"ratio": 1.5}, last=30, instances_differ=0.2)
    harm.update_many(*bad)
    assert harm.decided


def test_spread_is_that_of_the_reference() -> None:
    for case in json.loads(REFERENCE.read_text())["cases"]:
        ratio = case["ratio"] is not None
        spread = instance_spread(
            case["last"], case["former"], history=case["history"] or None, known=len(case["baseline"]), ratio=ratio
        )
        assert spread["looks"] == case["looks"]
        assert spread["degrees"] == case["known_degrees"]
        assert np.allclose(spread["gram"], case["known"], rtol=0, atol=1e-12)
        margin = {"ratio": case["ratio"]} if ratio else {"difference": case["difference"]}
        test = RotationTest(margin=margin, last=case["last"], known=spread)
        columns = (np.array(case[arm], dtype=float).T for arm in ("baseline", "canary"))
        test.update_many(*columns)
        assert test.degrees == case["degrees"]
        gram = np.array(case["gram"])
        assert np.allclose(test.spread()["gram"], gram, rtol=0, atol=1e-12 * max(1.0, gram.max()))


def test_known_is_set_before_the_first_look_only() -> None:
    baseline, canary = rollout(3, 3, 30, 3.0)
    spread = instance_spread(30, [rollout(seed, 4, 30)[0].T for seed in (4, 5)])
    given, later = RotationTest(last=30, known=spread), RotationTest(last=30)
    later.set_known(spread)
    for test in (given, later):
        test.update_many(baseline, canary)
    assert given.state() == later.state()
    assert given.degrees == 5
    with pytest.raises(serinus.Error, match="before the first look") as error:
        later.set_known(None)
    assert error.value.code == "serinus.argument.order"


def test_is_pickled_and_shown() -> None:
    baseline, canary = rollout(6, 4, 20, 2.0)
    spread = instance_spread(30, [rollout(7, 4, 30)[0].T])
    test = RotationTest(
        0.01, harm="either", margin={"difference": 3.0}, side="safe", alpha_safe=0.1, last=30, since=8, seed=7,
        instances_differ=9.0, known=spread, interval=False,
    )  # fmt: skip
    test.update_many(baseline[:12], canary[:12])
    other = pickle.loads(pickle.dumps(test))
    for each in (test, other):
        each.update_many(baseline[12:], canary[12:])
    assert other.state() == test.state()
    assert repr(test).startswith("RotationTest(alpha=0.01, harm='either', margin={'difference': 3.0}, side='safe', last=30")
    fresh = RotationTest(last=30)
    with pytest.raises(serinus.Error, match="state.options"):
        fresh.restore(test.state())


def test_zeros_of_a_ratio_count_as_what_is_given() -> None:
    drops, counts = RotationTest(last=20), RotationTest(last=20, zero=0.5)
    for test in (drops, counts):
        test.update([2.0, 2.0], [2.0])
        test.update([2.0, 2.0], [0.0])
    assert drops.evidence().n_canary == 1
    assert counts.evidence().estimate == pytest.approx(0.5)
