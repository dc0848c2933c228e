"""Every function of one look on the hardest arguments: a value or a clear error, never a NaN that nothing announces."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import serinus

SAMPLES: dict[str, list[float]] = {
    "empty": [],
    "one": [1.5],
    "two equal": [2, 2],
    "nothing but NaN": [math.nan, math.nan],
    "NaN among numbers": [math.nan, 3, 1, math.nan, 2],
    "infinite": [-math.inf, 1, 2, math.inf],
    "all tied": [7] * 40,
    "both ends of the doubles": [1e308, -1e308, 1.7e308, 0] * 8,
    "denormal": [5e-324, 1e-323, 0, -5e-324] * 8,
    "signed zeros": [0.0, -0.0] * 12,
    "offset of 1e15": [1e15, 1e15 + 0.125, 1e15 + 0.25] * 10,
    "plain": [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8],
}
RANKS = [
    serinus.mann_whitney,
    serinus.brunner_munzel,
    serinus.effect_size,
    serinus.kolmogorov_smirnov,
    serinus.cramer_von_mises,
    serinus.anderson_darling,
    serinus.robust_rank_test,
]
SUMS = [serinus.welch, serinus.yuen, serinus.hodges_lehmann, serinus.quantile_difference]
SERIES = [serinus.paired_test, serinus.signed_rank, serinus.effective_sample_size]
COUNTS = [0, 1, 40, 2**52, 2**53]


def check(result: Any, nothing: bool) -> None:
    """Only what there was nothing to estimate from, or a place where nothing happens, is NaN."""
    fields = result.to_dict()
    if "p_value" in fields:
        assert 0 <= fields["p_value"] <= 1
    if "lower" in fields:
        assert fields["lower"] <= fields["upper"]
    for name, value in fields.items():
        if isinstance(value, float) and math.isnan(value):
            assert nothing or name == "location", (name, fields)


def refused(code: str, call: Any, *arguments: Any, **options: Any) -> None:
    with pytest.raises(serinus.Error) as raised:
        call(*arguments, **options)
    assert raised.value.code == code, raised.value
    assert "; allowed: " in str(raised.value)


@pytest.mark.parametrize("test", RANKS + SUMS, ids=lambda test: str(test.__name__))
def test_two_samples(test: Any) -> None:
    for b, c in itertools.product(SAMPLES.values(), SAMPLES.values()):
        nothing = not any(not math.isnan(v) for v in b) or not any(not math.isnan(v) for v in c)
        if test in SUMS and any(math.isinf(v) for v in b + c):
            refused("serinus.argument.infinite", test, b, c)
        else:
            check(test(b, c), nothing)
    refused("serinus.argument.nan", test, [1.0, 2.0], [1.0, math.nan], nan_policy="error")
    refused("serinus.argument.type", test, [1.0, 2.0], "12")


@pytest.mark.parametrize("test", SERIES, ids=lambda test: str(test.__name__))
def test_series(test: Any) -> None:
    for values in SAMPLES.values():
        if any(math.isinf(v) for v in values):
            refused("serinus.argument.infinite", test, values)
        else:
            check(test(values), not any(not math.isnan(v) for v in values))
    refused("serinus.argument.nan", test, [1.0, math.nan], nan_policy="error")


def test_bootstraps_and_ratios() -> None:
    plain = np.arange(1.0, 41.0)
    for values in SAMPLES.values():
        finite = [v for v in values if not math.isnan(v)]
        if any(math.isinf(v) for v in finite):
            refused("serinus.argument.infinite", serinus.block_bootstrap, values, np.median)
            refused("serinus.argument.range", serinus.ratio_test, values, values, plain, plain)
            continue
        check(serinus.block_bootstrap(values, lambda v: float(v[len(v) // 2]), resamples=100), not finite)
        found = serinus.ratio_test(values, np.ones(len(values)), plain, plain, resamples=100)
        assert 0 <= found.p_value <= 1
        assert found.lower <= found.upper
        assert not (found.conclusive and math.isnan(found.ratio))


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_counts_to_two_to_the_fifty_third(alternative: str) -> None:
    for total_b, total_c in itertools.product(COUNTS, COUNTS):
        for share_b, share_c in itertools.product((0, 0.5, 1), (0, 1)):
            bad_b, bad_c = math.floor(share_b * total_b), math.floor(share_c * total_c)
            for method in ("auto", "score", "fisher", "midp"):
                options: dict[str, Any] = {"alternative": alternative, "method": method}
                check(serinus.proportion_test(bad_b, total_b, bad_c, total_c, **options), True)
        for method in ("auto", "exact", "midp", "score"):
            found = serinus.rate_test(total_b, 10, total_c, 3, alternative=alternative, method=method)  # type: ignore[arg-type]
            check(found, total_b + total_c == 0)
    assert serinus.rate_test(2**53, 1, 2**53, 1, method="exact").method == "score"
    assert serinus.proportion_test(2**52, 2**53, 2**52, 2**53, method="fisher").method == "score"


@pytest.mark.parametrize("bad", [-1, 0.5, 2**53 + 2, math.inf, math.nan])
def test_what_counts_may_not_be(bad: float) -> None:
    refused("serinus.argument.count", serinus.proportion_test, bad, 2**53, 1, 2)
    refused("serinus.argument.count", serinus.proportion_test, 0, 1, 0, bad)
    refused("serinus.argument.count", serinus.rate_test, 1, 1, bad, 1)
    refused("serinus.argument.count", serinus.proportion_test, 3, 2, 1, 2)


@pytest.mark.parametrize("outside", [0.0, 1.0, -0.1, 1.5, math.inf, math.nan])
def test_confidence_is_above_0_and_below_1(outside: float) -> None:
    b, c = [1.0, 2, 3, 4], [2.0, 3, 4, 5]
    for test in (
        serinus.hodges_lehmann,
        serinus.effect_size,
        serinus.brunner_munzel,
        serinus.welch,
        serinus.yuen,
        serinus.quantile_difference,
        serinus.robust_rank_test,
    ):
        refused("serinus.argument.range", test, b, c, confidence=outside)
    for test in (serinus.paired_test, serinus.signed_rank):
        refused("serinus.argument.range", test, b, confidence=outside)
    refused("serinus.argument.range", serinus.block_bootstrap, b, np.mean, confidence=outside)
    refused("serinus.argument.range", serinus.proportion_test, 1, 4, 1, 4, confidence=outside)
    refused("serinus.argument.range", serinus.rate_test, 1, 4, 1, 4, confidence=outside)
    refused("serinus.argument.range", serinus.ratio_test, b, c, b, c, confidence=outside)
    refused("serinus.argument.range", serinus.power, "rank", 10, 10, effect=0.6, alpha=outside)


def test_options_of_another_type() -> None:
    b, c = [1.0, 2, 3, 4], [2.0, 3, 4, 5]
    refused("serinus.argument.type", serinus.welch, b, c, confidence="much")
    refused("serinus.argument.type", serinus.welch, b, c, confidence=None)
    refused("serinus.argument.count", serinus.brunner_munzel, b, c, seed=-1)
    refused("serinus.argument.type", serinus.brunner_munzel, b, c, resamples=2.5)
    refused("serinus.argument.word", serinus.brunner_munzel, b, c, method="exact")
    refused("serinus.argument.range", serinus.brunner_munzel, b, c, resamples=5)


def test_brunner_munzel_methods() -> None:
    """Against SciPy's t and normal, and a permutation of its statistic."""
    import scipy.stats

    random = np.random.default_rng(11)
    b, c = np.round(random.normal(0, 1, 6), 1), np.round(random.normal(0.8, 2, 5), 1)
    for method in ("t", "normal"):
        expected = scipy.stats.brunnermunzel(c, b, distribution=method)
        assert serinus.brunner_munzel(b, c, method=method).p_value == pytest.approx(expected.pvalue, rel=1e-9)  # type: ignore[arg-type]
    found = serinus.brunner_munzel(b, c, method="auto")
    assert found.method == "permutation"
    pooled = np.concatenate([c, b])
    statistics = []
    for chosen in itertools.combinations(range(11), 5):
        mask = np.zeros(11, dtype=bool)
        mask[list(chosen)] = True
        with np.errstate(all="ignore"):
            statistics.append(-scipy.stats.brunnermunzel(pooled[mask], pooled[~mask], distribution="normal").statistic)
    at_least = np.mean(np.array(statistics) >= found.statistic - 1e-9)
    at_most = np.mean(np.array(statistics) <= found.statistic + 1e-9)
    assert found.p_value == pytest.approx(min(1, 2 * min(at_least, at_most)), rel=1e-12)
