"""serinus.sequential: rates, splits, thresholds, and what is watched after promotion."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
import serinus
from serinus.sequential import (
    ChangeDetector,
    PairedTest,
    ProportionTest,
    RateTest,
    SampleRatioTest,
    SilenceTest,
    ThresholdTest,
    count_dispersion,
    share_dispersion,
)


def delays(tests: list[RateTest], *columns: np.ndarray) -> list[float]:
    """The interval, from 1, at which each test decided; infinite where it never did."""
    found = []
    for row, test in enumerate(tests):
        found.append(math.inf)
        for t in range(columns[1].shape[1]):
            test.update(columns[0][row, t], columns[2][t], columns[1][row, t], columns[3][t])
            if test.decided:
                found[-1] = t + 1
                break
    return found


@pytest.mark.parametrize(
    ("seed", "ratio", "exposure", "median", "least"), [(202, 1.2, 1.0, 69, 0.9), (204, 1.5, 9.0, 7, 1.0)], ids=["P1", "P3"]
)
def test_drifting_rates_are_told_apart(seed: int, ratio: float, exposure: float, median: float, least: float) -> None:
    """A daily swing of both rates, 200 intervals; one-sided; the study's draws and medians, docs/concepts/proportion-test.md."""
    random = np.random.Generator(np.random.PCG64(seed))
    t = np.arange(1, 201)
    rate = 5 * (1 + 0.5 * np.sin(2 * np.pi * t / 50))
    baseline = random.poisson(rate * exposure, (2000, 200))
    canary = random.poisson(rate * ratio, (2000, 200))
    ones = np.ones(200)
    found = delays([RateTest(interval=False) for _ in range(1000)], baseline, canary, exposure * ones, ones)
    assert np.median(found) <= median
    assert np.isfinite(found).mean() >= least


def test_a_tail_is_found_by_its_threshold() -> None:
    """p95 30 % higher at the same median, 50 values an arm and interval (L3 of docs/concepts/proportion-test.md)."""
    random = np.random.Generator(np.random.PCG64(304))
    z_b, z_c = random.normal(size=(300, 100, 50)), random.normal(size=(300, 100, 50))
    tau = 100 * math.exp(1.6449)
    baseline, canary = 100 * np.exp(z_b), 100 * np.exp(z_c * (1 + math.log(1.3) / 1.6449))
    found = []
    for row in range(300):
        test = ThresholdTest(tau, interval=False)
        found.append(math.inf)
        for t in range(100):
            test.update(baseline[row, t], canary[row, t])
            if test.decided:
                found[-1] = t + 1
                break
    assert np.median(found) <= 20.5


@pytest.mark.parametrize(
    ("p_b", "p_c", "median"), [(0.3, 0.36, 12), (0.5, 0.55, 20), (0.9, 0.93, 20), (0.99, 0.995, 65)]
)
def test_harm_is_found_at_every_level(p_b: float, p_c: float, median: float) -> None:
    """100:100, margin 1; docs/concepts/proportion-test.md has 10, 16, 17 and 55 of 1,000 runs."""
    random = np.random.default_rng(5)
    x_b, x_c = random.binomial(100, p_b, (200, 300)), random.binomial(100, p_c, (200, 300))
    found = []
    for row in range(200):
        test = ProportionTest(interval=False)
        found.append(math.inf)
        for t in range(300):
            test.update(x_b[row, t], 100, x_c[row, t], 100)
            if test.decided:
                found[-1] = t + 1
                break
    assert np.median(found) <= median


def test_rates_are_rare_proportions_with_exposures() -> None:
    random = np.random.default_rng(1)
    x_b, x_c = random.poisson(9, 40), random.poisson(2, 40)
    rate = RateTest(margin={"ratio": 1.5})
    share = ProportionTest(margin={"ratio": 1.5})
    rate.update_many(x_b, 900.0, x_c, 100.0)
    share.update_many(x_b, 900, x_c, 100)
    # Of the first interval a ProportionTest bets three quarters; then it bets at 1 %, which is hardly another bet.
    assert abs(rate.log_e_value - share.log_e_value) < 0.1 + math.log(4 / 3)
    assert rate.evidence().estimate == share.evidence().estimate
    single, half, rest = (RateTest(margin={"ratio": 1.5}) for _ in range(3))
    for b, c in zip(x_b, x_c):
        single.update(b, 900, c, 100)
    assert single.state() == rate.state()
    half.update_many(x_b[:20], 900, x_c[:20], 100)
    rest.update_many(x_b[20:], 900, x_c[20:], 100)
    half.merge(rest)
    assert half.log_e_value == pytest.approx(rate.log_e_value, rel=1e-11)
    assert RateTest(noise={"dispersion": 2.5}).state() == RateTest(dispersion=2.5).state()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ((-1, 9.0, 1, 1.0), "serinus.argument.count"),
        ((0.5, 9.0, 1, 1.0), "serinus.argument.count"),
        ((2**53 + 2, 9.0, 1, 1.0), "serinus.argument.count"),
        ((1, -9.0, 1, 1.0), "serinus.argument.range"),
        ((1, math.nan, 1, 1.0), "serinus.argument.range"),
        ((1, 9.0, 1, math.inf), "serinus.argument.range"),
        ((1, 0.0, 1, 1.0), "serinus.argument.range"),
    ],
)
def test_impossible_rates_change_nothing(row: Any, code: str) -> None:
    for many in (False, True):
        for test in (RateTest(), ChangeDetector(RateTest(), run_length=100)):
            test.update(9, 9.0, 1, 1.0)
            before = test.state()
            with pytest.raises(serinus.Error) as error:
                if many:
                    test.update_many(*([good, wrong] for good, wrong in zip((9, 9.0, 1, 1.0), row)))
                else:
                    test.update(*row)
            assert error.value.code == code
            assert test.state() == before


def test_a_split() -> None:
    random = np.random.default_rng(2)
    counts = random.multinomial(1000, [0.86, 0.14], 50)
    test, single = SampleRatioTest([0.9, 0.1]), SampleRatioTest([0.9, 0.1])
    test.update_many(counts)
    for row in counts:
        single.update(row)
    assert test.state() == single.state()
    assert test.decided
    low, high = test.share(1)
    assert 0.12 < low < 0.14 < high
    evidence = test.evidence()
    assert evidence.lower == pytest.approx(low / 0.1)
    assert evidence.method == "share_mixture"
    assert not SampleRatioTest([0.9, 0.1], dispersion=50.0).decided
    # Savvi's first steps, k = 100.
    point = SampleRatioTest([0.9, 0.1], tolerance=0.0)
    point.update([24, 6])
    assert point.log_e_value == pytest.approx(0.13588478388578912, rel=1e-9)
    other = SampleRatioTest([0.9, 0.1])
    other.merge(test)
    assert other.log_e_value == test.log_e_value
    for wrong, code in [
        (lambda: SampleRatioTest([0.9, 0.2]), "serinus.argument.range"),
        (lambda: SampleRatioTest([0.9, 0.1], tolerance=0.0, side="safe"), "serinus.argument.range"),
        (lambda: SampleRatioTest([1.0]), "serinus.argument.length"),
        (lambda: test.update([1, 2, 3]), "serinus.argument.length"),
        (lambda: test.update([1, -2]), "serinus.argument.count"),
        (lambda: test.update_many([[1, 2, 3]]), "serinus.argument.length"),
        (lambda: test.update_many([[1, 2.5]]), "serinus.argument.count"),
        (lambda: test.share(2), "serinus.argument.range"),
    ]:
        with pytest.raises(serinus.Error) as error:
            wrong()
        assert error.value.code == code
        assert test.state() == single.state()


def test_thresholds_of_values_and_buckets() -> None:
    random = np.random.default_rng(3)
    b, c = random.lognormal(4.6, 0.7, (30, 80)), random.lognormal(5.0, 0.7, (30, 40))
    values = ThresholdTest(200.0, margin={"ratio": 1.25})
    values.update_many(b, c)
    single = ThresholdTest(200.0, margin={"ratio": 1.25})
    buckets = ThresholdTest(200.0, margin={"ratio": 1.25})
    bounds = [100.0, 200.0, 250.0, 400.0, math.inf]
    for row_b, row_c in zip(b, c):
        single.update(row_b, row_c)
        edges = [-math.inf, *bounds]
        buckets.update_buckets(bounds, *(np.histogram(row, edges)[0] for row in (row_b, row_c)))
    assert values.state() == single.state() == buckets.state()
    assert values.decided
    assert values.tested == 1.25
    assert values.evidence().method == "threshold"
    coarse = ThresholdTest(120.0, margin={"ratio": 1.1})
    assert coarse.tested is None
    coarse.update_buckets([100, 1000], [5, 5, 0], [5, 5, 0])
    assert not coarse.conclusive
    assert coarse.log_e_value == 0
    for wrong, code in [
        (lambda: ThresholdTest(-5.0, margin={"ratio": 1.1}), "serinus.argument.range"),
        (lambda: ThresholdTest(math.nan), "serinus.argument.range"),
        (lambda: values.update_buckets([2, 1], [1, 1], [1, 1]), "serinus.argument.range"),
        (lambda: values.update_buckets([1, 2], [1], [1, 1]), "serinus.argument.length"),
        (lambda: values.update_buckets([1, 2], [1, -1], [1, 1]), "serinus.argument.count"),
        (lambda: values.update_many([[1.0]], []), "serinus.argument.length"),
        (lambda: values.merge(ThresholdTest(100.0)), "serinus.state.options"),
    ]:
        with pytest.raises(serinus.Error) as error:
            wrong()
        assert error.value.code == code
        assert values.state() == single.state()


def test_a_change_is_found_long_after_the_start() -> None:
    random = np.random.default_rng(4)
    detector = ChangeDetector(RateTest(margin={"ratio": 1.5}), run_length=2000)
    assert detector.log_statistic == -math.inf
    detector.update_many(random.poisson(20, 800), 4.0, random.poisson(5, 800), 1.0)
    assert not detector.alarmed
    for _ in range(30):
        detector.update(random.poisson(20), 4.0, random.poisson(15), 1.0)
    assert 800 < detector.alarm <= 815
    assert detector.intervals == 830
    detector.reset()
    assert detector.alarm == detector.intervals == 0
    assert ChangeDetector(RateTest()).run_length == 43200
    assert ChangeDetector(RateTest(), interval_seconds=10).run_length == 259200
    shares = ChangeDetector(ProportionTest(), run_length=500)
    shares.update_many([5] * 40, 1000, [15] * 40, 1000)
    assert shares.alarmed
    gauge = ChangeDetector(PairedTest(), run_length=500)
    gauge.update_many(random.normal(2, 1, 60))
    assert gauge.alarmed
    for wrong, code in [
        (lambda: ChangeDetector(RateTest(side="safe")), "serinus.argument.word"),
        (lambda: ChangeDetector(RateTest(), run_length=0.5), "serinus.argument.range"),
        (lambda: ChangeDetector(3), "serinus.argument.type"),  # type: ignore[arg-type]
        (lambda: detector.restore(ChangeDetector(RateTest(), run_length=5).state()), "serinus.state.options"),
    ]:
        with pytest.raises(serinus.Error) as error:
            wrong()
        assert error.value.code == code


def test_a_silent_canary() -> None:
    test, single = SilenceTest(dispersion=1.0), SilenceTest(noise={"dispersion": 1.0})
    test.update_many([10] * 14, [0] * 14, 0.05)
    for _ in range(14):
        single.update(10, 0, share=0.05)
    assert test.state() == single.state()
    assert test.decided
    assert test.unheard == 140
    assert test.evidence().method == "silence"
    assert test.evidence().estimate == 0
    again = pickle.loads(pickle.dumps(test))
    assert type(again) is SilenceTest
    assert again.state() == test.state()
    assert repr(SilenceTest()).startswith("SilenceTest(alpha=0.01, tolerance=0.2, dispersion=10")


def test_states_go_around() -> None:
    rate = RateTest(margin={"ratio": 1.2}, harm="either", dispersion=1.5)
    rate.update_many([3, 4, 5], 9.0, [1, 2, 3], 1.0)
    split = SampleRatioTest([0.5, 0.3, 0.2], tolerance=0.1, dispersion=2.0)
    split.update([50, 30, 25])
    threshold = ThresholdTest(10.0, margin={"difference": 2.0}, harm="either", alpha_safe=0.1)
    threshold.update([9.0, 11.0], [13.0, 1.0])
    detectors = [
        ChangeDetector(RateTest(margin={"ratio": 1.5}, dispersion=2.0), run_length=70),
        ChangeDetector(ProportionTest(margin={"difference": 0.1}), run_length=70),
        ChangeDetector(PairedTest(margin={"difference": 0.1}), run_length=70),
    ]
    detectors[0].update(3, 9.0, 1, 1.0)
    detectors[1].update(3, 9, 1, 1)
    detectors[2].update(0.5)
    for test in (rate, split, threshold, *detectors):
        again = pickle.loads(pickle.dumps(test))
        assert type(again) is type(test)
        assert again.state() == test.state()
        assert repr(again) == repr(test)
        with pytest.raises(serinus.Error) as error:
            test.restore(test.state()[:-1])
        assert error.value.code == "serinus.state.damaged"
        assert again.state() == test.state()


def test_dispersion_of_history() -> None:
    random = np.random.default_rng(5)
    plain = count_dispersion(random.poisson(90, 3000), 9.0, random.poisson(10, 3000), 1.0)
    assert 1 <= plain < 1.25
    bunches = count_dispersion(5 * random.poisson(18, 3000), 9.0, 5 * random.poisson(2, 3000), 1.0)
    assert 4.5 < bunches < 6
    few = 5 * random.binomial(1, 0.005, (2, 2000))
    at_five, at_one = (count_dispersion(few[0], 1.0, few[1], 1.0, alpha=alpha) for alpha in (0.05, 0.01))
    assert 5 < at_five < at_one < 20  # some twenty bunches of five events, and what their slow swings leave open
    assert count_dispersion(few[0], 1.0, few[1], 1.0) == at_one
    # A history no longer than the rollout decides next to nothing; the default is 300 intervals.
    brief = random.poisson(90, 300), 9.0, random.poisson(10, 300), 1.0
    assert count_dispersion(*brief, alpha=0.05) == count_dispersion(*brief, alpha=0.05, intervals=300)
    differ = random.poisson(90, 2000), 9.0, random.poisson(13, 2000), 1.0
    assert count_dispersion(*differ, alpha=0.05) > 10
    with pytest.raises(serinus.Error):
        count_dispersion(*brief, intervals=0)
    latencies = random.normal(0, 1, (2000, 20)) + random.normal(0, 0.5, (2000, 1))
    below = (latencies <= np.median(latencies)).sum(axis=1)
    # 1 + 19 * 2/pi * asin(.2)
    assert share_dispersion(below, 20, 0.5) == pytest.approx(3.44, rel=0.12)
    assert count_dispersion([1], 1.0, [0], 1.0) >= 2
    with pytest.raises(serinus.Error):
        count_dispersion([-1], 1.0, [0], 1.0)


def bunches(number: int, share: float, seed: int = 1) -> tuple[Any, float, Any, float]:
    """History of 5,000 intervals with bunches of fifty events, each of which goes to one arm as a whole."""
    random = np.random.default_rng(seed)
    counts = np.zeros((2, 5000))
    counts[(random.random(number) < share).astype(int), random.choice(5000, number, replace=False)] = 50
    return counts[0], 1 - share, counts[1], share


@pytest.mark.parametrize(
    ("share", "number", "alpha", "factor"),
    [
        *((0.5, 10, 0.01, 1.5), (0.5, 20, 0.01, 1.19), (0.5, 100, 0.01, 1.03)),
        *((0.5, 10, 0.05, 1.3), (0.5, 20, 0.05, 1.12), (0.5, 100, 0.05, 1.02)),
        *((0.1, 100, 0.01, 1.4), (0.1, 300, 0.01, 1.1)),
    ],
)
def test_what_a_short_history_costs_is_what_the_docstring_says(
    share: float, number: int, alpha: float, factor: float
) -> None:
    # An error rate next to 1 leaves the dispersion as it was seen. The docstring's numbers are rounded, and the uneven
    # split's are medians: their last digit may be one off.
    histories = [bunches(number, share, seed) for seed in range(21)]
    found = np.median([count_dispersion(*h, alpha=alpha) / count_dispersion(*h, alpha=1 - 1e-12) for h in histories])
    assert found == pytest.approx(factor, abs=0.01 if share == 0.5 else 0.05)
    assert f"{factor}" in (count_dispersion.__doc__ or "")
