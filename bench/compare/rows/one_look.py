"""The other tests of one look, called from Python as SciPy and statsmodels are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import scipy.stats
import serinus
from harness import Contender, Missing, Row, Tools, python
from rows.mann_whitney import pairs
from statsmodels.stats import multitest, nonparametric, power, proportion, rates, weightstats

NONE = "has none"
Call = Callable[..., object]


def row(work: str, data: Sequence[tuple[Any, ...]], ours: Call, scipy_: Call | str, statsmodels_: Call | str) -> Row:
    def contender(name: str, call: Call | str) -> Contender | Missing:
        return Missing(name, f"{name} {call}") if isinstance(call, str) else python(name, call, data)

    return Row(
        "Other tests, from Python",
        work,
        lambda: [
            python("Serinus", ours, data, ours=True),
            contender("SciPy", scipy_),
            contender("statsmodels", statsmodels_),
        ],
    )


def answers(call: Call, arguments: tuple[Any, ...]) -> bool:
    try:
        call(*arguments)
    except ValueError:
        return False
    return True


def rows(tools: Tools) -> Iterator[Row]:
    warnings.simplefilter("ignore")
    s = scipy.stats
    day, hour, few = pairs(1440, 50), pairs(60, 200), pairs(20, 200)
    yield row(
        "Brunner-Munzel, n = 1440",
        day,
        serinus.brunner_munzel,
        lambda y, x: s.brunnermunzel(x, y),
        lambda y, x: nonparametric.rank_compare_2indep(x, y),
    )
    yield row(
        "Welch, n = 1440",
        day,
        serinus.welch,
        lambda y, x: s.ttest_ind(x, y, equal_var=False),
        lambda y, x: weightstats.ttest_ind(x, y, usevar="unequal"),
    )
    yield row(
        "Yuen, n = 1440", day, serinus.yuen, lambda y, x: s.ttest_ind(x, y, equal_var=False, trim=0.2), NONE
    )
    yield row(
        "Kolmogorov-Smirnov, limit, n = 1440",
        day,
        lambda y, x: serinus.kolmogorov_smirnov(y, x, method="asymptotic"),
        lambda y, x: s.ks_2samp(x, y, method="asymp"),
        NONE,
    )
    yield row(
        "Kolmogorov-Smirnov, exact, n = 60",
        hour,
        lambda y, x: serinus.kolmogorov_smirnov(y, x, method="exact"),
        lambda y, x: s.ks_2samp(x, y, method="exact"),
        NONE,
    )
    yield row(
        "Cramer-von Mises, limit, n = 1440",
        day,
        lambda y, x: serinus.cramer_von_mises(y, x, method="asymptotic"),
        lambda y, x: s.cramervonmises_2samp(x, y, method="asymptotic"),
        NONE,
    )
    yield row(
        "Cramer-von Mises, exact, n = 20",
        few,
        lambda y, x: serinus.cramer_von_mises(y, x, method="exact"),
        lambda y, x: s.cramervonmises_2samp(x, y, method="exact"),
        NONE,
    )
    yield row(
        "Anderson-Darling, n = 1440", day, serinus.anderson_darling, lambda y, x: s.anderson_ksamp([y, x]), NONE
    )
    differences = [(x - y,) for y, x in hour]
    yield row(
        "signed ranks, exact, with interval, n = 60",
        differences,
        serinus.signed_rank,
        lambda d: s.wilcoxon(d, method="exact"),  # without the interval
        NONE,
    )
    random = np.random.default_rng(1)
    bad = zip(random.binomial(900, 0.02, 500), random.binomial(100, 0.03, 500))
    counts = [(int(b), 900, int(c), 100) for b, c in bad]

    def score_of_statsmodels(b: int, n: int, c: int, m: int) -> object:
        return (
            proportion.test_proportions_2indep(c, m, b, n, method="score"),
            proportion.confint_proportions_2indep(c, m, b, n, method="score"),
        )

    yield row(
        "proportions, score, p and interval [of tables where statsmodels finds it]",
        [table for table in counts[:200] if answers(score_of_statsmodels, table)],
        lambda b, n, c, m: serinus.proportion_test(b, n, c, m, method="score"),
        NONE,
        score_of_statsmodels,
    )
    yield row(
        "Fisher",
        counts,
        lambda b, n, c, m: serinus.proportion_test(b, n, c, m, method="fisher"),
        lambda b, n, c, m: s.fisher_exact([[c, b], [m - c, n - b]]),
        NONE,
    )
    small = [(int(b), 40, int(c), 40) for b, c in random.integers(1, 20, (50, 2))]
    yield row(
        "Boschloo, 40 and 40",
        small,
        lambda b, n, c, m: serinus.proportion_test(b, n, c, m, method="boschloo"),
        lambda b, n, c, m: s.boschloo_exact([[c, b], [m - c, n - b]]),
        NONE,
    )
    events = [(int(b), 900.0, int(c), 100.0) for b, c in zip(random.poisson(90, 500), random.poisson(12, 500))]
    yield row(
        "rates, exact, p and interval",
        events,
        lambda b, e, c, f: serinus.rate_test(b, e, c, f, method="exact"),
        "has the E-test only",
        lambda b, e, c, f: (
            rates.test_poisson_2indep(c, f, b, e, method="exact-cond"),
            rates.confint_poisson_2indep(c, f, b, e, method="score"),  # it has no exact one
        ),
    )
    thousand = [(p,) for p in random.uniform(size=(50, 1000))]
    yield row(
        "Holm, 1,000 p-values",
        thousand,
        lambda p: serinus.adjust(p, method="holm"),
        NONE,
        lambda p: multitest.multipletests(p, method="holm"),
    )
    yield row(
        "Benjamini-Hochberg, 1,000 p-values",
        thousand,
        lambda p: serinus.adjust(p, method="bh"),
        s.false_discovery_control,
        lambda p: multitest.multipletests(p, method="fdr_bh"),
    )
    solver = power.TTestIndPower()
    yield row(
        "sample size of a t-test",
        [(0.25,), (0.3,), (0.4,)],
        lambda d: serinus.sample_size("mean", power=0.9, difference=d, deviation=1.0),
        NONE,
        lambda d: solver.solve_power(effect_size=d, alpha=0.05, power=0.9),
    )
