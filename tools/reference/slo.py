"""data/reference/slo/statistics.json: bounds of burn rates and of a canary's excess, by mpmath in 30 digits.

    python tools/reference/slo.py            computes every case again and compares
    python tools/reference/slo.py --write    writes what was found

data/reference/slo/burn_rate.json comes from two Prometheus servers; what was asked of them is in its `producers` and
`rules`.
"""

from __future__ import annotations

import sys
from typing import Any

import golden

FILES = ["slo/statistics.json"]


def root(f: Any, low: Any, high: Any) -> Any:
    """The zero of a function that is below 0 at `low` and above at `high`, by halving."""
    from mpmath import mpf

    for _ in range(140):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return (mpf(low) + high) / 2


def single(case: dict[str, Any]) -> Any:
    from mpmath import betainc, gammainc, inf, mpf

    x, n, budget = case["bad"], case["total"], mpf(str(case["error_budget"]))
    tail = (1 - mpf(str(case["confidence"]))) / 2

    def at_least(k: int, p: Any) -> Any:  # P(X >= k), X ~ Binomial(n, p)
        return betainc(k, n - k + 1, 0, p, regularized=True) if k > 0 else mpf(1)

    lower = root(lambda p: at_least(x, p) - tail, mpf(0), mpf(1)) if x > 0 else mpf(0)
    upper = root(lambda p: at_least(x + 1, p) - (1 - tail), mpf(0), mpf(1)) if x < n else mpf(1)
    few = root(lambda m: gammainc(x, 0, m, regularized=True) - tail, mpf(0), mpf(n)) if x > 0 else mpf(0)
    many = root(lambda m: tail - gammainc(x + 1, m, inf, regularized=True), mpf(0), mpf(10 * n + 100))
    p = mpf(str(case["threshold"])) * budget
    small = lambda v: float(v) if v > mpf(10) ** -20 else 0.0  # noqa: E731
    return {"burn": float(x / mpf(n) / budget), "cp_burn": [float(lower / budget), float(upper / budget)],
            "poisson_burn": [float(few / n / budget), float(many / n / budget)],
            "prob_burn_gt_jeffreys": small(betainc(x + mpf(1) / 2, n - x + mpf(1) / 2, p, 1, regularized=True) if p < 1 else 0),
            "binom_p_value_ge": small(at_least(x, p) if p < 1 else mpf(1))}


def compute(case: dict[str, Any], whole: dict[str, Any]) -> Any:
    import mpmath

    mpmath.mp.dps = 30
    if case["source"] == "mpmath single":
        return single(case)
    raise golden.Unavailable(whole["sources"][case["source"]]["why_not"])


if __name__ == "__main__":
    sys.exit(golden.main(FILES, compute))
