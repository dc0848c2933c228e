"""Tests and boundaries for who looks again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from harness import Contender, Missing, Row, Tools, python
from numpy.typing import NDArray
from serinus import sequential

# Each may be missing: see `peer`.
try:
    import confseq.boundaries as confseq
    import confseq.quantiles as quantiles
except ImportError:
    confseq = quantiles = None
try:
    import savvi.multinomial as savvi
except ImportError:
    savvi = None

NOT_THERE = {
    "confseq": "did not build here (`install_confseq` of `./dev`)",
    "savvi": "not installed: needs Python 3.11 or later",
}
BOUNDARIES_ONLY = "has no such test of two arms"
EXPECTATION = Missing("expectation", "its releases are for Python 3.12 and later")
AVINF = Missing("avinf", "its releases are for Python 3.12 and later")

Work = Callable[..., object]
POINTS = 1000


def peer(name: str, module: Any, work: Callable[[], Contender]) -> Contender | Missing:
    return work() if module else Missing(name, NOT_THERE[name])


def times() -> NDArray[np.float64]:
    return np.geomspace(1.0, 1e6, POINTS)


def proportions() -> list[tuple[float, float]]:
    """1 to 50 % of 20 to 2,000."""
    random = np.random.default_rng(1)
    totals = random.integers(20, 2000, 300)
    return [(float(int(n * share)), float(n)) for n, share in zip(totals, [0.01, 0.1, 0.5] * 100)]


def harmful(intervals: int) -> NDArray[np.int64]:
    """A row an interval: some 900 requests of which 1 % fail, some 100 of which 5 % do."""
    random = np.random.default_rng(2)
    n_b, n_c = random.integers(880, 920, intervals), random.integers(95, 105, intervals)
    return np.column_stack([random.binomial(n_b, 0.01), n_b, random.binomial(n_c, 0.05), n_c]).astype(np.int64)


def boundary(tools: Tools, entry: str, ours: Work, theirs: Work) -> Callable[[], Sequence[Contender | Missing]]:
    def make() -> Sequence[Contender | Missing]:
        v = times()
        return [
            tools.native("Serinus", entry, POINTS, ours=True, units=POINTS),
            python("Serinus, from Python", ours, [(v,)], ours=True, units=POINTS),
            peer("confseq", confseq, lambda: python("confseq", theirs, [(v,)], units=POINTS)),
            Missing("savvi", "has no boundaries of walks"),
            EXPECTATION,
            AVINF,
        ]

    return make


def interval_of_proportion(tools: Tools) -> Sequence[Contender | Missing]:
    def multinomial() -> Contender:
        # Its own interval: of the shares of two arms, from a Dirichlet prior, by a convex solver.
        test = savvi.Multinomial(0.05, np.array([0.5, 0.5]))
        test.update(np.array([30, 270]))
        return python("savvi", test.calculate_conf_int, [()])

    data = proportions()
    columns = tuple(np.array(column) for column in zip(*data))
    return [
        tools.native("Serinus", "proportion_interval", len(data), ours=True, units=len(data)),
        python(
            "Serinus, from Python",
            lambda x, n: sequential.bernoulli_confidence_interval(x, n, 0.05, 100),
            [columns],
            ours=True,
            units=len(data),
        ),
        peer(
            "confseq",
            confseq,
            lambda: python(
                "confseq",
                lambda x, n: confseq.bernoulli_confidence_interval(x, n, 0.05, 100),
                [(int(x), int(n)) for x, n in data],
            ),
        ),
        peer("savvi", savvi, multinomial),
        EXPECTATION,
        AVINF,
    ]


def looks(
    tools: Tools, entry: str, size: int, units: int, theirs: Callable[[], Contender] | None = None
) -> Callable[[], Sequence[Contender | Missing]]:
    return lambda: [
        tools.native("Serinus", entry, size, ours=True, units=units),
        peer("confseq", confseq, theirs) if theirs else Missing("confseq", BOUNDARIES_ONLY),
        Missing("savvi", "has no such test"),
    ]


def walk(work: Work) -> Callable[[], Contender]:
    """The martingale at each step of a walk."""

    def make() -> Contender:
        v = np.arange(1, POINTS + 1) / 9
        s = np.cumsum(np.random.default_rng(3).normal(size=POINTS)) / 3
        return python("confseq", work, [(s, v)], units=POINTS)

    return make


def medians(values: int) -> Callable[[], Contender]:
    """One look when all have come (it keeps nothing from one look to the next): two values more."""

    def make() -> Contender:
        random = np.random.default_rng(4)
        b, c = np.exp(random.normal(size=values)), 1.2 * np.exp(random.normal(size=values))
        return python("confseq", lambda x, y: quantiles.quantile_ab_p_value(x, y, 0.5, 100), [(b, c)], units=2)

    return make


def from_python(tools: Tools, together: bool) -> Callable[[], Sequence[Contender | Missing]]:
    def split() -> Contender:
        test = savvi.Multinomial(0.05, np.array([0.9, 0.1]))
        return python("savvi, of two shares", test.update, [(row[[1, 3]],) for row in harmful(1000)])

    def make() -> Sequence[Contender | Missing]:
        data = harmful(1000)
        counts = sequential.ProportionTest(interval=False)
        shares = sequential.SampleRatioTest([0.9, 0.1], tolerance=0)
        if together:
            return [
                python("Serinus, `ProportionTest`", counts.update_many, [tuple(data.T.copy())], ours=True, units=1000),
                python(
                    "Serinus, `SampleRatioTest`", shares.update_many, [(data[:, [1, 3]].copy(),)], ours=True, units=1000
                ),
                Missing("savvi, of two shares", "takes one interval at a time"),
            ]
        return [
            python("Serinus, `ProportionTest`", counts.update, [tuple(row) for row in data.tolist()], ours=True),
            python(
                "Serinus, `SampleRatioTest`", shares.update, [([row[1], row[3]],) for row in data.tolist()], ours=True
            ),
            peer("savvi", savvi, split),
        ]

    return make


def rows(tools: Tools) -> Iterator[Row]:
    title = "Many looks: boundaries and intervals"
    yield Row(
        title,
        "normal mixture, one-sided, a point",
        boundary(
            tools,
            "bound_normal",
            lambda v: sequential.boundaries.normal_mixture(v, 0.05, 100),
            lambda v: confseq.normal_mixture_bound(v, alpha=0.05, v_opt=100, alpha_opt=0.05, is_one_sided=True),
        ),
        goal=0.4e-6,
        second_goal=0.4e-6,
    )
    yield Row(
        title,
        "gamma-exponential mixture, a point",
        boundary(
            tools,
            "bound_gamma_exponential",
            lambda v: sequential.boundaries.gamma_exponential(v, 0.05, 100, 0.5),
            lambda v: confseq.gamma_exponential_mixture_bound(v, alpha=0.05, v_opt=100, c=0.5, alpha_opt=0.05),
        ),
        goal=0.4e-6,
        second_goal=0.4e-6,
    )
    yield Row(title, "interval of a proportion", lambda: interval_of_proportion(tools), goal=5e-6, second_goal=5e-6)

    # Of counts nearly every look is a record, whose e-value has to be known exactly.
    title = "Many looks: one of them"
    size = POINTS
    log_normal = walk(lambda s, v: confseq.normal_log_mixture(s, v, v_opt=100))
    log_gamma = walk(lambda s, v: confseq.gamma_exponential_log_mixture(s, v, v_opt=100, c=0.5))
    yield Row(title, "normal mixture", looks(tools, "log_normal", size, size, log_normal), goal=60e-9)
    yield Row(title, "gamma-exponential mixture", looks(tools, "log_gamma_exponential", size, size, log_gamma))
    for work, entry, goal in (
        ("means, a value an arm", "mean", 60e-9),
        ("counts, block process", "counts_block", 60e-9),
        ("counts, one direction (33 nodes)", "counts_one_direction", 400e-9),
        ("counts, both directions (66 nodes)", "counts_either", 400e-9),
        ("counts, one direction, and their interval", "counts_and_interval", 5e-6),
        ("differences, noise known", "paired", 120e-9),
    ):
        yield Row(title, work, looks(tools, entry, size, size), goal=goal)
    values = 5_000 if tools.quick else 50_000
    yield Row(
        title,
        f"medians, a value of each arm, to {values:,}: a value",
        looks(tools, "quantile", values, 2 * values, medians(values)),
        goal=1e-6,
    )

    title = "Many looks, from Python"
    yield Row(title, "`update`", from_python(tools, together=False), goal=0.6e-6)
    yield Row(title, "`update_many`, an interval", from_python(tools, together=True))
