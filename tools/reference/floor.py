"""data/reference/sequential/floor.json: the e-processes and the interval under a margin with a floor, in NumPy and SciPy.

    python tools/reference/floor.py            computes every case again and compares
    python tools/reference/floor.py --write    writes what was found
    python tools/reference/floor.py --exact    the factors' means over all outcomes, at the edge of the null hypothesis

Written before the C++ and apart from it; the notation is that of include/serinus/sequential/detail/floor_process.hpp: every factor is K(x_c) B(x_b), one
bet h on the canary, and for the baseline the smaller of what the ratio and what the difference would pay (harm), or one of them (safe). `rates`: exposures
in place of requests.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import golden
import numpy as np
from scipy.special import gammaln, pdtrc
from scipy.stats import binom, poisson

D = np.exp(np.linspace(math.log(0.003), math.log(3), 33))  # distances: p_c = e^d max(r p_b, p_b + f)
_W = 1 / (1 + (D / 0.8) ** 5) * np.append(np.append(D[1] - D[0], (D[2:] - D[:-2]) / 2), D[-1] - D[-2])
LOG_W = np.log(_W / _W.sum())
KEEP = 0.5 ** (1 / 20)
CAP = 0.9
l1p = np.log1p


def log_sum(values: Any) -> float:
    top = values.max()
    return float(top + np.log(np.exp(values - top).sum()))


def one_side(xb: Any, nb: Any, xc: Any, nc: Any, c: Any, h: Any, s: Any, i: Any, rates: bool) -> Any:
    """log of K(x_c) B(x_b) for the line p_c = i + s p_b through (a, c). h < 0: evidence below the line."""
    g, a = s * h * nc / nb, (c - i) / s
    if rates:
        return xc * l1p(h) + xb * l1p(-g) - nc * h * i
    return xc * l1p((1 - c) * h) + (nc - xc) * l1p(-c * h) + xb * l1p(-(1 - a) * g) + (nb - xb) * l1p(a * g)


def harm_factor(xb: Any, nb: Any, xc: Any, nc: Any, c: Any, h: Any, r: Any, f: Any, mu: Any = None, rates: bool = False) -> Any:
    """mu: expected x_b, known before, for the step; None: no step."""
    g = h * nc / nb
    if rates:
        pays, log_a, log_rho = xc * l1p(h) + xb * l1p(-r * g), -nc * h * f, l1p(-g) - l1p(-r * g)
    else:
        m1, q1, m2, q2 = l1p(-(1 - c / r) * r * g), l1p(c * g), l1p(-(1 - c + f) * g), l1p((c - f) * g)
        pays = xc * l1p((1 - c) * h) + (nc - xc) * l1p(-c * h) + xb * m1 + (nb - xb) * q1
        log_a, log_rho = nb * (q2 - q1), (m2 - m1) + (q1 - q2)
    gap = log_a + xb * log_rho
    plain = pays + np.minimum(0, gap)
    if mu is None or not f > 0 or not r > 1:
        return plain
    with np.errstate(all="ignore"):
        k = np.floor(-log_a / log_rho) + 1  # the first count at which the ratio pays less
        alpha, beta = np.expm1(log_a + k * log_rho), -np.expm1(log_a + (k - 1) * log_rho)
        d = 4 * beta * k / (k + 1) * (1 if rates else (nb - k) / (nb - k + 1))
        at, over = np.exp(k * np.log(mu) - mu - gammaln(k + 1)), pdtrc(k, mu)
        y = (-over + np.sqrt(over * over + (2 * over + at) * at * d)) / (2 * over + at)
        y = np.minimum(np.minimum(y, alpha), np.sqrt(d / 2))
        taken = (log_rho > 0) & (beta > 0) & (y > 0) & (rates | (k < nb - 1))
        stepped = pays + np.where(xb < k, np.minimum(0, gap), np.where(xb == k, l1p(y), l1p(-y * y / d)))
    return np.where(taken, stepped, plain)


def bets(p0: float, nb: float, nc: float, r: float, f: float, sign: int, e: Any, first: bool, rates: bool) -> Any:
    ratio = r * p0 >= p0 + f
    c = max(r * p0 if ratio else p0 + f, 1e-300 if rates else 1e-12)
    s, a = (r, c / r) if ratio else (1.0, c - f)
    vb, vc = (1, 1) if rates else (1 - a, 1 - c)
    if first:
        h = sign * (e - 1) / (vc + e * r * vb * nc / nb)
    else:
        h = sign * (e - 1) * c / (c * vc + e * s * s * a * vb * nc / nb)
    return c, h, s, a, 0.0 if ratio else f


class Level:
    def __init__(self, r: float, f: float, rates: bool) -> None:
        self.v, self.r, self.f, self.rates, self.first = np.zeros(4), r, f, rates, True

    def add(self, *x: float) -> None:
        self.v, self.first = KEEP * self.v + np.array(x), False

    def on_margin(self) -> float:
        if self.first:
            return 0.0
        xb, nb, xc, nc = self.v
        x = xb + xc
        p = max(0.0, min((x + 0.18) / (nb + self.r * nc + (0 if self.rates else 0.36)), (x - self.f * nc) / (nb + nc)))
        return p if self.rates else min(p, 0.999 * min(1 / self.r, 1 - self.f))

    def shared(self) -> float:
        xb, nb, xc, nc = self.v
        return 0.5 if self.first else (xb + xc + 0.18) / (nb + nc + (0 if self.rates else 0.36))


def harm(counts: Any, r: float, f: float, rates: bool, phi: float) -> list[float]:
    mass, level, out = LOG_W.copy(), Level(r, f, rates), []
    for xb, nb, xc, nc in counts:
        c, h, *_ = bets(level.on_margin(), nb, nc, r, f, 1, np.exp(D), level.first, rates)
        most = nb / (nc * r) if rates else min(1 / c, nb / (nc * (r - c)) if r > c else math.inf, nb / (nc * (1 - c + f)))
        step = not level.first and r > 1 and nb * f / (r - 1) <= 20
        mu = nb * (level.v[0] + 0.5) / level.v[1] if step else None
        step = step and mu <= 2 * nb * f / (r - 1) + 4
        mass = mass + harm_factor(xb, nb, xc, nc, c, np.minimum(h, CAP * most), r, f, mu if step else None, rates) / phi
        out.append(log_sum(mass))
        level.add(xb, nb, xc, nc)
    return out


def safe(counts: Any, r: float, f: float, rates: bool, phi: float) -> list[float]:
    mass, level, out = np.append(LOG_W, 0) - math.log(2), Level(r, f, rates), []
    for xb, nb, xc, nc in counts:
        p = level.shared()
        e = np.append(np.exp(-D), p / max(r * p, p + f))
        c, h, s, a, i = bets(level.on_margin(), nb, nc, r, f, -1, e, level.first, rates)
        if not rates:
            h = np.minimum(h, 0.98 * nb / (nc * s * max(a, 1e-300)))
        mass = mass + one_side(xb, nb, xc, nc, c, -h, s, i, rates) / phi
        out.append(log_sum(mass))
        level.add(xb, nb, xc, nc)
    return out


def band(counts: Any, r: float, f: float, rates: bool, phi: float, alpha: float) -> tuple[float, float]:
    """Bounds on lambda = (p_c - p_b)/max((r - 1) p_b, f): 64 carried ones, each with one bet an interval from the levels so far."""
    lam = np.sort(np.append(np.geomspace(0.02, 100, 62), [0.0, 1.0]))
    ratio, floor = 1 + lam * (r - 1), lam * f
    up, down, seen = np.zeros(64), np.zeros(64), np.zeros(4)
    added = 0 if rates else 0.36
    for t, (xb, n1, xc, n2) in enumerate(counts):
        if t:
            tb, tc = (seen[0] + 0.18) / (seen[1] + added), (seen[2] + 0.18) / (seen[3] + added)
            above = tc > np.maximum(ratio * tb, tb + floor)
            total, size = n1 * tb + n2 * tc, n1 + n2
            q = size * floor - total
            by_ratio = ratio * total / (n1 + ratio * n2)
            by_difference = (-q + np.sqrt(q * q + 4 * size * n1 * tb * floor)) / (2 * size) + floor
            if not rates:
                by_ratio, by_difference = np.clip(by_ratio, 1e-9, 0.9), np.clip(by_difference, 1e-9, 0.9)
            c = np.maximum(by_ratio, by_difference)
            most = n1 / (n2 * ratio) if rates else np.minimum(
                1 / c, np.minimum(n1 / (n2 * np.maximum(ratio - c, 1e-9)), n1 / (n2 * (1 - c + floor))))
            h = np.minimum(np.maximum(tc / c - 1, 0) / (1 if rates else 1 - c), CAP * most)
            up += np.where(above, harm_factor(xb, n1, xc, n2, c, h, ratio, floor, rates=rates), 0) / phi
            on_ratio = by_ratio > by_difference
            s, a = np.where(on_ratio, ratio, 1), np.where(on_ratio, c / ratio, c - floor)
            most = 0.999 if rates else np.minimum(0.999 / (1 - c), 0.98 * n1 / (n2 * s * np.maximum(a, 1e-12)))
            h = np.clip((1 - tc / c) / (1 if rates else 1 - c), 0, most)
            down += np.where(above | (lam == 0), 0, one_side(xb, n1, xc, n2, c, -h, s, np.where(on_ratio, 0, floor), rates)) / phi
        seen += xb, n1, xc, n2
    low = int(np.cumprod(up >= -math.log(alpha)).sum())
    high = int(np.cumprod((down >= -math.log(alpha))[::-1]).sum())
    return (float(lam[low - 1]) if low else -math.inf), (float(lam[64 - high]) if high else math.inf)


def compute(case: dict[str, Any], _: dict[str, Any]) -> Any:
    counts, r, f, rates, phi = case["counts"], case["ratio"], case["floor"], case["of"] == "rates", case["dispersion"]
    with np.errstate(all="ignore"):
        lower, upper = band(counts, r, f, rates, phi, 0.05)
        return {"harm": harm(counts, r, f, rates, phi), "safe": safe(counts, r, f, rates, phi), "lower": lower, "upper": upper}


def cases() -> list[dict[str, Any]]:
    """The inputs: both sides of the crossing, on it, silent arms, uneven and changing sizes, a jump, large counts, rates."""
    g, found = np.random.default_rng(17), []

    def add(name: str, pb: Any, pc: Any, nb: Any, nc: Any, r: float, f: float, t: int = 40, of: str = "shares", phi: float = 1.0) -> None:
        pb, pc, nb, nc = (np.broadcast_to(np.asarray(v, float), t) for v in (pb, pc, nb, nc))
        draw = (lambda n, p: g.poisson(n * p)) if of == "rates" else (lambda n, p: g.binomial(n.astype(int), p))
        counts = [[int(xb), float(n1), int(xc), float(n2)] for xb, n1, xc, n2 in zip(draw(nb, pb), nb, draw(nc, pc), nc)]
        found.append({"source": "numpy floor", "name": name, "of": of, "ratio": r, "floor": f, "dispersion": phi, "counts": counts})

    add("silent", 0, 0, 900, 100, 3, 0.003, 20)
    add("silent baseline", 0, 0.01, 900, 100, 1.5, 0.001, 20)
    add("at the crossing", 0.002, 0.003, 1000, 1000, 1.5, 0.001, 60)
    add("few events, the step", 0.001, 0.003, 100, 100, 1.5, 0.001, 200)
    add("the step, uneven", 0.002, 0.006, 900, 100, 1.5, 0.001, 80)
    add("the ratio binds", 0.05, 0.1, 100, 100, 1.5, 0.001)
    add("a jump", np.repeat([0.0001, 0.02], 30), np.repeat([0.0011, 0.03], 30), 900, 100, 1.5, 0.001, 60)
    add("changing sizes", 0.003, 0.004, g.integers(3, 3000, 60), g.integers(3, 3000, 60), 1.2, 0.002, 60)
    add("a difference", 0.01, 0.02, 900, 100, 1, 0.005)
    add("a ratio", 0.01, 0.02, 900, 100, 1.5, 0)
    add("high", 0.6, 0.7, 100, 100, 1.05, 0.05)
    add("dispersion", 0.01, 0.02, 900, 100, 1.5, 0.001, phi=4.0)
    add("large", 0.001, 0.0016, 5e6, 1e6, 1.5, 0.0001, 10)
    add("rates", 0.4, 0.6, 18, 2, 1.5, 0.2, of="rates")
    add("rates, silent", 0, 0, 2, 2, 1.5, 0.2, 20, of="rates")
    add("rates, silent baseline", 0, 0.5, 2, 2, 1.5, 0.2, 20, of="rates")
    add("rates in seconds, the step", 0.0001, 0.0004, 7200, 3600, 1.5, 0.00005, 80, of="rates")
    add("rates, a difference", 1, 1.6, 3.5, 1.25, 1, 0.5, of="rates", phi=1.5)
    return found


def exact(trials: int = 1500, seed: int = 1) -> None:
    """Exact means over all outcomes, at the null's edge (harm: the mean rises with p_c; safe: it falls)."""
    g, worst = np.random.default_rng(seed), {"harm": 0.0, "step": 0.0, "safe": 0.0, "rates": 0.0, "rates, step": 0.0}

    def note(key: str, value: float) -> None:
        worst[key] = max(worst[key], float(value))

    for _ in range(trials):
        nb, nc = (int(v) for v in g.integers(1, 50, 2))
        r = g.choice([1.05, 1.2, 1.5, 3.0])
        f = min(g.choice([0.001, 0.01, 0.05, 0.2]), 0.9 * (r - 1))
        p0 = g.choice([0, g.uniform(), 10 ** g.uniform(-4, 0)]) * 0.95 * min(1 / r, 1 - f)
        c, mu = max(r * p0, p0 + f), nb * 10 ** g.uniform(-4, -0.3)
        xb, xc = np.arange(nb + 1.0)[:, None], np.arange(nc + 1.0)[None, :]
        pb = np.append(10 ** g.uniform(-4, 0, 12), [0, min(1, f / (r - 1)), 1])
        pc = np.minimum(1, np.maximum(r * pb, pb + f))
        h = min(1 / c, nb / (nc * (r - c)), nb / (nc * (1 - c + f))) * g.uniform(0.01, 0.999)

        def mean(logs: Any) -> float:
            return np.einsum("bi,bc,ci->i", binom.pmf(xb, nb, pb), np.exp(logs), binom.pmf(xc.T, nc, pc)).max()

        note("harm", mean(harm_factor(xb, nb, xc, nc, c, h, r, f)))
        note("step", mean(harm_factor(xb, nb, xc, nc, c, h, r, f, mu)))
        ratio = bool(g.integers(2))
        s, a = (r, c / r) if ratio else (1, c - f)
        h = min(0.999 / (1 - c), 0.98 * nb / (nc * s * max(a, 1e-9))) * g.uniform(0.01, 1)
        pb = pb[np.maximum(r * pb, pb + f) <= 1]  # beyond it the mirror's null is empty
        pc = np.maximum(r * pb, pb + f)
        note("safe", mean(one_side(xb, nb, xc, nc, c, -h, s, 0 if ratio else f, False)))
        xb, xc = np.arange(200.0)[:, None], np.arange(200.0)[None, :]
        lam, floor = np.append(10 ** g.uniform(-3, 1, 8), 0), 10 ** g.uniform(-2, 0.5)
        eb, ec = g.uniform(0.1, 5, 2)
        up = np.maximum(r * lam, lam + floor)
        kept = (eb * lam < 60) & (ec * up < 60)
        if not kept.any():
            continue
        h = min(eb / (ec * r), 1.0) * g.uniform(0.01, 0.999)
        for key, expected in (("rates", None), ("rates, step", eb * 0.3)):
            logs = harm_factor(xb, eb, xc, ec, 0, h, r, floor, expected, True)
            note(key, np.einsum("bi,bc,ci->i", poisson.pmf(xb, eb * lam[kept]), np.exp(logs), poisson.pmf(xc.T, ec * up[kept])).max())
    print("largest mean at the null's edge:", {key: round(value, 12) for key, value in worst.items()})


SOURCE = {"package": "NumPy 2.4, SciPy 1.17", "licence": "BSD-3-Clause", "command": "the formulas of floor_process.hpp and floor_band.hpp, written apart",
          "rtol": 1e-9, "atol": 1e-11, "reason": "sums of 33 nodes in doubles over up to 200 intervals, of counts up to 5e6"}

if __name__ == "__main__":
    if "--exact" in sys.argv:
        exact()
        sys.exit(0)
    if not (golden.DATA / "sequential" / "floor.json").exists():
        made = cases()
        for one in made:
            one.update(golden.to_json(compute(one, {})))
        golden.write("sequential/floor.json", {"made_by": "tools/reference/floor.py", "note": "natural logs of the e-values after each interval, "
                     "and the interval's ends at .05 each after the last", "sources": {"numpy floor": SOURCE}, "cases": made})
    sys.exit(golden.main(["sequential/floor.json"], compute))
