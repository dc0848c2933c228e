"""data/reference/fixed/label_swap.json: one look at gauges by label swaps, in NumPy, written before and without Serinus.

    python tools/reference/label_swap.py             computes every case again and compares
    python tools/reference/label_swap.py --write     writes the file

Without harm the two arms of an interval are exchangeable: swapping their labels leaves the law as it is. Every statistic here is a
sum of signs times scores (a swap turns a sign), the statistics of all metrics walk through the same swaps, and the smallest weighted
p-value is judged by its own distribution over the swaps. The words of the swaps are those of RandomStream(seed, 0), so that p agrees
to the last swap. It works by matrices of all swaps and by sorting, where Serinus has running sums of 16 bits and counts.
"""
import json
import pathlib
from functools import lru_cache
from statistics import NormalDist

import numpy as np

GROUPS = ("level", "late", "window", "upper", "spread")
WEIGHTS = np.array([0.3, 0.2, 0.2, 0.15, 0.15])
z_of = NormalDist().inv_cdf


def mixed(x):
    """The finaliser of SplitMix64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@lru_cache(maxsize=64)
def swaps(n, count, seed):
    """Signs (n, count + 1); column 0 keeps every label. Bit t of the j-th words of a counted stream is interval t of swap j."""
    with np.errstate(over="ignore"):
        key = mixed(mixed(np.array([seed], np.uint64) + np.uint64(0x9E3779B97F4A7C15)))
        k = np.arange(1, count * ((n + 63) // 64) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        words = mixed(key + k).astype("<u8").view(np.uint8).reshape(count, -1)
    bits = np.unpackbits(words, axis=1, bitorder="little")[:, :n]
    return np.hstack([np.ones((n, 1), np.float32), 1 - 2 * bits.T.astype(np.float32)])


@lru_cache(maxsize=64)
def half_normal(n):
    """Integer scores (x 1024) of the half ranks 0, 1/2, 1, ..., n: sums of them are exact."""
    return np.array([np.rint(1024 * z_of(0.5 + k / 4 / (n + 1))) for k in range(2 * n + 1)], np.float32)


@lru_cache(maxsize=64)
def places(n):
    """0/1 rows (and a ramp) and their scales: everywhere; late = suffixes, ramp; window = five lengths at all places."""
    t = np.arange(n)
    late = [t >= n - k for k in sorted({max(4, round(n * f)) for f in (1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3)})]
    late.append(np.ceil(8 * (t + 1) / n))
    lengths = sorted({max(4, round(n * f)) for f in (1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2)})
    scan = [(t >= s) & (t < s + k) for k in lengths for s in range(0, n - k + 1, max(1, k // 4))]
    rows = np.array([t >= 0, *late, *scan], np.float32)
    return rows, 1 / np.sqrt((rows**2).sum(1, keepdims=True)), (0, 1, 1 + len(late), len(rows))


def ranks2(v):
    """Twice the midranks along the last axis."""
    order, i, n = np.argsort(v, -1), np.arange(v.shape[-1]), v.shape[-1]
    s, out = np.take_along_axis(v, order, -1), np.empty(v.shape, int)
    begins = np.insert(s[..., 1:] != s[..., :-1], 0, True, axis=-1)
    first = np.maximum.accumulate(np.where(begins, i, 0), -1)
    last = np.minimum.accumulate(np.where(np.roll(begins, -1, -1), i, n)[..., ::-1], -1)[..., ::-1]
    np.put_along_axis(out, order, first + last + 2, -1)
    return out


def level_scores(d):
    """Signed normal scores of the differences: 0 for 0, midranks for ties."""
    return np.sign(d).astype(np.float32) * half_normal(d.shape[-1])[ranks2(np.abs(d))]


def residuals(x, y):
    """Both arms less a running median (15 intervals) of the lower arm, less their pooled median: no swap changes these."""
    low = np.pad(np.minimum(x, y), 7, mode="reflect")
    centre = np.median(np.lib.stride_tricks.sliding_window_view(low, 15), axis=1)
    r = np.concatenate([x - centre, y - centre])
    return r - np.median(r)


def outliers(r):
    """(far out in the pool: unchanged by swaps; far out in the canary while none is in the baseline). A floor has none."""
    n = len(r) // 2
    x, y = r[:n], r[n:] - np.median(r[n:])
    if np.unique(r, return_counts=True)[1].max() > n:
        return 0, 0
    limit = 10 * np.quantile(np.concatenate([x - np.median(x), y]), 0.75)
    spikes = 0 if limit <= 0 or (y > limit).any() else int((x - np.median(r[n:]) > limit).sum())
    return int((r > 10 * np.quantile(r, 0.75)).sum()), spikes


def panel(x, y, signs):
    """The five statistics for every swap (5, count + 1), the level scores, whether spread may count, the outliers."""
    n, (rows, scale, cut) = len(x), places(len(x))
    a, r = level_scores(x - y), residuals(x, y)
    spread = np.rint(half_normal(2 * n)[ranks2(np.abs(r))] ** 2 / 1024)
    upper = spread * (r > 0)
    t = np.vstack([rows * a, upper[:n] - upper[n:], spread[:n] - spread[n:]]).astype(np.float32) @ signs
    t[: len(rows)] *= scale
    grown = np.maximum(r[:n], 0).sum() > np.maximum(r[n:], 0).sum()  # spread counts only if the harmful side grew
    return np.stack([t[p:q].max(0) for p, q in zip(cut, cut[1:])] + [t[-2], t[-1]]), a, grown, outliers(r)


def joint_p(statistics, weights, counts):
    """Weighted min-p, judged by its own distribution over the swaps; column 0 is what was seen."""
    size = statistics.shape[1]
    p = np.array([size - np.searchsorted(np.sort(s), s) for s in statistics]) / (size * weights[:, None])
    p[~counts, 0] = np.inf
    return float((p.min(0) <= p[:, 0].min()).mean()), int(p[:, 0].argmin())


def coefficient(x, y, alpha):
    """AR(1) coefficient to whiten with: the smaller of the baseline's and the difference's, and (0.4 + 4/n) z standard errors."""
    n, r = len(x), 1.0
    for v in (y - y.mean(), (x - y) - (x - y).mean()):
        s = (v * v).sum()
        r = min(r, ((v[1:] * v[:-1]).sum() / s * (1 + 4 / n) if s > 0 else 0) + 1 / n)
    return float(np.clip(r + (0.4 + 4 / n) * z_of(1 - alpha) * np.sqrt((1 - max(r, 0) ** 2) / n), 0, 0.95))


def whitened(x, y, phi):
    """Innovations of both arms, scaled so that a constant shift keeps its size."""
    centre, arms = np.median(np.concatenate([x, y])), []
    for v in (x, y):
        w = (v - np.append(0, phi * v[:-1])) / (1 - phi)
        w[0] = centre + (v[0] - centre) * np.sqrt((1 + phi) / (1 - phi))
        arms.append(w)
    return arms


@lru_cache(maxsize=256)
def spike_level(n, k):
    """sup over p of P(none in the baseline, k or more in the canary): n intervals each, spikes at rate p in both."""
    p = np.linspace(1e-3, 0.6, 600)
    term, tail = (1 - p) ** n, np.ones_like(p)
    for i in range(k):
        tail, term = tail - term, term * (n - i) / (i + 1) * p / (1 - p)
    return float(((1 - p) ** n * tail).max())


def level_interval(pairs, ratio, alpha, seed, count):
    """The margins that the level test leaves, alpha a side; hull over the pairs of arms (as read, whitened)."""
    x, y = (np.array(v)[:, None] for v in zip(*pairs))  # (pairs, 1, n)
    critical = np.sort(half_normal(x.shape[-1])[2::2] @ swaps(x.shape[-1], count, seed))[int(np.ceil((1 - alpha) * (count + 1))) - 1]
    low = np.zeros((2, len(x), 1)) + (0 if ratio else (x - y).min(-1) - 1e-9)  # (ends, pairs, 1)
    high = np.zeros_like(low) + (2 * x.max(-1) / np.median(y, -1) if ratio else (x - y).max(-1))
    for points in (17,) + (9,) * 9:  # fine enough that the grid is not what differs
        grid = low + (high - low) * np.linspace(0, 1, points)
        t = level_scores(x - grid[..., None] * y if ratio else x - y - grid[..., None]).sum(-1)  # falls as the margin grows
        k = (t > np.array([critical, -critical - 0.5])[:, None, None]).sum(-1, keepdims=True)
        low, high = (np.take_along_axis(grid, np.clip(v, 0, points - 1), -1) for v in (k - 1, k))
    return float(low[0].min()), float(high[1].max())


def judge_panel(sides, n, alpha, seed, count):
    """sides: (x, y, there, weight, name, summed): arms such that harm is x above y, at the margin's edge."""
    signs, share = swaps(n, count, seed), np.array([s[3] for s in sides]) / sum(s[3] for s in sides)
    many, p, far, factor = sum(s[5] for s in sides) > 1, 0.0, [[] for _ in sides], np.ones(len(sides))
    for white in (False, True):  # both must reject: the second pass is made only when the first one does
        rows, counts, total = [], [], np.zeros(n, np.float32)
        for i, (x, y, there, _, _, summed) in enumerate(sides):
            if white:
                x, y = whitened(x, y, coefficient(x, y, alpha))
            g, a, grown, out = panel(x, y, signs if there.all() else signs[there])
            rows.append(g)
            counts += [True] * 4 + [grown]
            far[i].append(out)
            total[there] += a * summed
        if not white:  # one to seven far outliers: nine tenths of this metric's alpha are the outliers' own
            factor = np.array([0.1 if 1 <= f[0][0] <= 7 else 1.0 for f in far])
        weights = np.outer(share * factor, WEIGHTS).ravel()
        if many:
            rows, counts, weights = rows + [(total @ signs)[None]], counts + [True], np.append(0.8 * weights, 0.2)
        here, best = joint_p(np.vstack(rows), weights, np.array(counts))
        p, why = (here, best) if here >= p else (p, why)
        k = [min(c for _, c in f) for f in far]
        tail = any(c > 2 and spike_level(len(s[0]), c) <= 0.9 * alpha * w for c, s, w in zip(k, sides, share))
        if p > alpha and not tail:
            break
    allowed = alpha * float((share * factor).sum())
    name = GROUPS[why % 5] + " of " + sides[why // 5][4] if why < 5 * len(sides) else "level of all metrics"
    fail = p <= allowed or tail
    return dict(fail=fail, p=p, allowed=allowed, why="far outliers" if tail and p > allowed else name, clean=not any(f[0][1] for f in far))


def fixed_look(metrics, alpha=0.05, seed=1, count=None, suspicious=0.2):
    """metrics: {name: dict(baseline, canary, harm, ratio, margin, detect, weight)}; arrays of one length, NaN where missing."""
    sides, kept, n, count = [], {}, 0, count or round(100 / alpha) - 1
    for name, m in metrics.items():
        x, y, ratio = np.asarray(m["canary"], float), np.asarray(m["baseline"], float), m.get("ratio", True)
        n, there, margin, harm = len(x), np.isfinite(x) & np.isfinite(y), m.get("margin", float(ratio)), m.get("harm", "increase")
        x, y = x[there], y[there]
        if len(x) < 12 or (ratio and np.median(y) <= 0):
            return dict(verdict="inconclusive", why=name + (": fewer than 12 intervals" if len(x) < 12 else ": a ratio to zero"))
        kept[name] = (x, y, ratio, harm, m.get("detect"))
        for s in {"increase": [1], "decrease": [-1]}.get(harm, [1, -1]):
            edge = y * margin**s if ratio else y + s * margin
            sides.append((s * x, s * edge, there, m.get("weight", 1) / (1 + (harm == "either")), name, harm != "either"))
    result = judge_panel(sides, n, alpha, seed, count)
    safe, healed, result["intervals"] = result["p"] > suspicious and result["clean"], result["fail"], {}
    for name, (x, y, ratio, harm, detect) in kept.items():
        white, last = whitened(x, y, coefficient(x, y, alpha)), -max(8, -(-len(x) // 3))
        cuts = [level_interval([(x[c], y[c]), (white[0][c], white[1][c])], ratio, alpha, seed, count)
                for c in (slice(None), slice(last, None)) + ((slice(None, last),) if result["fail"] else ())]
        result["intervals"][name] = dict(level=cuts[0], last_third=cuts[1])
        safe &= detect is not None and (harm == "decrease" or max(cuts[0][1], cuts[1][1]) < detect)
        safe &= detect is not None and (harm == "increase" or min(cuts[0][0], cuts[1][0]) > (1 / detect if ratio else -detect))
        healed = healed and (cuts[1][1] < cuts[2][0] if harm == "increase" else cuts[1][0] > cuts[2][1] if harm == "decrease" else False)
    return dict(verdict="fail" if result["fail"] else "pass" if safe else "inconclusive", healed=healed, **result)


# ---- the cases

FILE = pathlib.Path(__file__).resolve().parents[2] / "data" / "reference" / "fixed" / "label_swap.json"
SOURCE = {
    "package": "NumPy, this script", "licence": "Apache-2.0", "command": "python tools/reference/label_swap.py --write", "rtol": 1e-6,
    "reason": "p_value and allowed are quotients of whole numbers and agree to 1e-14; ends of intervals are found here by a grid of 2^-31 "
              "of the range that is searched, there by halving to 2^-30: 1e-6 of the larger of 1 and the range",
}


def arms(rng, n, kind):
    """(baseline, canary) of a kind, rounded to what is written down."""
    y, x = 200 + 8 * rng.standard_normal((2, n))
    t = np.arange(n)
    if kind == "level":
        x = x + 9
    elif kind == "better":
        x = x - 9
    elif kind == "spread":
        x = 200 + 3 * (x - 200)
    elif kind == "late":
        x = x + 20 * (t >= n - n // 3)
    elif kind == "healed":
        x = x + 60 * (t < n // 2)
    elif kind == "run":
        x = x + 25 * ((t >= n // 4) & (t < n // 2))
    elif kind == "spikes":
        x = x + 400 * np.isin(t, (3, n // 2, n // 2 + 1, n - 5))
    elif kind == "one spike":
        x = x + 400 * (t == n // 2)
    elif kind == "spikes in both":
        y, x = y + 400 * (t == 2), x + 400 * np.isin(t, (5, 7, 9))
    elif kind == "lognormal":
        y, x = np.exp(y / 8 - 22), np.exp(x / 8 - 21.8)
    elif kind == "cauchy":
        y, x = 200 + 3 * rng.standard_cauchy((2, n))
    elif kind == "rounded":
        y, x = 8 * np.round(y / 8), 8 * np.round((x + 3) / 8)
    elif kind == "zeros":
        y, x = np.maximum(0, y - 203), np.maximum(0, x - 201)
    elif kind == "alike":
        x = y.copy()
    elif kind == "drift":
        wave = 60 * np.sin(t / 9)
        y, x = y + wave, x + wave
    elif kind == "ar":
        for v in (y, x):
            for i in range(1, n):
                v[i] = 200 + 0.7 * (v[i - 1] - 200) + 0.7 * (v[i] - 200)
    return [float(f"{v:.7g}") for v in y], [float(f"{v:.7g}") for v in x]


def drawn():
    rng, cases = np.random.default_rng(20261130), []
    kinds = ["same", "level", "better", "spread", "late", "healed", "run", "spikes", "one spike", "spikes in both", "lognormal",
             "cauchy", "rounded", "alike", "drift", "ar"]

    def metric(n, kind, holes=0, **asked):
        y, x = arms(rng, n, kind)
        for arm in (y, x):
            for at in rng.choice(n, holes, replace=False):
                arm[at] = None
        return dict(baseline=y, canary=x, **asked)

    def case(metrics, alpha=0.05, seed=1, count=999):
        cases.append(dict(source="numpy label_swap", inputs=dict(metrics=metrics),
                          options=dict(alpha=alpha, seed=seed, resamples=count)))

    for kind in kinds:
        case({"a": metric(31, kind, margin=1.0, detect=1.1)}, seed=len(cases))
    for n, kind in ((12, "same"), (13, "level"), (20, "late"), (47, "run"), (60, "spikes"), (63, "ar"), (64, "level"), (65, "same"),
                    (100, "ar"), (150, "late"), (200, "run")):
        case({"a": metric(n, kind, margin=1.02, detect=1.05)}, seed=7, count=499)
    for kind in ("same", "better", "level", "late", "zeros"):
        case({"a": metric(31, kind, ratio=False, margin=0.0, detect=10.0)}, alpha=0.01, seed=3, count=1999)
        case({"a": metric(31, kind, ratio=False, margin=2.0, detect=10.0, harm="decrease")}, seed=4)
    case({"a": metric(31, "better", margin=1.01, detect=1.2, harm="decrease")}, seed=5)
    case({"a": metric(31, "level", margin=1.01, detect=1.2, harm="either")}, seed=6)
    case({"a": metric(40, "spikes", ratio=False, margin=1.0, detect=9.0, harm="either")}, seed=6)
    for holes in (1, 5):
        case({"a": metric(31, "level", holes, margin=1.0, detect=1.1)}, seed=8)
        case({"a": metric(70, "same", holes, margin=1.0, detect=1.1), "b": metric(70, "late", 0, margin=1.0, detect=1.1)}, seed=9)
    case({name: metric(31, "same", margin=1.0, detect=1.1) for name in "abc"}, seed=10)
    case({name: metric(31, kind, holes, margin=1.0, detect=1.1) for name, kind, holes in
          (("a", "level", 0), ("b", "level", 2), ("c", "same", 0), ("d", "lognormal", 1))}, seed=11, count=1999)
    case({"a": metric(31, "spikes", margin=1.0, detect=1.1, weight=3), "b": metric(31, "same", margin=1.0, detect=1.1),
          "c": metric(31, "better", margin=1.0, detect=1.1, harm="either")}, seed=12)
    case({"a": metric(31, "spread", margin=1.0, detect=1.1, weight=3), "b": metric(31, "ar", ratio=False, margin=4.0, detect=30.0)},
         alpha=0.1, seed=13, count=199)
    return cases


def computed(case):
    metrics = {name: {key: [np.nan if v is None else v for v in value] if key in ("baseline", "canary") else value
                      for key, value in m.items()} for name, m in case["inputs"]["metrics"].items()}
    o = case["options"]
    found = fixed_look(metrics, o["alpha"], o["seed"], o["resamples"])
    return dict(verdict=found["verdict"], p_value=found["p"], allowed=found["allowed"], why=found["why"], healed=bool(found["healed"]),
                intervals={name: [*v["level"], *v["last_third"]] for name, v in found["intervals"].items()})


if __name__ == "__main__":
    import sys
    cases = drawn()
    for one in cases:
        one["outputs"] = computed(one)
    text = ('{"made_by":"tools/reference/label_swap.py","sources":{"numpy label_swap":' + json.dumps(SOURCE) + '},"cases":[\n'
            + ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases) + "\n]}\n")
    if "--write" in sys.argv[1:]:
        FILE.write_text(text, encoding="utf-8")
    elif json.loads(FILE.read_text(encoding="utf-8"))["cases"] != json.loads(text)["cases"]:
        sys.exit("label_swap.json: another answer")
    print(len(cases), "cases")
