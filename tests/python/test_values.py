"""Tests of raw values at every look: MeanTest, QuantileTest, DistributionBand."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
import serinus
from serinus.sequential import DistributionBand, MeanTest, QuantileTest, quantile_ab_log_e_value

TESTS: list[Any] = [MeanTest, QuantileTest, DistributionBand]


def draw(n: int, shift: float = 0.0, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1.0, n)


@pytest.mark.parametrize("kind", TESTS)
def test_many_is_one_by_one(kind: Any) -> None:
    b, c = draw(4000).reshape(80, 50), draw(2400, 0.3, 2).reshape(80, 30)
    many, single = kind(), kind()
    many.update_many(b, c)
    for row_b, row_c in zip(b, c):
        single.update(row_b, row_c)
    assert many.state() == single.state()
    flat, one = kind(), kind()
    flat.update_many(b[0], b[1])
    for x, y in zip(b[0].tolist(), b[1].tolist()):
        one.update(x, y)
    assert flat.state() == one.state()
    again = pickle.loads(pickle.dumps(many))
    assert again.state() == many.state()
    assert type(again).__module__ == "serinus.sequential"
    assert repr(again) == repr(many)


@pytest.mark.parametrize("kind", TESTS)
def test_inputs(kind: Any) -> None:
    given, plain = kind(), kind()
    given.update([1, 2.5, None], (3, math.nan))
    given.update(np.float64(4), 5)
    plain.update(np.array([1.0, 2.5]), np.array([3.0]))
    plain.update(4.0, 5.0)
    assert given.state() == plain.state()
    before = given.state()
    for bad, code in [
        (("1", 2.0), "serinus.argument.type"),
        ((None, 2.0), "serinus.argument.type"),
        (([[1.0]], 2.0), "serinus.argument.type"),
    ]:
        with pytest.raises(serinus.Error) as caught:
            given.update(*bad)
        assert caught.value.code == code
        assert given.state() == before
    with pytest.raises(serinus.Error) as caught:
        given.update_many([1.0, 2.0], [1.0])
    assert caught.value.code == "serinus.argument.length"
    for state in (b"", before[:-1], before[:20] + b"x" + before[21:], serinus.sequential.PairedTest().state()):
        with pytest.raises(serinus.Error) as caught:
            given.restore(state)
        assert caught.value.code.startswith("serinus.state.")
        assert given.state() == before
    with pytest.raises(serinus.Error) as caught:
        kind(margin={"ratio": 0.5})
    assert caught.value.code == "serinus.argument.margin"


@pytest.mark.parametrize("kind", [MeanTest, QuantileTest])
@pytest.mark.parametrize("harm", ["increase", "decrease", "either"])
def test_harm_is_found_and_named(kind: Any, harm: str) -> None:
    sign = -1.0 if harm == "decrease" else 1.0
    test = kind(harm=harm, margin={"difference": 0.1})
    safe = kind(harm=harm, margin={"difference": 2.0}, side="safe", alpha_safe=0.1)
    for i in range(40):
        b, c = draw(50, 10, i), draw(50, 10 + 0.5 * sign, 1000 + i)
        test.update(b, c)
        safe.update(b, c)
    assert test.decided and safe.decided
    evidence = test.evidence()
    assert evidence.lower < 0.5 * sign < evidence.upper
    assert abs(evidence.estimate - 0.5 * sign) < 0.2
    assert evidence.p_value < 0.05
    merged = kind(harm=harm, margin={"difference": 0.1})
    merged.merge(test)
    assert abs(merged.log_e_value - test.log_e_value) < 1e-9


def test_moments_stand_for_values() -> None:
    values, moments, short = MeanTest(), MeanTest(), MeanTest()
    for i in range(30):
        b, c = draw(60, 5, i), draw(40, 5.4, 500 + i)
        values.update(b, c)
        arms = [
            (len(x), x.mean(), *(((x - x.mean()) ** power).sum() for power in (2, 3, 4))) for x in (b, c)
        ]
        moments.update_moments(*arms)
        short.update_moments(*(arm[:3] for arm in arms))
    assert moments.log_e_value == pytest.approx(values.log_e_value, rel=1e-9)
    assert moments.effective_canary == pytest.approx(values.effective_canary, rel=1e-9)
    assert short.evidence().estimate == pytest.approx(values.evidence().estimate, rel=1e-12)
    assert short.effective_baseline < 35
    for bad in ((1.0, 2.0), "moments", (2, 1.0, -1.0)):
        with pytest.raises(serinus.Error):
            short.update_moments(bad, (0, 0, 0))


def test_quantile_of_an_arm_and_a_b() -> None:
    b, c = draw(1500), draw(1500, 0.4, 2)
    test = QuantileTest(0.5, harm="either")
    test.update(b, c)
    lower, upper, confidence = test.interval("baseline")
    assert lower < 0 < upper and confidence == 0.95
    assert quantile_ab_log_e_value(b, c, 0.5) == pytest.approx(quantile_ab_log_e_value(c[::-1], b, 0.5))
    assert quantile_ab_log_e_value(b, c, 0.5) > math.log(20)
    with pytest.raises(serinus.Error):
        quantile_ab_log_e_value(b, c, 1.0)


def test_band() -> None:
    band = DistributionBand(from_size=50)
    band.update(draw(2000), draw(2000, 1.0, 2))
    order = band.order()
    assert 0.3 < order.gap < 0.5 and order.lower > 0.2 and order.p_value < 1e-6
    assert order.n_baseline == 2000
    found = band.cdf("baseline", np.linspace(-3, 3, 51))
    assert np.allclose(found.upper[15:35] - found.lower[15:35], 2 * band.half_width("baseline"))
    with pytest.raises(serinus.Error):
        band.cdf("control", [0.0])  # type: ignore[arg-type]


# Scenarios with numpy's PCG64, baseline drawn first: 100 steps of 50 lognormal values an arm; 300 runs. The reference
# formula finds all quantiles +10 % (L1 of docs/concepts/proportion-test.md) after 31 steps (median), with .993 found.
@pytest.mark.parametrize(("seed", "shift", "rarest", "most"), [(301, 0.0, 0.0, 0.08), (302, math.log(1.1), 0.97, 1.0)])
def test_delay_on_the_log_of_latency(seed: int, shift: float, rarest: float, most: float) -> None:
    random = np.random.Generator(np.random.PCG64(seed))
    baseline = random.standard_normal((300, 100, 50)) + math.log(100)
    canary = random.standard_normal((300, 100, 50)) + math.log(100) + shift
    delays = []
    for b, c in zip(baseline, canary):
        test = MeanTest()
        delay = 101
        for step in range(100):
            test.update(b[step], c[step])
            if test.decided:
                delay = step + 1
                break
        delays.append(delay)
    found = np.mean(np.array(delays) <= 100)
    assert rarest <= found <= most
    if shift > 0:
        assert np.median(delays) <= 31
