"""data/reference/fixed: the tests of one look, as SciPy, statsmodels, pingouin and R compute them, and exact fractions.

    python tools/reference/fixed.py            computes every case again and compares
    python tools/reference/fixed.py --write    writes what was found

Needs what requirements.txt beside this file names; R's functions also Rscript with jsonlite, kSamples, exactRankTests,
coin and effectsize (Debian: r-base-core r-cran-jsonlite r-cran-ksamples r-cran-exactranktests r-cran-coin
r-cran-effectsize). What is not there is left out and said. x of the packages is the canary, y the baseline.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import tempfile
import warnings
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import golden
from golden import DATA, Unavailable

FILES = sorted(str(path.relative_to(DATA)) for path in (DATA / "fixed").glob("*.json") if path.name != "datasets.json")


@cache
def datasets() -> dict[str, Any]:
    return golden.load("fixed/datasets.json")["datasets"]


def arms(case: dict[str, Any]) -> tuple[Any, Any]:
    """x and y: the canary's and the baseline's values."""
    import numpy as np

    data = datasets()[case["inputs"]["dataset"]]
    return np.array(golden.from_json(data["canary"]), float), np.array(golden.from_json(data["baseline"]), float)


# ---- SciPy


def scipy(function: str, case: dict[str, Any]) -> Any:
    import numpy as np
    from scipy import stats
    from scipy.stats import mstats

    inputs, options, kept = case["inputs"], case["options"], case["outputs"]
    if function in ("fisher_exact", "barnard_exact", "boschloo_exact"):
        c1, n1, c2, n2 = (inputs[key] for key in ("count1", "nobs1", "count2", "nobs2"))
        table = [[c1, c2], [n1 - c1, n2 - c2]]
        more = {key: options[key] for key in ("alternative", "pooled", "n") if key in options}
        result = getattr(stats, function)(table, **more)
        return {"statistic": result.statistic, "pvalue": result.pvalue}
    if function == "bootstrap":
        # The draws are NumPy's of a seed that was not written down: what is checked is what follows from them.
        sample, draws = np.array(inputs["x"]), np.array(kept["bootstrap_distribution"])
        statistic = getattr(np, options["statistic"])
        low, high = 0.025, 0.975
        if options["method"] == "BCa":
            low, high = bca_levels(sample, draws, statistic, low, high)
        ends = np.quantile(draws, [low, high])
        if options["method"] == "basic":
            ends = 2 * statistic(sample) - ends[::-1]
        return {"ci95": ends, "se": np.std(draws, ddof=1), "bootstrap_distribution": draws}
    x, y = arms(case)
    if function == "mannwhitneyu":
        result = stats.mannwhitneyu(x, y, **options)
        return {"statistic": result.statistic, "pvalue": result.pvalue}
    if function == "brunnermunzel":
        result = stats.brunnermunzel(x, y, **options)
        return {"statistic": result.statistic, "pvalue": result.pvalue}
    if function == "ttest_welch":
        result = stats.ttest_ind(x, y, equal_var=False, **options)
        interval = result.confidence_interval(0.95)
        return {"statistic": result.statistic, "pvalue": result.pvalue, "df": result.df,
                "ci95": [interval.low, interval.high]}
    if function == "ttest_yuen":
        result = stats.ttest_ind(x, y, equal_var=False, **options)
        return {"statistic": result.statistic, "pvalue": result.pvalue, "df": result.df}
    if function == "ks_2samp":
        result = stats.ks_2samp(x, y, **options)
        return {"statistic": result.statistic, "pvalue": result.pvalue, "location": result.statistic_location,
                "sign": int(result.statistic_sign)}
    if function == "cramervonmises_2samp":
        result = stats.cramervonmises_2samp(x, y, method=options["method"])
        return {"statistic": result.statistic, "pvalue": result.pvalue}
    if function == "anderson_ksamp":
        result = stats.anderson_ksamp([x, y], midrank=options["midrank"])
        return {"statistic": result.statistic, "pvalue": result.pvalue}
    if function == "mquantiles":
        return {"q": mstats.mquantiles(x, options["prob"], alphap=options["alphap"], betap=options["betap"])}
    if function == "hdquantiles":
        found = mstats.hdquantiles(x, options["prob"], var=True)
        return {"q": found[0], "q_var_first": kept["q_var_first"]}
    if function == "mjci":
        return {"se": mstats.mjci(x, options["prob"])}
    if function == "quantile_ci_mj":
        return {"ci": [list(ends) for ends in mstats.mquantiles_cimj(x, options["prob"], alpha=options["alpha"])]}
    if function == "rankdata":
        both = np.concatenate([x, y])
        ranks = stats.rankdata(both)
        return {"sum_ranks_x": float(np.sum(ranks[: len(x)])), "tie_correction": stats.tiecorrect(ranks),
                "ranks_first_20": ranks[:20]}
    if function == "quantile_test":
        q = float(np.median(y))
        result = stats.quantile_test(x, q=q, p=options["p"])
        interval = result.confidence_interval(0.95)
        return {"statistic": int(result.statistic), "statistic_type": int(result.statistic_type),
                "pvalue": result.pvalue, "ci95": [interval.low, interval.high]}
    raise KeyError(function)


def bca_levels(sample: Any, draws: Any, statistic: Any, low: float, high: float) -> tuple[float, float]:
    """Efron 1987, Better Bootstrap Confidence Intervals, JASA 82."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    below = (np.sum(draws < statistic(sample)) + np.sum(draws <= statistic(sample))) / (2 * len(draws))
    z0 = ndtri(below)
    without = np.array([statistic(np.delete(sample, i)) for i in range(len(sample))])
    off = np.mean(without) - without
    acceleration = np.sum(off**3) / (6 * np.sum(off**2) ** 1.5)
    levels = [ndtr(z0 + (z0 + z) / (1 - acceleration * (z0 + z))) for z in (ndtri(low), ndtri(high))]
    return levels[0], levels[1]


# ---- statsmodels


def statsmodels(function: str, case: dict[str, Any]) -> Any:
    import numpy as np
    import statsmodels.stats.api as sms
    from statsmodels.stats import multitest, nonparametric, power, proportion, rates, weightstats
    from statsmodels.tsa.stattools import acf

    inputs, options = case["inputs"], {k: v for k, v in case["options"].items() if k not in ("warning", "note", "sample")}
    if function == "multipletests":
        reject, adjusted, *_ = multitest.multipletests(inputs["p"], alpha=options["alpha"], method=options["method"])
        return {"reject": reject, "adjusted": adjusted}
    if function == "tt_ind_solve_power":
        return {"nobs1": float(power.tt_ind_solve_power(**options))}
    if function == "zt_ind_solve_power":
        return {"nobs1": float(power.zt_ind_solve_power(**options))}
    if function == "power_proportions_2indep":
        return {"power": float(proportion.power_proportions_2indep(return_results=False, **options))}
    if function == "power_poisson_ratio_2indep":
        return {"power": float(rates.power_poisson_ratio_2indep(return_results=False, dispersion=1, **options))}
    if "count1" in inputs:
        counts = tuple(inputs[key] for key in ("count1", "nobs1", "count2", "nobs2") if key in inputs)
        exposed = tuple(inputs[key] for key in ("count1", "exposure1", "count2", "exposure2") if key in inputs)
        if function == "confint_proportions_2indep":
            return {"ci95": proportion.confint_proportions_2indep(*counts, **options)}
        if function == "test_proportions_2indep":
            result = proportion.test_proportions_2indep(*counts, **options)
            return {"statistic": result.statistic, "pvalue": result.pvalue}
        if function == "test_poisson_2indep":
            result = rates.test_poisson_2indep(*exposed, **options)
            return {"statistic": result.statistic, "pvalue": result.pvalue}
        if function == "confint_poisson_2indep":
            return {"ci95": rates.confint_poisson_2indep(*exposed, **options)}
        if function == "tost_poisson_2indep":
            low, high = options.pop("low"), options.pop("upp")
            return {"pvalue": rates.tost_poisson_2indep(*exposed, low, high, **options).pvalue}
    x, y = arms(case)
    if function == "rank_compare_2indep":
        result = nonparametric.rank_compare_2indep(x, y, use_t=options["use_t"])
        return {"prob1": result.prob1, "statistic": result.statistic, "pvalue": result.pvalue, "df": result.df,
                "var": result.var, "conf_int_value": result.conf_int(value=None, alpha=options["alpha"]),
                "tost_prob_pvalue_0.4_0.6": result.tost_prob_superior(0.4, 0.6).pvalue}
    if function == "ttost_ind":
        p, low, high = weightstats.ttost_ind(x, y, options["low"], options["upp"], usevar=options["usevar"])
        return {"pvalue": p, "lower": low, "upper": high}
    if function == "acf":
        return {"acf": acf(x, nlags=options["nlags"], adjusted=options["adjusted"])[: len(case["outputs"]["acf"])]}
    raise KeyError(function)


# ---- pingouin


def pingouin(function: str, case: dict[str, Any]) -> Any:
    import pingouin as pg

    x, y = arms(case)
    if function == "cles":
        return {"cles": pg.compute_effsize(x, y, eftype="CLES")}
    raise KeyError(function)


# ---- exact fractions and published formulas


def rational(function: str, case: dict[str, Any]) -> Any:
    inputs, options = case["inputs"], case["options"]
    if function == "mannwhitney_exact":
        data = datasets()[inputs["dataset"]]
        return mann_whitney_exact(golden.from_json(data["canary"]), golden.from_json(data["baseline"]))
    if function == "weighted_holm":
        return {"adjusted": weighted_holm(inputs["p"], inputs["w"])}
    if function == "weighted_bh":
        return {"adjusted": weighted_bh(inputs["p"], inputs["w"])}
    if function == "mn_score_diff":
        return miettinen_nurminen(inputs, options)
    if function == "noether_mann_whitney":
        from scipy.special import ndtri

        c = options["fraction1"]
        z = ndtri(1 - options["alpha"] / 2) + ndtri(options["power"])
        return {"N": z * z / (12 * c * (1 - c) * (options["p"] - 0.5) ** 2)}
    raise KeyError(function)


def mann_whitney_exact(x: list[float], y: list[float]) -> Any:
    """The permutation distribution of U, ties as they are: every way to give len(x) of all values to the canary."""
    values = sorted(set(x + y))
    count = {v: (x + y).count(v) for v in values}
    # ways[k][doubled U]: over the values so far, k of them the canary's
    ways: dict[tuple[int, int], int] = {(0, 0): 1}
    seen = 0
    for v in values:
        after: dict[tuple[int, int], int] = {}
        for (k, u), number in ways.items():
            for take in range(count[v] + 1):
                if k + take > len(x):
                    break
                lower = seen - k  # of the baseline, below v
                rest = count[v] - take
                key = (k + take, u + take * (2 * lower + rest))
                after[key] = after.get(key, 0) + number * math.comb(count[v], take)
        ways = after
        seen += count[v]
    whole = {u: n for (k, u), n in ways.items() if k == len(x)}
    total = sum(whole.values())
    observed = sum(2 * (a > b) + (a == b) for a in x for b in y)
    less = Fraction(sum(n for u, n in whole.items() if u <= observed), total)
    greater = Fraction(sum(n for u, n in whole.items() if u >= observed), total)
    return {"U": observed / 2, "p_less": float(less), "p_greater": float(greater),
            "p_two_sided_doubled": float(min(Fraction(1), 2 * min(less, greater)))}


def weighted_holm(p: list[float], w: list[float]) -> list[float]:
    """Holm 1979, A simple sequentially rejective multiple test procedure, section 4: p/w in order, times what is left."""
    order = sorted(range(len(p)), key=lambda i: p[i] / w[i])
    adjusted, largest = [0.0] * len(p), 0.0
    for at, i in enumerate(order):
        left = math.fsum(w[j] for j in order[at:])
        largest = max(largest, min(1.0, p[i] / w[i] * left))
        adjusted[i] = largest
    return adjusted


def weighted_bh(p: list[float], w: list[float]) -> list[float]:
    """Genovese, Roeder and Wasserman 2006, False discovery control with p-value weighting, Biometrika 93."""
    k, mean = len(p), math.fsum(w) / len(w)
    q = [a / (b / mean) for a, b in zip(p, w)]
    order = sorted(range(k), key=lambda i: q[i])
    adjusted, least = [0.0] * k, 1.0
    for rank in range(k, 0, -1):
        i = order[rank - 1]
        least = min(least, q[i] * k / rank)
        adjusted[i] = least
    return adjusted


def miettinen_nurminen(inputs: dict[str, Any], options: dict[str, Any]) -> Any:
    """Miettinen and Nurminen 1985, Comparative analysis of two rates, Statistics in Medicine 4: the score test of a
    difference of proportions by their cubic, and the differences that it does not reject."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    x1, n1, x2, n2 = (inputs[key] for key in ("count1", "nobs1", "count2", "nobs2"))
    n, factor = n1 + n2, 1.0

    def z(d: float) -> float:
        l3, l2 = n, (n1 + 2 * n2) * d - n - x1 - x2
        l1, l0 = (n2 * d - n - 2 * x2) * d + x1 + x2, x2 * d * (1 - d)
        q = l2**3 / (3 * l3) ** 3 - l1 * l2 / (6 * l3**2) + l0 / (2 * l3)
        p = math.copysign(math.sqrt(max(l2**2 / (3 * l3) ** 2 - l1 / (3 * l3), 0)), q)
        a = (math.pi + math.acos(max(-1.0, min(1.0, q / p**3)))) / 3 if p else 0.0
        p2 = 2 * p * math.cos(a) - l2 / (3 * l3)
        p1 = min(1.0, max(0.0, p2 + d))
        p2 = min(1.0, max(0.0, p2))
        variance = p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2
        if options["correction"]:
            variance *= n / (n - 1)
        off = x1 / n1 - x2 / n2 - d
        return off / math.sqrt(variance) if variance > 0 else (0.0 if off == 0 else math.copysign(math.inf, off))

    limit, d = ndtri(1 - options["alpha"] / 2), x1 / n1 - x2 / n2
    ends = []
    for end, target in ((-1.0, limit), (1.0, -limit)):
        inside, outside = d, end + (1e-15 if end < 0 else -1e-15)
        ends.append(end if (z(outside) - target) * (target) < 0
                    else brentq(lambda v: z(v) - target, *sorted((inside, outside)), xtol=1e-16, rtol=1e-15))
    return {"ci95": ends, "z": [z(v) for v in options["values"]]}


# ---- R


def r_outputs(cases: list[dict[str, Any]]) -> list[Any]:
    """All at once: R takes longer to start than to compute."""
    if shutil.which("Rscript") is None:
        raise Unavailable("no Rscript")
    with tempfile.TemporaryDirectory() as folder:
        given, answered = Path(folder) / "cases.json", Path(folder) / "outputs.json"
        given.write_text(json.dumps([{**case, "data": datasets()[case["inputs"]["dataset"]]}
                                     if "dataset" in case["inputs"] else case for case in cases]), encoding="utf-8")
        subprocess.run(["Rscript", str(Path(__file__).with_name("fixed.R")), str(given), str(answered)], check=True)
        return json.loads(answered.read_text(encoding="utf-8"))


class FromR:
    """The outputs of R's cases of a file, computed when the first is asked for."""

    def __init__(self) -> None:
        self.known: dict[int, dict[int, Any]] = {}

    def __call__(self, case: dict[str, Any], whole: dict[str, Any]) -> Any:
        outputs = self.known.get(id(whole))
        if outputs is None:
            cases = [one for one in whole["cases"] if one["source"].startswith("R ")]
            outputs = {id(one): found for one, found in zip(cases, r_outputs(cases))}
            self.known[id(whole)] = outputs
        found = outputs[id(case)]
        if isinstance(found, dict) and "unavailable" in found:
            raise Unavailable(found["unavailable"])
        return found


from_r = FromR()
PACKAGES = {"scipy": scipy, "statsmodels": statsmodels, "pingouin": pingouin, "rational": rational}


def compute(case: dict[str, Any], whole: dict[str, Any]) -> Any:
    # What a package warns of (capped p-values, arms without spread) is in the outputs as well.
    warnings.simplefilter("ignore")
    package, function = case["source"].split(" ", 1)
    if package == "R":
        return {"outputs": from_r(case, whole)}
    try:
        return {"outputs": PACKAGES[package](function, case)}
    except ImportError as error:
        raise Unavailable(str(error)) from None


if __name__ == "__main__":
    sys.exit(golden.main(FILES, compute))
