"""The tests of one look against SciPy in the same run, on data of other sizes and seeds than the reference file's."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.special
import scipy.stats
import serinus

SIZES = [(8, 5), (23, 40), (60, 60), (300, 120)]


def arms(m: int, n: int, seed: int, digits: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    b, c = random.lognormal(0, 1, n), random.lognormal(0.2, 1.2, m)
    return (b, c) if digits is None else (np.round(b, digits), np.round(c, digits))


OPPOSITE = {"greater": "less", "less": "greater", "two-sided": "two-sided"}


@pytest.mark.parametrize(("m", "n"), SIZES)
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_means_and_ranks_agree_with_scipy(m: int, n: int, alternative: str) -> None:
    b, c = arms(m, n, m)
    found = serinus.welch(b, c, alternative=alternative)
    expected = scipy.stats.ttest_ind(c, b, equal_var=False, alternative=alternative)
    assert (found.statistic, found.df, found.p_value) == pytest.approx(
        (expected.statistic, expected.df, expected.pvalue), rel=1e-9
    )
    interval = expected.confidence_interval(0.95)
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high), rel=1e-9)
    found = serinus.yuen(b, c, alternative=alternative, trim=0.1)
    expected = scipy.stats.ttest_ind(c, b, equal_var=False, alternative=alternative, trim=0.1)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    found = serinus.brunner_munzel(b, c, alternative=alternative)
    expected = scipy.stats.brunnermunzel(c, b, alternative=alternative)
    assert -found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize(("m", "n"), SIZES)
def test_distributions_agree_with_scipy(m: int, n: int) -> None:
    b, c = arms(m, n, m + 1)
    for alternative in ("two-sided", "greater", "less"):
        found = serinus.kolmogorov_smirnov(b, c, alternative=alternative, method="exact")
        expected = scipy.stats.ks_2samp(c, b, alternative=OPPOSITE[alternative], method="exact")
        assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    found = serinus.kolmogorov_smirnov(b, c, method="asymptotic")
    z = found.statistic * math.sqrt(m * n / (m + n))
    assert found.p_value == pytest.approx(scipy.special.kolmogorov(z), rel=1e-12)
    found = serinus.cramer_von_mises(b, c, method="asymptotic")
    expected = scipy.stats.cramervonmises_2samp(c, b, method="asymptotic")
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    if max(m, n) <= 20:
        expected = scipy.stats.cramervonmises_2samp(c, b, method="exact")
        assert serinus.cramer_von_mises(b, c).p_value == pytest.approx(expected.pvalue, rel=1e-12)


def test_ties_do_not_alarm() -> None:
    """Where SciPy's Cramér-von Mises test rejects every healthy pair."""
    random = np.random.default_rng(3)
    ours = theirs = 0
    for _ in range(200):
        b, c = np.round(random.normal(0, 1, 200)), np.round(random.normal(0, 1, 100))
        ours += serinus.cramer_von_mises(b, c).p_value <= 0.05
        theirs += scipy.stats.cramervonmises_2samp(c, b).pvalue <= 0.05
    assert ours <= 200 * 0.05 + 4 * math.sqrt(200 * 0.05 * 0.95)
    assert theirs > 190


def test_signed_rank_agrees_with_scipy() -> None:
    random = np.random.default_rng(4)
    for n in (5, 30, 200):
        d = random.normal(0.3, 1, n)
        for alternative in ("two-sided", "greater", "less"):
            found = serinus.signed_rank(d, alternative=alternative)
            method = {"method": "exact"} if n <= 60 else {"method": "approx", "correction": True}
            expected = scipy.stats.wilcoxon(d, alternative=alternative, **method)
            assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    d = np.round(random.normal(0.3, 1, 300), 1)
    found = serinus.signed_rank(d)
    expected = scipy.stats.wilcoxon(d, correction=True, method="approx")
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.zeros == (d == 0).sum()


def test_quantiles_are_those_of_numpy() -> None:
    b, c = arms(70, 90, 5)
    for q in (0.1, 0.5, 0.95):
        found = serinus.quantile_difference(pd.Series(b), c, q=q)
        assert found.estimate == pytest.approx(np.quantile(c, q) - np.quantile(b, q), rel=1e-12)
        assert found.baseline.lower in b
        assert found.lower < found.estimate < found.upper
        smooth = serinus.quantile_difference(b, c, q=q, method="harrell_davis")
        assert smooth.canary.estimate == pytest.approx(scipy.stats.mstats.hdquantiles(c, [q])[0], rel=1e-9)


def test_proportions_and_rates() -> None:
    for bad_b, total_b, bad_c, total_c in [(3, 900, 2, 100), (0, 30, 4, 20), (50, 400, 90, 500)]:
        table = [[bad_c, total_c - bad_c], [bad_b, total_b - bad_b]]
        for alternative in ("two-sided", "greater", "less"):
            found = serinus.proportion_test(bad_b, total_b, bad_c, total_c, alternative=alternative, method="fisher")
            assert found.p_value == pytest.approx(scipy.stats.fisher_exact(table, alternative).pvalue, rel=1e-9)
    small = serinus.proportion_test(1, 20, 6, 15)
    assert small.method == "boschloo"
    expected = scipy.stats.boschloo_exact([[6, 1], [9, 19]], n=64)
    assert small.p_value == pytest.approx(expected.pvalue, rel=1e-4)
    found = serinus.rate_test(30, 100, 60, 120, margin={"ratio": 1.2}, alternative="greater")
    share = 1.2 * 120 / (1.2 * 120 + 100)
    assert found.p_value == pytest.approx(scipy.stats.binomtest(60, 90, share, "greater").pvalue, rel=1e-9)
    assert serinus.rate_test(30, 100, 60, 120, margin={"ratio": found.lower}, alternative="greater").p_value == (
        pytest.approx(0.05, rel=1e-9)
    )


def test_bootstrap_ratio_adjust_equivalence_power() -> None:
    random = np.random.default_rng(6)
    values = random.normal(3, 1, 400)
    once = serinus.block_bootstrap(values, np.mean, seed=1)
    assert once == serinus.block_bootstrap(values, np.mean, seed=1)
    assert once.standard_error == pytest.approx(1 / 20, rel=0.25)
    requests = random.poisson(500, 300).astype(float)
    cpu = requests * random.normal(2, 0.2, 300)
    found = serinus.ratio_test(cpu[:150], requests[:150], cpu[150:], requests[150:])
    assert found.conclusive
    assert found.lower < 1 < found.upper
    p = random.uniform(0, 0.2, 12)
    assert serinus.adjust(p, method="bh") == pytest.approx(scipy.stats.false_discovery_control(p), rel=1e-12)
    by = scipy.stats.false_discovery_control(p, method="by")
    assert serinus.adjust(p, method="by") == pytest.approx(by, rel=1e-12)
    assert serinus.equivalence(-1, 2, {"difference": 1.5}).verdict == "inconclusive"
    # The score test's: .722 by 400,000 draws.
    assert serinus.power("rate", 1000, 100, baseline=0.05, canary=0.12) == pytest.approx(0.7256, abs=1e-4)
    size = serinus.sample_size("proportion", power=0.9, baseline=0.01, canary=0.02)
    assert serinus.power("proportion", size.n_baseline, size.n_canary, baseline=0.01, canary=0.02) == pytest.approx(0.9)


def test_batches_are_the_single_tests_to_the_bit() -> None:
    random = np.random.default_rng(8)
    b, c = random.normal(size=(150, 40)), np.round(random.normal(0.2, 1, (150, 30)), 1)
    one = serinus.mann_whitney_batch(b, c, alternative="greater")
    two = serinus.mann_whitney_batch(list(b), [row.tolist() for row in c], alternative="greater", threads=2)
    flat = serinus.mann_whitney_batch(
        b.ravel(),
        c.ravel(),
        alternative="greater",
        baseline_offsets=np.arange(151) * 40,
        canary_offsets=np.arange(151) * 30,
        threads=3,
    )
    assert len(one) == 150
    for i in range(150):
        single = serinus.mann_whitney(b[i], c[i], alternative="greater")
        for batch in (one, two, flat):
            assert (batch.u[i], batch.p_value[i], batch.method[i]) == (single.u, single.p_value, single.method)
    shared = serinus.mann_whitney_batch(b[0], c)
    assert shared.p_value[7] == serinus.mann_whitney(b[0], c[7]).p_value
    ragged = serinus.mann_whitney_batch([[1.0, 2.0], [3.0]], [[], [4.0, 5.0, 6.0]])
    assert ragged.degenerate.tolist() == [True, False]
    with pytest.raises(serinus.Error, match="2 baselines and 3 canaries"):
        serinus.mann_whitney_batch([[1.0], [2.0]], [[1.0], [2.0], [3.0]])
    with pytest.raises(serinus.Error, match="threads is 0"):
        serinus.mann_whitney_batch(b, c, threads=0)
    with pytest.raises(serinus.Error, match="canary_offsets"):
        serinus.mann_whitney_batch(b[0], c.ravel(), canary_offsets=[0, 9, 5])


def test_rolling_is_the_test_of_its_windows() -> None:
    random = np.random.default_rng(9)
    rolling = serinus.RollingMannWhitney(50)
    b, c = np.round(random.normal(size=300), 1), np.round(random.normal(0.3, 1, 300), 1)
    for i in range(300):
        rolling.push(b[i], c[i] if i % 3 else None)
        if i % 37 == 1:
            sent = [c[j] for j in range(i + 1) if j % 3][-50:]
            single = serinus.mann_whitney(b[max(0, i - 49) : i + 1], sent)
            assert (rolling.u, rolling.effect) == (single.u, single.effect)
            assert rolling.result() == single


def test_results_print_pickle_and_show() -> None:
    b, c = arms(20, 30, 7)
    for result in (
        serinus.welch(b, c),
        serinus.kolmogorov_smirnov(b, c),
        serinus.quantile_difference(b, c, q=0.5),
        serinus.rate_test(1, 2, 3, 4),
        serinus.proportion_test(1, 20, 3, 40),
    ):
        assert pickle.loads(pickle.dumps(result)) == result
        assert type(result).__name__ in repr(result)
        assert "<table" in result._repr_html_()


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (lambda: serinus.yuen([1.0], [2.0], trim=0.5), "serinus.argument.range", "trim is 0.5"),
        (lambda: serinus.proportion_test(5, 4, 1, 2), "serinus.argument.count", "baseline has 5 bad of 4"),
        (lambda: serinus.proportion_test(1, 4, 1.5, 2), "serinus.argument.count", "bad_c is 1.5"),
        (lambda: serinus.proportion_test(1, 4, 1, 2, margin={"odds": 2}), "serinus.argument.margin", "margin"),
        (lambda: serinus.rate_test(1, 0, 1, 2), "serinus.argument.range", "exposure of the baseline is 0"),
        (lambda: serinus.rate_test(1, 1, 1, 2, margin={"difference": 1}), "serinus.argument.margin", "ratio"),
        (lambda: serinus.quantile_difference([1.0], [2.0], q=1), "serinus.argument.range", "q is 1"),
        (lambda: serinus.welch([1.0, math.inf], [2.0, 3.0]), "serinus.argument.infinite", "baseline"),
        (lambda: serinus.adjust([1.5]), "serinus.argument.range", "p_values[0] is 1.5"),
        (lambda: serinus.power("median", 1, 2), "serinus.argument.word", "median"),
        (lambda: serinus.power("rank", 10, 10, baseline=1), "serinus.argument.range", "effect is None"),
        (lambda: serinus.kolmogorov_smirnov([1.0], [2.0], method="fast"), "serinus.argument.word", "fast"),
        (lambda: serinus.block_bootstrap([1.0], np.mean, resamples=5), "serinus.argument.range", "resamples is 5"),
    ],
)
def test_bad_arguments_are_named(call: object, code: str, words: str) -> None:
    with pytest.raises(serinus.Error) as raised:
        call()  # type: ignore[operator]
    assert raised.value.code == code
    assert words in str(raised.value)


def test_hard_values_never_give_an_unflagged_nan() -> None:
    hard = [
        [],
        [1.0],
        [1.0, 1.0, 1.0],
        [1e308, -1e308, 1e308],
        [5e-324, 1e-323, 0.0],
        [-0.0, 0.0],
        [1e15, 1e15 + 0.125, 1e15 + 0.25],
    ]
    for b in hard:
        for c in hard:
            for test in (
                serinus.mann_whitney,
                serinus.brunner_munzel,
                serinus.welch,
                serinus.yuen,
                serinus.kolmogorov_smirnov,
                serinus.cramer_von_mises,
                serinus.anderson_darling,
            ):
                assert 0 <= test(b, c).p_value <= 1, (test, b, c)
            found = serinus.quantile_difference(b, c, q=0.5)
            assert not math.isnan(found.lower) or not b or not c


def test_sparse_values_by_all_arrangements() -> None:
    # 20,000 zeros against three ones of 200: the three fall into 200 of 20,200 places.
    b, c = np.zeros(20000), np.r_[np.zeros(197), np.ones(3)]
    p = scipy.stats.hypergeom(20200, 3, 200).sf(2)
    assert p == pytest.approx(9.56e-7, rel=1e-3)
    assert serinus.mann_whitney(b, c, alternative="greater").p_value == pytest.approx(p, rel=1e-9)
    assert serinus.mann_whitney(b, c).method == "exact"
    single = serinus.mann_whitney(b, c, alternative="greater").p_value
    assert serinus.mann_whitney_batch([b], [c], alternative="greater").p_value[0] == single
    assert serinus.kolmogorov_smirnov(b, c).p_value == pytest.approx(p, rel=1e-5)
    for test in (serinus.cramer_von_mises, serinus.anderson_darling):
        found = test(b, c)
        assert (found.method, found.p_value) == ("permutation", pytest.approx(p, rel=1e-9))
        assert test(b, c, method="lattice").p_value == pytest.approx(p, rel=0.01)
    found = serinus.brunner_munzel(b, c, method="auto")
    assert (found.method, found.p_value) == ("permutation", pytest.approx(2 * p, rel=1e-9))


def test_sparse_values_say_where_the_approximation_does_not_hold() -> None:
    # Ten ones of 1,000 against none of 100.
    b, c = np.r_[np.zeros(990), np.ones(10)], np.zeros(100)
    published = serinus.brunner_munzel(b, c)
    assert published.p_value == pytest.approx(scipy.stats.brunnermunzel(c, b).pvalue, rel=1e-9)
    assert not published.approximation_holds
    dealt = serinus.brunner_munzel(b, c, method="auto")
    assert dealt.approximation_holds
    assert dealt.p_value == pytest.approx(2 * scipy.stats.hypergeom(1100, 10, 100).pmf(0), rel=1e-9)
    assert not serinus.effect_size(b, c).approximation_holds
    assert not serinus.welch(b, c).approximation_holds
    random = np.random.default_rng(1)
    x, y = random.normal(size=(2, 60))
    assert serinus.brunner_munzel(x, y).approximation_holds
    assert serinus.effect_size(x, y).approximation_holds
    assert serinus.welch(x, y).approximation_holds
    assert serinus.yuen(x, y).approximation_holds


def test_mid_p_of_no_events_is_one_half() -> None:
    for alternative in ("two-sided", "greater", "less"):
        assert serinus.rate_test(0, 900, 0, 100, alternative=alternative, method="midp").p_value == 0.5  # type: ignore[arg-type]
        assert serinus.proportion_test(0, 900, 0, 100, alternative=alternative, method="midp").p_value == 0.5  # type: ignore[arg-type]
