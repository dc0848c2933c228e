"""serinus.sequential: the tests that may be looked at as often as you like."""

from __future__ import annotations

import inspect
import math
import pickle
from typing import Any

import numpy as np
import pytest
import serinus
from serinus.sequential import (
    MeanTest,
    PairedTest,
    ProportionTest,
    QuantileTest,
    RateTest,
    SignedRankTest,
    StartMixture,
    ThresholdTest,
    combine,
    paired_noise,
    start_weight,
)


def counts(canary: float, n: int = 40, seed: int = 5) -> tuple[np.ndarray, ...]:
    random = np.random.default_rng(seed)
    total_b, total_c = random.poisson(900, n), random.poisson(100, n)
    return random.binomial(total_b, 0.01), total_b, random.binomial(total_c, canary), total_c


def test_harm_is_found_and_none_is_invented() -> None:
    test = ProportionTest(alpha=0.05, margin={"ratio": 2.0})
    test.update_many(*counts(0.08))
    evidence = test.evidence()
    assert test.decided
    assert test.log_e_value == evidence.log_e_value > math.log(20)
    assert evidence.p_value == pytest.approx(math.exp(-test.log_e_value), rel=0.5)
    assert 2.0 < evidence.lower < evidence.estimate < evidence.upper
    assert evidence.confidence == pytest.approx(0.9)
    assert evidence.method == "conditional"
    good = ProportionTest(margin={"ratio": 2.0})
    good.update_many(*counts(0.01))
    assert not good.decided
    safe = ProportionTest(margin={"ratio": 2.0}, side="safe")
    safe.update_many(*counts(0.01, n=400))
    assert safe.decided


def test_an_exact_value() -> None:
    """The e-value is the prior's mean of the likelihood ratio, written out here once more."""
    x_b, n_b, x_c, n_c = 9, 900, 5, 100
    test = ProportionTest(margin={"ratio": 1.5})
    test.update(x_b, n_b, x_c, n_c)
    step = math.log(3 / 0.003) / 32
    delta = np.exp(math.log(0.003) + step * np.arange(33))
    length = np.concatenate([[delta[1] - delta[0]], (delta[2:] - delta[:-2]) / 2, [delta[-1] - delta[-2]]])
    weight = length / (1 + (delta / 0.8) ** 5)
    weight /= weight.sum()
    q0 = 1.5 * n_c / (1.5 * n_c + n_b)
    log_ratio = x_c * delta - (x_b + x_c) * np.log1p(q0 * np.expm1(delta))
    # Of the first interval, whose level nobody knows yet, a quarter of the capital sits out.
    expected = math.log(float(np.sum(weight * (0.25 + 0.75 * np.exp(log_ratio)))))
    assert test.log_e_value == pytest.approx(expected, rel=1e-12)


def test_many_updates_are_single_updates() -> None:
    rows = counts(0.03)
    many, single = ProportionTest(margin={"ratio": 1.5}), ProportionTest(margin={"ratio": 1.5})
    many.update_many(*rows)
    for row in zip(*rows):
        single.update(*row)  # numpy's integers
    assert many.state() == single.state()
    floats = ProportionTest(margin={"ratio": 1.5})
    floats.update_many(*(row.astype(float) for row in rows))
    assert floats.state() == single.state()
    spread = ProportionTest(margin={"ratio": 1.5})
    spread.update_many([9, 9, 9], 900, 1, 100)
    again = ProportionTest(margin={"ratio": 1.5})
    for _ in range(3):
        again.update(9.0, 900, 1, 100.0)
    assert spread.state() == again.state()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ((-1, 900, 1, 100), "-1"),
        ((9, 8, 1, 100), "9 bad of 8"),
        ((9, 900, 101, 100), "canary has 101 bad of 100"),
        ((9.5, 900, 1, 100), r"bad_b(\[1\])? is 9.5"),
        ((9, 900, 1, 2**53 + 2), "9007199254740994|9.0072e"),
        ((9, 900, 1, math.inf), "inf"),
        ((math.nan, 900, 1, 100), "nan"),
    ],
)
def test_impossible_counts_change_nothing(row: Any, says: str) -> None:
    for many in (False, True):
        test = ProportionTest()
        test.update(9, 900, 1, 100)
        before = test.state()
        with pytest.raises(serinus.Error, match=f"(?i){says}") as error:
            if many:
                test.update_many(*([good, wrong] for good, wrong in zip((9, 900, 1, 100), row)))
            else:
                test.update(*row)
        assert error.value.code == "serinus.argument.count"
        assert test.state() == before


@pytest.mark.parametrize(
    ("wrong", "code"), [("9", "type"), (None, "type"), (True, "type"), ([9], "type"), (9.5, "count"), (10**30, "count")]
)
def test_counts_are_whole_numbers(wrong: Any, code: str) -> None:
    with pytest.raises(serinus.Error, match="bad_b is ") as error:
        ProportionTest().update(wrong, 900, 1, 100)
    assert error.value.code == f"serinus.argument.{code}"


def test_columns_of_different_length() -> None:
    with pytest.raises(serinus.Error, match="bad_b 2, total_b 3") as error:
        ProportionTest().update_many([1, 2], [10, 20, 30], 1, 100)
    assert error.value.code == "serinus.argument.length"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"alpha": 0}, "serinus.argument.range"),
        ({"alpha": 1.5}, "serinus.argument.range"),
        ({"dispersion": 0.5}, "serinus.argument.range"),
        ({"noise": {"dispersion": 0.5}}, "serinus.argument.range"),
        ({"noise": {"dispersion": 2.0}, "dispersion": 2.0}, "serinus.argument.word"),
        ({"noise": {"variance": 2.0}}, "serinus.argument.word"),
        ({"margin": {"ratio": 0.5}}, "serinus.argument.margin"),
        ({"margin": {"ratio": 2.0, "difference": 0.1}}, "serinus.argument.margin"),
        ({"margin": {}}, "serinus.argument.margin"),
        ({"margin": {"factor": 2.0}}, "serinus.argument.margin"),
        ({"margin": {"ratio": "2"}}, "serinus.argument.margin"),
        ({"margin": {"difference": 0.01}, "method": "conditional"}, "serinus.argument.margin"),
        ({"harm": "up"}, "serinus.argument.word"),
        ({"side": "left"}, "serinus.argument.word"),
        ({"method": "fisher"}, "serinus.argument.word"),
    ],
)
def test_options_are_checked(options: dict[str, Any], code: str) -> None:
    with pytest.raises(serinus.Error) as error:
        ProportionTest(**options)
    assert error.value.code == code


def test_harm_takes_the_enum_too() -> None:
    assert ProportionTest(harm=serinus.Harm.DECREASE).state() == ProportionTest(harm="decrease").state()
    assert ProportionTest(noise={"dispersion": 1.5}).state() == ProportionTest(dispersion=1.5).state()


@pytest.mark.parametrize(
    "options",
    [
        {"margin": {"ratio": 2.0}},
        {"margin": {"ratio": 1.2}, "harm": "decrease", "dispersion": 1.7, "alpha": 0.01},
        {"margin": {"difference": 0.01}},
        {"margin": {"difference": 0.01}, "harm": "either", "side": "safe", "interval": False, "alpha_safe": 0.1},
    ],
)
def test_state_goes_around(options: dict[str, Any]) -> None:
    rows = counts(0.03)
    test = ProportionTest(**options)
    test.update_many(*rows)
    restored = ProportionTest(**options)
    restored.restore(test.state())
    pickled = pickle.loads(pickle.dumps(test))
    assert isinstance(pickled, ProportionTest)
    for other in (restored, pickled):
        assert other.state() == test.state()
        assert repr(other) == repr(test)
    test.update(9, 900, 4, 100)
    for other in (restored, pickled):
        other.update(9, 900, 4, 100)
        assert other.state() == test.state()
        assert repr(other.evidence().to_dict()) == repr(test.evidence().to_dict())  # NaN too, to the bit


def test_foreign_states_are_refused() -> None:
    test = ProportionTest(margin={"ratio": 2.0})
    state = test.state()
    for wrong, code in [
        (b"", "serinus.state.damaged"),
        (state[:-1], "serinus.state.damaged"),
        (state[:40] + bytes([state[40] ^ 1]) + state[41:], "serinus.state.damaged"),
        (StartMixture(test).state(), "serinus.state.kind"),
        (ProportionTest(margin={"ratio": 3.0}).state(), "serinus.state.options"),
    ]:
        with pytest.raises(serinus.Error) as error:
            test.restore(wrong)
        assert error.value.code == code
        assert test.state() == state
    with pytest.raises(serinus.Error, match='state is "text"') as error:
        test.restore("text")  # type: ignore[arg-type]
    assert error.value.code == "serinus.argument.type"


def test_start_mixture() -> None:
    mixture = StartMixture(ProportionTest(margin={"ratio": 1.5}))
    with pytest.raises(serinus.Error, match="no start yet"):
        mixture.update(9, 900, 1, 100)
    mixture.begin(1.0)
    plain = ProportionTest(margin={"ratio": 1.5})
    rows = counts(0.03)
    mixture.update_many(*rows)
    plain.update_many(*rows)
    assert mixture.spent == 1
    assert mixture.log_e_value == pytest.approx(plain.log_e_value, rel=1e-12)
    with pytest.raises(serinus.Error, match="weight is 0.5") as error:
        mixture.begin(0.5)
    assert error.value.code == "serinus.argument.range"
    late = StartMixture(ProportionTest(margin={"ratio": 1.5}))
    for i in range(60):
        if i % 30 == 0:
            late.begin(start_weight(i // 30))
        late.update(9, 900, 1, 100)
    pickled = pickle.loads(pickle.dumps(late))
    assert isinstance(pickled, StartMixture)
    assert pickled.state() == late.state()
    assert pickled.spent == late.spent == pytest.approx(start_weight(0) + start_weight(1))


@pytest.mark.parametrize("kind", ["rates", "gauges"])
def test_start_mixture_of_other_tests(kind: str) -> None:
    """One start with all of the capital is the test itself; many updates are single ones; pickles go around."""
    random = np.random.default_rng(31)
    test: Any
    if kind == "rates":
        test = RateTest(margin={"ratio": 1.5}, dispersion=1.25)
        columns: tuple[Any, ...] = (random.poisson(9, 50), 9.5, random.poisson(3, 50), 1.0)
        rows = [(int(b), 9.5, int(c), 1.0) for b, c in zip(columns[0], columns[2])]
    else:
        test = PairedTest(noise=paired_noise(random.normal(0, 1, 2000)))
        columns = (random.normal(0.6, 1, 50),)
        rows = [(float(d),) for d in columns[0]]
    whole, many, single = (StartMixture(test) for _ in range(3))
    whole.begin(1.0)
    whole.update_many(*columns)
    plain = type(test)(**test._options)
    plain.update_many(*columns)
    assert whole.log_e_value == pytest.approx(plain.log_e_value, rel=1e-12)
    for mixture in (many, single):
        mixture.begin(start_weight(0))
    many.update_many(*columns)
    for row in rows:
        single.update(*row)
    assert single.state() == many.state()
    assert single.decided
    assert single.evidence().log_e_value == single.log_e_value
    again = pickle.loads(pickle.dumps(single))
    assert again.state() == single.state()
    assert repr(again) == repr(single)
    with pytest.raises(TypeError, match="update_many"):
        many.update_many(1, 2)


def test_start_mixture_takes_the_options_alone() -> None:
    used = ProportionTest(margin={"ratio": 1.5})
    used.update(9, 900, 50, 100)
    mixture = StartMixture(used)
    mixture.begin(1.0)
    assert mixture.log_e_value == pytest.approx(0, abs=1e-15)
    assert mixture.evidence().n_canary == 0


def test_combine() -> None:
    logs = [3.1, 0.2, -1.0]
    mean = combine(logs)
    assert mean.log_e_value == pytest.approx(math.log(np.mean(np.exp(logs))), rel=1e-14)
    assert mean.adjusted.tolist() == [mean.log_e_value] * 3
    assert combine(logs, method="product").log_e_value == pytest.approx(sum(logs), rel=1e-14)
    weighted = combine(logs, weights=[2, 1, 1], method="bonferroni")
    assert weighted.adjusted == pytest.approx(np.log(np.exp(logs) * [0.5, 0.25, 0.25]), rel=1e-14)
    ebh = combine(logs, method="ebh")
    assert ebh.adjusted[0] == pytest.approx(math.log(math.exp(3.1) / 3), rel=1e-14)
    assert combine([]).log_e_value == 0
    with pytest.raises(serinus.Error) as error:
        combine(logs, weights=[1, 2])
    assert error.value.code == "serinus.argument.length"
    with pytest.raises(serinus.Error) as error:
        combine([1.0, math.nan])
    assert error.value.code == "serinus.argument.nan"
    with pytest.raises(serinus.Error) as error:
        combine(logs, method="median")  # type: ignore[arg-type]
    assert error.value.code == "serinus.argument.word"


# ---- gauges


def test_a_gauge_with_noise_from_history() -> None:
    random = np.random.default_rng(1)
    noise = paired_noise(random.normal(0, 4, 2000), magnitude=200)
    assert len(noise["table"]) == 256
    assert noise["size"] == 2000
    harm, quiet = PairedTest(margin={"difference": 1.0}, noise=noise), PairedTest(margin={"difference": 1.0}, noise=noise)
    safe = PairedTest(margin={"difference": 4.0}, side="safe", noise=noise)
    data = random.normal(0, 4, 120)
    harm.update_many(data + 5)
    quiet.update_many(data)
    safe.update_many(data)
    assert (harm.decided, quiet.decided, safe.decided) == (True, False, True)
    evidence = harm.evidence()
    assert evidence.method == "signed_rank_score"
    assert 1.0 < evidence.lower < evidence.estimate < evidence.upper
    # One value at a time, through a pickle, is the same to the bit.
    other = PairedTest(margin={"difference": 1.0}, noise={"stages": [noise]})
    for i, d in enumerate(data + 5):
        other.update(d)
        if i == 50:
            other = pickle.loads(pickle.dumps(other))
    assert other.log_e_value == harm.log_e_value
    assert "PairedTest(alpha=0.05" in repr(other)


def test_both_arms_and_ratios() -> None:
    random = np.random.default_rng(2)
    history = np.log(random.normal(100, 3, 2000)) - np.log(random.normal(100, 3, 2000))
    noise = {**paired_noise(history, unit="log"), "level": 100.0}
    test = PairedTest(margin={"ratio": 1.1}, noise=noise)
    for _ in range(80):
        test.update_pair(random.normal(100, 3), 1.3 * random.normal(100, 3), instances_baseline=9, instances_canary=1)
    assert test.decided
    assert 1.2 < test.evidence().estimate < 1.4
    test.update_pair(100.0, 0.0)
    assert (test.not_positive, test.horizon) == (1, 500)
    assert set(test.scale_departure) == {"observed", "history", "beyond"}
    with pytest.raises(serinus.Error) as error:
        test.update(1.0)
    assert error.value.code == "serinus.argument.margin"


def test_learning_on_the_way_and_signed_ranks() -> None:
    data = np.random.default_rng(3).normal(1, 1, 100)
    for test in (PairedTest(), SignedRankTest()):
        test.update_many([*data, math.nan])
        assert test.decided
        again = pickle.loads(pickle.dumps(test))
        assert again.log_e_value == test.log_e_value
    assert PairedTest().evidence().method == "t_mixture"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"noise": "history"}, "serinus.argument.word"),
        ({"noise": {"table": [1.0]}}, "serinus.argument.word"),
        ({"noise": {**paired_noise(np.arange(50.0)), "extra": 1}}, "serinus.argument.word"),
        ({"noise": {**paired_noise(np.arange(50.0)), "offset": "x"}}, "serinus.argument.type"),
        ({"noise": {**paired_noise(np.arange(50.0)), "size": -1}}, "serinus.argument.range"),
        ({"noise": paired_noise(np.zeros(50))}, "serinus.argument.range"),
        ({"margin": {"ratio": 0.5}}, "serinus.argument.margin"),
        ({"harm": "more"}, "serinus.argument.word"),
        ({"alpha": 0}, "serinus.argument.range"),
    ],
    ids=str,
)
def test_impossible_gauges(change: dict[str, Any], code: str) -> None:
    with pytest.raises(serinus.Error) as error:
        PairedTest(**change)
    assert error.value.code == code


RATIO, DIFFERENCE = {"ratio": 2.0}, {"difference": 8.0}
HISTORY = paired_noise(np.random.default_rng(5).normal(0, 4, 2000))


def arms(random: np.random.Generator) -> tuple[np.ndarray, ...]:
    return random.normal(100, 15, 90), random.normal(100, 15, 90)


@pytest.mark.parametrize(
    ("kind", "options", "interval"),
    [
        (ProportionTest, {"margin": RATIO}, lambda random: (random.poisson(18), 900, random.poisson(2), 100)),
        (RateTest, {"margin": RATIO}, lambda random: (random.poisson(9), 9.0, random.poisson(1), 1.0)),
        (ThresholdTest, {"threshold": 110, "margin": {"ratio": 1.2}}, arms),
        (MeanTest, {"margin": DIFFERENCE}, arms),
        (QuantileTest, {"margin": DIFFERENCE}, arms),
        (PairedTest, {"margin": DIFFERENCE, "noise": HISTORY}, lambda random: (random.normal(0, 4),)),
    ],
)
def test_safety_is_decided_at_alpha_safe(kind: Any, options: dict[str, Any], interval: Any) -> None:
    random = np.random.default_rng(3)
    test = kind(**options, side="safe", alpha=1e-30, alpha_safe=0.05)
    for _ in range(2000):
        test.update(*interval(random))
        assert test.decided == (test.log_e_value >= math.log(20))
        if test.decided:
            break
    assert math.log(20) <= test.log_e_value < 30 * math.log(10)
    text = " ".join((kind.__doc__ or "").split())
    assert 'that is `decided`' in text and 'with `side="safe"` log(1/alpha_safe)' in text
    for name, side in (("alpha : float", "harm"), ("alpha_safe : float, optional", "safe")):
        assert f'{name} Error of the decision with `side="{side}"`' in text
    for member in (kind.log_e_value, kind.decided):
        assert "alpha_safe" in (member.__doc__ or "")


def test_before_any_data_an_estimate_is_no_number_and_has_no_sign():
    for test in (ProportionTest(), RateTest(), PairedTest(margin={"difference": 0.0})):
        shown = repr(test.evidence())
        assert "estimate=nan" in shown
        assert "-nan" not in shown


def test_options_are_given_by_name() -> None:
    """Data, and the error rate, may stand in place; whatever tunes a test or a boundary says its name."""
    in_place = {
        "self", "alpha", "q", "threshold", "shares", "test", "baseline", "canary", "v", "s", "t", "c", "g", "h", "tuned_at",
        "from_time", "from_size", "quantile_p", "successes", "trials", "log_e_values", "weights", "information", "bounds",
        "drift", "spending", "events_b", "events_c", "exposure_b", "exposure_c", "below", "values", "differences", "last",
        "former", "j",
    }  # fmt: skip
    for name in serinus.sequential.__all__:
        member = getattr(serinus.sequential, name)
        made_here = inspect.isfunction(member) or inspect.isclass(member) and inspect.isfunction(vars(member).get("__init__"))
        for option in inspect.signature(member).parameters.values() if made_here else ():
            if option.kind is option.POSITIONAL_OR_KEYWORD:
                assert option.name in in_place or option.default is option.empty, f"{name}({option.name})"


def test_shared_paragraphs_are_put_in() -> None:
    for kind in (ProportionTest, RateTest, MeanTest, QuantileTest, PairedTest, SignedRankTest, ThresholdTest):
        text = kind.__doc__ or ""
        assert '    harm : {"increase", "decrease", "either"}\n' in text
        assert "{harm}" not in text and "{alpha}" not in text and "{interval}" not in text
