"""What every test of many looks does with input that cannot be.

An error with a stable code that names the field, the value and what is allowed; and an object that is to the byte what
it was.
"""

from __future__ import annotations

import math
import re
from typing import Any, Callable, NamedTuple

import numpy as np
import pytest
import serinus
import serinus.sequential as sequential
from serinus.sequential import (
    ChangeDetector,
    DistributionBand,
    MeanTest,
    PairedTest,
    ProportionTest,
    QuantileTest,
    RateTest,
    RotationTest,
    SampleRatioTest,
    SignedRankTest,
    SilenceTest,
    StartMixture,
    ThresholdTest,
    instance_spread,
    start_weight,
)

COUNT, RANGE, TYPE = "serinus.argument.count", "serinus.argument.range", "serinus.argument.type"
MARGIN, WORD, LENGTH = "serinus.argument.margin", "serinus.argument.word", "serinus.argument.length"
MOST, ABOVE = 2**53, 2**53 + 2
NOISE = sequential.paired_noise(np.random.default_rng(5).normal(0, 1, 2000))
LOGARITHMS = sequential.paired_noise(np.random.default_rng(6).normal(0, 0.05, 2000), unit="log")


class Wrong(NamedTuple):
    """A call on a test, the code of its error, and a pattern that the sentence must hold."""

    call: Callable[[Any], object]
    code: str
    says: str


class Subject(NamedTuple):
    make: Callable[[], Any]
    good: Callable[[Any], object]
    wrong: list[Wrong]
    empty: list[Callable[[Any], object]]


def one(*row: Any) -> Callable[[Any], object]:
    return lambda test: test.update(*row)


def many(*columns: Any) -> Callable[[Any], object]:
    return lambda test: test.update_many(*columns)


def counts(good: tuple[float, ...], column: int, value: Any, code: str, says: str) -> list[Wrong]:
    """A value in a column that cannot be: alone, and in the second of two rows."""
    row = (*good[:column], value, *good[column + 1 :])
    return [Wrong(one(*row), code, says), Wrong(many(*([g, w] for g, w in zip(good, row))), code, says)]


SHARES = (9, 900, 1, 100)
PROPORTIONS = [
    *counts(SHARES, 0, -1, COUNT, r"(bad_b\[1\] is -1|baseline has -1 bad of 900);"),
    *counts(SHARES, 2, -1, COUNT, r"(bad_c\[1\] is -1|canary has -1 bad of 100);"),
    *counts(SHARES, 0, 9.5, COUNT, r"bad_b(\[1\])? is 9\.5;"),
    *counts(SHARES, 3, 100.5, COUNT, r"total_c(\[1\])? is 100\.5;"),
    *counts(SHARES, 0, 901, COUNT, r"baseline has 901 bad of 900"),
    *counts(SHARES, 2, 101, COUNT, r"canary has 101 bad of 100"),
    *counts(SHARES, 3, ABOVE, COUNT, r"(total_c\[1\] is 9007199254740994|canary has 1 bad of 9007199254740994);"),
    *counts(SHARES, 3, float(ABOVE), COUNT, r"total_c(\[1\])? is 900719925474099[34]"),
    *counts(SHARES, 1, math.nan, COUNT, r"total_b(\[1\])? is nan;"),
    *counts(SHARES, 1, math.inf, COUNT, r"total_b(\[1\])? is inf;"),
    *(Wrong(one(value, 900, 1, 100), TYPE, "bad_b is ") for value in ("9", None, True, [9], 9j, np.array([1, 2]))),
    Wrong(one(10**30, 900, 1, 100), COUNT, "bad_b is 10{30};"),
    Wrong(many([1, 2], [10, 20, 30], 1, 100), LENGTH, "bad_b 2, total_b 3"),
    Wrong(many(["9"], 900, 1, 100), TYPE, "bad_b"),
    Wrong(many(None, 900, 1, 100), TYPE, "bad_b is None"),
]
EXPOSED = (9, 9.5, 1, 1.0)
RATES = [
    *counts(EXPOSED, 0, -1, COUNT, r"(events_b\[1\] is -1|baseline has -1 events);"),
    *counts(EXPOSED, 2, 0.5, COUNT, r"events_c(\[1\])? is 0\.5;"),
    *counts(EXPOSED, 2, ABOVE, COUNT, r"(events_c\[1\] is 9007199254740994|canary has 9007199254740994 events);"),
    *counts(EXPOSED, 1, -9.5, RANGE, r"(exposure_b\[1\] is -9\.5|baseline has an exposure of -9\.5)"),
    *counts(EXPOSED, 1, math.nan, RANGE, r"(exposure_b\[1\] is nan|baseline has an exposure of nan)"),
    *counts(EXPOSED, 3, math.inf, RANGE, r"(exposure_c\[1\] is inf|canary has an exposure of inf)"),
    *counts(EXPOSED, 3, 0.0, RANGE, r"(exposure_c\[1\] is 0 with 1 events|canary has 1 events in an exposure of 0)"),
    *(Wrong(one(9, value, 1, 1.0), TYPE, "exposure_b is ") for value in ("9", None, True, [9.5])),
    Wrong(one(9, 10**400, 1, 1.0), RANGE, "exposure_b is "),
    Wrong(many([1, 2], [10, 20, 30], 1, 100), LENGTH, "events_b 2, exposure_b 3"),
]
VALUES = [
    Wrong(one("1", [2.0]), TYPE, "values_b is '1'"),
    Wrong(one(None, [2.0]), TYPE, "values_b is None"),
    Wrong(one([[1.0]], [2.0]), TYPE, r"values_b has shape \(1, 1\)"),
    Wrong(one([1.0], [1.0, "2"]), TYPE, "values_c"),
    Wrong(one([1.0], [1.0, 2j]), TYPE, "values_c"),
    Wrong(many([1.0, 2.0], [1.0]), LENGTH, "values_b has 2 intervals, values_c 1"),
]
ROWS = [
    *VALUES,
    Wrong(many([[1.0, 2.0], [3.0]], [[1.0], [2.0]]), LENGTH, r"values_b\[1\] has the length 1, values_b\[0\] 2;"),
    Wrong(many([[1.0], [2.0]], [[1.0], 2.0, [3.0, 4.0]]), LENGTH, r"values_c\[2\] has the length 2, values_c\[0\] 1;"),
    Wrong(many([[1.0, [2.0]], [3.0, 4.0]], [[1.0], [2.0]]), TYPE, "values_b is "),
    Wrong(many([["a"]], [[1.0]]), TYPE, "values_b has dtype <U1; allowed: numbers"),
]
GAUGES = [
    Wrong(one("1"), TYPE, 'difference is "1"'),
    Wrong(one(None), TYPE, "difference is None"),
    Wrong(many("12"), TYPE, "differences is "),
    Wrong(many([[1.0]]), TYPE, r"differences has shape \(1, 1\)"),
]
BASELINE, CANARY = [90.0, 95.0, 101.0, 80.0], [110.0, 104.0, 99.0]


def merged(**options: Any) -> Callable[[Any], object]:
    return lambda test: test.merge(type(test)(**options))


def not_merged(kind: str) -> list[Wrong]:
    return [
        Wrong(merged(alpha=0.02), "serinus.state.options", r"has alpha 0\.02; allowed: 0\.0[15], as this one has"),
        Wrong(lambda test: test.merge(5), TYPE, f"other is 5; allowed: a {kind}"),
    ]


def begun(test: Any) -> StartMixture:
    mixture = StartMixture(test)
    mixture.begin(start_weight(0))
    return mixture


def buckets(bounds: Any, b: Any, c: Any) -> Callable[[Any], object]:
    return lambda test: test.update_buckets(bounds, b, c)


SUBJECTS: dict[str, Subject] = {
    "ProportionTest": Subject(
        lambda: ProportionTest(margin={"ratio": 1.5}),
        one(*SHARES),
        [*PROPORTIONS, *not_merged("ProportionTest")],
        [one(0, 0, 1, 100), one(9, 900, 0, 0), many(0, [0, 0], 1, 100), many([], [], [], [])],
    ),
    "ProportionTest block": Subject(
        lambda: ProportionTest(margin={"difference": 0.01}), one(*SHARES), PROPORTIONS, [one(0, 0, 1, 100)]
    ),
    "RateTest": Subject(
        lambda: RateTest(margin={"ratio": 1.5}),
        one(*EXPOSED),
        [*RATES, *not_merged("RateTest")],
        [one(0, 0.0, 1, 1.0), one(9, 9.5, 0, 0), many(0, [0.0, 0.0], 1, 1.0)],
    ),
    "SampleRatioTest": Subject(
        lambda: SampleRatioTest([0.9, 0.1]),
        one([900, 101]),
        [
            Wrong(one([900, -1]), COUNT, "-1"),
            Wrong(one([900, 0.5]), COUNT, r"counts\[1\] is 0\.5"),
            Wrong(one([ABOVE, 1]), COUNT, "9007199254740994"),
            Wrong(one([1, 2, 3]), LENGTH, "3"),
            Wrong(one(5), TYPE, "counts is 5"),
            Wrong(one("12"), TYPE, 'counts is "12"'),
            Wrong(many([[900, 100], [900, -7]]), COUNT, "is -7"),
            Wrong(many([900, 100]), LENGTH, r"counts has shape \(2,\)"),
            Wrong(lambda test: test.share(2), RANGE, "arm is 2; allowed: 0 to 1"),
            Wrong(lambda test: test.share(-1), RANGE, "arm is -1; allowed: 0 to 1"),
            Wrong(lambda test: test.share("a"), RANGE, 'arm is "a"; allowed: 0 to 1'),
            Wrong(lambda test: test.merge(5), TYPE, "other is 5"),
            Wrong(lambda test: test.merge(SampleRatioTest([0.8, 0.2])), "serinus.state.options", r"shares\[0\] 0\.8"),
        ],
        [one([0, 0]), many([[0, 0]])],
    ),
    "SilenceTest": Subject(
        SilenceTest,
        one(900, 101, 0.1),
        [
            Wrong(one(900, -1, 0.1), COUNT, "canary is -1"),
            Wrong(one(0.5, 1, 0.1), COUNT, r"baseline is 0\.5"),
            Wrong(one(ABOVE, 1, 0.1), COUNT, "9007199254740994"),
            Wrong(one(900, 101, 0), RANGE, "share is 0"),
            Wrong(one(900, 101, math.nan), RANGE, "share is nan"),
            Wrong(one(900, 101, "x"), TYPE, 'share is "x"'),
            Wrong(many([900, 900], [100, -7], 0.1), COUNT, "is -7"),
            Wrong(many([900, 900], [100], 0.1), LENGTH, "baseline has 2 intervals, canary 1"),
            Wrong(many([900, 900], [100, 1], [0.1, 0.1, 0.1]), LENGTH, "shares has 3 intervals, baseline 2"),
        ],
        [one(0, 0, 0.1), many([0], [0], 0.1)],
    ),
    "ThresholdTest": Subject(
        lambda: ThresholdTest(100.0, margin={"ratio": 1.05}),
        one(BASELINE, CANARY),
        [
            *(w for w in VALUES if "intervals" not in w.says),
            Wrong(many([[1.0], [2.0]], [[1.0]]), LENGTH, "values_b has 2 intervals, values_c 1"),
            Wrong(buckets([50, 100, 200], [3, 5, 2, 1], [3, -1, 2, 1]), COUNT, r"counts_c\[1\] is -1;"),
            Wrong(buckets([50, 100, 200], [3, 5, 2.5, 1], [3, 1, 2, 1]), COUNT, r"counts_b\[2\] is 2\.5;"),
            Wrong(buckets([50, 100, 200], [3, 5, 2, ABOVE], [3, 1, 2, 1]), COUNT, r"counts_b\[3\] is 9007199254740994;"),
            Wrong(buckets([50, 100, 200], [MOST, 0, 0, 1], [3, 1, 2, 1]), COUNT, r"baseline\[3\] is 1;"),
            Wrong(buckets([50, 100, 200], [3, 5], [3, 1, 2, 1]), LENGTH, "baseline has 2 counts for 3 bounds"),
            Wrong(buckets([50, 50, 200], [3, 5, 1], [3, 1, 2]), RANGE, r"bounds\[1\] is 50;"),
            Wrong(buckets([50, math.nan, 200], [3, 5, 1], [3, 1, 2]), RANGE, r"bounds\[1\] is nan;"),
            Wrong(buckets("abc", [3, 5, 1], [3, 1, 2]), TYPE, "bounds is "),
            Wrong(many([[1.0]], [[1.0], "x"]), TYPE, r"values_c\[1\] is"),
            Wrong(lambda test: test.merge(5), TYPE, "other is 5; allowed: a ThresholdTest"),
            Wrong(lambda test: test.merge(ThresholdTest(101.0)), "serinus.state.options", "threshold 101; allowed: 100"),
        ],
        [
            one([], CANARY),
            one(BASELINE, [math.nan]),
            many([[], []], [[], CANARY]),
            buckets([50, 100, 200], [0, 0, 0, 0], [1, 2, 3, 4]),
        ],
    ),
    "MeanTest": Subject(
        lambda: MeanTest(),
        one(BASELINE, CANARY),
        [
            *ROWS,
            Wrong(one(1.0, math.inf), "serinus.argument.infinite", "canary holds an infinite value"),
            Wrong(many([1.0, 2.0], [1.0, -math.inf]), "serinus.argument.infinite", "canary holds an infinite value"),
            Wrong(one([1.0, 2.0], 1e300), RANGE, "canary holds a value more than 1e75 times"),
            Wrong(lambda test: test.update_moments((4, 1, 2), (-1, 1, 2)), COUNT, "canary.n is -1"),
            Wrong(lambda test: test.update_moments((4, 1, 2), (1.5, 1, 2)), COUNT, r"canary.n is 1\.5"),
            Wrong(lambda test: test.update_moments((ABOVE, 1, 2), (4, 1, 2)), COUNT, "baseline.n is 9007199254740994"),
            Wrong(lambda test: test.update_moments((4, math.nan, 2), (4, 1, 2)), RANGE, "baseline.mean is nan"),
            Wrong(lambda test: test.update_moments((4, 1, -2), (4, 1, 2)), RANGE, "baseline.squares is -2"),
            Wrong(lambda test: test.update_moments((4, 1), (4, 1, 2)), TYPE, r"baseline is \(4, 1\)"),
            *not_merged("MeanTest"),
        ],
        [one([], [math.nan]), many([], []), lambda test: test.update_moments((0, 0, 0), (0, 5, 0))],
    ),
    "QuantileTest": Subject(
        lambda: QuantileTest(0.5),
        one(BASELINE, CANARY),
        [
            *ROWS,
            *not_merged("QuantileTest"),
            Wrong(lambda test: test.interval("left"), WORD, 'arm is "left"; allowed: baseline, canary'),
            Wrong(lambda test: test.interval(1), TYPE, "arm is 1"),
        ],
        [one([], [math.nan]), many([], [])],
    ),
    "DistributionBand": Subject(
        lambda: DistributionBand(from_size=5),
        one(BASELINE, CANARY),
        [
            *ROWS,
            *not_merged("DistributionBand"),
            Wrong(lambda band: band.cdf("left", [1.0]), WORD, 'arm is "left"'),
            Wrong(lambda band: band.half_width("left"), WORD, 'arm is "left"'),
            Wrong(lambda band: band.cdf("canary", "x"), TYPE, "x is "),
        ],
        [one([], [math.nan]), many([], [])],
    ),
    "RotationTest": Subject(
        lambda: RotationTest(last=30),
        one(BASELINE, CANARY),
        [
            *ROWS,
            Wrong(one(1.0, math.inf), "serinus.argument.infinite", "canary holds an infinite value"),
            Wrong(many([1.0, 2.0], [1.0, -math.inf]), "serinus.argument.infinite", "canary holds an infinite value"),
            Wrong(one([1.0, 2.0], 1e300), RANGE, r"canary is 1e\+300; allowed: at most 1e150"),
            Wrong(lambda test: test.set_known(5), TYPE, "known is 5"),
            Wrong(lambda test: test.set_known({}), TYPE, "known.looks is missing"),
            Wrong(lambda test: test.set_known(instance_spread(31)), RANGE, "known.looks are others"),
            Wrong(lambda test: test.set_known({**instance_spread(30), "gram": "x"}), TYPE, "known.gram is "),
            Wrong(lambda test: test.set_known({**instance_spread(30), "looks": "x"}), TYPE, "known.looks is "),
            Wrong(lambda test: test.set_known({**instance_spread(30), "gram": [1.0]}), LENGTH, "known.gram has 1 "),
            Wrong(lambda test: test.set_known({**instance_spread(30), "degrees": 0.5}), COUNT, r"known.degrees is 0\.5"),
        ],
        [one([], CANARY), one(BASELINE, [math.nan]), one(BASELINE, [0.0, -1.0]), many([], [])],
    ),
    "PairedTest": Subject(
        lambda: PairedTest(margin={"difference": 0.1}, noise=NOISE),
        one(0.7),
        [
            *GAUGES,
            Wrong(one(1.0, 0.0), RANGE, "variance is 0;"),
            Wrong(one(1.0, math.nan), RANGE, "variance is nan;"),
            Wrong(one(1.0, "a"), TYPE, 'variance is "a";'),
            Wrong(lambda test: test.update_pair("a", 1.0), TYPE, 'baseline is "a"'),
            Wrong(lambda test: test.update_pair(1.0, 1.0, -1), RANGE, "instances_baseline is -1"),
            Wrong(lambda test: test.update_pair(1.0, 1.0, 1, math.nan), RANGE, "instances_canary is nan"),
        ],
        [one(math.nan), many([math.nan, math.nan]), lambda test: test.update_pair(math.inf, math.inf)],
    ),
    "PairedTest ratio": Subject(
        lambda: PairedTest(margin={"ratio": 1.1}, noise=LOGARITHMS),
        lambda test: test.update_pair(100.0, 108.0),
        [Wrong(one(1.0), MARGIN, "margin is a ratio"), Wrong(many([1.0]), MARGIN, "margin is a ratio")],
        [lambda test: test.update_pair(math.nan, 1.0)],
    ),
    "SignedRankTest": Subject(lambda: SignedRankTest(harm="either"), one(0.7), GAUGES, [one(math.nan)]),
    "StartMixture": Subject(
        lambda: begun(ProportionTest(margin={"ratio": 1.5})),
        one(*SHARES),
        [
            *PROPORTIONS,
            *(Wrong(lambda test, w=w: test.begin(w), RANGE, "weight is ") for w in (0, -0.1, math.nan, 0.34)),  # type: ignore[misc]
            Wrong(lambda test: test.begin("much"), TYPE, 'weight is "much"'),
        ],
        [one(0, 0, 1, 100)],
    ),
    "StartMixture of rates": Subject(
        lambda: begun(RateTest(margin={"ratio": 1.5})), one(*EXPOSED), RATES, [one(0, 0.0, 1, 1.0)]
    ),
    "StartMixture of gauges": Subject(
        lambda: begun(PairedTest(noise=NOISE)), one(0.7), GAUGES, [one(math.nan)]
    ),
    # An interval without information is one all the same to a detector: its ARL is in intervals.
    "ChangeDetector": Subject(lambda: ChangeDetector(ProportionTest(), run_length=100), one(*SHARES), PROPORTIONS, []),
    "ChangeDetector of rates": Subject(lambda: ChangeDetector(RateTest(), run_length=100), one(*EXPOSED), RATES, []),
    "ChangeDetector of gauges": Subject(
        lambda: ChangeDetector(PairedTest(noise=NOISE), run_length=100), one(0.7), GAUGES, []
    ),
}


@pytest.mark.parametrize(
    ("made", "takes"),
    [
        (ChangeDetector(ProportionTest()), "ProportionTest takes bad_b, total_b, bad_c, total_c"),
        (ChangeDetector(RateTest()), "RateTest takes events_b, exposure_b, events_c, exposure_c"),
        (StartMixture(PairedTest(noise=NOISE)), "PairedTest takes a difference"),
    ],
)
def test_another_number_of_arguments_is_said_plainly(made: ChangeDetector | StartMixture, takes: str) -> None:
    for interval in ((), (1, 2), (1, 2, 3, 4, 5)):
        with pytest.raises(TypeError) as raised:
            made.update(*interval)
        assert str(raised.value) == f"update of a {takes}; {len(interval)} arguments were given"


def refused(wrong: Wrong, *arguments: Any) -> None:
    with pytest.raises(serinus.Error) as raised:
        wrong.call(*arguments)
    assert raised.value.code == wrong.code, raised.value
    assert re.search(wrong.says, str(raised.value)), raised.value
    assert "; allowed: " in str(raised.value)


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_cannot_be_is_refused_and_changes_nothing(name: str) -> None:
    subject = SUBJECTS[name]
    test = subject.make()
    for seen in range(3):
        before = test.state()
        for wrong in subject.wrong:
            refused(wrong, test)
            assert test.state() == before, wrong.says
        for empty in subject.empty:
            empty(test)
            assert test.state() == before
        subject.good(test)
        assert test.state() != before, seen


@pytest.mark.parametrize("name", SUBJECTS)
def test_broken_states_are_refused_and_change_nothing(name: str) -> None:
    subject = SUBJECTS[name]
    test = subject.make()
    subject.good(test)
    good = test.state()

    def stays(state: Any, codes: str, says: str = ".") -> None:
        with pytest.raises(serinus.Error, match=says) as raised:
            test.restore(state)
        assert re.fullmatch(codes, raised.value.code), raised.value
        assert test.state() == good

    for length in range(len(good)):
        stays(good[:length], "serinus.state.damaged")
    stays(good + b"\0", "serinus.state.damaged")
    for at in range(len(good)):
        changed = bytearray(good)
        changed[at] ^= 1 << (at % 8)
        stays(bytes(changed), r"serinus\.state\.(damaged|kind|version)")
    stays(good[:8] + b"\x63" + good[9:], "serinus.state.version", "version is 99; allowed: ")
    for value in (None, 5, "text", [1, 2]):
        stays(value, "serinus.argument.type", "state is ")
    for other, theirs in SUBJECTS.items():
        if other != name:
            strange = theirs.make()
            theirs.good(strange)
            stays(strange.state(), r"serinus\.state\.(kind|options|invariant|damaged|version)")


# ---- options

ALPHA = [(value, RANGE, f"alpha is {value:g}".replace("nan", "nan")) for value in (0, 1, -0.5, 1.5, math.nan, math.inf)]
SIDES: dict[str, Any] = {
    "ProportionTest": ProportionTest,
    "RateTest": RateTest,
    "ThresholdTest": lambda **options: ThresholdTest(100.0, **options),
    "MeanTest": MeanTest,
    "QuantileTest": QuantileTest,
    "PairedTest": PairedTest,
    "RotationTest": RotationTest,
    "SignedRankTest": SignedRankTest,
    "DistributionBand": DistributionBand,
}
OPTIONS: list[tuple[dict[str, Any], str, str]] = [
    *(({"alpha": value}, code, says) for value, code, says in ALPHA),
    ({"alpha": "much"}, TYPE, 'alpha is "much"'),
    ({"alpha": None}, TYPE, "alpha is None"),
    ({"alpha": 1.0000001}, RANGE, r"alpha is 1\.0000001"),
    ({"harm": "up"}, WORD, 'harm is "up"; allowed: increase, decrease, either'),
    ({"harm": 1}, TYPE, "harm is 1"),
    ({"margin": {"ratio": 0.5}}, MARGIN, r"margin.*0\.5"),
    ({"margin": {"ratio": 1001}}, MARGIN, "margin.*1001"),
    ({"margin": {"ratio": math.nan}}, MARGIN, "margin.*nan"),
    ({"margin": {"ratio": math.inf}}, MARGIN, "margin.*inf"),
    ({"margin": {"difference": -1}}, MARGIN, "margin.*-1"),
    ({"margin": {"difference": math.inf}}, MARGIN, "margin.*inf"),
    ({"margin": {"difference": math.nan}}, MARGIN, "margin.*nan"),
    ({"margin": {"ratio": 2.0, "difference": 0.1}}, MARGIN, "margin has both a ratio and a difference"),
    ({"margin": {}}, MARGIN, "margin has neither a ratio nor a difference"),
    ({"margin": {"factor": 2.0}}, MARGIN, "margin is .*factor"),
    ({"margin": {"ratio": "2"}}, MARGIN, "margin is .*2"),
    ({"margin": 5}, MARGIN, "margin is 5"),
    ({"margin": "2"}, MARGIN, 'margin is "2"'),
]
HALVES: list[tuple[dict[str, Any], str, str]] = [
    ({"alpha_safe": 0}, RANGE, "alpha_safe is 0"),
    ({"alpha_safe": math.nan}, RANGE, "alpha_safe is nan"),
    ({"alpha_safe": "x"}, TYPE, 'alpha_safe is "x"'),
    ({"side": "left"}, WORD, 'side is "left"; allowed: harm, safe'),
]
NOISES: list[tuple[dict[str, Any], str, str]] = [
    ({"dispersion": 0.99999}, RANGE, r"dispersion is 0\.99999"),
    ({"dispersion": math.inf}, RANGE, "dispersion is inf"),
    ({"dispersion": math.nan}, RANGE, "dispersion is nan"),
    ({"dispersion": "x"}, TYPE, 'dispersion is "x"'),
]
PLANS: list[tuple[dict[str, Any], str, str]] = [
    ({"noise": {"dispersion": 0.5}}, RANGE, r"dispersion is 0\.5"),
    ({"noise": {"dispersion": 2.0}, "dispersion": 2.0}, WORD, "noise is "),
    ({"noise": {"variance": 2.0}}, WORD, "noise is .*variance"),
    ({"noise": 5}, WORD, "noise is 5"),
]


@pytest.mark.parametrize("name", SIDES)
def test_impossible_options_are_named(name: str) -> None:
    cases = list(OPTIONS)
    if name != "DistributionBand":
        cases += HALVES
        if name not in ("PairedTest", "RotationTest", "SignedRankTest"):
            cases += NOISES
    if name in ("ProportionTest", "RateTest", "ThresholdTest"):
        cases += PLANS
    for options, code, says in cases:
        refused(Wrong(lambda options=options: SIDES[name](**options), code, says))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (lambda: ProportionTest(margin={"difference": 0.01}, method="conditional"), MARGIN, r"difference of 0\.01.*block"),
        (lambda: ProportionTest(margin={"difference": 1}), MARGIN, "margin.difference is 1; allowed: 0 or more, below 1"),
        (lambda: ProportionTest(method="fisher"), WORD, 'method is "fisher"'),
        (lambda: RateTest(margin={"difference": 0.01}), MARGIN, r"difference of 0\.01; allowed: a ratio"),
        (lambda: SignedRankTest(margin={"ratio": 1.5}), MARGIN, r"ratio of 1\.5; allowed: a difference"),
        (lambda: ThresholdTest(math.nan), RANGE, "threshold is nan"),
        (lambda: ThresholdTest("x"), TYPE, 'threshold is "x"'),  # type: ignore[arg-type]
        (lambda: ThresholdTest(-5, margin={"ratio": 1.1}), RANGE, "threshold is -5; allowed: above 0 where"),
        (lambda: QuantileTest(0), RANGE, "q is 0"),
        (lambda: QuantileTest(1), RANGE, "q is 1"),
        (lambda: QuantileTest(math.nan), RANGE, "q is nan"),
        (lambda: QuantileTest("p95"), TYPE, 'q is "p95"'),  # type: ignore[arg-type]
        (lambda: QuantileTest(tuned_at=0), RANGE, "tuned_at is 0"),
        (lambda: MeanTest(gate=0), RANGE, "gate is 0"),
        (lambda: MeanTest(tuned_at=math.inf), RANGE, "tuned_at is inf"),
        (lambda: DistributionBand(from_size=0.5), RANGE, r"from_size is 0\.5"),
        (lambda: PairedTest(noise="guess"), WORD, "noise is 'guess'"),  # type: ignore[arg-type]
        (lambda: PairedTest(noise=5), TYPE, "noise is 5"),  # type: ignore[arg-type]
        (lambda: PairedTest(noise={**NOISE, "size": "x"}), TYPE, 'noise.size is "x"'),
        (lambda: PairedTest(noise={**NOISE, "long_run_variance": -1.0}), RANGE, "noise.long_run_variance is -1"),
        (lambda: PairedTest(noise={}), WORD, "noise.* is missing"),
        (lambda: RotationTest(last=0), RANGE, "last is 0"),
        (lambda: RotationTest(last=1.5), COUNT, r"last is 1\.5"),  # type: ignore[arg-type]
        (lambda: RotationTest(last="long"), TYPE, 'last is "long"'),  # type: ignore[arg-type]
        (lambda: RotationTest(last=30, since=31), RANGE, "since is 31"),
        (lambda: RotationTest(seed=-1), COUNT, "seed is -1"),
        (lambda: RotationTest(instances_differ=0), RANGE, "instances_differ is 0"),
        (lambda: RotationTest(instances_differ="x"), TYPE, 'instances_differ is "x"'),  # type: ignore[arg-type]
        (lambda: RotationTest(zero=-1), RANGE, "zero is -1"),
        (lambda: RotationTest(alpha=1e-5), RANGE, "alpha is 1e-05; allowed: 1/16384 or more"),
        (lambda: RotationTest(known=instance_spread(30)), RANGE, "known.looks are others than those of last = 120"),
        (lambda: instance_spread(30, [[1.0, 2.0]]), TYPE, r"former\[0\] is no table of numbers"),  # type: ignore[list-item]
        (lambda: instance_spread(30, history="x"), TYPE, "history is no table of numbers"),  # type: ignore[arg-type]
        (lambda: instance_spread(30, [[[1.0, math.inf]]]), "serinus.argument.infinite", "values holds an infinite value"),
        (lambda: PairedTest(noise=LOGARITHMS), "serinus.argument.noise", 'noise.unit is "log"'),
        (lambda: PairedTest(margin={"ratio": 1.1}, noise=NOISE), "serinus.argument.noise", 'noise.unit is "own"'),
        (lambda: PairedTest(noise={**NOISE, "unit": "metre"}), WORD, "noise.unit is "),
        (lambda: SampleRatioTest([1.0]), LENGTH, "shares has 1 elements"),
        (lambda: SampleRatioTest([0.5, 0.6]), RANGE, "share"),
        (lambda: SampleRatioTest([0.0, 1.0]), RANGE, "share"),
        (lambda: SampleRatioTest([0.5, math.nan]), RANGE, "share"),
        (lambda: SampleRatioTest("ab"), TYPE, "shares is "),  # type: ignore[arg-type]
        (lambda: SampleRatioTest([0.5, 0.5], alpha=0), RANGE, "alpha is 0"),
        (lambda: SampleRatioTest([0.5, 0.5], tolerance=1), RANGE, "tolerance is 1"),
        (lambda: SampleRatioTest([0.5, 0.5], concentration=0), RANGE, "concentration is 0"),
        (lambda: SampleRatioTest([0.5, 0.5], dispersion=0.5), RANGE, r"dispersion is 0\.5"),
        (lambda: SilenceTest(alpha=0), RANGE, "alpha is 0"),
        (lambda: SilenceTest(tolerance=1), RANGE, "tolerance is 1"),
        (lambda: SilenceTest(dispersion=0.5), RANGE, r"dispersion is 0\.5"),
        (lambda: ChangeDetector(RateTest(), run_length=0.5), RANGE, r"run_length is 0\.5"),
        (lambda: ChangeDetector(RateTest(), run_length=math.nan), RANGE, "run_length is nan"),
        (lambda: ChangeDetector(RateTest(), run_length="long"), TYPE, 'run_length is "long"'),  # type: ignore[arg-type]
        (lambda: ChangeDetector(RateTest(), interval_seconds=0), RANGE, "interval_seconds is 0"),
        (lambda: ChangeDetector(RateTest(side="safe")), WORD, '"safe"'),
        (lambda: ChangeDetector(MeanTest()), TYPE, "test is MeanTest"),  # type: ignore[arg-type]
        (lambda: StartMixture(MeanTest()), TYPE, "test is MeanTest"),  # type: ignore[arg-type]
        (lambda: StartMixture(RateTest()).update(1, 1, 1, 1), RANGE, "no start yet"),
        (lambda: start_weight(-1), COUNT, "j is -1"),
        (lambda: start_weight(0.5), COUNT, r"j is 0\.5"),  # type: ignore[arg-type]
    ],
)
def test_options_of_one_test_are_named(call: Any, code: str, says: str) -> None:
    refused(Wrong(call, code, says))


# ---- functions without a memory

BOUNDARIES: dict[str, tuple[Any, ...]] = {
    "normal_mixture": (10, 0.05, 100),
    "gamma_exponential": (10, 0.05, 100, 0.5),
    "gamma_poisson": (10, 0.05, 100, 1),
    "beta_binomial": (10, 0.05, 100, 0.5, 0.5),
    "poly_stitching": (10, 0.05, 1),
}


@pytest.mark.parametrize("name", BOUNDARIES)
def test_boundaries_say_what_is_wrong(name: str) -> None:
    call, good = getattr(sequential, name), BOUNDARIES[name]
    assert math.isfinite(call(*good))
    for alpha in (0, 1, -0.5, 1.5, math.nan):
        refused(Wrong(lambda alpha=alpha: call(good[0], alpha, *good[2:]), RANGE, f"alpha is {alpha:g}"))  # type: ignore[misc]
    for v in (-1, math.nan):
        refused(Wrong(lambda v=v: call(v, *good[1:]), RANGE, f"v is {v:g}"))  # type: ignore[misc]
    for tuned_at in (0, -1, math.nan):
        tuned = "from_time" if name == "poly_stitching" else "tuned_at"
        refused(Wrong(lambda tuned_at=tuned_at: call(*good[:2], tuned_at, *good[3:]), RANGE, f"{tuned} is {tuned_at:g}"))  # type: ignore[misc]
        refused(Wrong(lambda: call(*good[:2], "much", *good[3:]), TYPE, f'{tuned} is "much"'))
    refused(Wrong(lambda: call("x", *good[1:]), TYPE, "v is 'x'"))
    if name != "poly_stitching":
        refused(Wrong(lambda: call(*good, tuned_alpha=0.5), RANGE, r"tuned_alpha is 0\.5"))
        refused(Wrong(lambda: call(*good, tuned_alpha=math.nan), RANGE, "tuned_alpha is nan"))
        log = getattr(sequential, f"log_{name}")
        refused(Wrong(lambda: log(1, -1, *good[2:]), RANGE, "v is -1"))
        refused(Wrong(lambda: log(None, 1, *good[2:]), TYPE, "s is None"))


@pytest.mark.parametrize(
    ("call", "code", "says"),
    [
        (lambda: sequential.bernoulli_confidence_interval(3, 2, 0.05, 100), RANGE, "successes is 3"),
        (lambda: sequential.bernoulli_confidence_interval(-1, 2, 0.05, 100), RANGE, "successes is -1"),
        (lambda: sequential.bernoulli_confidence_interval(1, math.nan, 0.05, 100), RANGE, "trials is nan"),
        (lambda: sequential.bernoulli_confidence_interval(1, 2, 1, 100), RANGE, "alpha is 1"),
        (lambda: sequential.bernoulli_confidence_interval(1, 2, 0.05, 0), RANGE, "tuned_at is 0"),
        (lambda: sequential.double_stitching_bound(0, 10, 0.05, 100), RANGE, "quantile_p is 0"),
        (lambda: sequential.double_stitching_bound(0.5, 10, 0, 100), RANGE, "alpha is 0"),
        (lambda: sequential.empirical_process_lil_bound(10, 0, 100), RANGE, "alpha is 0"),
        (lambda: sequential.empirical_process_lil_bound(10, 0.05, 0), RANGE, "from_size is 0"),
        (lambda: sequential.empirical_process_lil_bound(10, 0.05, 100, A=0.5), RANGE, r"A is 0\.5"),
        (lambda: sequential.quantile_ab_log_e_value([1.0], [1.0], 0), RANGE, "q is 0"),
        (lambda: sequential.quantile_ab_log_e_value("x", [1.0], 0.5), TYPE, "baseline is "),
        (lambda: sequential.group_sequential([], 0.05, "pocock"), LENGTH, "information"),
        (lambda: sequential.group_sequential([0.5, 0.5], 0.05, "pocock"), RANGE, r"information\[1\] is 0\.5"),
        (lambda: sequential.group_sequential([math.nan], 0.05, "pocock"), RANGE, r"information\[0\] is nan"),
        (lambda: sequential.group_sequential([0, 1], 0.05, "pocock"), RANGE, r"information\[0\] is 0"),
        (lambda: sequential.group_sequential([1], 0, "pocock"), RANGE, "alpha is 0"),
        (lambda: sequential.group_sequential([1], 1, "pocock"), RANGE, "alpha is 1"),
        (lambda: sequential.group_sequential([1], math.nan, "pocock"), RANGE, "alpha is nan"),
        (lambda: sequential.group_sequential([1], "x", "pocock"), TYPE, 'alpha is "x"'),  # type: ignore[arg-type]
        (lambda: sequential.group_sequential([1], 0.05, "haybittle"), WORD, 'spending is "haybittle"'),  # type: ignore[arg-type]
        (lambda: sequential.group_sequential([1], 0.05, "pocock", parameter=2.0), RANGE, "parameter is 2"),
        (lambda: sequential.group_sequential([1], 0.05, "kim_demets", parameter=0), RANGE, "parameter is 0"),
        (lambda: sequential.group_sequential([1], 0.05, "pocock", sided=3), RANGE, "sided is 3; allowed: 1 or 2"),  # type: ignore[arg-type]
        (lambda: sequential.crossing_probabilities([0.5, 1], [2], 0), LENGTH, "bounds has 1 looks"),
        (lambda: sequential.crossing_probabilities([1], [2], math.nan), RANGE, "drift is nan"),
        (lambda: sequential.crossing_probabilities([1], [math.nan], 0), RANGE, r"bounds\[0\] is nan"),
        (lambda: sequential.combine([1, math.nan]), "serinus.argument.nan", r"log_e_values\[1\] is NaN"),
        (lambda: sequential.combine([1, 2], [-1, 1]), RANGE, r"weights\[0\] is -1"),
        (lambda: sequential.combine([1, 2], [math.nan, 1]), RANGE, r"weights\[0\] is nan"),
        (lambda: sequential.combine([1, 2], [0, 0]), RANGE, "weights are all 0"),
        (lambda: sequential.combine([1, 2], [1]), LENGTH, "weights has 1 elements"),
        (lambda: sequential.combine([1, 2], method="fisher"), WORD, 'method is "fisher"'),  # type: ignore[arg-type]
        (lambda: sequential.combine("x"), TYPE, "log_e_values is "),
        (lambda: sequential.count_dispersion([-1], 1, [1], 1), COUNT, r"events_b\[0\] is -1"),
        (lambda: sequential.count_dispersion([1], math.nan, [1], 1), RANGE, r"exposure_b\[0\] is nan"),
        (lambda: sequential.paired_noise("x"), TYPE, "differences is "),
        (lambda: sequential.paired_noise([1.0, math.inf]), "serinus.argument.infinite", "differences"),
    ],
)
def test_functions_say_what_is_wrong(call: Any, code: str, says: str) -> None:
    refused(Wrong(call, code, says))


# ---- edges that are allowed


def test_counts_of_two_to_the_fifty_third_are_counts() -> None:
    proportion = ProportionTest()
    proportion.update(0, MOST, MOST, MOST)
    assert proportion.decided
    rate = RateTest()
    rate.update_many([0], [1.0], [MOST], [1.0])
    assert rate.decided
    split = SampleRatioTest([0.5, 0.5])
    split.update([0, MOST])
    assert split.decided
    threshold = ThresholdTest(1.0)
    threshold.update_buckets([1.0], [MOST, 0], [0, MOST])
    assert threshold.decided
    for test in (proportion, rate, split, threshold):
        evidence = test.evidence()
        assert evidence.lower <= evidence.upper
        assert math.isfinite(evidence.log_e_value)


def test_a_zero_margin_cannot_be_ruled_out() -> None:
    def plan(**metric: Any) -> dict[str, Any]:
        return {
            "name": "p",
            "interval": "10s",
            "stages": [{"traffic": 0.1, "min": "1m"}],
            "metrics": [
                {"name": "errors", "kind": "proportion", "bad": "b", "total": "t", "harm": "increase", **metric}
            ],
        }

    serinus.Plan(plan(margin={"ratio": 1.5}, promote_when="harm_ruled_out"))
    for margin in ({"ratio": 1}, {"ratio": 1.0}, {"difference": 0}):
        with pytest.raises(serinus.Error, match="margin") as raised:
            serinus.Plan(plan(margin=margin, promote_when="harm_ruled_out", detect={"ratio": 2.0}))
        assert raised.value.code == "serinus.plan.value"
        assert "harm_ruled_out" in str(raised.value)
