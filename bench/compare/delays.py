"""How soon are harms found, and how often is there a false alarm? The scenarios of docs/concepts/proportion-test.md.

Usage: python bench/compare/delays.py [NAME ...]      (needs the installed package)

Each scenario is drawn by numpy's PCG64 from its own seed, the baseline's array first, then the canary's: the same data for
every method and on every machine. Prints a Markdown table: the share of runs that ever reject at alpha .05 one-sided, and
the median interval at which they do ("-" where fewer than half do).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from serinus.sequential import PairedTest, ProportionTest, SignedRankTest, count_dispersion

STEPS = 200


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def binomials(seed: int, n_b: int, p_b: float, n_c: int, p_c: float, repetitions: int = 2000) -> Iterator[Any]:
    random = generator(seed)
    x_b, x_c = random.binomial(n_b, p_b, (repetitions, STEPS)), random.binomial(n_c, p_c, (repetitions, STEPS))
    for b, c in zip(x_b.tolist(), x_c.tolist()):
        yield [(one, n_b, other, n_c) for one, other in zip(b, c)]


def poissons(seed: int, e_b: float, e_c: float, ratio: float, repetitions: int = 2000) -> Iterator[Any]:
    random = generator(seed)
    level = 5 * (1 + 0.5 * np.sin(2 * np.pi * np.arange(STEPS) / 50))
    x_b = random.poisson(level * e_b, (repetitions, STEPS))
    x_c = random.poisson(level * e_c * ratio, (repetitions, STEPS))
    for b, c in zip(x_b.tolist(), x_c.tolist()):
        yield [(one, e_b, other, e_c) for one, other in zip(b, c)]


def gauges(seed: int, shift: float, repetitions: int = 1000, steps: int = 120) -> Iterator[Any]:
    random = generator(seed)
    # What drifts in both arms alike drops out of the difference; it is drawn all the same, to keep the stream.
    random.standard_normal((repetitions, steps))
    baseline = random.standard_normal((repetitions, steps))
    canary = random.standard_normal((repetitions, steps)) + shift
    for row in (canary - baseline).tolist():
        yield [(one,) for one in row]


def over_dispersed(seed: int, ratio: float, phi: float, repetitions: int = 2000) -> Iterator[Any]:
    """100:100 at 1 %, beta-binomial; each run with the dispersion that its own history of 1,000 intervals teaches."""
    random = generator(seed)
    n, p = 100, 0.01
    concentration = (n - 1) / (phi - 1) - 1

    def draw(rate: float, shape: tuple[int, ...]) -> Any:
        return random.binomial(n, random.beta(rate * concentration, (1 - rate) * concentration, shape))

    for _ in range(repetitions):
        h_b, h_c = draw(p, (1000,)), draw(p, (1000,))
        learned = count_dispersion(h_b, n, h_c, n, alpha=0.05)
        x_b, x_c = draw(p, (STEPS,)).tolist(), draw(p * ratio, (STEPS,)).tolist()
        yield learned, [(b, n, c, n) for b, c in zip(x_b, x_c)]


def first(test: Any, rows: list[Any]) -> float:
    for i, row in enumerate(rows, 1):
        test.update(*row)
        if test.decided:
            return i
    return math.inf


def conditional(**options: Any) -> Callable[[], Any]:
    return lambda: ProportionTest(interval=False, **options)


SCENARIOS: dict[str, tuple[str, Callable[[], Iterator[Any]], list[tuple[str, Callable[..., Any]]]]] = {}


def scenario(name: str, what: str, data: Callable[[], Iterator[Any]], *methods: tuple[str, Callable[..., Any]]) -> None:
    SCENARIOS[name] = (what, data, list(methods))


COUNTS = (("ProportionTest", conditional()), ("ProportionTest, block", conditional(method="block")))
scenario("B0", "1 % / 1 %, 100:100", lambda: binomials(101, 100, 0.01, 100, 0.01), *COUNTS)
scenario("B1", "1 % -> 2 %, 100:100", lambda: binomials(102, 100, 0.01, 100, 0.02), *COUNTS)
scenario("B2", "1 % / 1 %, 900:100", lambda: binomials(103, 900, 0.01, 100, 0.01), *COUNTS)
scenario("B3", "1 % -> 2 %, 900:100", lambda: binomials(104, 900, 0.01, 100, 0.02), *COUNTS)
try:
    from serinus.sequential import RateTest
except ImportError:
    pass
else:
    RATES = (("RateTest", lambda: RateTest(interval=False)),)
    scenario("P0", "drift, 1:1", lambda: poissons(201, 1, 1, 1.0), *RATES)
    scenario("P1", "x 1.2, drift, 1:1", lambda: poissons(202, 1, 1, 1.2), *RATES)
    scenario("P2", "drift, 9:1", lambda: poissons(203, 9, 1, 1.0), *RATES)
    scenario("P3", "x 1.5, drift, 9:1", lambda: poissons(204, 9, 1, 1.5), *RATES)
GAUGES = (("PairedTest, learn", lambda: PairedTest(interval=False)), ("SignedRankTest", SignedRankTest))
scenario("R0", "no shift", lambda: gauges(401, 0.0), *GAUGES)
scenario("R1", "+1 sd", lambda: gauges(402, 1.0), *GAUGES)
scenario("R2", "+0.5 sd", lambda: gauges(403, 0.5), *GAUGES)
LEARNED = (("ProportionTest, phi learned", lambda phi: ProportionTest(interval=False, dispersion=phi)),)
scenario("D0", "1 % / 1 %, 100:100, phi 10", lambda: over_dispersed(501, 1.0, 10), *LEARNED)
scenario("D1", "1 % -> 2 %, 100:100, phi 10", lambda: over_dispersed(502, 2.0, 10), *LEARNED)
MANY = (("ProportionTest", conditional()),)
for parts, seed in ((1, 601), (2, 602), (3, 603)):
    scenario(
        f"S{parts}",
        f"x 1.0{parts} at 10,000 events an arm and interval",
        lambda parts=parts, seed=seed: binomials(seed, 10**6, 0.01, 10**6, 0.01 * (1 + parts / 100), 200),
        *MANY,
    )


def main() -> None:
    print("| | scenario | method | runs | ever rejects | median interval |")
    print("|---|---|---|---|---|---|")
    for name in sys.argv[1:] or SCENARIOS:
        what, data, methods = SCENARIOS[name]
        rows = list(data())
        for method, make in methods:
            delays = sorted(first(make(row[0]), row[1]) if isinstance(row, tuple) else first(make(), row) for row in rows)
            found = sum(delay < math.inf for delay in delays) / len(delays)
            median = (delays[(len(delays) - 1) // 2] + delays[len(delays) // 2]) / 2
            shown = f"{median:g}" if median < math.inf else "-"
            print(f"| {name} | {what} | {method} | {len(delays)} | {found:.3f} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
