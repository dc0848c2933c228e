"""serinus.hodges_lehmann, effect_size, paired_test, robust_rank_test, effective_sample_size."""

from __future__ import annotations

import inspect
import math
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import serinus
from serinus import _core


def ar(phi: float, n: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    x = random.normal(0, 1, n)
    for i in range(1, n):
        x[i] = phi * x[i - 1] + math.sqrt(1 - phi * phi) * x[i]
    return x


def test_hodges_lehmann_is_the_median_of_all_differences() -> None:
    random = np.random.default_rng(1)
    for n in (7, 60, 300):
        b, c = random.lognormal(0, 1, n), random.lognormal(0.3, 1, n + 3)
        found = serinus.hodges_lehmann(b, c)
        differences = np.subtract.outer(c, b).ravel()
        assert found.estimate == pytest.approx(np.median(differences), rel=1e-15)
        assert found.lower in differences
        assert found.upper in differences
        assert found.method == ("exact" if n < 50 else "normal")
    assert serinus.hodges_lehmann([1, 2, 3], [5, 6, 7], alternative="greater").upper == math.inf


def test_effect_size_is_that_of_mann_whitney() -> None:
    b, c = ar(0, 40, 2), ar(0, 50, 3) + 0.5
    size = serinus.effect_size(pd.Series(b), list(c))
    assert size.effect == serinus.mann_whitney(b, c).effect
    assert size.cliffs_delta == pytest.approx(2 * size.effect - 1)
    assert 0 < size.lower < size.effect < size.upper < 1


def test_paired_test_is_a_t_test_where_points_are_independent() -> None:
    """Up to the number of points that they are worth."""
    d = ar(0, 4000, 4) + 0.05
    found = serinus.paired_test(d, alternative="greater")
    reference = scipy.stats.ttest_1samp(d, 0, alternative="greater")
    assert found.estimate == pytest.approx(d.mean())
    assert found.statistic == pytest.approx(reference.statistic, rel=0.5)
    assert found.upper == math.inf
    slow = serinus.paired_test(ar(0.99, 60, 5) + 3)
    assert not slow.conclusive
    assert slow.p_value == 1


def test_one_look_that_is_cautious_or_knows_history() -> None:
    d = ar(0.6, 120, 21) + 0.6
    standard, cautious = serinus.paired_test(d), serinus.paired_test(d, method="cautious")
    assert cautious.df == 4
    assert standard.df == 6 or standard.df == pytest.approx(standard.n_effective - 1)
    assert cautious.upper - cautious.lower > standard.upper - standard.lower
    learned = serinus.sequential.paired_noise(ar(0.6, 2000, 22))
    known = serinus.paired_test(d, noise=learned)
    assert known.conclusive
    assert known.df == learned["degrees_of_freedom"]
    assert known.lower < known.estimate < known.upper
    assert serinus.paired_test(d, margin={"difference": known.upper + 0.02}, noise=learned).p_value < 0.05
    assert not serinus.paired_test(ar(0.6, 501, 23), noise=learned).conclusive
    with pytest.raises(serinus.Error) as error:
        serinus.paired_test(d, method="slow")  # type: ignore[arg-type]
    assert error.value.code == "serinus.argument.word"
    with pytest.raises(serinus.Error) as error:
        serinus.paired_test(d, noise={"offset": 1.0})
    assert error.value.code == "serinus.argument.word"
    b, c = ar(0.4, 150, 24), ar(0.4, 150, 25)
    assert serinus.robust_rank_test(b, c, method="cautious").df <= 8


@pytest.mark.parametrize("exponent", [510, -510, 1000, -1000])
def test_no_unit_changes_a_p_value(exponent: int) -> None:
    d = np.round(512 * np.clip(ar(0.5, 120, 26) / 2, -1.9, 1.9)) / 512
    other = np.ldexp(d, exponent)
    assert serinus.paired_test(other).p_value == serinus.paired_test(d).p_value
    assert serinus.effective_sample_size(other).n_effective == serinus.effective_sample_size(d).n_effective


def test_robust_rank_test_is_brunner_and_munzel_where_points_are_independent() -> None:
    b, c = ar(0, 3000, 6), 2 * ar(0, 3000, 7) + 0.1
    found = serinus.robust_rank_test(b, c)
    reference = scipy.stats.brunnermunzel(b, c)
    shrunk = math.sqrt(found.n_effective / 3000)
    assert found.statistic == pytest.approx(reference.statistic, rel=1.2 - shrunk)
    assert found.conclusive
    assert found.n_effective <= 3000


def test_effective_sample_size() -> None:
    assert serinus.effective_sample_size(ar(0.9, 3000, 8)).n_effective == pytest.approx(3000 / 19, rel=0.4)
    found = serinus.effective_sample_size([1.0, None, 2.0])
    assert found.n == 2
    assert not found.sufficient
    assert len(found.autocorrelation) == 3


def test_results_are_plain_values() -> None:
    found = serinus.paired_test(ar(0.3, 100, 9))
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.to_dict()["p_value"] == found.p_value
    assert "p_value" in found._repr_html_()
    assert repr(found).startswith("PairedTestResult(estimate=")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: serinus.hodges_lehmann([1, math.inf], [2]), "serinus.argument.infinite"),
        (lambda: serinus.hodges_lehmann([1], [2], confidence=1), "serinus.argument.range"),
        (lambda: serinus.effect_size([1], [2], confidence=0), "serinus.argument.range"),
        (lambda: serinus.paired_test([1, math.nan], nan_policy="error"), "serinus.argument.nan"),
        (lambda: serinus.paired_test("12"), "serinus.argument.type"),
        (lambda: serinus.robust_rank_test([1], [2], alternative="more"), "serinus.argument.word"),
        (lambda: serinus.effective_sample_size([1, math.inf]), "serinus.argument.infinite"),
    ],
)
def test_errors(call, code) -> None:
    with pytest.raises(serinus.Error) as error:
        call()
    assert error.value.code == code


ONE_LOOK = {
    "anderson_darling": 2,
    "block_bootstrap": 2,
    "brunner_munzel": 2,
    "cramer_von_mises": 2,
    "effect_size": 2,
    "hodges_lehmann": 2,
    "kolmogorov_smirnov": 2,
    "mann_whitney": 2,
    "paired_test": 1,
    "proportion_test": 4,
    "quantile_difference": 2,
    "rate_test": 4,
    "ratio_test": 4,
    "robust_rank_test": 2,
    "signed_rank": 1,
    "welch": 2,
    "yuen": 2,
}


@pytest.mark.parametrize("name", ONE_LOOK)
def test_the_functions_have_the_options_that_the_core_describes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No option is accepted and ignored, and all come in the core's order."""
    function, core = getattr(serinus, name), getattr(_core, name)
    parameters = inspect.signature(function).parameters.values()
    assert {one.kind for one in list(parameters)[: ONE_LOOK[name]]} == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert {one.kind for one in list(parameters)[ONE_LOOK[name] :]} == {inspect.Parameter.KEYWORD_ONLY}
    seen: list[tuple[tuple[object, ...], dict[str, object]]] = []

    def watched(*given: object, **options: object) -> object:
        seen.append((given, options))
        return core(*given, **options)

    monkeypatch.setattr(_core, name, watched)
    values = [1.0, 3.0, 2.0, 5.0, 4.0, 7.0, 9.0, 6.0]
    data = [1, 20, 3, 20] if name in ("proportion_test", "rate_test") else [values] * ONE_LOOK[name]
    if name == "block_bootstrap":
        data[1] = np.mean
    function(*data)
    given, options = seen[0]
    own = [one.name for one in parameters][ONE_LOOK[name] :]
    assert [one for one in own if one != "noise"] == list(options)
    with pytest.raises(TypeError, match="unexpected keyword argument 'surprise'"):
        core(*given, **options, surprise=1)
    with pytest.raises(TypeError, match=f"is missing {own[0] if own[0] != 'noise' else own[1]}"):
        core(*given, **dict(list(options.items())[1:]))
