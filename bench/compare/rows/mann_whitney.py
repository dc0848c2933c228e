"""Mann-Whitney: a pair, arms that are sorted already, windows that slide, exact p-values, many pairs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence

import numba
import numpy as np
import scipy.stats
import serinus
from harness import Contender, Missing, Row, Tools, python
from numpy.typing import NDArray

Array = NDArray[np.float64]


@numba.njit(cache=False)
def merge(y: Array, x: Array) -> float:
    """Two sorted arms: U with ties, the normal p-value."""
    m, n, i, j = len(x), len(y), 0, 0
    twice_u, tie_term = 0.0, 0.0
    while i < m or j < n:
        value = x[i] if j == n or (i < m and x[i] < y[j]) else y[j]
        in_x, in_y = 0, 0
        while i + in_x < m and x[i + in_x] == value:
            in_x += 1
        while j + in_y < n and y[j + in_y] == value:
            in_y += 1
        twice_u += in_x * (2.0 * j + in_y)
        t = float(in_x + in_y)
        tie_term += t * t * t - t
        i += in_x
        j += in_y
    total = m + n
    deviation = math.sqrt(m * n / 12 * (total + 1 - tie_term / (total * (total - 1))))
    return min(1.0, math.erfc((abs(twice_u / 2 - m * n / 2) - 0.5) / deviation / math.sqrt(2.0)))


@numba.njit(cache=False)
def sort_and_merge(y: Array, x: Array) -> float:
    return float(merge(np.sort(y), np.sort(x)))


@numba.njit(cache=False)
def sort_and_merge_rows(y: Array, x: Array) -> Array:
    p = np.empty(len(x))
    for i in range(len(x)):
        p[i] = merge(np.sort(y[i]), np.sort(x[i]))
    return p


def pairs(size: int, many: int | None = None) -> list[tuple[Array, Array]]:
    random = np.random.default_rng(size)
    count = many or max(4, 200_000 // size)
    return [(random.lognormal(size=size), random.lognormal(size=size)) for _ in range(count)]


def scipy_asymptotic(y: Array, x: Array) -> object:
    return scipy.stats.mannwhitneyu(x, y, method="asymptotic")


def scipy_rows(y: Array, x: Array) -> object:
    return scipy.stats.mannwhitneyu(x, y, axis=1, method="asymptotic")


STATSMODELS = Missing(
    "statsmodels", "statsmodels has no Mann-Whitney test; its `rank_compare_2indep` is Brunner-Munzel's"
)


def a_pair(tools: Tools, size: int) -> Callable[[], Sequence[Contender | Missing]]:
    def make() -> Sequence[Contender | Missing]:
        data = pairs(size)
        # As many pairs at once as suit SciPy: some 100,000 values.
        rows = max(2, 100_000 // size)
        batch = [tuple(np.array(arm) for arm in zip(*pairs(size, rows)))]
        return [
            tools.native("Serinus", "mann_whitney", size, ours=True),
            tools.native("Serinus, headers alone", "mann_whitney_portable", size, ours=True),
            tools.native("C++, `std::sort` of all, ranks", "mann_whitney_std_sort", size),
            tools.native("C++, `std::sort` twice, merge", "mann_whitney_two_sorts", size),
            tools.native("Serinus with Highway's vqsort, AVX2", "mann_whitney_vqsort_avx2", size, what_if=True),
            tools.native("Serinus with Highway's vqsort, its best", "mann_whitney_vqsort", size, what_if=True),
            python("numba, `np.sort` twice, merge", sort_and_merge, data),
            python("SciPy, a call a pair", scipy_asymptotic, data),
            python("SciPy, `axis=1`", scipy_rows, batch, units=rows),
            tools.go("Go, go-moremath (benchstat)", "mann_whitney", size),
            tools.r("R, `wilcox.test`", "wilcox", size),
            STATSMODELS,
        ]

    return make


def sort_alone(tools: Tools, size: int) -> Callable[[], Sequence[Contender | Missing]]:
    return lambda: [
        tools.native("Serinus", "sort", size, ours=True),
        tools.native("Serinus, headers alone", "sort_portable", size, ours=True),
        tools.native("Highway's vqsort, AVX2", "sort_vqsort_avx2", size),
        tools.native("Highway's vqsort, its best", "sort_vqsort", size),
        tools.native("C++, `std::sort`", "sort_std", size),
        python("NumPy, `np.sort`", np.sort, [(y,) for y, _ in pairs(size)]),
    ]


def anew(tools: Tools, size: int) -> Contender | Missing:
    """The fastest that forgets what was sorted before."""
    name = "Serinus with Highway's vqsort, AVX2, from scratch"
    return tools.native(name, "mann_whitney_vqsort_avx2", size, what_if=True)


def one_arm_sorted(tools: Tools) -> Sequence[Contender | Missing]:
    ours = tools.native("Serinus", "shared_baseline", 1440, ours=True, units=128)
    return [
        ours,
        anew(tools, 1440),
        Missing("C++, the usual merge", "sorts both"),
        Missing("numba, merge", "sorts both"),
        Missing("SciPy", "SciPy ranks all values again, sorted or not"),
    ]


def both_sorted(tools: Tools) -> Sequence[Contender | Missing]:
    data = [(np.sort(y), np.sort(x)) for y, x in pairs(1440)]
    return [
        tools.native("Serinus", "both_sorted", 1440, ours=True),
        anew(tools, 1440),
        tools.native("C++, the usual merge", "both_sorted_walk", 1440),
        python("numba, merge", merge, data),
        python("SciPy", scipy_asymptotic, data),
    ]


def rolling(tools: Tools, size: int) -> Callable[[], Sequence[Contender | Missing]]:
    return lambda: [
        tools.native("Serinus", "rolling", size, ours=True),
        anew(tools, size),
        python("SciPy, from scratch", scipy_asymptotic, pairs(size)),
    ]


def scipy_cold(y: Array, x: Array) -> object:
    from scipy.stats import _mannwhitneyu

    _mannwhitneyu._mwu_state.s = _mannwhitneyu._MWU(0, 0)
    return scipy.stats.mannwhitneyu(x, y, method="exact")


def exact(tools: Tools, entry: str, scipy_call: Callable[..., object]) -> Callable[[], Sequence[Contender | Missing]]:
    return lambda: [
        tools.native("Serinus", entry, 50, ours=True),
        python("SciPy", scipy_call, pairs(50)),
        tools.go("Go, go-moremath (benchstat)", "mann_whitney", 50),
        tools.r("R, `wilcox.test`", "wilcox_exact", 50),
        Missing("R, exactRankTests", "up to 49 values"),
        Missing("R, coin", "without ties `wilcox.test` is R's own"),
        STATSMODELS,
    ]


def exact_look_up(tools: Tools) -> Sequence[Contender | Missing]:
    alone = "has no look-up by itself"
    return [
        tools.native("Serinus", "exact_table", 50, ours=True),
        Missing("SciPy", alone),
        Missing("Go, go-moremath (benchstat)", "counts anew each time"),
        Missing("R, `wilcox.test`", alone),
    ]


def exact_ties(tools: Tools) -> Sequence[Contender | Missing]:
    return [
        tools.native("Serinus", "exact_ties", 20, ours=True),
        Missing("SciPy", "exact p-values without ties only; with them by enumerating 1.4e11 arrangements"),
        tools.go("Go, go-moremath (benchstat)", "mann_whitney_ties", 20),
        Missing("R, `wilcox.test`", "normal p-values with ties"),
        tools.r("R, exactRankTests", "exact_ties_exactranktests", 20),
        tools.r("R, coin", "exact_ties_coin", 20),
        STATSMODELS,
    ]


def ten_thousand(tools: Tools, threads: int) -> Callable[[], Sequence[Contender | Missing]]:
    def make() -> Sequence[Contender | Missing]:
        count = 1000 if tools.quick else 10_000
        random = np.random.default_rng(1)
        y, x = random.lognormal(size=(count, 1440)), random.lognormal(size=(count, 1440))

        def ours() -> object:
            return serinus.mann_whitney_batch(y, x, threads=threads)

        def scipy_batch() -> None:
            # A thousand at a time: all at once takes gigabytes and longer.
            for start in range(0, count, 1000):
                scipy_rows(y[start : start + 1000], x[start : start + 1000])

        share = count / 10_000
        one_core = "one core only"
        return [
            tools.native("Serinus", f"ten_thousand_{threads}", 1440, ours=True, wall=True),
            python("Serinus, from Python", ours, [()], ours=True, units=share, wall=True),
            python("SciPy, `axis=1`", scipy_batch, [()], units=share, wall=True)
            if threads == 1
            else Missing("SciPy, `axis=1`", one_core),
            python("numba, `np.sort` twice, merge", lambda: sort_and_merge_rows(y, x), [()], units=share, wall=True)
            if threads == 1
            else Missing("numba, `np.sort` twice, merge", "timed on one core"),
        ]

    return make


def from_python(size: int) -> Callable[[], Sequence[Contender | Missing]]:
    def make() -> Sequence[Contender | Missing]:
        data = pairs(size)
        return [
            python("`serinus.mann_whitney(y, x)`", serinus.mann_whitney, data, ours=True),
            python("numba, `np.sort` twice, merge", sort_and_merge, data),
            python("`scipy.stats.mannwhitneyu(x, y)`", scipy_asymptotic, data),
            STATSMODELS,
        ]

    return make


def rows(tools: Tools) -> Iterator[Row]:
    warnings.simplefilter("ignore")
    pair = "Mann-Whitney, a pair"
    yield Row(pair, "n = 60", a_pair(tools, 60), goal=0.8e-6, second_goal=3e-6)
    yield Row(pair, "n = 600", a_pair(tools, 600))
    yield Row(pair, "n = 1440", a_pair(tools, 1440), goal=35e-6, second_goal=70e-6)
    yield Row(pair, "n = 10080", a_pair(tools, 10_080), goal=280e-6, second_goal=560e-6)
    yield Row("Mann-Whitney from Python", "n = 60", from_python(60), goal=2.2e-6)
    yield Row("Mann-Whitney from Python", "n = 1440", from_python(1440))
    before = "Mann-Whitney, arms sorted before, n = 1440"
    yield Row(before, "one arm", lambda: one_arm_sorted(tools), goal=22e-6)
    yield Row(before, "both arms", lambda: both_sorted(tools), goal=7e-6)
    step = "Mann-Whitney, windows move by one value an arm"
    yield Row(step, "n = 60", rolling(tools, 60))
    yield Row(step, "n = 1440", rolling(tools, 1440), goal=0.7e-6)
    exactly = "Mann-Whitney, exact"
    cached = scipy.stats.mannwhitneyu
    yield Row(exactly, "no ties, 50 and 50, cold", exact(tools, "exact_cold", scipy_cold), goal=50e-6)
    yield Row(
        exactly,
        "the same, table kept",
        exact(tools, "exact_cached", lambda y, x: cached(x, y, method="exact")),
    )
    yield Row(exactly, "the look-up in it alone", lambda: exact_look_up(tools), goal=0.2e-6)
    yield Row(exactly, "ties, 20 and 20", lambda: exact_ties(tools), goal=25e-6)
    many = "10,000 pairs of 1440 and 1440, by the wall clock"
    yield Row(many, "1 thread", ten_thousand(tools, 1), goal=0.35)
    yield Row(many, "2 threads", ten_thousand(tools, 2), goal=0.35 / 1.8)
    for size in (60, 1440, 10_080):
        yield Row("The sort alone, one arm, copied", f"n = {size}", sort_alone(tools, size))
