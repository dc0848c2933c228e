"""data/reference/sequential and data/reference/tails.json: boundaries and tests of many looks, as confseq, ville, savvi
and ssrm-test compute them, and the formulas themselves in 40 to 50 digits by mpmath.

    python tools/reference/sequential.py            computes every case again and compares
    python tools/reference/sequential.py --write    writes what was found

Needs what requirements.txt beside this file names; what is not there is left out and said.
"""

from __future__ import annotations

import sys
import warnings
from functools import cache
from typing import Any

import golden
from golden import Unavailable

FILES = [f"sequential/{name}.json" for name in
         ("boundaries", "mixtures", "values", "sample_ratio", "silence", "conditional_mixture", "rate",
          "combine", "group_sequential")] + ["tails.json"]


# ---- confseq


def confseq(function: str, case: dict[str, Any]) -> Any:
    from confseq import boundaries, quantiles

    known = {key: value for key, value in case.items() if key not in ("source", "function", "output")}
    if function == "quantile_ab_p_value":
        known = case["inputs"]
    if function == "empirical_process_lil_bound":
        return {"output": quantiles.empirical_process_lil_bound(known["t"], known["alpha"], known["t_min"], known["A"])}
    module = boundaries if hasattr(boundaries, function) else quantiles
    return {"output": getattr(module, function)(**known)}


# ---- ville


def ville(function: str, case: dict[str, Any]) -> Any:
    import numpy as np
    import ville as package
    from ville import evalues

    i = case["inputs"]
    if function == "evalues.ebh":
        return {"output": evalues.ebh(i["e"], i["alpha"])}
    if function == "AsymptoticCS":
        run = package.AsymptoticCS(alpha=i["alpha"], t_opt=i["t_opt"], min_samples=i["min_samples"])
        run.fit(np.array(i["x"]))
        return {"output": [[ends[t - 1] for t in i["times"]] for ends in (run.lower_, run.upper_)]}
    if function == "MSPRT":
        test = package.MSPRT(theta0=i["theta0"], sigma=i["sigma"], tau=i["tau"])
        test.fit(np.array(i["x"]))
        return {"output": [test.log_e_values_[t - 1] for t in i["times"]]}
    raise KeyError(function)


# ---- savvi and ssrm-test


def savvi(function: str, case: dict[str, Any]) -> Any:
    import numpy as np
    from savvi import multinomial

    i = case["inputs"]
    if function != "Multinomial":
        raise Unavailable("its solver ends within 1e-6 of another number each time")
    test = multinomial.Multinomial(i["alpha"], np.array(i["theta_0"]), k=i["k"])
    steps = []
    for counts in i["increments"]:
        test.update(np.array(counts))
        p = min(1.0, 1 / float(test.odds))
        steps.append({"log_odds": float(np.log(test.odds)), "p": p})
    return {"output": {**case["output"], "steps": steps}}


def ssrm(function: str, case: dict[str, Any]) -> Any:
    import numpy as np

    np.Inf = np.inf  # the package knows NumPy 1 only
    from ssrm_test import ssrm_test

    i = case["inputs"]
    return {"output": list(ssrm_test.sequential_p_values(np.array(i["data"]), np.array(i["null_probabilities"])))}


# ---- the formulas in many digits


@cache
def prior(shape: str) -> tuple[list[Any], list[Any]]:
    """The 33 distances of anchored_prior.hpp and their weights."""
    from mpmath import exp, log, mpf

    step = log(mpf(3) / mpf("0.003")) / 32
    at = [exp(log(mpf("0.003")) + step * j) for j in range(33)]

    def density(d: Any) -> Any:
        return exp(-d * d / (2 * mpf("0.7") ** 2)) if shape == "half_normal" else 1 / (1 + (d / mpf("0.8")) ** 5)

    weight = [density(d) * ((at[min(j + 1, 32)] - at[max(j - 1, 0)]) / (1 if j in (0, 32) else 2))
              for j, d in enumerate(at)]
    return at, [w / sum(weight) for w in weight]


def mixture(rows: list[Any], ratio: float, dispersion: float, beyond: int, shape: str) -> Any:
    """The conditional factor of conditional_mixture.hpp (its level p = 0) over rows of x_b, n_b, x_c, n_c."""
    from mpmath import exp, expm1, fsum, log, log1p, mpf

    logs = []
    for distance in prior(shape)[0]:
        delta = beyond * distance
        total = mpf(0)
        for xb, nb, xc, nc in rows:
            q0 = mpf(ratio) * mpf(nc) / (mpf(ratio) * mpf(nc) + mpf(nb)) if nc or nb else mpf(0)
            total += xc * delta - (xb + xc) * log1p(q0 * expm1(delta))
        logs.append(total / mpf(dispersion))
    top = max(logs)
    return top + log(fsum(w * exp(v - top) for w, v in zip(prior(shape)[1], logs)))


def log_integral(log_density: Any, slope: Any, peak: Any, width: Any, low: Any, high: Any) -> Any:
    """log of the integral of exp(log_density) from low to high, over pieces that grow away from the peak."""
    from mpmath import exp, fsum, log, mpf, quad

    top = log_density(peak)
    total = []
    for sign, end in ((1, high), (-1, low)):
        at, step = peak, width
        while (end - at) * sign > 0:
            after = at + sign * step
            if (after - end) * sign > 0:
                after = end
            piece = abs(quad(lambda t: exp(log_density(t) - top), [at, after]))
            total.append(piece)
            if piece < mpf(10) ** -45 * fsum(total):
                break
            at, step = after, 2 * step
    return top + log(fsum(total))


def log_gamma_integral(a: Any, low: Any, high: Any) -> Any:
    """of t^(a - 1) e^-t"""
    from mpmath import log, mpf, sqrt

    mode = max(a - 1, mpf(0))
    if mode == 0 and low == 0:
        # t = u^(1/a) takes the pole away: dt t^(a-1) = du/a.
        from mpmath import exp, quad

        return log(quad(lambda u: exp(-(u ** (1 / a))), [0, min(high, mpf(1)) ** a / 2, min(high, mpf(1)) ** a]) / a +
                   (quad(lambda t: t ** (a - 1) * exp(-t), [1, 4, 16, 64, 256, high]) if high > 1 else 0))
    peak = min(max(mode, low), high)
    slope = abs((a - 1) / peak - 1) if peak > 0 else mpf(1)
    width = min(1 / slope if slope else mpf(10) ** 40, sqrt(max(a, mpf(1))))
    return log_integral(lambda t: (a - 1) * log(t) - t, slope, peak, width, low, high)


def log_beta_integral(a: Any, b: Any, x: Any) -> Any:
    """of t^(a - 1) (1 - t)^(b - 1) from 0 to x, by t = e^-y where it is steep at 0"""
    from mpmath import exp, log, log1p, mpf, sqrt

    # y = -log t, from -log x to infinity: exp(-a y + (b - 1) log(1 - e^-y))
    def density(y: Any) -> Any:
        return -a * y + (b - 1) * log1p(-exp(-y))

    low = -log(x)
    mode = log((a + b - 1) / a) if b > 1 else mpf(0)
    peak = max(mode, low)
    slope = abs(-a + (b - 1) * exp(-peak) / (1 - exp(-peak))) if peak > 0 else a
    bend = abs((b - 1) * exp(-peak) / (1 - exp(-peak)) ** 2) if peak > 0 else mpf(1)
    width = min(1 / slope if slope else mpf(10) ** 40, 1 / sqrt(bend) if bend else mpf(10) ** 40, mpf(4))
    return log_integral(density, slope, peak, width, low, mpf(10) ** 9)


def formula(function: str, case: dict[str, Any]) -> Any:
    import mpmath
    from mpmath import exp, inf, log1p, loggamma, mpf

    if function == "conditional_mixture":
        mpmath.mp.dps = 40
        return {name: float(mixture(case["counts"], case["ratio"], case["dispersion"], side, shape))
                for name, side, shape in (("harm", 1, "flat"), ("safe", -1, "flat"), ("harm_half_normal", 1, "half_normal"),
                                          ("safe_half_normal", -1, "half_normal")) if name in case}
    if function == "rate":
        mpmath.mp.dps = 50
        return {name: float(mixture(case["rows"], case["ratio"], case["dispersion"], side, "flat"))
                for name, side in (("harm", 1), ("safe", -1)) if name in case}
    if function == "share":
        mpmath.mp.dps = 50
        return {"log_e_value": float(share(case))}
    if function == "silence":
        mpmath.mp.dps = 50
        return {"output": [float(value) for value in silence(case)]}
    mpmath.mp.dps = 40
    if function in ("log_incomplete_gamma", "log_incomplete_gamma_upper"):
        a, x = (mpf(v) for v in case["arguments"])
        # The smaller of the two is integrated; the other one is what it leaves of 1.
        below = x < a
        small = log_gamma_integral(a, *((mpf(0), x) if below else (x, inf))) - loggamma(a)
        return {"output": float(small if below == (function == "log_incomplete_gamma") else log1p(-exp(small)))}
    if function == "log_incomplete_beta":
        a, b, x = (mpf(v) for v in case["arguments"])
        return {"output": float(log_beta_integral(a, b, x) - (loggamma(a) + loggamma(b) - loggamma(a + b)))}
    if function == "log_gamma_delta":
        a, d = (mpf(v) for v in case["arguments"])
        return {"output": float(loggamma(a + d) - loggamma(a))}
    raise KeyError(function)


def share(case: dict[str, Any]) -> Any:
    """sample_ratio.hpp: without a tolerance the Dirichlet-multinomial Bayes factor; with one, over the ends of what each
    arm may have, the mean (harm) or the smallest (safe) of the mixtures over shares beyond that end."""
    from mpmath import exp, expm1, fsum, log, log1p, loggamma, mpf

    shares, counts = [mpf(v) for v in case["shares"]], [mpf(v) for v in case["counts"]]
    shares = [v / sum(shares) for v in shares]
    n, phi, k = sum(counts), mpf(case["dispersion"]), mpf(case["concentration"])
    if not case["tolerance"]:
        x = [c / phi for c in counts]
        return loggamma(k) - loggamma(k + n / phi) + fsum(
            loggamma(k * s + c) - loggamma(k * s) - c * log(s) for s, c in zip(shares, x))
    harm, values = case["side"] == "harm", []
    at, weights = prior("half_normal")
    for arm in range(len(shares)) if len(shares) > 2 else [1]:
        for sign in (1, -1):
            # What the arm may have without it, or all others together, being further off than allowed.
            own, others = shares[arm] * (1 + sign * mpf(case["tolerance"])), 1 - (1 - shares[arm]) * (1 - sign * mpf(case["tolerance"]))
            edge = min(own, others) if sign > 0 else max(own, others)
            beyond = sign if harm else -sign
            terms = [w * exp((counts[arm] * beyond * d - n * log1p(edge * expm1(beyond * d))) / phi)
                     for d, w in zip(at, weights)]
            values.append(fsum(terms))
    return log(fsum(values) / len(values)) if harm else log(min(values))


def silence(case: dict[str, Any]) -> list[Any]:
    """silence.hpp: half on no request at all, with a start an interval, half on shares below the edge."""
    from mpmath import exp, expm1, fsum, log, log1p, mpf, zeta

    phi, tolerance = mpf(case["dispersion"]), mpf(case["tolerance"])
    at, weights = prior("flat")
    quiet, left, started, masses, out = mpf(0), mpf(1), 0, [mpf(0)] * 33, []
    for n_b, n_c, share in zip(case["baseline"], case["canary"], case["shares"]):
        if n_b or n_c:
            q, started = (1 - tolerance) * mpf(share), started + 1
            weight = mpf(2) / 3 if started == 1 else 1 / (3 * (zeta(mpf("1.5")) - 1) * mpf(started) ** mpf("1.5"))
            left -= weight
            quiet = mpf(0) if n_c else (quiet + weight) * exp(-n_b * log1p(-q) / phi)
            masses = [m - (n_c * d + (n_b + n_c) * log1p(q * expm1(-d))) / phi for m, d in zip(masses, at)]
        out.append(log((quiet + left + fsum(w * exp(m) for w, m in zip(weights, masses))) / 2))
    return out


def integral(function: str, case: dict[str, Any]) -> Any:
    """The mixtures of boundaries/, by their formulas (Howard, Ramdas, McAuliffe and Sekhon 2021, propositions 5 to 10)."""
    import mpmath
    from mpmath import hyp1f1, inf, log, loggamma, mpf, ncdf, sqrt

    mpmath.mp.dps = 60
    s, v, v_opt, alpha = (mpf(case[key]) for key in ("s", "v", "v_opt", "alpha_opt"))
    one_sided = case.get("one_sided", True)
    level = 2 * log(1 / (2 * alpha if one_sided else alpha))
    rho = v_opt / (level + log(1 + level))
    if function == "log_normal_mixture":
        value = log(rho / (v + rho)) / 2 + s * s / (2 * (v + rho))
        return {"output": float(value + log(2 * ncdf(s / sqrt(v + rho))) if one_sided else value)}
    if function in ("log_gamma_exponential", "log_gamma_poisson"):
        c = mpf(case["c"])
        a, at = rho / c**2, (v + rho) / c**2
        if function == "log_gamma_exponential":
            def scaled(a: Any, x: Any) -> Any:  # gamma(a, x) e^x x^-a
                if x > 0:
                    return log_gamma_integral(a, mpf(0), x) + x - a * log(x)
                return log(hyp1f1(1, a + 1, x, maxterms=10**7) / a)

            return {"output": float(scaled(at, at + s / c) - scaled(a, a))}
        scaled = lambda b, a: log_gamma_integral(b, a, inf) + a - b * log(a)  # noqa: E731
        # A^-B of the numerator and of the start, each at its own B.
        return {"output": float(scaled(at + s / c, at) - scaled(a, a))}
    g, h = mpf(case["g"]), mpf(case["h"])
    r, top = max(rho - g * h, g * h / 1000), h / (g + h) if one_sided else mpf(1)
    x = h / (g + h)

    def whole(v: Any, s: Any) -> Any:
        a, b = (r + v - g * s) / (g * (g + h)), (r + v + h * s) / (h * (g + h))
        inside = log_beta_integral(a, b, top) if top < 1 else loggamma(a) + loggamma(b) - loggamma(a + b)
        return inside - a * log(x) - b * log(1 - x)

    return {"output": float(whole(v, s) - whole(mpf(0), mpf(0)))}


PACKAGES = {"confseq": confseq, "ville": ville, "savvi": savvi, "ssrm-test": ssrm, "mpmath": formula,
            "integral": integral}


def compute(case: dict[str, Any], whole: dict[str, Any]) -> Any:
    warnings.simplefilter("ignore")
    package, function = case["source"].split(" ", 1)
    if package not in PACKAGES:
        raise Unavailable(whole["sources"][case["source"]].get("why_not", "no function here"))
    try:
        return PACKAGES[package](function, case)
    except ImportError as error:
        raise Unavailable(str(error)) from None


if __name__ == "__main__":
    sys.exit(golden.main(FILES, compute))
