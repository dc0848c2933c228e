"""data/reference/sequential/rotation.json: the rotation test between instances in NumPy, written for itself and with
other virtual canaries (NumPy's generator).

    python tools/reference/rotation.py        writes the file
"""
import json
import pathlib

import numpy as np

M = 16383


def looks(last):
    at = [min(5, last)]
    while at[-1] < last:
        at.append(min(last, max(at[-1] + 1, round(at[-1] * 1.25))))
    return np.array(at)


def contrasts(k):
    rows = np.zeros((k - 1, k))
    for i in range(1, k):
        rows[i - 1, :i], rows[i - 1, i] = -1, i
        rows[i - 1] /= np.sqrt(i * (i + 1))
    return rows


def running(values, at):
    at = np.minimum(at, values.shape[1])
    there = ~np.isnan(values)
    return np.cumsum(np.where(there, values, 0), 1)[:, at - 1] / np.cumsum(there, 1)[:, at - 1]


def spread(levels, known=1):
    z = contrasts(len(levels))[known - 1:] @ levels
    return z.T @ z, len(z)


def declared(at, differ, df=8):
    w, v = np.linalg.eigh(np.sqrt(np.minimum.outer(at, at) / np.maximum.outer(at, at)))
    keep = np.argsort(w)[::-1][:df]
    f = v[:, keep] * np.sqrt(w[keep])
    f = f / np.linalg.norm(f, axis=1)[:, None] * np.log1p(differ) / (1.645 * np.sqrt(2))
    return df * f @ f.T


def inverse_k(values):
    there = ~np.isnan(values)
    share = (there / there.sum(0)).mean(1)
    return max((share ** 2).sum(), (1 / there.sum(0)).mean())


def rows_of(gram, most):
    z, pivots = np.zeros((most, len(gram))), []
    for j in range(len(gram)):
        for a, p in enumerate(pivots):
            z[a, j] = (gram[p, j] - z[:a, p] @ z[:a, j]) / z[a, p]
        rest = gram[j, j] - z[:, j] @ z[:, j]
        if len(pivots) < most and rest > 1e-9 * gram[j, j]:
            z[len(pivots), j] = np.sqrt(rest)
            pivots.append(j)
    return z


def rejected(x, gram, df, at, alphas, rng):
    """For each error rate the look at which the canary is rejected, or -1."""
    z = rows_of(gram, min(df, len(at)))
    path = np.vstack([x[None], z[:, :len(x)]])
    path /= np.linalg.norm(path, axis=0)
    g = rng.standard_normal((M, len(path)))
    rest = rng.chisquare(df + 1 - len(path), M) if df + 1 > len(path) else 0
    c = g / np.sqrt((g * g).sum(1) + rest)[:, None] @ path
    found = []
    for alpha in alphas:
        alive, look = np.ones(M, bool), -1
        for j in range(len(x)):
            go = int(alpha * np.sqrt(at[j] / at[-1]) * (M + 1) + 1e-9) - (M - int(alive.sum()))
            if go <= 0:
                continue
            least = np.partition(np.where(alive, c[:, j], -2), M - go)[M - go]
            if path[0, j] > least:
                look = j
                break
            alive &= c[:, j] < least
        found.append(look)
    return found


def noise(rng, shape, rho):
    e = rng.standard_normal(shape)
    for t in range(1, shape[1]):
        e[:, t] = rho * e[:, t - 1] + np.sqrt(1 - rho * rho) * e[:, t]
    return e


def plain(values):
    return [[None if np.isnan(x) else float(f"{x:.7g}") for x in row] for row in values]


def back(values):
    return np.array([[np.nan if x is None else x for x in row] for row in values])


def case(name, seed, last, n, kb, kc, ratio=None, difference=None, replaced=0, former=(), late=None, differ=None):
    rng = np.random.default_rng(seed)
    at = looks(last)

    def pods(k, length, more=0.0):
        y = .2 * rng.standard_normal((k, 1)) + .3 * np.sin(np.arange(length) / 5) + .2 * noise(rng, (k, length), .6)
        return plain(40 * np.exp(y + more))

    made = {"name": name, "last": last, "ratio": ratio, "difference": difference, "instances_differ": differ,
            "baseline": pods(kb, n), "canary": pods(kc, n, .5),
            "former": [pods(k, n) for k in former], "history": pods(kb + replaced, 15) if replaced else []}
    if late:
        made["canary"][-1][:late] = [None] * late
    of = (lambda v: np.log(back(v))) if ratio else back
    base, canary = of(made["baseline"]), of(made["canary"])
    so_far = at[at <= n]
    gram, df = spread(running(base, at))
    if kc > 1 and not late:
        g, d = spread(running(canary, at))
        gram, df = gram + g, df + d
    known, known_df = np.zeros_like(gram), 0
    for pods_known, already in [(made["history"], kb)] * bool(replaced) + [(f, 1) for f in made["former"]]:
        g, d = spread(running(of(pods_known), at), already)
        known, known_df = known + g, known_df + d
    x = []
    for m in so_far:
        d = (np.nanmean(canary[:, :m], 0) - base[:, :m].mean(0)).mean()
        edge = np.log(ratio) if ratio else difference
        x.append((d - edge) / np.sqrt(inverse_k(canary[:, :m]) + inverse_k(base[:, :m])))
    z = rows_of(gram + known, min(df + known_df, len(at)))
    made.update(looks=at.tolist(), known=known.tolist(), known_degrees=known_df, degrees=df + known_df,
                gram=(gram + known)[:len(so_far), :len(so_far)].tolist(), path=x, rows=z[:, :len(so_far)].T.tolist())
    if differ:
        made["declared"] = declared(at, differ).tolist()
    return made


def walks(many=200, last=12, kb=3, replaced=1):
    """Paths of whole rollouts with harm of many sizes, the number of the smallest error rate of .4 .2 .1 ... that
    rejects, and the look at which .1 does."""
    rng, at, alphas = np.random.default_rng(5), looks(last), [.4 / 2 ** j for j in range(14)]
    made = []
    for r in range(many):
        m = .1 * rng.standard_normal((kb + replaced + 1, 1))
        y = m + .2 * noise(rng, (kb + replaced + 1, last), .6)
        h = m + .2 * noise(rng, (kb + replaced + 1, last), .6)
        p = running(y, at)
        gram, df = spread(p[:kb])
        g, d = spread(running(h[:-1], at), kb)
        x = (p[-1] - p[:kb].mean(0) + (r % 10) / 10) / np.sqrt(1 + 1 / kb)
        gram, x = np.round(gram + g, 7), np.round(x, 5)
        found = rejected(x, gram, df + d, at, alphas, rng)
        made.append({"x": x.tolist(), "gram": gram[np.triu_indices(len(at))].tolist(),
                     "smallest": max([j for j in range(14) if found[j] >= 0], default=-1), "look": found[2]})
    return {"last": last, "degrees": kb - 1 + replaced, "alphas": alphas, "rollouts": made}


if __name__ == "__main__":
    made = {
        "source": "Computed once by tools/reference/rotation.py with NumPy. The data are simulated.",
        "cases": [
            case("replaced and former", 1, 17, 17, 3, 1, ratio=1.5, replaced=1, former=(3, 2)),
            case("two in the canary, a difference", 2, 60, 40, 4, 2, difference=5.0),
            case("a late canary instance, declared", 3, 30, 30, 2, 2, ratio=1.0, late=6, former=(3,), differ=.5),
            case("more looks than eight, declared", 4, 60, 60, 9, 1, ratio=1.25, differ=1.0),
        ],
        "walks": walks(),
    }
    path = pathlib.Path(__file__).resolve().parents[2] / "data" / "reference" / "sequential" / "rotation.json"
    path.write_text(json.dumps(made, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('{"x"', '\n{"x"') + "\n")
