"""How soon is harm found, beside who knows everything and beside what one could use instead? `./dev simulate --delays`.

Usage: python bench/delays.py [--runs N] [--rows PATTERN] [--output FILE]       (needs the installed package)

Every row is one kind of harm, drawn by numpy's PCG64 from a seed of its own; every method sees the same draws and looks
after each interval, at alpha .05 one-sided. A cell is the median interval at which harm is found, and in brackets that
median over the oracle's; "(.87 found)" where not all runs find it. Who is compared:

- oracle: the likelihood ratio (for two shares or rates the GROW e-process of Turner, Ly and Gruenwald 2024) that knows
  the law, the size of the harm and that it is there from the start. Nobody can be given that; it is the floor.
- Pocock, O'Brien-Fleming: group-sequential, 20 looks, planned for power .9 at exactly this harm with the variance known.
  Not valid at any further look, and not when the harm is another one.
- safestats: its default test of two proportions, re-implemented here from the paper (Turner, Ly and Gruenwald 2024,
  prior Beta(.18, .18) a group), since the R package is in none of the registries that we install from.
- confseq: its normal-mixture boundary on the sum of differences with their variance known (the asymptotic confidence
  sequence of Waudby-Smith and others 2021), tuned for twice the oracle's median; without confseq the column is empty.
- savvi: its multinomial test on the counts of both arms, two-sided as it is; without savvi the column is empty.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import lfilter
from scipy.special import gammaln
from serinus import sequential as seq

try:
    from confseq.boundaries import normal_mixture_bound
except ImportError:
    normal_mixture_bound = None
try:
    from savvi.multinomial import Multinomial
except ImportError:
    Multinomial = None

ALPHA = 0.05
NEEDED = math.log(1 / ALPHA)
Array = np.ndarray[Any, Any]


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


@dataclasses.dataclass
class Row:
    group: str
    what: str
    intervals: int
    oracle: Array  # the first interval at which it decides, inf for never; one a run
    methods: dict[str, Array]


# ---- when did it decide?


def crossing(log_e: Array, needed: float = NEEDED) -> Array:
    """runs x intervals -> the first interval, from 1, at which each run reaches `needed`; inf for never."""
    hit = log_e >= needed
    return np.where(hit.any(1), hit.argmax(1) + 1.0, math.inf)


def stopped(make: Callable[[int], Any], rows: Any) -> Array:
    """The same for an object of ours; `rows` gives, a run, the arguments of each update."""
    found = []
    for run, row in enumerate(rows):
        test = make(run)
        found.append(math.inf)
        for interval, arguments in enumerate(row, 1):
            test.update(*arguments)
            if test.decided:
                found[-1] = interval
                break
    return np.array(found)


def beyond(sums: Array, variance_a_step: float, oracle: Array) -> dict[str, Array]:
    """confseq's boundary on sums of known variance."""
    if normal_mixture_bound is None:
        return {}
    v = np.arange(1, sums.shape[1] + 1) * variance_a_step
    tuned = 2 * float(np.median(np.where(np.isfinite(oracle), oracle, sums.shape[1]))) * variance_a_step
    return {"confseq": crossing(sums - normal_mixture_bound(v, ALPHA, tuned, ALPHA, True), 0)}


_drifts: dict[str, tuple[Array, float]] = {}


def group_sequential(sums: Array, variance_a_step: float, shift_a_step: float) -> dict[str, Array]:
    """Both designs on the sums' own path: looked at at twentieths of the length that gives power .9."""
    found = {}
    for name, spending in (("Pocock", "pocock"), ("O'Brien-Fleming", "obf")):
        share = np.arange(1, 21) / 20
        if spending not in _drifts:
            bounds = np.array(seq.group_sequential(share, ALPHA, spending).bounds)
            brownian = np.cumsum(generator(99).standard_normal((40_000, 20)), 1) / math.sqrt(20)
            low, high = 1.0, 8.0
            for _ in range(40):
                drift = (low + high) / 2
                power = ((brownian + drift * share) / np.sqrt(share) >= bounds).any(1).mean()
                low, high = (drift, high) if power < 0.9 else (low, drift)
            _drifts[spending] = bounds, high
        bounds, drift = _drifts[spending]
        length = drift**2 * variance_a_step / shift_a_step**2
        if length > sums.shape[1]:
            continue
        at = np.unique(np.ceil(share * length).astype(int))
        at = at[at <= sums.shape[1]]
        z = sums[:, at - 1] / np.sqrt(at * variance_a_step)
        # Looks that fall into one interval: the last of them, whose bound is the lowest.
        last = np.array([bounds[max(i for i in range(20) if math.ceil(share[i] * length) <= n)] for n in at])
        hit = z >= last
        found[name] = np.where(hit.any(1), at[hit.argmax(1)].astype(float), math.inf)
    return found


def multinomial(x: Array, expected: Array) -> dict[str, Array]:
    """savvi's Multinomial: runs x intervals x arms of counts; its log odds in closed form, checked against the object."""
    if Multinomial is None:
        return {}
    prior = 100 * expected
    counts = np.cumsum(x, 1)

    def log_beta(alpha: Array) -> Array:
        return np.asarray(gammaln(alpha).sum(-1) - gammaln(alpha.sum(-1)))

    log_odds = log_beta(prior + counts) - log_beta(prior) - counts @ np.log(expected)
    test = Multinomial(ALPHA, expected)
    for interval in range(min(5, x.shape[1])):
        test.update(x[0, interval].astype(np.int64))
    np.testing.assert_allclose(math.log(test.odds), log_odds[0, min(5, x.shape[1]) - 1], rtol=1e-9, atol=1e-9)
    return {"savvi": crossing(log_odds)}


# ---- two shares


def grow(x_b: Array, n_b: float, x_c: Array, n_c: float, p_b: float, p_c: float) -> Array:
    """log of the GROW e-process that knows both shares."""
    p = (n_b * p_b + n_c * p_c) / (n_b + n_c)
    steps = x_b * math.log(p_b / p) + (n_b - x_b) * math.log((1 - p_b) / (1 - p))
    steps = steps + x_c * math.log(p_c / p) + (n_c - x_c) * math.log((1 - p_c) / (1 - p))
    return np.asarray(np.cumsum(steps, 1))


def safestats(x_b: Array, n_b: float, x_c: Array, n_c: float) -> Array:
    """log of safestats' e-process of two proportions: posterior means of a Beta(.18, .18) a group, one block a step."""

    def mean_before(x: Array, n: float) -> Array:
        past = np.cumsum(x, 1) - x
        seen = n * np.arange(x.shape[1])
        return np.asarray((past + 0.18) / (seen + 0.36))

    p_b, p_c = mean_before(x_b, n_b), mean_before(x_c, n_c)
    p = (n_b * p_b + n_c * p_c) / (n_b + n_c)
    steps = x_b * np.log(p_b / p) + (n_b - x_b) * np.log((1 - p_b) / (1 - p))
    steps += x_c * np.log(p_c / p) + (n_c - x_c) * np.log((1 - p_c) / (1 - p))
    # One-sided: only alternatives of harm are bet on.
    return np.asarray(np.cumsum(np.where(p_c > p_b, steps, 0), 1))


def shares(runs: int) -> Iterator[Callable[[], Row]]:
    def row(seed: int, p_b: float, p_c: float, n_b: int, n_c: int, intervals: int) -> Row:
        random = generator(seed)
        x_b, x_c = random.binomial(n_b, p_b, (runs, intervals)), random.binomial(n_c, p_c, (runs, intervals))
        oracle = crossing(grow(x_b, n_b, x_c, n_c, p_b, p_c))

        def ours(**options: Any) -> Array:
            data = ([(int(b), n_b, int(c), n_c) for b, c in zip(rb, rc)] for rb, rc in zip(x_b, x_c))
            return stopped(lambda run: seq.ProportionTest(interval=False, **options), data)

        sums = np.cumsum(x_c / n_c - x_b / n_b, 1)
        pooled = (n_b * p_b + n_c * p_c) / (n_b + n_c)
        variance = pooled * (1 - pooled) * (1 / n_b + 1 / n_c)
        methods = {
            "ProportionTest": ours(),
            "block": ours(method="block"),
            "safestats": crossing(safestats(x_b, n_b, x_c, n_c)),
            **beyond(sums, variance, oracle),
            **group_sequential(sums, variance, p_c - p_b),
        }
        what = f"{100 * p_b:g} % -> {100 * p_c:g} %, {n_b}:{n_c}"
        return Row("Two shares (`ProportionTest`)", what, intervals, oracle, methods)

    cells = [(0.001, 0.002, 9900, 100, 400), (0.01, 0.012, 1000, 1000, 300), (0.01, 0.02, 100, 100, 200)]
    cells += [(0.01, 0.02, 900, 100, 150), (0.01, 0.05, 100, 100, 60), (0.1, 0.12, 100, 100, 400)]
    cells += [(0.3, 0.36, 100, 100, 200), (0.5, 0.55, 100, 100, 300), (0.9, 0.93, 100, 100, 400)]
    cells += [(0.99, 0.995, 100, 100, 600), (0.3, 0.36, 900, 100, 150)]
    for seed, cell in enumerate(cells, 1001):
        yield lambda seed=seed, cell=cell: row(seed, *cell)


# ---- two rates, and how requests divide


def rates(runs: int) -> Iterator[Callable[[], Row]]:
    def row(seed: int, level: float, ratio: float, split: float, intervals: int) -> Row:
        random = generator(seed)
        x_b = random.poisson(level * split, (runs, intervals))
        x_c = random.poisson(level * ratio, (runs, intervals))
        common = (split + ratio) / (split + 1)
        steps = x_b * math.log(1 / common) + x_c * math.log(ratio / common)
        oracle = crossing(np.cumsum(steps, 1))
        data = ([(int(b), split, int(c), 1.0) for b, c in zip(rb, rc)] for rb, rc in zip(x_b, x_c))
        q = 1 / (split + 1)
        sums = np.cumsum(x_c - q * (x_b + x_c), 1)
        variance = level * (split + ratio) * q * (1 - q)
        methods = {
            "RateTest": stopped(lambda run: seq.RateTest(interval=False), data),
            **multinomial(np.stack([x_b, x_c], 2), np.array([1 - q, q])),
            **beyond(sums, variance, oracle),
            **group_sequential(sums, variance, level * (ratio * (1 - q) - split * q)),
        }
        what = f"x {ratio:g} at {level * split:g} : {level:g} events an interval"
        return Row("Two rates (`RateTest`)", what, intervals, oracle, methods)

    for seed, cell in enumerate([(5, 1.2, 1, 300), (5, 1.5, 9, 100), (1, 2, 1, 150), (0.2, 3, 3, 300)], 1101):
        yield lambda seed=seed, cell=cell: row(seed, *cell)


def ratios(runs: int) -> Iterator[Callable[[], Row]]:
    def row(seed: int, told: float, real: float, requests: int, intervals: int) -> Row:
        random = generator(seed)
        x_c = random.binomial(requests, real, (runs, intervals))
        x = np.stack([requests - x_c, x_c], 2)
        steps = x_c * math.log(real / told) + (requests - x_c) * math.log((1 - real) / (1 - told))
        oracle = crossing(np.cumsum(steps, 1))
        data = [[([int(b), int(c)],) for b, c in one] for one in x]
        sums = np.cumsum(x_c - told * requests, 1)
        variance = requests * told * (1 - told)
        methods = {
            "SampleRatioTest": stopped(lambda run: seq.SampleRatioTest([1 - told, told], ALPHA, tolerance=0), data),
            **multinomial(x, np.array([1 - told, told])),
            **beyond(sums, variance, oracle),
            **group_sequential(sums, variance, requests * (real - told)),
        }
        what = f"{100 * told:g} % were told, {100 * real:g} % come; {requests} requests"
        return Row("How requests divide (`SampleRatioTest`, two-sided)", what, intervals, oracle, methods)

    for seed, cell in enumerate([(0.5, 0.51, 1000, 200), (0.1, 0.12, 1000, 100), (0.01, 0.012, 10_000, 200)], 1201):
        yield lambda seed=seed, cell=cell: row(seed, *cell)


# ---- gauges


def first_order(rho: float) -> Callable[[np.random.Generator, tuple[int, int]], Array]:
    def draw(random: np.random.Generator, shape: tuple[int, int]) -> Array:
        white = random.standard_normal((shape[0], shape[1] + 300))
        return np.asarray(lfilter([math.sqrt(1 - rho**2)], [1, -rho], white, axis=1)[:, 300:])

    return draw


def gauges(runs: int) -> Iterator[Callable[[], Row]]:
    def row(
        seed: int,
        what: str,
        draw: Callable[[np.random.Generator, tuple[int, int]], Array],
        shift: float,
        intervals: int,
        log_likelihood: Callable[[Array], Array],
        long_run_variance: float,
    ) -> Row:
        random = generator(seed)
        x = draw(random, (runs, intervals)) + shift
        oracle = crossing(np.cumsum(log_likelihood(x), 1))
        methods = {}
        for history in (2000, 500):
            noises = [seq.paired_noise(h) for h in draw(random, (runs, history))]
            methods[f"PairedTest, history {history}"] = stopped(
                lambda run, noises=noises: seq.PairedTest(noise=noises[run], interval=False), x[:, :, None].tolist()
            )
        if long_run_variance == 1:
            methods["SignedRankTest"] = stopped(lambda run: seq.SignedRankTest(), x[:, :, None].tolist())
            methods["PairedTest, learn"] = stopped(lambda run: seq.PairedTest(interval=False), x[:, :, None].tolist())
        sums = np.cumsum(x, 1)
        methods |= beyond(sums, long_run_variance, oracle)
        methods |= group_sequential(sums, long_run_variance, shift)
        return Row("Gauges, one value an interval (`PairedTest`, `SignedRankTest`)", what, intervals, oracle, methods)

    def normal(random: np.random.Generator, shape: tuple[int, int]) -> Array:
        return random.standard_normal(shape)

    def laplace(random: np.random.Generator, shape: tuple[int, int]) -> Array:
        return random.laplace(0, math.sqrt(0.5), shape)

    for seed, (shift, intervals) in enumerate([(0.25, 700), (0.5, 250), (1.0, 100), (2.0, 60)], 1301):
        yield lambda seed=seed, shift=shift, intervals=intervals: row(
            seed,
            f"independent normal, +{shift:g} sd of the difference",
            normal,
            shift,
            intervals,
            lambda x, d=shift: d * x - d * d / 2,
            1,
        )
    yield lambda: row(
        1305,
        "independent Laplace, +0.5 sd of the difference",
        laplace,
        0.5,
        250,
        lambda x: (np.abs(x) - np.abs(x - 0.5)) / math.sqrt(0.5),
        1,
    )
    for seed, (rho, intervals) in enumerate([(0.6, 400), (0.9, 1000)], 1306):

        def ratio(x: Array, rho: float = rho, shift: float = math.sqrt(0.5)) -> Array:
            innovations, drift = x[:, 1:] - rho * x[:, :-1], shift * (1 - rho)
            later = (drift * innovations - drift**2 / 2) / (1 - rho**2)
            return np.concatenate([shift * x[:, :1] - shift**2 / 2, later], 1)

        yield lambda seed=seed, rho=rho, intervals=intervals, ratio=ratio: row(
            seed,
            f"autoregression {rho:g}, +1 sd of an arm",
            first_order(rho),
            math.sqrt(0.5),
            intervals,
            ratio,
            (1 + rho) / (1 - rho),
        )


def instances(runs: int) -> Iterator[Callable[[], Row]]:
    def row(seed: int, baselines: int, tau: float, factor: float, intervals: int) -> Row:
        random = generator(seed)
        deviation, shift = 0.2, math.log(factor)
        levels = tau * random.standard_normal((runs, baselines + 1, 1))
        x = levels + deviation * random.standard_normal((runs, baselines + 1, intervals))
        x[:, 0] += shift
        n = np.arange(1, intervals + 1)
        d = np.cumsum(x[:, 0] - x[:, 1:].mean(1), 1) / n
        v = (1 + 1 / baselines) * (tau**2 + deviation**2 / n)
        oracle = crossing(shift * d / v - shift**2 / (2 * v))
        data = np.exp(x)
        methods = {
            "RotationTest": stopped(
                lambda run: seq.RotationTest(last=intervals, margin={"ratio": 1.0}, seed=run, interval=False),
                [[(one[1:, t], one[:1, t]) for t in range(intervals)] for one in data],
            )
        }
        what = f"1 canary, {baselines} baseline instances that differ by {100 * tau:g} %, x {factor:g}"
        return Row("A few instances (`RotationTest`)", what, intervals, oracle, methods)

    if not hasattr(seq, "RotationTest"):
        return
    cells = [(3, 0.1, 1.5, 17), (3, 0.1, 2.0, 17), (4, 0.1, 1.5, 17), (9, 0.1, 1.5, 17), (4, 0.02, 1.25, 60)]
    for seed, cell in enumerate([*cells, (4, 0.3, 8.0, 17)], 1401):
        yield lambda seed=seed, cell=cell: row(seed, *cell)


# ---- values


def values(runs: int) -> Iterator[Callable[[], Row]]:
    def row(seed: int, sigma: float, n_b: int, n_c: int, intervals: int) -> Row:
        random = generator(seed)
        shift = math.log(1.1)
        b = random.normal(0, sigma, (runs, intervals, n_b))
        c = random.normal(shift, sigma, (runs, intervals, n_c))
        d, v = c.mean(2) - b.mean(2), sigma**2 * (1 / n_b + 1 / n_c)
        oracle = crossing(np.cumsum((shift * d - shift**2 / 2) / v, 1))

        def ours(make: Callable[[], Any], logs: bool = False) -> Array:
            arms = (b, c) if logs else (np.exp(b), np.exp(c))
            return stopped(lambda run: make(), [list(zip(*one)) for one in zip(*arms)])

        sums = np.cumsum(d, 1)
        methods = {
            "MeanTest of logs": ours(seq.MeanTest, logs=True),
            "MeanTest": ours(seq.MeanTest),
            "QuantileTest .5": ours(lambda: seq.QuantileTest(q=0.5, interval=False)),
            "ThresholdTest, median": ours(lambda: seq.ThresholdTest(1.0, interval=False)),
            **beyond(sums, v, oracle),
            **group_sequential(sums, v, shift),
        }
        what = f"log-normal, sigma {sigma:g}, all +10 %, {n_b}:{n_c} values"
        return Row("Values (`MeanTest`, `QuantileTest`, `ThresholdTest`)", what, intervals, oracle, methods)

    for seed, cell in enumerate([(1.0, 50, 50, 250), (1.0, 450, 50, 200), (0.3, 50, 50, 60)], 1501):
        yield lambda seed=seed, cell=cell: row(seed, *cell)

    def tail(seed: int, intervals: int) -> Row:
        random = generator(seed)
        b, c = random.standard_normal((runs, intervals, 50)), random.standard_normal((runs, intervals, 50))
        stretch = 1 + math.log(1.3) / 1.645
        c = np.where(c > 0, c * stretch, c)
        ratio = np.where(c > 0, -0.5 * (c / stretch) ** 2 - math.log(stretch) + 0.5 * c**2, 0).sum(2)
        data = [list(zip(*one)) for one in zip(np.exp(b), np.exp(c))]
        methods = {
            "ThresholdTest, p95": stopped(lambda run: seq.ThresholdTest(math.exp(1.645), interval=False), data),
            "QuantileTest .95": stopped(lambda run: seq.QuantileTest(q=0.95, interval=False), data),
        }
        what = "log-normal, sigma 1, p95 +30 % at the same median, 50:50 values"
        return Row("The tail alone", what, intervals, crossing(np.cumsum(ratio, 1)), methods)

    yield lambda: tail(1511, 200)


# ---- a change after 100 good intervals


def changes(runs: int) -> Iterator[Callable[[], Row]]:
    def row(seed: int, p_b: float, p_c: float, mean_run: float, intervals: int) -> Row:
        random = generator(seed)
        n, onset = 100, 100
        rates_c = np.where(np.arange(onset + intervals) < onset, p_b, p_c)
        x_b = random.binomial(n, p_b, (runs, onset + intervals))
        x_c = random.binomial(n, rates_c, (runs, onset + intervals))
        # Shiryaev-Roberts with both shares known.
        steps = np.exp(np.diff(grow(x_b, n, x_c, n, p_b, p_c), axis=1, prepend=0))
        level, oracle = np.zeros(runs), np.full(runs, math.inf)
        for t in range(onset + intervals):
            level = (1 + level) * steps[:, t]
            oracle = np.where(np.isinf(oracle) & (level >= mean_run), t + 1.0, oracle)
        data = ([(int(b), n, int(c), n) for b, c in zip(rb, rc)] for rb, rc in zip(x_b, x_c))

        class Watch:
            def __init__(self) -> None:
                self.detector = seq.ChangeDetector(seq.ProportionTest(interval=False), run_length=mean_run)
                self.decided = False

            def update(self, *counts: int) -> None:
                self.detector.update(*counts)
                self.decided = bool(self.detector.alarm)

        ours = stopped(lambda run: Watch(), data)
        # Of those that were silent until the change.
        quiet = (ours > onset) & (oracle > onset)
        methods = {"ChangeDetector": ours[quiet] - onset}
        what = f"{100 * p_b:g} % -> {100 * p_c:g} % after 100 intervals, {n}:{n}, a false alarm every {mean_run:g}"
        return Row("A change (`ChangeDetector`)", what, intervals, oracle[quiet] - onset, methods)

    for seed, cell in enumerate([(0.01, 0.03, 1000, 100), (0.3, 0.4, 1000, 100)], 1601):
        yield lambda seed=seed, cell=cell: row(seed, *cell)


# ---- the table


def cell(found: Array, oracle: float) -> str:
    median, share = float(np.median(found)), float(np.isfinite(found).mean())
    some = "" if share > 0.995 else f" ({share:.2f} found)".replace("(0", "(").replace("(1.00", "(all")
    if not math.isfinite(median):
        return "-" + some
    return f"{median:g} (x {median / oracle:.2f}){some}"


def table(rows: list[Row]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row.methods))
    lines = ["| | oracle | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for row in rows:
        oracle = float(np.median(row.oracle))
        cells = [cell(row.methods[name], oracle) if name in row.methods else "" for name in names]
        lines.append(f"| {row.what} | {oracle:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


HEAD = """# How soon harm is found

Made by `./dev simulate --delays`; do not edit. {runs} runs a row. Every method looks after each interval, at alpha .05 one-sided, and sees the same draws.

{who}

"x 1.5" is 1.5 times the oracle's median. What a row costs by chance: about 5 % of a median at 400 runs.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--rows", default="", metavar="PATTERN", help="only rows whose group or name matches")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    groups: dict[str, list[Row]] = {}
    for family in (shares, rates, ratios, gauges, instances, values, changes):
        for make in family(given.runs):
            began = time.monotonic()
            row = make()
            if not re.search(given.rows, row.group + " " + row.what):
                continue
            groups.setdefault(row.group, []).append(row)
            print(f"{row.group}: {row.what} ({time.monotonic() - began:.1f} s)", flush=True)
    who = (__doc__ or "").split("Who is compared:\n\n", 1)[1].replace("\n  ", " ").strip()
    text = HEAD.format(runs=given.runs, who=who)
    for group, rows in groups.items():
        text += f"\n## {group}\n\n{table(rows)}\n"
    if given.output:
        given.output.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
